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
		completeKey(cmd, key)
	}
}

// warnOfUnknownEnv names the variables PLUME_* that are not keys, since a typing error would
// otherwise go unnoticed.
func warnOfUnknownEnv(w io.Writer) {
	c := method.Default()
	known := []string{kernel.EnvPath, kernel.EnvAMX, envBLAS, envToken, envPlain}
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
// top of the defaults of the method that they name. given are the keys that they set; warning names
// keys without effect, and may be "".
func resolveNew(file string, flags *pflag.FlagSet) (
	c config.Config, given []string, warning string, err error,
) {
	c, _, err = overlay(method.Default(), file, flags)
	if err != nil {
		return c, nil, "", err
	}
	if c, err = method.DefaultFor(c.Method); err != nil {
		return c, nil, "", usage(err)
	}
	c, keys, err := resolve(c, file, flags)
	if err == nil {
		err = usage(method.CheckRead(keys.meant, c.Method))
	}
	return c, keys.names, withoutEffect(keys.stored, c.Method), err
}

// resolveResumed returns the configuration to resume a run with: the file, the environment and the
// flags, on top of the stored configuration. warning is that of resolveNew.
func resolveResumed(
	stored config.Config, file string, flags *pflag.FlagSet,
) (c config.Config, warning string, err error) {
	c, given, err := resolve(stored, file, flags)
	if err != nil || c.Method != stored.Method { // which CheckResume refuses
		return c, "", err
	}
	// An earlier version may have begun the run with keys that its method does not read.
	var changed []config.Given
	for _, g := range given.meant {
		if slices.Contains(given.changed, g.Key) {
			changed = append(changed, g)
		} else {
			given.stored = append(given.stored, g)
		}
	}
	return c, withoutEffect(given.stored, c.Method), usage(method.CheckStored(changed, c.Method))
}

// withoutEffect is the warning of keys that none of the methods reads; "" if there are none.
func withoutEffect(given []config.Given, methods ...config.Method) string {
	var names []string
	for _, g := range method.Unread(given, methods...) {
		names = append(names, fmt.Sprintf("%s (%s)", g.Key, g.Where))
	}
	if names == nil {
		return ""
	}
	return fmt.Sprintf("Keys without effect, since they are not read by %s: %s.",
		strings.Join(config.Names(methods), ", "), strings.Join(names, ", "))
}

// resolve returns overlay's configuration if it is valid. Keys that its method does not read keep
// their values in base.
func resolve(
	base config.Config, file string, flags *pflag.FlagSet,
) (c config.Config, given givenKeys, err error) {
	c, given, err = overlay(base, file, flags)
	if err != nil {
		return c, given, err
	}
	if err := method.Validate(c); err != nil {
		return c, given, usage(err)
	}
	for _, key := range c.Keys() { // of a file that serves several methods
		if !method.Reads(c.Method, key.Name) {
			if err := key.Set(base.Key(key.Name).String()); err != nil {
				return c, given, err
			}
		}
	}
	return c, given, nil
}

// givenKeys are the keys that a user set.
type givenKeys struct {
	meant   []config.Given // for the method in particular, which must read them
	stored  []config.Given // by a file with all keys, as plume stores: not all need be read
	changed []string       // names of those whose values differ from the configuration before
	names   []string       // of all
}

// overlay applies to base the configuration file (if any), the environment and the flags that were
// given, in this order. It also returns the keys that they set.
func overlay(
	base config.Config, file string, flags *pflag.FlagSet,
) (c config.Config, given givenKeys, err error) {
	c = base
	var fromFile []config.Given
	if file != "" {
		if fromFile, err = c.LoadFile(file); err != nil {
			return c, given, usage(err)
		}
	}
	loaded := c
	fromEnv, err := c.LoadEnv(os.LookupEnv)
	if err != nil {
		return c, given, usage(err)
	}
	var fromFlags []config.Given
	for _, key := range c.Keys() {
		if flag := flags.Lookup(key.Flag()); flag.Changed {
			if err := key.Set(flag.Value.String()); err != nil {
				return c, given, usage(err)
			}
			fromFlags = append(fromFlags, config.Given{Key: key.Name, Where: "--" + key.Flag()})
		}
	}
	for _, g := range slices.Concat(fromFile, fromEnv, fromFlags) {
		given.names = append(given.names, g.Key)
	}
	whole := len(fromFile) == len(c.Keys())
	fromFile = meant(fromFile, base, loaded, c.Method)
	given.changed = base.Changed(c)
	given.meant = slices.Concat(fromEnv, fromFlags)
	if whole {
		given.stored = fromFile
	} else {
		given.meant = slices.Concat(fromFile, given.meant)
	}
	return c, given, nil
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
