package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licenceFile are the names of files that must go with copies of a module.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|copyright)([-.].*)?$`)

// licences are those of all modules in a target's command, of Go itself, and of what else is in it.
func (r *release) licences(ctx context.Context, t target) ([]byte, error) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}`
	list, err := output(ctx, r.root, append(t.environment(), "CGO_ENABLED=0"),
		"go", "list", "-deps", "-f", format, "./cmd/plume")
	if err != nil {
		return nil, err
	}
	root, err := output(ctx, r.root, nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("Licences of what is in this build of plume beside plume itself.\n")
	modules := slices.Compact(slices.Sorted(strings.SplitSeq(list, "\n")))
	for _, module := range append(modules, "Go its-library "+root) {
		words := strings.SplitN(module, " ", 3)
		if len(words) < 3 {
			continue
		}
		if err := licencesOf(&out, words[0], words[2]); err != nil {
			return nil, err
		}
	}
	for _, file := range embeddedLicences {
		text, err := os.ReadFile(filepath.Join(r.root, filepath.FromSlash(file)))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s", strings.Repeat("=", 80), file, text)
	}
	return out.Bytes(), nil
}

// embeddedLicences are those of files in plume that others made.
var embeddedLicences = []string{
	"trainer/data/embedded/NOTICE.md", "trainer/page/assets/uplot.LICENSE",
}

// licencesOf appends the licences of a module, whose files are in dir. It must have one.
func licencesOf(out *bytes.Buffer, module, dir string) error {
	files, err := fs.ReadDir(os.DirFS(dir), ".")
	if err != nil {
		return err
	}
	found := false
	for _, f := range files {
		if f.IsDir() || !licenceFile.MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s\n%s: %s\n\n%s", strings.Repeat("=", 80), module, f.Name(), text)
		found = true
	}
	if !found {
		return fmt.Errorf("%s: no licence in %s", module, dir)
	}
	return nil
}
