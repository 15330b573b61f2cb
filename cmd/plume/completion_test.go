package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// open are the flags whose values are words that plume cannot know: names inside of data, numbers
// in a notation of their own.
var open = []string{
	"address", "array", "between", "budget", "date", "evaluations", "hole", "listen", "range",
	"seeds", "serve",
}

// Every argument of every command and every value of a flag has a completion, and only what is free
// text has none. A flag of a new kind needs a placeholder in its help that completeValue knows.
func TestCompletions(t *testing.T) {
	known := []string{"file", "path", "directory", "run", "checkpoint", "tag"}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.ValidArgsFunction == nil && cmd.Runnable() && !cmd.HasSubCommands() {
			t.Errorf("%s: no completion of arguments", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			if _, has := cmd.GetFlagCompletionFunc(flag.Name); !has {
				t.Errorf("%s --%s: no completion", cmd.CommandPath(), flag.Name)
			}
			if flag.Value.Type() != "string" || slices.Contains(open, flag.Name) {
				return
			}
			name, _ := pflag.UnquoteUsage(flag)
			find, _ := cmd.GetFlagCompletionFunc(flag.Name)
			values, _ := find(cmd, nil, "")
			if len(values) == 0 && !slices.Contains(known, name) && name != "string" {
				t.Errorf("%s --%s: nothing completes %q", cmd.CommandPath(), flag.Name, name)
			}
		})
		for _, sub := range cmd.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(newRoot())
}

func TestPlaces(t *testing.T) {
	for use, want := range map[string]string{
		"train [flags]":                        "",
		"export [RUN] -o FILE [flags]":         "RUN",
		"report [RUN ...] [flags]":             "RUN...",
		"curves [RUN...] [flags]":              "RUN...",
		"tag RUN [TAG...] [flags]":             "RUN TAG...",
		"diff RUN RUN... [flags]":              "RUN RUN...",
		"inspect FILE|RUN|CHECKPOINT [flags]":  "FILE|RUN|CHECKPOINT",
		"note RUN [TEXT] [flags]":              "RUN TEXT",
		"list [DIR] [flags]":                   "DIR",
		"version":                              "",
		"something [RUN] [-o FILE] [--x DIR] ": "RUN",
	} {
		if got := strings.Join(places(use), " "); got != want {
			t.Errorf("%q: %q, expected %q", use, got, want)
		}
	}
}

func TestCompleteContestants(t *testing.T) {
	compare := newCompare()
	find, _ := compare.GetFlagCompletionFunc("methods")
	for text, want := range map[string]string{
		"":                                "ipld",
		"pgd,":                            "pgd,vae",
		"ipld:":                           "ipld:inner_steps=",
		"pgd,ipld:particles=4:":           "pgd,ipld:particles=4:dynamics=",
		"pgd,ipld:particles=4:dynamics=":  "pgd,ipld:particles=4:dynamics=exact",
		"pgd:like=":                       "pgd:like=ipld",
		"ipld:flip=":                      "ipld:flip=true",
		"pgd:particles=2,ipld:cloud_init": "pgd:particles=2,ipld:cloud_init=",
	} {
		if got, _ := find(compare, nil, text); !slices.Contains(got, want) {
			t.Errorf("%q: %q is not among %q", text, want, got)
		}
	}
}
