package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/run"
)

// rm removes runs, after a question unless --yes.
func (r *runsCommand) rm(args []string) error {
	dirs, err := r.find(args)
	if err != nil {
		return err
	}
	var size int64
	for _, dir := range dirs {
		if err := run.CheckRemovable(dir); err != nil {
			return fmt.Errorf("%w; nothing was removed", err)
		}
		bytes, err := run.Size(dir)
		if err != nil {
			return err
		}
		size += bytes
	}
	if !r.yes && !confirmed(os.Stdin, fmt.Sprintf("Remove %s (%s)? [y/N] ",
		strings.Join(dirs, ", "), humanize.IBytes(uint64(size)))) {
		return errors.New("nothing was removed; --yes removes without a question")
	}
	for _, dir := range dirs {
		if err := run.Remove(dir); err != nil {
			return err
		}
		if !r.json {
			notice("removed " + dir)
		}
	}
	if r.json {
		return printJSON(os.Stdout, struct {
			Removed []string `json:"removed"`
			Bytes   int64    `json:"bytes"`
		}{dirs, size})
	}
	return nil
}

// confirmed asks a question, and reports whether the answer is yes.
func confirmed(in io.Reader, question string) bool {
	fmt.Fprint(os.Stderr, question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}

// tags adds or removes tags, and prints those that the run has then.
func (r *runsCommand) tags(args []string) error {
	if r.remove && len(args) == 1 {
		return usage(errors.New("--remove: expected the tags to remove after the run"))
	}
	return r.annotate(args[0], len(args) > 1, func(n *run.Notes) { n.Tag(args[1:], r.remove) },
		func(n run.Notes) string { return strings.Join(n.Tags, "\n") })
}

// note sets or removes the note, and prints the one that the run has then.
func (r *runsCommand) note(args []string) error {
	return r.annotate(args[0], len(args) > 1, func(n *run.Notes) { n.Note = args[1] },
		func(n run.Notes) string { return n.Note })
}

// annotate changes what is said about a run, if asked to, and prints a part of it.
func (r *runsCommand) annotate(
	spec string, write bool, change func(*run.Notes), part func(run.Notes) string,
) error {
	dirs, err := r.find([]string{spec})
	if err != nil {
		return err
	}
	n, err := run.ReadNotes(dirs[0])
	if err != nil {
		return err
	}
	if write {
		change(&n)
		if err := run.StoreNotes(dirs[0], n); err != nil {
			return usage(err)
		}
	}
	if r.json {
		return printJSON(os.Stdout, n)
	}
	if text := part(n); text != "" {
		_, err = fmt.Println(text)
	}
	return err
}
