package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/run"
)

const manLong = "" +
	`Write the manual pages of all commands, plume.1, plume-train.1 and so on, to a
directory, which is made if it does not exist.`

func newMan() *cobra.Command {
	date := ""
	cmd := &cobra.Command{
		Use:     "man DIR [flags]",
		Short:   "Write manual pages",
		Long:    manLong,
		Example: `  plume man ~/.local/share/man/man1`,
		Hidden:  true, // for those who make packages
		Args:    cobra.ExactArgs(1),
		RunE: command(func(cmd *cobra.Command, args []string) error {
			if date != "" {
				if _, err := time.Parse(time.DateOnly, date); err != nil {
					return usage(fmt.Errorf("--date %q: expected one such as 2026-12-31", date))
				}
			}
			return writeManual(cmd.Root(), args[0], date)
		}),
	}
	cmd.Flags().StringVar(&date, "date", "", "`date` on the pages, such as 2026-12-31")
	return cmd
}

// writeManual writes the pages of a command and of those below it.
func writeManual(cmd *cobra.Command, dir, date string) error {
	name := manName(cmd) + ".1"
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := file.WriteBytes(file.OS, filepath.Join(dir, name), manPage(cmd, date)); err != nil {
		return err
	}
	for _, sub := range cmd.Commands() {
		if inManual(sub) {
			if err := writeManual(sub, dir, date); err != nil {
				return err
			}
		}
	}
	return nil
}

func inManual(cmd *cobra.Command) bool { return cmd.IsAvailableCommand() }

// manName is the name of a command's page: plume-runs-diff.
func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is a page in the language of man(7). Like the help, it begins with examples, and has the
// flags in their groups.
func manPage(cmd *cobra.Command, date string) []byte {
	var out bytes.Buffer
	name := manName(cmd)
	fmt.Fprintf(&out, ".TH \"%s\" 1 \"%s\" \"%s\" \"%s\"\n", roff(strings.ToUpper(name)), date,
		roff("plume "+run.Version()), "plume manual")
	fmt.Fprintf(&out, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	fmt.Fprintf(&out, ".SH SYNOPSIS\n.B %s\n", roff(cmd.CommandPath()))
	use := strings.TrimPrefix(strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath()), " ")
	if cmd.HasAvailableSubCommands() && !strings.Contains(use, "COMMAND") {
		use = "COMMAND " + use
	}
	if use != "" {
		fmt.Fprintf(&out, "%s\n", roff(use))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&out, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	if cmd.Long != "" {
		fmt.Fprintf(&out, ".SH DESCRIPTION\n")
		writeParagraphs(&out, cmd.Long)
	}
	writeCommands(&out, cmd)
	for _, flags := range []*pflag.FlagSet{cmd.LocalFlags(), cmd.InheritedFlags()} {
		writeOptions(&out, flags)
	}
	writeSeeAlso(&out, cmd)
	return out.Bytes()
}

// roff escapes a text. A leading dot or quote would be a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// writeParagraphs fills the lines of paragraphs, but not indented ones.
func writeParagraphs(out *bytes.Buffer, text string) {
	verbatim := false
	switchTo := func(now bool) {
		if now != verbatim {
			out.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[now])
		}
		verbatim = now
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line = strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), " ")
		if line == "" {
			switchTo(false)
			out.WriteString(".PP\n")
			continue
		}
		switchTo(strings.HasPrefix(line, " "))
		out.WriteString(roff(line) + "\n")
	}
	switchTo(false)
}

func writeCommands(out *bytes.Buffer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	out.WriteString(".SH COMMANDS\n")
	for _, sub := range cmd.Commands() {
		if inManual(sub) {
			fmt.Fprintf(out, ".TP\n\\fB%s\\fR(1)\n%s\n", roff(manName(sub)), roff(sub.Short))
		}
	}
}

// writeOptions lists flags with a heading for each group, as help describes them.
func writeOptions(out *bytes.Buffer, flags *pflag.FlagSet) {
	for _, group := range byGroup(flags) {
		started := false
		group.flags.VisitAll(func(flag *pflag.Flag) {
			one := pflag.NewFlagSet("", pflag.ContinueOnError)
			one.AddFlag(flag)
			name, help, _ := strings.Cut(strings.TrimSpace(one.FlagUsages()), "   ")
			if name == "" { // a hidden one
				return
			}
			if !started {
				fmt.Fprintf(out, ".SH %s\n", roff(strings.ToUpper(group.name)))
				started = true
			}
			fmt.Fprintf(out, ".TP\n.B %s\n%s\n", roff(name), roff(strings.TrimSpace(help)))
		})
	}
}

func writeSeeAlso(out *bytes.Buffer, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, roff(manName(cmd.Parent()))+"(1)")
		for _, other := range cmd.Parent().Commands() {
			if other != cmd && inManual(other) {
				pages = append(pages, roff(manName(other))+"(1)")
			}
		}
	}
	if len(pages) > 0 {
		fmt.Fprintf(out, ".SH SEE ALSO\n%s\n", strings.Join(pages, ",\n"))
	}
}
