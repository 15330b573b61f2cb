package main

import (
	"os"
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

// groupedFlags describes flags under the headings of their groups, in the order of definition.
func groupedFlags(flags *pflag.FlagSet) string {
	var order []string
	groups := map[string]*pflag.FlagSet{}
	flags.SortFlags = false
	flags.VisitAll(func(f *pflag.Flag) {
		group := "Flags"
		if annotation := f.Annotations[groupAnnotation]; len(annotation) > 0 {
			group = annotation[0]
		}
		if groups[group] == nil {
			groups[group] = pflag.NewFlagSet(group, pflag.ContinueOnError)
			groups[group].SortFlags = false
			order = append(order, group)
		}
		groups[group].AddFlag(f)
	})
	var out strings.Builder
	for i, group := range order {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(group + ":\n")
		out.WriteString(groups[group].FlagUsagesWrapped(helpWidth()))
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
