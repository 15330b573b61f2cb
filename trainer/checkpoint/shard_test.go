package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plume-ml/plume/trainer/file"
)

// sharded is the state of a process that holds rows first to last of 7.
func sharded(first, last int) []Tensor {
	const rows, width = 7, 3
	z, visited := make([]float32, (last-first)*width), make([]uint32, last-first)
	for i := range visited {
		visited[i] = uint32(100 + first + i)
		for j := range width {
			z[i*width+j] = float32((first+i)*width + j)
		}
	}
	return []Tensor{
		{Name: "decoder/params", Shape: []int{2}, F32: []float32{-1, -2}},
		{Name: "cloud/z", Shape: []int{last - first, width}, F32: z, First: first, Of: rows},
		{Name: "cloud/visited", Shape: []int{last - first}, U32: visited, First: first, Of: rows},
	}
}

// saveShards saves a checkpoint of processes that hold the rows between the cuts.
func saveShards(t *testing.T, cuts ...int) (dir string) {
	t.Helper()
	w := Writer{Files: file.OS, RunDir: t.TempDir()}
	w.Shards = func(dir string) (func() ([]Shard, error), error) {
		var pending []*PendingShard
		for i := range len(cuts) - 1 {
			p, err := BeginShard(file.OS, dir, i, sharded(cuts[i], cuts[i+1]))
			if err != nil {
				return nil, err
			}
			pending = append(pending, p)
		}
		return func() (all []Shard, err error) {
			for _, p := range pending {
				s, failed := p.Store()
				all, err = append(all, s), errors.Join(err, failed)
			}
			return all, err
		}, nil
	}
	p, err := w.Begin(Meta{}, sharded(cuts[0], cuts[1]))
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = p.Commit(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What several processes have saved is read by any number of them, and by one that knows nothing of
// shards.
func TestShards(t *testing.T) {
	dir := saveShards(t, 0, 2, 3, 7)
	blank := func(first, last int) []Tensor {
		all := sharded(first, last)
		for _, x := range all {
			clear(x.F32)
			clear(x.U32)
		}
		return all
	}
	whole := func(all []Tensor) []Tensor {
		for i := range all {
			all[i].First, all[i].Of = 0, 0
		}
		return all
	}
	for _, c := range []struct{ got, want []Tensor }{
		{whole(blank(0, 7)), sharded(0, 7)},
		{blank(0, 3), sharded(0, 3)},
		{blank(1, 6), sharded(1, 6)},
		{blank(6, 7), sharded(6, 7)},
	} {
		if _, err := Load(dir, c.got); err != nil {
			t.Error(err)
		}
		for i, want := range c.want {
			if got := c.got[i]; !slices.Equal(got.F32, want.F32) ||
				!slices.Equal(got.U32, want.U32) {
				t.Errorf("%v: got %v, %v, want %v, %v", want.Name, got.F32, got.U32, want.F32,
					want.U32)
			}
		}
	}
	f, meta, err := OpenState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if meta.Format != shardedFormat {
		t.Errorf("format %d, want %d", meta.Format, shardedFormat)
	}
	i := slices.IndexFunc(f.Entries(), func(e Entry) bool { return e.Name == "cloud/z" })
	if i < 0 || !slices.Equal(f.Entries()[i].Shape, []int64{7, 3}) {
		t.Errorf("entries %v: want cloud/z of 7 x 3", f.Entries())
	}
}

// Damage of a shard is found, and so is one that is missing.
func TestShardsDamaged(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"missing": os.Remove,
		"short":   func(path string) error { return os.Truncate(path, 40) },
		"changed": func(path string) error {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			raw[len(raw)-1] ^= 1
			return os.WriteFile(path, raw, 0o666)
		},
	} {
		dir := saveShards(t, 0, 4, 7)
		if err := harm(filepath.Join(dir, ShardName(1))); err != nil {
			t.Fatal(err)
		}
		into := sharded(0, 4)
		clear(into[1].F32)
		_, err := Load(dir, into)
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), ShardName(1)) {
			t.Errorf("%s: error %v, expected damage of %s", name, err, ShardName(1))
		}
		if slices.Max(into[1].F32) != 0 {
			t.Errorf("%s: the state has changed", name)
		}
	}
}

// The rows of another cloud, and those of a shard beyond the last row, are refused.
func TestShardsOfAnotherSize(t *testing.T) {
	dir := saveShards(t, 0, 4, 7)
	into := sharded(0, 4)
	for i := range into {
		if into[i].Of > 0 {
			into[i].Of = 8
		}
	}
	if _, err := Load(dir, into); err == nil || !strings.Contains(err.Error(), "7 x 3") {
		t.Errorf("error %v, expected one of the shape", err)
	}
}
