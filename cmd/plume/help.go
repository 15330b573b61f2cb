package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// groupAnnotation of a flag names the heading under which help lists it.
const groupAnnotation = "plume_group"

const helpTemplate = `{{with .Example}}Examples:
{{.}}

{{end}}{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}`

const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}
{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
{{groupedFlags .LocalFlags}}{{end}}{{if .HasAvailableInheritedFlags}}
{{groupedFlags .InheritedFlags}}{{end}}{{if .HasAvailableSubCommands}}
"{{.CommandPath}} COMMAND --help" tells more about a command.
{{end}}`

// setHelp gives a command and those below it help that begins with examples and lists flags
// in groups.
func setHelp(root *cobra.Command) {
	cobra.AddTemplateFunc("groupedFlags", groupedFlags)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
}

// flagGroup is the flags under a heading.
type flagGroup struct {
	name  string
	flags *pflag.FlagSet
}

// byGroup returns flags by their groups, in the order of definition.
func byGroup(flags *pflag.FlagSet) (groups []flagGroup) {
	flags.SortFlags = false
	flags.VisitAll(func(f *pflag.Flag) {
		group := "Flags"
		if annotation := f.Annotations[groupAnnotation]; len(annotation) > 0 {
			group = annotation[0]
		}
		i := slices.IndexFunc(groups, func(g flagGroup) bool { return g.name == group })
		if i < 0 {
			i = len(groups)
			set := pflag.NewFlagSet(group, pflag.ContinueOnError)
			set.SortFlags = false
			groups = append(groups, flagGroup{group, set})
		}
		groups[i].flags.AddFlag(f)
	})
	return groups
}

// groupedFlags describes flags under the headings of their groups.
func groupedFlags(flags *pflag.FlagSet) string {
	var out strings.Builder
	for i, group := range byGroup(flags) {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(group.name + ":\n")
		out.WriteString(group.flags.FlagUsagesWrapped(helpWidth()))
	}
	return out.String()
}

// helpWidth is the width of the terminal that help goes to, within reason.
func helpWidth() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 100
	}
	return min(max(width, 60), 120)
}
