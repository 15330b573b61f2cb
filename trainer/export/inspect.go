package export

import (
	"cmp"
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

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/data/columns"
	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/run"
)

// Report says what a file, a checkpoint or a run is. Fields that it does not have are empty.
type Report struct {
	Path    string `json:"path"`
	Kind    string `json:"kind"`    // "run", "checkpoint", "export", "safetensors", "onnx", "npz"
	Form    string `json:"form"`    // of the file that was read: "safetensors, format 1"
	Version string `json:"version"` // of the plume that wrote it

	Method      string `json:"method,omitempty"`
	State       string `json:"state,omitempty"` // of a run
	Step        *int   `json:"step,omitempty"`
	Epoch       *int   `json:"epoch,omitempty"`
	Seed        uint64 `json:"seed,omitempty"`
	Weights     string `json:"weights,omitempty"`
	Precision   string `json:"precision,omitempty"`
	Data        string `json:"data,omitempty"`
	Fingerprint string `json:"data_fingerprint,omitempty"`
	Shape       Shape  `json:"shape,omitzero"`     // of an image
	Table       string `json:"table,omitempty"`    // what columns a table has, in words
	Latent      Shape  `json:"latent,omitzero"`    // of a latent
	Networks    string `json:"networks,omitempty"` // in words
	Classes     int    `json:"classes,omitempty"`
	Lacks       string `json:"lacks,omitempty"` // what an imported run does not have

	Inputs  []string           `json:"inputs,omitempty"` // of an ONNX graph: "z x n x 32"
	Outputs []string           `json:"outputs,omitempty"`
	Groups  []Group            `json:"groups,omitempty"` // of tensors
	Tensors []checkpoint.Entry `json:"tensors,omitempty"`
	Bytes   int64              `json:"bytes"` // of the file

	Checkpoints []Checkpoint `json:"checkpoints,omitempty"` // of a run, the newest first
	Checked     bool         `json:"checked"`               // all bytes were read and compared
	Problem     string       `json:"problem,omitempty"`     // what is damaged; "": nothing
}

// Group is the tensors of a network, or another array with what belongs to it.
type Group struct {
	Name    string `json:"name"`
	Tensors int    `json:"tensors"`
	Numbers int64  `json:"numbers"`
	Bytes   int64  `json:"bytes"`
}

// Checkpoint is one of a run's.
type Checkpoint struct {
	Name    string `json:"name"`
	Step    int    `json:"step"`
	Problem string `json:"problem,omitempty"`
}

// Inspect says what is at a path: a file of tensors, a checkpoint, or a run. It reads descriptions
// and headers, and no tensors into memory; unless quick, it also reads all bytes and compares them
// with their checksums. Damage of what could still be recognised is no error: the report has it. It
// stops early, with ctx's error, when ctx ends.
func Inspect(ctx context.Context, path string, quick bool) (*Report, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	r := &Report{Path: path, Checked: !quick}
	switch {
	case !info.IsDir():
		err = r.file(ctx, info.Size())
	case run.Exists(path):
		err = r.run(ctx)
	default:
		err = r.checkpoint(ctx, path)
		if r.Kind = "checkpoint"; errors.Is(err, errNoCheckpoint) {
			err = fmt.Errorf("%s: the directory holds neither a run nor a checkpoint; expected "+
				"one, or a file: .safetensors, .npz or .onnx", path)
		}
	}
	if err != nil {
		return nil, err
	}
	return r, ctx.Err()
}

// file inspects a file.
func (r *Report) file(ctx context.Context, size int64) error {
	r.Bytes = size
	kind, err := sniff(r.Path)
	if err != nil {
		return err
	}
	switch kind {
	case kindONNX:
		return r.onnx(ctx)
	case kindSafetensors:
		return r.safetensors(ctx)
	case kindZip:
		return r.export(ctx, "npz")
	}
	return fmt.Errorf("%s is a file of an unknown kind; expected .safetensors, .npz or .onnx, or "+
		"the directory of a run or a checkpoint", r.Path)
}

// safetensors inspects an export, or another safetensors file.
func (r *Report) safetensors(ctx context.Context) error {
	f, err := checkpoint.OpenFile(r.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, ok := f.Metadata()[metadataKey]; ok {
		return r.export(ctx, "safetensors")
	}
	r.Kind, r.Form = "safetensors", "safetensors"
	r.setTensors(f.Entries())
	if _, ok := f.Metadata()[checkpoint.ChecksumKey]; !ok {
		r.Checked = false
	} else if r.Checked {
		return r.found(ctx, f.Verify(ctx))
	}
	return nil
}

// found records damage; other errors it returns.
func (r *Report) found(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || !errors.Is(err, checkpoint.ErrDamaged) {
		return err
	}
	r.Problem = cmp.Or(r.Problem, err.Error())
	return nil
}

// export inspects an export.
func (r *Report) export(ctx context.Context, form string) error {
	f, err := Open(r.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.describe(f.Description, form)
	r.setTensors(f.list)
	if r.Checked {
		return r.found(ctx, f.Verify(ctx))
	}
	return nil
}

// describe sets what a description says.
func (r *Report) describe(d Description, form string) {
	r.Kind, r.Form, r.Version = "export", fmt.Sprintf("%s, format %d", form, d.Format), d.Version
	r.Method, r.Step, r.Epoch, r.Seed = string(d.Method), &d.Step, &d.Epoch, d.Seed
	r.Weights, r.Precision = d.Weights, string(d.Precision)
	r.Data, r.Fingerprint = d.Data.Name, d.Data.Fingerprint
	r.Shape, r.Latent = d.Data.Shape, d.Latent
	if d.Classes != nil {
		r.Classes = d.Classes.Len()
	}
	if c, err := config.ParseWhole("config", []byte(d.Config)); err == nil {
		r.setNetworks(c)
	}
	if d.Schema == "" {
		return
	}
	if s, err := columns.ParseSchema([]byte(d.Schema)); err == nil {
		r.Table = s.String()
	}
}

// setNetworks says which networks a configuration has for images of the report's shape; nothing if
// they do not fit, which loading finds.
func (r *Report) setNetworks(c config.Config) {
	if method.Validate(c) != nil {
		return
	}
	if text, err := method.Describe(c, data.Shape(r.Shape.Layer())); err == nil {
		r.Networks = text
	}
}

// onnx inspects an ONNX model, of plume or of another program.
func (r *Report) onnx(ctx context.Context) error {
	m, err := readONNX(r.Path)
	if err != nil {
		return err
	}
	form := fmt.Sprintf("onnx, IR version %d, opset %d", m.ir, m.opset)
	name, by := "graph", ", by "+cmp.Or(m.producer, "an unknown program")
	if text, ok := m.metadata[metadataKey]; ok {
		d, err := parseDescription([]byte(text))
		if err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
		r.describe(d, "onnx")
		name, by = m.metadata[metadataKey+"_network"], ""
		m.parameters = int64(d.Networks[name].Parameters) // without constants
	}
	r.Kind, r.Form, r.Inputs, r.Outputs = "onnx", form+by, m.inputs, m.outputs
	r.Groups = []Group{{
		Name: name, Tensors: int(m.nodes), Numbers: m.parameters, Bytes: 4 * m.parameters,
	}}
	if m.digits == 0 {
		r.Checked = false
		return nil
	}
	if r.Checked {
		return r.found(ctx, verifyONNX(ctx, r.Path, m))
	}
	return nil
}

// verifyONNX compares a file with the checksum in it.
func verifyONNX(ctx context.Context, path string, m *onnxFile) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.CopyN(sum, f, m.digits); err != nil {
		return err
	}
	io.WriteString(sum, noDigits)
	if _, err := f.Seek(m.digits+int64(len(noDigits)), io.SeekStart); err != nil {
		return err
	}
	if err := file.Copy(ctx, sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != m.metadata[checksumName] {
		return fmt.Errorf("%s: %w: changed since it was written: its SHA-256 is %s, its metadata "+
			"say %s", path, checkpoint.ErrDamaged, got, m.metadata[checksumName])
	}
	return nil
}

const checksumName = checkpoint.ChecksumKey

var errNoCheckpoint = errors.New("no checkpoint")

// checkpoint inspects the checkpoint in dir.
func (r *Report) checkpoint(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "meta.json")); err != nil {
		return errNoCheckpoint
	}
	state, meta, err := checkpoint.OpenState(dir)
	if err != nil {
		return r.found(ctx, err)
	}
	defer state.Close()
	r.Form, r.Version = fmt.Sprintf("checkpoint, format %d", meta.Format), meta.Version
	r.Method, r.Step, r.Epoch, r.Seed = meta.Method, &meta.Step, &meta.Epoch, meta.Seed
	r.Data, r.Fingerprint, r.Lacks = meta.Data, meta.Fingerprint, meta.Imported
	r.Bytes = state.Size()
	r.setTensors(state.Entries())
	if r.Checked {
		return r.found(ctx, checkpoint.Verify(ctx, dir))
	}
	return nil
}

// run inspects a run, and its newest checkpoint.
func (r *Report) run(ctx context.Context) error {
	r.Kind = "run"
	state, err := run.StateOf(r.Path)
	if err != nil {
		return err
	}
	all, err := checkpoint.List(r.Path)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		if err := r.checkpoint(ctx, all[0].Dir); err != nil {
			return err
		}
	}
	for _, c := range all {
		one := Checkpoint{Name: filepath.Base(c.Dir), Step: c.Step}
		if c.Problem != nil {
			one.Problem = c.Problem.Error()
		}
		r.Checkpoints = append(r.Checkpoints, one)
	}
	r.State = state.String()
	r.settings()
	return nil
}

// settings sets what a run's configuration and description say.
func (r *Report) settings() {
	stored, err := run.Open(r.Path)
	if err != nil {
		r.Problem = cmp.Or(r.Problem, err.Error())
		return
	}
	r.Method, r.Precision = string(stored.Config.Method), string(stored.Config.Precision)
	r.Data, r.Seed = stored.Config.Data, stored.Config.Seed
	info, err := run.ReadInfo(r.Path)
	if err != nil {
		r.Problem = cmp.Or(r.Problem, err.Error())
		return
	}
	r.Version = cmp.Or(r.Version, info.Version)
	r.Fingerprint, r.Shape = info.Fingerprint, Shape{info.Shape.H, info.Shape.W, info.Shape.C}
	r.setNetworks(stored.Config)
	switch schema, err := stored.Schema(); {
	case err != nil:
		r.Problem = cmp.Or(r.Problem, err.Error())
	case schema != nil:
		r.Table = schema.String()
	}
	if info.Classes != nil {
		r.Classes = info.Classes.Len()
	}
}

// setTensors sets the tensors and their groups.
func (r *Report) setTensors(all []checkpoint.Entry) {
	r.Tensors = all
	for _, e := range all {
		name := groupOf(e.Name)
		i := slices.IndexFunc(r.Groups, func(g Group) bool { return g.Name == name })
		if i < 0 {
			i = len(r.Groups)
			r.Groups = append(r.Groups, Group{Name: name})
		}
		n := int64(1)
		for _, d := range e.Shape {
			n *= d
		}
		g := &r.Groups[i]
		g.Tensors, g.Numbers, g.Bytes = g.Tensors+1, g.Numbers+n, g.Bytes+e.Bytes
	}
	slices.SortFunc(r.Groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
}

// groupOf is the group of a tensor: of decoder.up1.conv.weight/ema it is decoder/ema.
func groupOf(name string) string {
	path, kind, ok := strings.Cut(name, "/")
	network, _, _ := strings.Cut(path, ".")
	if ok {
		return network + "/" + kind
	}
	return network
}
