package classify

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/pool"
)

// A classifier that is read from a file is the one that was saved.
func TestStore(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, subject := range []struct {
		ds data.Dataset
		o  Options
	}{{newPatterns(100), smallConv}, {newTable(0, 2, 0, 2, 0, 2, 0, 2), small}} {
		ds, o := subject.ds, subject.o
		path := filepath.Join(t.TempDir(), "c.safetensors")
		c := train(t, ds, o, 1)
		key := KeyOf("print", ds, o)
		if err := c.Save(file.OS, path, key); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path, key, ds, o)
		if err != nil {
			t.Fatal(err)
		}
		if got.Hash() != c.Hash() || got.Accuracy != c.Accuracy || got.Tested != c.Tested ||
			!slices.Equal(got.Classes, c.Classes) {
			t.Errorf("%+v, expected %+v", got, c)
		}
		want, err := c.Features(t.Context(), ds, p)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := got.Features(t.Context(), ds, p); err != nil || !slices.Equal(x, want) {
			t.Errorf("other features: %v", err)
		}
		o.Seed++
		if _, err := Load(path, KeyOf("print", ds, o), ds, o); !errors.Is(err, ErrOther) {
			t.Errorf("another seed: %v", err)
		}
	}
}

func TestDamagedFile(t *testing.T) {
	ds := newTable(0, 1, 0, 1, 0, 1, 0, 1)
	c, key := train(t, ds, small, 1), KeyOf("print", ds, small)
	path := filepath.Join(t.TempDir(), "c.safetensors")
	if _, err := Load(path, key, ds, small); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := c.Save(file.OS, path, key); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(whole)
	changed[len(changed)-9] ^= 1 // in the weights, which are last
	for name, content := range map[string][]byte{
		"a bit of the weights changed": changed, "cut short": whole[:len(whole)-4], "empty": {},
	} {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, key, ds, small); err == nil || errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// All that training depends on is in the key.
func TestKey(t *testing.T) {
	ds := newTable(0, 1, 2)
	keys := []Key{KeyOf("print", ds, smallConv), KeyOf("other", ds, smallConv)}
	keys = append(keys, KeyOf("print", newTable(0, 1, 1), smallConv))
	for _, change := range []func(o *Options){
		func(o *Options) { o.Seed++ },
		func(o *Options) { o.Flip = false },
		func(o *Options) { o.MaxSteps++ },
		func(o *Options) { o.Network.Hidden = []int{3} },
		func(o *Options) { o.Network.Halvings++ },
		func(o *Options) { o.Network.Stages.Blocks++ },
		func(o *Options) { o.Network.Stages.Channels = []int{12, 9} },
	} {
		o := smallConv
		change(&o)
		keys = append(keys, KeyOf("print", ds, o))
	}
	for i, k := range keys {
		if slices.Index(keys, k) != i {
			t.Errorf("keys %d and %d are the same", slices.Index(keys, k), i)
		}
	}
	if KeyOf("print", newTable(0, 1, 2), smallConv) != keys[0] {
		t.Error("another key of the same")
	}
}
