package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/suggest"
)

// addKeys defines a flag for each key of the configuration, bound to c.
func addKeys(cmd *cobra.Command, c *config.Config) {
	for _, key := range c.Keys() {
		flag := cmd.Flags().VarPF(key, key.Flag(), "", key.Help)
		flag.Annotations = map[string][]string{groupAnnotation: {key.Group}}
		if key.IsBoolFlag() {
			flag.NoOptDefVal = "true"
		}
		if len(key.Choices) > 0 {
			complete(cmd, key.Flag(), key.Choices)
		}
	}
}

// complete makes shells complete the value of a flag, or its part after the last comma, with
// choices.
func complete(cmd *cobra.Command, flag string, choices []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(
		_ *cobra.Command, _ []string, text string,
	) (all []string, _ cobra.ShellCompDirective) {
		for _, choice := range choices {
			all = append(all, text[:strings.LastIndex(text, ",")+1]+choice)
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic("plume: a flag has two completions, or does not exist")
	}
}

// warnOfUnknownEnv names the variables PLUME_* that are not keys, since a typing error would
// otherwise go unnoticed.
func warnOfUnknownEnv(w io.Writer) {
	c := method.Default()
	known := []string{kernel.EnvPath, envBLAS}
	for _, key := range c.Keys() {
		known = append(known, key.Env())
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "PLUME_") && !slices.Contains(known, name) {
			fmt.Fprintf(w, "WARNING: the environment variable %s means nothing to plume%s.\n",
				name, suggest.DidYouMean(name, known))
		}
	}
}

// resolveNew returns the configuration of a new run: the file, the environment and the flags, on
// top of the defaults of the method that they name.
func resolveNew(file string, flags *pflag.FlagSet) (config.Config, error) {
	c, _, err := overlay(method.Default(), file, flags)
	if err != nil {
		return c, err
	}
	if c, err = method.DefaultFor(c.Method); err != nil {
		return c, usage(err)
	}
	return resolve(c, file, flags)
}

// resolve returns overlay's configuration if it is valid. Keys that its method does not read keep
// their values in base.
func resolve(base config.Config, file string, flags *pflag.FlagSet) (config.Config, error) {
	c, given, err := overlay(base, file, flags)
	if err != nil {
		return c, err
	}
	if err := method.Validate(c); err != nil {
		return c, usage(err)
	}
	for _, key := range c.Keys() { // of a file that serves several methods
		if !method.Reads(c.Method, key.Name) {
			if err := key.Set(base.Key(key.Name).String()); err != nil {
				return c, err
			}
		}
	}
	return c, usage(method.CheckRead(given, c.Method))
}

// overlay applies to base the configuration file (if any), the environment and the flags that were
// given, in this order. It also returns the keys that they set for the method in particular.
func overlay(
	base config.Config, file string, flags *pflag.FlagSet,
) (c config.Config, given []config.Given, err error) {
	c = base
	if file != "" {
		if given, err = c.LoadFile(file); err != nil {
			return c, nil, usage(err)
		}
	}
	loaded := c
	fromEnv, err := c.LoadEnv(os.LookupEnv)
	if err != nil {
		return c, nil, usage(err)
	}
	var fromFlags []config.Given
	for _, key := range c.Keys() {
		if flag := flags.Lookup(key.Flag()); flag.Changed {
			if err := key.Set(flag.Value.String()); err != nil {
				return c, nil, usage(err)
			}
			fromFlags = append(fromFlags, config.Given{Key: key.Name, Where: "--" + key.Flag()})
		}
	}
	given = meant(given, base, loaded, c.Method)
	return c, slices.Concat(given, fromEnv, fromFlags), nil
}

// meant are the keys of a file that are meant for the method. A file that names no method, or one
// that the environment or a flag replaces, may serve several methods: its keys need not all be read
// by this one. Nor need those that have the values they had before, as in a configuration that
// plume stored.
func meant(
	given []config.Given, base, loaded config.Config, name config.Method,
) (keys []config.Given) {
	names := func(g config.Given) bool { return g.Key == "method" }
	if !slices.ContainsFunc(given, names) || loaded.Method != name {
		return nil
	}
	changed := base.Changed(loaded)
	return slices.DeleteFunc(given, func(g config.Given) bool {
		return !slices.Contains(changed, g.Key)
	})
}
