package comm

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// By hand: 8 ranks, 10^6 numbers, 10 us, 1 GB/s, 1 ns: 60 us of latency, 7/8 of 8 MB at 1 GB/s, and
// 7/8 of 1 ms of additions.
func TestNetwork(t *testing.T) {
	n := Network{Latency: 10e-6, Bandwidth: 1e9, Add: 1e-9}
	near(t, "float32", n.SumTree(8, 1e6, Float32Bytes), 60e-6+7e-3+0.875e-3)
	near(t, "bf16", n.SumTree(8, 1e6, BF16Bytes), 60e-6+5.25e-3+0.875e-3)
	near(t, "one rank", n.SumTree(1, 1e6, Float32Bytes)+1, 1)
	near(t, "weak", Weak(64, 0.015, 0.005), 48)
	near(t, "strong", Strong(8, 0.8, 0.1), 4)
}

// What the model has made is found again.
func TestFit(t *testing.T) {
	want := Network{Latency: 25e-6, Bandwidth: 2.6e9, Add: 4e-10}
	var samples []Sample
	for _, ranks := range []int{2, 4} {
		for _, numbers := range []float64{25e4, 1e6, 2e7} {
			s := Sample{Ranks: ranks, Numbers: numbers}
			s.Seconds = want.SumTree(ranks, numbers, Float32Bytes)
			samples = append(samples, s)
		}
	}
	got, err := Fit(samples, want.Add)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "latency", got.Latency/want.Latency, 1)
	near(t, "bandwidth", got.Bandwidth, want.Bandwidth)
	if _, err := Fit(samples[:1], 0); err == nil {
		t.Error("a fit of two numbers to one sample")
	}
}

// networks are those of MODEL.md's predictions. They are assumed, as is the time of an addition.
var networks = []struct {
	name string
	Network
}{
	{"10 Gbit/s TCP", Network{30e-6, 1.1e9, 0.4e-9}},
	{"25 Gbit/s TCP", Network{25e-6, 2.6e9, 0.4e-9}},
	{"100 Gbit/s TCP", Network{20e-6, 5e9, 0.4e-9}},
	{"100 Gbit/s RDMA", Network{3e-6, 11e9, 0.4e-9}},
}

// steps are those of a machine of 16 cores.
var steps = []struct {
	name             string
	numbers, seconds float64
}{
	{"1 M, float32, 15 ms", 1e6, 15e-3},
	{"1 M, bf16, 3 ms", 1e6, 3e-3},
	{"20 M, float32, 300 ms", 20e6, 300e-3},
	{"20 M, bf16, 60 ms", 20e6, 60e-3},
	{"20 M, few rows, 15 ms", 20e6, 15e-3},
}

var sizes = []int{8, 16, 64, 256, 1024}

// predict writes a table of factors for all steps, networks and numbers of ranks.
func predict(
	title string, gathered int, factor func(ranks int, step, exchange float64) float64,
) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s:\n\n| parameters, step | network |", title)
	for _, p := range sizes {
		fmt.Fprintf(b, " %d ranks |", p)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---:|", len(sizes)) + "\n")
	for _, s := range steps {
		for _, n := range networks {
			fmt.Fprintf(b, "| %s | %s |", s.name, n.name)
			for _, p := range sizes {
				x := n.SumTree(p, s.numbers, gathered)
				fmt.Fprintf(b, " %.3g |", factor(p, s.seconds, x))
			}
			b.WriteString("\n")
		}
	}
	return b.String() + "\n"
}

// optimiser is the seconds for the weights of a step after the sum: 28 bytes a number are read and
// written (AdamW and an average), at 50 GB/s of a machine.
func optimiser(numbers float64) float64 { return numbers * 28 / 50e9 }

// gains writes what bf16 of the gathered half and a sharded optimiser add to weak scaling.
func gains(ranks int) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "Weak scaling at %d ranks:\n\n| parameters, step | network | as it is "+
		"| bf16 gathered | sharded optimiser | both |\n|---|---|---:|---:|---:|---:|\n", ranks)
	for _, s := range steps {
		for _, n := range networks {
			plain, half := n.SumTree(ranks, s.numbers, Float32Bytes), n.SumTree(ranks, s.numbers,
				BF16Bytes)
			saved := optimiser(s.numbers) * float64(ranks-1) / float64(ranks)
			saved = min(saved, s.seconds)
			fmt.Fprintf(b, "| %s | %s |", s.name, n.name)
			for _, x := range []float64{plain, half, plain - saved, half - saved} {
				fmt.Fprintf(b, " %.3g |", Weak(ranks, s.seconds, x))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

var update = flag.Bool("update", false, "write the tables of MODEL.md")

// The predictions of MODEL.md are those of the model.
func TestModelTables(t *testing.T) {
	old, err := os.ReadFile("MODEL.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- tables -->\n", "<!-- end of tables -->"
	head, rest, found := strings.Cut(string(old), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("MODEL.md has no place for the tables")
	}
	want := head + begin + "\n" +
		predict("Weak scaling: each machine has a minibatch of its own", Float32Bytes, Weak) +
		predict("Strong scaling: one minibatch, of eight times that size, is shared", Float32Bytes,
			func(ranks int, step, x float64) float64 { return Strong(ranks, 8*step, x) }) +
		gains(64) + "\n" + end + tail
	if *update {
		if err := os.WriteFile("MODEL.md", []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(old, []byte(want)) {
		t.Error("MODEL.md has other tables than the model: go test ./trainer/comm -update")
	}
}
