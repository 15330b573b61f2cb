package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data"
)

// CheckDataPath returns an error if the run's data are no longer where they were, which says where
// that was and what to do. Other faults of the data are found when they are read.
func (r *Run) CheckDataPath() error {
	if slices.Contains(data.Embedded(), r.Config.Data) {
		return nil
	}
	if _, err := os.Stat(r.Config.Data); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	was := r.Config.Data
	if info, err := ReadInfo(r.Dir); err == nil && info.DataAsTyped != "" {
		was = fmt.Sprintf("%s (given as %q)", was, info.DataAsTyped)
	}
	return fmt.Errorf("data: %s was trained on %s, which is not there: say with --data where the "+
		"data are now", r.Dir, was)
}

// Fingerprint returns the fingerprint of data in the form of the run's own, to be compared with it.
func (r *Run) Fingerprint(ctx context.Context, all data.Dataset) (string, error) {
	was, err := r.trainedOn()
	if err != nil {
		return "", err
	}
	return data.FingerprintLike(ctx, all, was.Fingerprint)
}

// CheckData refuses data other than those that the run was trained on, and says how they differ.
// source is how the user named the data; read and fingerprint describe them.
func (r *Run) CheckData(source string, read data.Summary, fingerprint string) error {
	was, err := r.trainedOn()
	if err != nil || was.Fingerprint == fingerprint {
		return err
	}
	return fmt.Errorf("data: %s %s: %s was trained on other data; give those with --data, or "+
		"start another run", source, was.Difference(read, fingerprint), r.Dir)
}

// Classes returns the classes of the images that are conditions of the run; none if it has no
// conditions, or was given others in their place. all is the data of the run. Other labels than
// those that it began with are an error.
func (r *Run) Classes(all data.Dataset) (data.Classes, error) {
	info, err := ReadInfo(r.Dir)
	lost := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !lost:
		return data.Classes{}, err
	case !r.Config.Conditional() || !lost && info.Classes == nil:
		return data.Classes{}, nil
	}
	classes, err := data.ClassesOf(all)
	if was := info.Classes; err == nil && !lost && !reflect.DeepEqual(*was, classes) {
		err = fmt.Errorf("labels: %s was trained on the classes %s of %v images, and these are %s "+
			"of %v: give the same labels (--labels, if they are in a file of their own)", r.Dir,
			strings.Join(was.Names, ", "), was.Images, strings.Join(classes.Names, ", "),
			classes.Images)
	}
	return classes, err
}

// trainedOn describes the data of a run, from run.json. If that is lost, it returns only the
// fingerprint in the newest checkpoint.
func (r *Run) trainedOn() (Info, error) {
	info, err := ReadInfo(r.Dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	dir, err := checkpoint.Latest(r.Dir)
	if err != nil {
		return Info{}, err
	}
	meta, err := checkpoint.LoadSome(dir, nil)
	return Info{Fingerprint: meta.Fingerprint}, err
}

// Difference says how the data that were read differ from those of i.
func (i Info) Difference(read data.Summary, fingerprint string) string {
	known, rows, cells := i.Shape != data.Shape{}, read.Kind.Words("images"),
		read.Kind.Words("pixels")
	if read.Columns != "" {
		rows, cells = "rows", "cells"
	}
	number := func(n int) string { return humanize.Comma(int64(n)) }
	switch {
	case i.Read != nil && i.Read.Columns != read.Columns:
		return fmt.Sprintf("holds %s, expected %s", cmp.Or(read.Columns, rows),
			cmp.Or(i.Read.Columns, "images"))
	case known && i.Shape != read.Shape:
		return fmt.Sprintf("holds %s of %v, expected %v", rows, read.Shape, i.Shape)
	case i.Read == nil:
		return fmt.Sprintf("has the fingerprint %s, expected %s", fingerprint, i.Fingerprint)
	case i.Read.Images < read.Images:
		return fmt.Sprintf("holds %s %s, %s more than then", number(read.Images), rows,
			number(read.Images-i.Read.Images))
	case i.Read.Images > read.Images:
		return fmt.Sprintf("holds %s %s, %s fewer than then", number(read.Images), rows,
			number(i.Read.Images-read.Images))
	}
	return fmt.Sprintf("holds as many %s as then, %s, but with other %s or in another "+
		"order (fingerprint %s, expected %s)", rows, number(read.Images), cells, fingerprint,
		i.Fingerprint)
}
