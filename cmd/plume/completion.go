package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/run"
)

// completer finds what may stand at a place of the command line that begins with text.
type completer = func(
	cmd *cobra.Command, args []string, text string,
) ([]string, cobra.ShellCompDirective)

const (
	anyFile    = cobra.ShellCompDirectiveDefault
	noFile     = cobra.ShellCompDirectiveNoFileComp
	folderOnly = cobra.ShellCompDirectiveFilterDirs
)

// completeEverything lets shells complete the arguments and the flags of a command and of those
// below it, by what its usage calls them: RUN, FILE, DIR, TAG; `file`, `directory`, `checkpoint`.
// What already has a completion keeps it.
func completeEverything(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = completeArgs(places(cmd.Use))
	}
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if _, has := cmd.GetFlagCompletionFunc(flag.Name); !has {
			register(cmd, flag.Name, completeValue(flag))
		}
	})
	for _, sub := range cmd.Commands() {
		completeEverything(sub)
	}
}

func register(cmd *cobra.Command, flag string, find completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, find); err != nil {
		panic("plume: a flag has two completions, or does not exist")
	}
}

// complete makes shells complete the value of a flag, or its part after the last comma, with
// choices.
func complete(cmd *cobra.Command, flag string, choices []string) {
	register(cmd, flag, func(
		_ *cobra.Command, _ []string, text string,
	) ([]string, cobra.ShellCompDirective) {
		return afterComma(text, choices), noFile
	})
}

// afterComma are the choices after what text has before its last comma.
func afterComma(text string, choices []string) (all []string) {
	for _, choice := range choices {
		all = append(all, text[:strings.LastIndex(text, ",")+1]+choice)
	}
	return all
}

// places are the arguments that a line of usage has, such as RUN and TAG...; flags are left out.
func places(use string) (all []string) {
	use = strings.NewReplacer("[flags]", "", "[", "", "]", "", " ...", "...").Replace(use)
	words := strings.Fields(use)[1:]
	for i, word := range words {
		if !strings.HasPrefix(word, "-") && (i == 0 || !strings.HasPrefix(words[i-1], "-")) {
			all = append(all, word)
		}
	}
	return all
}

// completeArgs completes the arguments of a command with these places.
func completeArgs(places []string) completer {
	return func(cmd *cobra.Command, args []string, text string,
	) ([]string, cobra.ShellCompDirective) {
		at := len(args)
		if last := len(places) - 1; at > last && last >= 0 &&
			strings.HasSuffix(places[last], "...") {
			at = last
		}
		if at >= len(places) {
			return nil, noFile
		}
		switch strings.TrimSuffix(places[at], "...") {
		case "RUN":
			return runNames(cmd, args, text)
		case "FILE|RUN|CHECKPOINT":
			names, _ := runNames(cmd, args, text)
			return names, anyFile
		case "FILE":
			return nil, anyFile
		case "DIR":
			return nil, folderOnly
		case "TAG":
			return tagsOf(cmd), noFile
		}
		return nil, noFile
	}
}

// completeValue completes the value of a flag by the name that help has for it.
func completeValue(flag *pflag.Flag) completer {
	name, _ := pflag.UnquoteUsage(flag)
	switch name {
	case "file":
		if strings.HasPrefix(flag.Usage, "TOML") {
			return cobra.FixedCompletions([]string{"toml"}, cobra.ShellCompDirectiveFilterFileExt)
		}
		return cobra.FixedCompletions(nil, anyFile)
	case "path": // of data
		return cobra.FixedCompletions(data.Embedded(), anyFile)
	case "directory":
		return cobra.FixedCompletions(nil, folderOnly)
	case "run":
		return func(cmd *cobra.Command, args []string, text string,
		) ([]string, cobra.ShellCompDirective) {
			names, directive := runNames(cmd, args, text)
			return append([]string{"auto\tthe newest unfinished one"}, names...), directive
		}
	case "checkpoint":
		return checkpointNames
	case "tag":
		return func(cmd *cobra.Command, _ []string, _ string,
		) ([]string, cobra.ShellCompDirective) {
			return tagsOf(cmd), noFile
		}
	}
	return cobra.NoFileCompletions
}

// runsDir is the directory of the numbered runs.
func runsDir(cmd *cobra.Command) string {
	if flag := cmd.Flag("runs"); flag != nil {
		return flag.Value.String()
	}
	return "runs"
}

// runNames are the numbered runs, the newest first, with when they started. Text with the beginning
// of a path, or a directory without runs, is completed with directories.
func runNames(cmd *cobra.Command, args []string, text string) (
	all []string, directive cobra.ShellCompDirective,
) {
	names, err := run.Numbered(runsDir(cmd))
	if err != nil || len(names) == 0 || strings.ContainsAny(text, `/\`) {
		return nil, folderOnly
	}
	for _, name := range names {
		if slices.Contains(args, name) {
			continue
		}
		if info, err := run.ReadInfo(filepath.Join(runsDir(cmd), name)); err == nil {
			name += "\t" + info.Started.Local().Format("2006-01-02 15:04")
		}
		all = append(all, name)
	}
	return all, noFile | cobra.ShellCompDirectiveKeepOrder
}

// checkpointNames are the checkpoints of the run that the command line names, or of the newest.
func checkpointNames(cmd *cobra.Command, args []string, _ string,
) (all []string, _ cobra.ShellCompDirective) {
	if flag := cmd.Flag("resume"); flag != nil {
		args = []string{flag.Value.String()}
		all = append(all, "auto\tthe newest whole one")
	}
	dir := chosenRun(cmd, args)
	if dir == "" {
		return all, noFile
	}
	if best, err := checkpoint.Best(dir); err == nil {
		all = append(all, checkpoint.BestName+"\t"+filepath.Base(best.Dir))
	}
	found, err := checkpoint.List(dir)
	if err != nil {
		return all, noFile
	}
	for _, c := range found {
		all = append(all, filepath.Base(c.Dir))
	}
	return all, noFile | cobra.ShellCompDirectiveKeepOrder
}

// chosenRun is the directory of the run that args name, or of the newest one; "" if there is none.
func chosenRun(cmd *cobra.Command, args []string) (dir string) {
	var err error
	if len(args) > 0 && args[0] != "" {
		dir, err = run.Find(runsDir(cmd), args[0])
	} else {
		dir, _, err = run.Newest(runsDir(cmd))
	}
	if err != nil {
		return ""
	}
	return dir
}

// tagsOf are the tags of the numbered runs.
func tagsOf(cmd *cobra.Command) (all []string) {
	names, err := run.Numbered(runsDir(cmd))
	if err != nil {
		return nil
	}
	for _, name := range names {
		if notes, err := run.ReadNotes(filepath.Join(runsDir(cmd), name)); err == nil {
			all = append(all, notes.Tags...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// classNames completes the classes of the run that the command line names.
func classNames(cmd *cobra.Command, args []string, text string,
) ([]string, cobra.ShellCompDirective) {
	info, err := run.ReadInfo(chosenRun(cmd, args))
	if err != nil || info.Classes == nil {
		return nil, noFile
	}
	return afterComma(text, info.Classes.Names), noFile
}

// completeContestants completes METHOD:KEY=VALUE:..., after the last comma.
func completeContestants(c *config.Config) completer {
	return func(_ *cobra.Command, _ []string, text string,
	) ([]string, cobra.ShellCompDirective) {
		methods := config.Names(config.Methods)
		begun := text[strings.LastIndex(text, ",")+1:]
		colon := strings.LastIndex(begun, ":")
		if colon < 0 {
			return afterComma(text, methods), noFile | cobra.ShellCompDirectiveNoSpace
		}
		before := text[:len(text)-len(begun)+colon+1]
		name, _, valued := strings.Cut(begun[colon+1:], "=")
		var all []string
		if !valued {
			all = append(all, before+"like=")
			for _, key := range c.Keys() {
				all = append(all, before+key.Name+"=")
			}
			return all, noFile | cobra.ShellCompDirectiveNoSpace
		}
		values := methods // of like
		if slices.ContainsFunc(c.Keys(), func(k config.Key) bool { return k.Name == name }) {
			values = choices(c.Key(name))
		}
		for _, value := range values {
			all = append(all, before+name+"="+value)
		}
		return all, noFile | cobra.ShellCompDirectiveNoSpace
	}
}

// choices are the values that a key may have, as far as they are few.
func choices(key config.Key) []string {
	if key.IsBoolFlag() {
		return []string{"true", "false"}
	}
	return key.Choices
}

// completeKey completes the value of a key of the configuration.
func completeKey(cmd *cobra.Command, key config.Key) {
	switch key.Name {
	case "data":
		register(cmd, key.Flag(), cobra.FixedCompletions(data.Embedded(), anyFile))
	case "labels":
		register(cmd, key.Flag(), cobra.FixedCompletions(nil, anyFile))
	case "schema":
		register(cmd, key.Flag(), cobra.FixedCompletions([]string{"toml"},
			cobra.ShellCompDirectiveFilterFileExt))
	case "cloud_dir":
		register(cmd, key.Flag(), cobra.FixedCompletions(nil, folderOnly))
	default:
		if all := choices(key); all != nil {
			complete(cmd, key.Flag(), all)
		}
	}
}
