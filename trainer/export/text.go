package export

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/memory"
)

func (s Shape) String() string { return s.Layer().String() }

// WriteText writes the report as a table, with all tensors if asked for.
func (r *Report) WriteText(w io.Writer, tensors bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, parts ...string) {
		if text := join(parts...); text != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, text)
		}
	}
	row("kind", r.Kind, r.State)
	row("path", r.Path)
	row("format", r.Form, prefixed("by plume ", r.Version))
	row("method", r.Method, prefixed("products in ", r.Precision))
	row("weights", r.Weights)
	row("training", numbered("step", r.Step), numbered("epoch", r.Epoch))
	content := shaped("images of ", r.Shape)
	if r.Table != "" {
		content = "a table of " + r.Table
	}
	row("data", r.Data, content, prefixed("fingerprint ", r.Fingerprint))
	if r.Classes > 0 {
		row("classes", humanize.Comma(int64(r.Classes)))
	}
	row("latents", shaped("", r.Latent))
	row("networks", r.Networks)
	row("lacks", r.Lacks)
	row("inputs", r.Inputs...)
	row("outputs", r.Outputs...)
	for _, g := range r.Groups {
		row(g.Name, count(g.Tensors, r.Kind), humanize.Comma(g.Numbers)+" numbers",
			memory.Human(g.Bytes))
	}
	if tensors {
		for _, t := range r.Tensors {
			shape := strings.ReplaceAll(fmt.Sprint(t.Shape), " ", " x ")
			row("  "+t.Name, t.Dtype, strings.Trim(shape, "[]"))
		}
	}
	for i, c := range r.Checkpoints {
		row([]string{"checkpoints", ""}[min(i, 1)], c.Name, c.Problem)
	}
	row("size", memory.Human(r.Bytes))
	row("whole", r.whole())
	return table.Flush()
}

// whole says whether the file is whole.
func (r *Report) whole() string {
	switch {
	case r.Problem != "":
		return "no: " + r.Problem
	case r.Checked && r.Bytes > 0:
		return "yes, every byte was compared with its checksum"
	}
	return "by its header and its size; no bytes were compared"
}

// join joins what is not empty.
func join(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func numbered(what string, n *int) string {
	if n == nil {
		return ""
	}
	return what + " " + humanize.Comma(int64(*n))
}

func shaped(prefix string, s Shape) string {
	if s == (Shape{}) {
		return ""
	}
	return prefix + s.String()
}

// count is a number of tensors, or of the nodes of an ONNX graph.
func count(n int, kind string) string {
	what := "tensor"
	if kind == "onnx" {
		what = "operator"
	}
	if n != 1 {
		what += "s"
	}
	return humanize.Comma(int64(n)) + " " + what
}
