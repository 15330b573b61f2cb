package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/data/wav"
	"github.com/plume-ml/plume/trainer/npy"
)

func TestMain(m *testing.M) {
	testscript.Main(leakFree{m}, map[string]func(){
		"plume":    main,
		"stubborn": stubborn,
		"stuck":    stuck,
		"timeout":  killer,
	})
}

// tiny is the configuration of runs that take a moment, on real images.
const tiny = `data = "digits"
epochs = 2
latent = 8
decoder_widths = [16]
score_width = 16
score_blocks = 1
score_features = 8
batch_repeats = 1
solver = "ddim"
solver_steps = 5
eval_samples = 100
`

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			for _, v := range os.Environ() { // what chooses the BLAS core chooses the bits
				if strings.HasPrefix(v, "OPENBLAS_") {
					env.Vars = append(env.Vars, v)
				}
			}
			env.Values[environment] = env.Vars
			env.Values[documentsKey] = new(documentState)
			return os.WriteFile(filepath.Join(env.WorkDir, "tiny.toml"), []byte(tiny), 0o666)
		},
		Condition: func(name string) (bool, error) {
			if path, is := strings.CutPrefix(name, "document:"); is {
				_, err := os.Stat(filepath.Join(repository, path))
				return err == nil, nil
			}
			switch name {
			case "openblas":
				return slices.Contains(blas.Available(), name), nil
			case "race":
				return raceEnabled, nil
			}
			return false, fmt.Errorf(
				"expected openblas: the build has it; race: it detects races; or document:PATH: " +
					"the tree has it")
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":      await,
			"deaf":       deaf,
			"elsewhere":  elsewhereCommand,
			"exits":      exits,
			"interrupt":  interruptCommand,
			"lines":      lines,
			"modes":      modes,
			"profile":    profileCommand,
			"same-state": sameState,
			"scrape":     scrapeCommand,
			"shown":      shown,
			"small":      smallCommand,
			"visit":      visitCommand,
			"write-hex":  writeHex,
			"write-npy":  writeNPY,
			"write-png":  writePNG,
			"write-wav":  writeWAV,
		},
	})
}

// environment is the key under which a script's variables lie for the commands below.
const environment = "environment"

// scriptCommand prepares a command as the script's exec would run it.
func scriptCommand(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), ts.Value(environment).([]string)
	return cmd
}

// exits CODE command... runs a command, which must end with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command...")
	}
	checkCode(ts, ts.Exec(args[1], args[2:]...), args[0])
}

// deaf STREAM CODE command... runs a command whose stdout or stderr is a pipe that nobody reads
// any more, and expects the exit code.
func deaf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: deaf stdout|stderr CODE command...")
	}
	r, w, err := os.Pipe()
	ts.Check(err)
	ts.Check(r.Close())
	defer w.Close()
	cmd := scriptCommand(ts, args[2:])
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	if args[0] == "stdout" {
		cmd.Stdout = w
	} else {
		cmd.Stderr = w
	}
	checkCode(ts, cmd.Run(), args[1])
}

// modes DIR expects that the umask alone decides who may read and write the files below a
// directory, where it was 0.
func modes(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		want := fs.FileMode(0o666)
		if e.IsDir() {
			want = 0o777
		}
		if info, err := e.Info(); err != nil || info.Mode().Perm() != want {
			return fmt.Errorf("%s: %v, %v; expected %v", path, info.Mode(), err, want)
		}
		return nil
	}))
}

func checkCode(ts *testscript.TestScript, err error, want string) {
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, expected %s", code, want)
	}
}

// interrupt STREAM SIGNAL CODE command... starts a command, sends it the signal (INT, TERM, or
// INT,INT for two at once) after its first line on stdout or stderr, and expects the exit code.
// Reading stops in between: a command that writes more than a pipe holds cannot end before the
// signal.
func interruptCommand(ts *testscript.TestScript, neg bool, args []string) {
	known := map[string][]os.Signal{
		"INT": {os.Interrupt}, "TERM": {syscall.SIGTERM}, "INT,INT": {os.Interrupt, os.Interrupt},
	}
	if neg || len(args) < 4 || known[args[1]] == nil {
		ts.Fatalf("usage: interrupt stdout|stderr INT|TERM|INT,INT CODE command...")
	}
	cmd := scriptCommand(ts, args[3:])
	pipe, rest := cmd.StdoutPipe, ts.Stdout()
	cmd.Stderr = ts.Stderr()
	if args[0] == "stderr" {
		cmd.Stdout, cmd.Stderr = ts.Stdout(), nil
		pipe, rest = cmd.StderrPipe, ts.Stderr()
	}
	stream, err := pipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	reader := bufio.NewReader(stream)
	_, lineErr := reader.ReadString('\n')
	for _, s := range known[args[1]] {
		ts.Check(cmd.Process.Signal(s))
	}
	_, err = io.Copy(rest, reader)
	ts.Check(err)
	err = cmd.Wait()
	if lineErr != nil {
		ts.Fatalf("ended before its first line of output: %v", err)
	}
	checkCode(ts, err, args[2])
}

// lines N FILE expects N lines in a file (or in stdout).
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines N FILE")
	}
	if n := strings.Count(ts.ReadFile(args[1]), "\n"); strconv.Itoa(n) != args[0] {
		ts.Fatalf("%s has %d lines, expected %s", args[1], n, args[0])
	}
}

// same-state RUN RUN compares the arrays of two runs' newest checkpoints, bit for bit.
func sameState(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same-state RUN RUN")
	}
	var states [2][]byte
	for i, run := range args {
		dir, err := checkpoint.Latest(ts.MkAbs(run))
		ts.Check(err)
		states[i], err = os.ReadFile(filepath.Join(dir, "state.safetensors"))
		ts.Check(err)
	}
	if same := bytes.Equal(states[0], states[1]); same == neg {
		ts.Fatalf("the states are the same: %v", same)
	}
}

// write-hex FILE HEX... writes bytes.
func writeHex(ts *testscript.TestScript, neg bool, args []string) {
	raw, err := hex.DecodeString(strings.Join(args[1:], ""))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o666))
}

// write-npy FILE M D [nan|unit] writes an array of float32, one of them NaN or all in [0, 1] if
// asked for.
func writeNPY(ts *testscript.TestScript, neg bool, args []string) {
	m, err := strconv.Atoi(args[1])
	ts.Check(err)
	d, err := strconv.Atoi(args[2])
	ts.Check(err)
	pixels := make([]float32, m*d)
	for i := range pixels {
		pixels[i] = float32(i%7)/3.5 - 1
	}
	switch {
	case slices.Contains(args[3:], "nan"):
		pixels[len(pixels)/2] = float32(math.NaN())
	case slices.Contains(args[3:], "unit"):
		for i := range pixels {
			pixels[i] = (pixels[i] + 1) / 2
		}
	}
	ts.Check(npy.WriteFile(ts.MkAbs(args[0]), pixels, m, d))
}

// write-png FILE WIDTH HEIGHT writes a picture that depends on the file's name.
func writePNG(ts *testscript.TestScript, neg bool, args []string) {
	width, err := strconv.Atoi(args[1])
	ts.Check(err)
	height, err := strconv.Atoi(args[2])
	ts.Check(err)
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i) * args[0][i%len(args[0])]
	}
	var out bytes.Buffer
	ts.Check(png.Encode(&out, picture))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o666))
}

// write-wav FILE T writes T samples of one channel, of a second for each 1,000, that depend on the
// file's name.
func writeWAV(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	samples := make([]float32, n)
	for i := range samples {
		samples[i] = float32(math.Sin(float64(i*(1+int(args[0][len(args[0])-5]%7)))/20) / 2)
	}
	file, _ := wav.Encode(samples, 1, 1000)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o666))
}
