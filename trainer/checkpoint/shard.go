package checkpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/file"
)

// Shard describes a file of a checkpoint with the rows that one of several processes holds of
// tensors which have a row, or several, for each datapoint. The rows of all shards follow each
// other, and are the whole tensors.
type Shard struct {
	File   string `json:"file"` // in the checkpoint's directory
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// shared are the tensors that all processes hold.
func shared(tensors []Tensor) []Tensor {
	return slices.DeleteFunc(slices.Clone(tensors), func(t Tensor) bool { return t.Of > 0 })
}

// ShardName is the name of the file of the process with the given number.
func ShardName(number int) string { return fmt.Sprintf("particles-%05d.safetensors", number) }

// PendingShard is a shard that has been written, but need not be on the disk yet.
type PendingShard struct {
	f     file.File
	path  string
	crc   uint32
	shard Shard
}

// BeginShard writes those of the tensors with Of > 0 to the file of the process with the given
// number in dir. When it returns, the live state may change again, and Store or Close must follow.
// Errors are those of the file system, with the path.
func BeginShard(
	sys file.System, dir string, number int, tensors []Tensor,
) (p *PendingShard, err error) {
	own := slices.DeleteFunc(split(tensors), func(t Tensor) bool { return t.Of == 0 })
	check(own)
	name := ShardName(number)
	p = &PendingShard{path: filepath.Join(dir, name)}
	if p.f, err = sys.OpenFile(p.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
		return nil, err
	}
	crc, size := crc32.New(castagnoli), counter(0)
	if err := writeSafetensors(io.MultiWriter(p.f, crc, &size), own); err != nil {
		return nil, errors.Join(err, p.f.Close())
	}
	p.crc, p.shard = crc.Sum32(), Shard{File: name, Bytes: int64(size)}
	return p, nil
}

// Store makes the shard durable and describes it. Another goroutine may call it.
func (p *PendingShard) Store() (s Shard, err error) {
	s = p.shard
	if s.SHA256, err = readBack(p.path, p.crc); err == nil {
		err = p.f.Sync()
	}
	return s, errors.Join(err, p.f.Close())
}

// Close closes a shard that is not wanted any more.
func (p *PendingShard) Close() error { return p.f.Close() }

// checkShards returns an error for shards that Writer never writes.
func checkShards(shards []Shard) error {
	for _, s := range shards {
		if s.File != filepath.Base(s.File) || !strings.HasPrefix(s.File, "particles-") ||
			s.Bytes < 0 || len(s.SHA256) != 2*sha256.Size {
			return fmt.Errorf("%w: shard %q of %d bytes with SHA-256 %q: expected a file "+
				"particles-* with %d hexadecimal digits and a size", ErrDamaged, s.File, s.Bytes,
				s.SHA256, 2*sha256.Size)
		}
	}
	return nil
}

// join adds the tensors of the shards in dir to the source, as if they were in one file. With
// verify, it compares their checksums. Its errors wrap ErrDamaged.
func (s *source) join(ctx context.Context, dir string, shards []Shard, verify bool) error {
	if len(shards) == 0 {
		return nil
	}
	all := &joined{}
	all.add(s.content.data)
	parts := make([]*content, len(shards))
	for i, shard := range shards {
		path := filepath.Join(dir, shard.File)
		f, size, err := openRegular(path)
		if err != nil {
			return fmt.Errorf("checkpoint: %w: %w", ErrDamaged, err)
		}
		s.shards = append(s.shards, f)
		if parts[i], err = parse(f, size); err == nil && verify {
			err = checkSum(ctx, f, shard.SHA256)
		}
		if err == nil {
			err = parts[0].alike(parts[i])
		}
		if err != nil && ctx.Err() != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("checkpoint: %s: %w: %w", path, ErrDamaged, err)
		}
	}
	for _, name := range parts[0].names() {
		if _, twice := s.content.entries[name]; twice {
			return fmt.Errorf("checkpoint: %s: %w: tensor %q is in a shard, too", dir, ErrDamaged,
				name)
		}
		e := parts[0].entries[name]
		e.Shape, e.Offsets = slices.Clone(e.Shape), []int64{all.size, all.size}
		e.Shape[0] = 0
		for _, p := range parts {
			own := p.entries[name]
			e.Shape[0] += own.Shape[0]
			all.add(io.NewSectionReader(p.data, own.Offsets[0], own.Offsets[1]-own.Offsets[0]))
		}
		e.Offsets[1] = all.size
		s.content.entries[name] = e
	}
	s.content.data = io.NewSectionReader(all, 0, all.size)
	return nil
}

// alike returns an error unless g has the tensors of f, but for the number of rows.
func (f *content) alike(g *content) error {
	if len(f.entries) != len(g.entries) {
		return fmt.Errorf("%d tensors, the first shard has %d", len(g.entries), len(f.entries))
	}
	for name, a := range f.entries {
		b, ok := g.entries[name]
		if !ok {
			return fmt.Errorf("tensor %q is missing", name)
		}
		if len(a.Shape) == 0 || len(b.Shape) == 0 || a.Dtype != b.Dtype ||
			!slices.Equal(a.Shape[1:], b.Shape[1:]) {
			return fmt.Errorf("tensor %q is %s of shape %s, in the first shard %s of shape %s",
				name, b.Dtype, dims(b.Shape), a.Dtype, dims(a.Shape))
		}
	}
	return nil
}

// joined is some readers as if they were one.
type joined struct {
	readers []*io.SectionReader
	at      []int64 // where each begins
	size    int64
}

func (j *joined) add(r *io.SectionReader) {
	j.readers, j.at = append(j.readers, r), append(j.at, j.size)
	j.size += r.Size()
}

// ReadAt implements io.ReaderAt.
func (j *joined) ReadAt(b []byte, at int64) (n int, err error) {
	for i, r := range j.readers {
		if end := j.at[i] + r.Size(); n == len(b) || at >= end {
			continue
		}
		k := min(int64(len(b)-n), j.at[i]+r.Size()-at)
		got, err := r.ReadAt(b[n:n+int(k)], at-j.at[i])
		n, at = n+got, at+int64(got)
		if int64(got) < k {
			return n, err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
