package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

// Load fills the slices of into from the checkpoint in dir. Names, element types and shapes must
// match one to one. Load reads the file twice: the first time it checks everything, the second time
// it fills the slices. After an error of the first reading the slices are unchanged.
//
// Errors name the file and the tensors. They wrap ErrDamaged if a file is missing, truncated,
// changed since it was saved, or unreadable, and then name the run's newest whole checkpoint. Other
// errors are tensors of a wrong type or shape, missing or unexpected tensors, and another format.
func Load(dir string, into []Tensor) (Meta, error) { return load(dir, into, false) }

// LoadSome is Load for a part of the state: the file may hold other tensors, too.
func LoadSome(dir string, into []Tensor) (Meta, error) { return load(dir, into, true) }

// Verify reads a whole checkpoint and returns the error that Load would return for its files. It
// stops early, with ctx's error, when ctx ends.
func Verify(ctx context.Context, dir string) error {
	s, err := open(ctx, dir)
	if err != nil {
		return err
	}
	return s.close()
}

func load(dir string, into []Tensor, some bool) (Meta, error) {
	into = split(into)
	check(into)
	s, err := open(context.Background(), dir)
	if err != nil {
		return Meta{}, withAlternative(dir, err)
	}
	defer s.close()
	if err := s.fill(into, some); err != nil {
		return Meta{}, fmt.Errorf("checkpoint: %s: %w", s.f.Name(), s.meta.explain(err))
	}
	return s.meta, nil
}

// source is an open checkpoint whose files have been verified.
type source struct {
	meta    Meta
	f       *os.File
	shards  []*os.File
	content *content
}

func (s *source) close() error {
	err := s.f.Close()
	for _, f := range s.shards {
		err = errors.Join(err, f.Close())
	}
	return err
}

// open verifies both files of a checkpoint to the last byte. Its errors wrap ErrDamaged, except
// that of another format.
func open(ctx context.Context, dir string) (*source, error) {
	meta, err := inspect(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, stateName)
	f, size, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w: %w", ErrDamaged, err)
	}
	content, err := parse(f, size)
	if err == nil {
		err = checkSum(ctx, f, meta.SHA256)
	}
	if err != nil {
		f.Close()
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("checkpoint: %s: %w: %w", path, ErrDamaged, err)
	}
	s := &source{meta: meta.Meta, f: f, content: content}
	if err := s.join(ctx, dir, meta.Shards, true); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *source) fill(into []Tensor, some bool) error {
	if problems := s.content.compare(into, some); len(problems) > 0 {
		return errors.New(summary(problems))
	}
	buf := make([]byte, BufferBytes)
	for i := range into {
		if err := into[i].readFrom(s.content.bytes(&into[i]), buf); err != nil {
			return err
		}
	}
	return nil
}

// checkSum reads the whole file and compares its SHA-256 with the one in meta.json.
func checkSum(ctx context.Context, state io.Reader, want string) error {
	sum := sha256.New()
	if err := file.Copy(ctx, sum, state); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("changed since it was saved: its SHA-256 is %s, %s says %s", got,
			metaName, want)
	}
	return nil
}

// compare lists the differences between the tensors of the file and the given ones. With some, the
// file may hold more tensors.
func (f *content) compare(into []Tensor, some bool) (problems []string) {
	wanted := make(map[string]bool, len(into))
	for i := range into {
		t := &into[i]
		wanted[t.Name] = true
		e, ok := f.entries[t.Name]
		dtype, _ := t.dtype()
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("tensor %q is missing", t.Name))
		case e.Dtype != dtype:
			problems = append(problems,
				fmt.Sprintf("tensor %q is %s, expected %s", t.Name, e.Dtype, dtype))
		case !slices.Equal(e.Shape, wide(t.whole())):
			problems = append(problems,
				fmt.Sprintf("tensor %q has shape %s, expected %s", t.Name, dims(e.Shape),
					dims(wide(t.whole()))))
		}
	}
	if some {
		return problems
	}
	var extra []string
	for name := range f.entries {
		if !wanted[name] {
			extra = append(extra, fmt.Sprintf("tensor %q is unexpected", name))
		}
	}
	slices.Sort(extra)
	return append(problems, extra...)
}

// summary joins the first few problems.
func summary(problems []string) string {
	const limit = 8
	if len(problems) <= limit {
		return strings.Join(problems, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(problems[:limit], "; "), len(problems)-limit)
}
