package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// resumeOut is the value of --resume if it is given without one, as help shows it.
const resumeOut = "(the run in --out)"

// addResume defines --resume, whose value is optional.
func (t *trainCommand) addResume(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&t.resume, "resume", "",
		"resume a `run`: its directory, its name or number under --runs, or auto for the newest "+
			"unfinished one (a new run if there is none); without a value the run in --out, "+
			"which is started if it is not there")
	flags.Lookup("resume").NoOptDefVal = resumeOut
}

// joinResume replaces "--resume RUN" by one argument, "--resume=RUN", because a flag with an
// optional value takes it from the same argument only. A following argument that begins with a
// dash is another flag.
func joinResume(args []string) []string {
	if len(args) == 0 || strings.HasPrefix(args[0], "__complete") {
		return args
	}
	var joined []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			return append(joined, args[i:]...)
		case args[i] == "--resume" && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			joined = append(joined, args[i]+"="+args[i+1])
			i++
		default:
			joined = append(joined, args[i])
		}
	}
	return joined
}

// completeRun completes the run after "--resume ", which looks like an argument to the shell.
func (t *trainCommand) completeRun(
	cmd *cobra.Command, args []string, text string,
) ([]string, cobra.ShellCompDirective) {
	if t.resume == resumeOut && len(args) == 0 {
		return completeValue(cmd.Flag("resume"))(cmd, args, text)
	}
	return nil, noFile
}

// checkResume refuses combinations of --resume and --out without a meaning.
func (t *trainCommand) checkResume(flags *pflag.FlagSet) error {
	switch bare := t.resume == resumeOut; {
	case bare && t.out == "":
		return errors.New(
			"--resume without a run needs --out: give the run, auto for the newest unfinished " +
				"one, or --out DIR",
		)
	case !bare && t.out != "" && flags.Changed("resume"):
		return errors.New(
			"--out and --resume exclude each other: a run goes on in its own directory " +
				"(--out DIR --resume, without a value, starts the run in DIR or goes on with it)")
	}
	return nil
}
