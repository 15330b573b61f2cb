package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/page"
)

const pageLong = "" +
	`Write a page about runs, to be looked at in a browser: one HTML file that needs no other and no
network. It shows samples over time, with the training rows nearest to the last ones;
reconstructions of training and held-out rows; metrics with their intervals and what real data
reach; learning curves by steps, epochs, time or evaluations of networks; latents beside the prior;
the health of the run, and what to do about it; where time and memory went; the configuration, and
the command that repeats it. Several runs, at most 8, are laid over each other, with a table of
their differences. The run defaults to the newest.

Runs are measured as "plume eval --quick" does, in seconds to a minute each, and as "plume eval"
does with --measure all. The same runs make the same file. Its pictures have 40 MiB at most.`

const pageExample = `  plume report                       the newest run, in report.html
  plume report 7 9 -o both.html      two runs, and how they differ
  plume report 7 --measure none      in a moment`

type pageCommand struct {
	page.Options
	out, runs string
	quiet     bool
}

func newPage() *cobra.Command {
	p := &pageCommand{}
	cmd := &cobra.Command{
		Use:     "report [RUN ...] [flags]",
		Short:   "Write a page about runs, to be looked at in a browser",
		Long:    pageLong,
		Example: pageExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > page.MostRuns {
				return fmt.Errorf("%d runs; expected at most %d", len(args), page.MostRuns)
			}
			return nil
		},
		RunE: command(func(_ *cobra.Command, args []string) error { return p.run(args) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&p.out, "output", "o", "report.html", "`file` to write, or - for stdout")
	flags.StringVar((*string)(&p.Measure), "measure", string(page.Quick),
		"what is measured: "+strings.Join(config.Names(page.Measures), ", "))
	flags.StringVar(&p.Data, "data", "",
		"`path` of the runs' data, where they have moved since the training")
	flags.BoolVar(&p.Raw, "raw", false,
		"use the weights as they are instead of their moving average")
	flags.IntVar(&p.Threads, "threads", 0,
		"worker threads (0: all cores); never changes the result")
	flags.StringVar(&p.runs, "runs", "runs", "`directory` of the numbered runs")
	flags.BoolVarP(&p.quiet, "quiet", "q", false, "say nothing but warnings and errors")
	complete(cmd, "measure", config.Names(page.Measures))
	return cmd
}

func (p *pageCommand) run(args []string) error {
	if err := p.Validate(); err != nil {
		return usage(err)
	}
	if p.out != "-" {
		if err := checkDirectory(p.out); err != nil {
			return usage(err)
		}
	}
	dirs, err := p.find(args)
	if err != nil {
		return err
	}
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	p.Warn = func(text string) { insist("WARNING: " + text) }
	if !p.quiet {
		p.Progress = notice
	}
	ctx, interrupt := watchSignals(context.Background(), notice)
	defer interrupt.stop()
	interrupt.nothingToSave(interruptedNotice, nil)
	made, err := page.Read(ctx, dirs, p.Options)
	if err != nil {
		return interrupt.ended(err)
	}
	return p.write(made)
}

// find returns the directories of the runs that are named.
func (p *pageCommand) find(args []string) (dirs []string, err error) {
	if len(args) == 0 {
		dir, err := findRun(p.runs, nil)
		return []string{dir}, err
	}
	for _, arg := range args {
		dir, err := findRun(p.runs, []string{arg})
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func (p *pageCommand) write(made *page.Page) error {
	if p.out == "-" {
		return page.Render(os.Stdout, made)
	}
	err := file.Write(file.OS, p.out, func(w io.Writer) error { return page.Render(w, made) })
	if err != nil {
		return fmt.Errorf("%s: %w", p.out, err)
	}
	if info, err := os.Stat(p.out); err == nil && !p.quiet {
		notice(fmt.Sprintf("%s: open it in a browser", humanize.Bytes(uint64(info.Size()))))
	}
	_, err = fmt.Println(p.out)
	return err
}
