package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	browserFlag = flag.String("browser", "", "Chromium for TestBrowser; empty: it is skipped")
	screenshots = flag.String("screenshots", "", "`directory` that gets TestBrowser's screenshots")
)

// chromium opens a file, headless and with an empty profile, and returns what it writes.
func chromium(t *testing.T, path string, flags ...string) (stdout, stderr string) {
	t.Helper()
	flags = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
		"--enable-logging=stderr", "--virtual-time-budget=20000",
	}, append(flags, "file://"+path)...)
	cmd := exec.CommandContext(t.Context(), *browserFlag, flags...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return out.String(), errs.String()
}

// probed adds a script to a page, and to its policy.
func probed(t *testing.T, text string) string {
	t.Helper()
	probe, err := os.ReadFile("testdata/probe.js")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(probe)
	allowed := "script-src &#39;sha256-"
	if !strings.Contains(text, allowed) {
		t.Fatal("the page has no policy of scripts")
	}
	hash := "script-src &#39;sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"&#39; &#39;sha256-"
	text = strings.Replace(text, allowed, hash, 1)
	return strings.Replace(text, "</body>", "<script>"+string(probe)+"</script></body>", 1)
}

// seen is what the probe leaves.
type seen struct {
	Failure                     string
	Pictures, Decoded           int
	Charts, Drawn, DrawnAgain   int
	Axis, OtherAxis             string
	Last, Before, Again         string
	Nearest                     *string
	NearestDrawn, Moved, Points bool
	Themes                      bool
	Wide                        int
	Requests                    []string
}

// Pages of all kinds of runs open without an error and without a request, and their parts work.
func TestBrowser(t *testing.T) {
	if *browserFlag == "" {
		t.Skip("`make test-pages` runs it in Chromium")
	}
	digits := tiny(t, "digits", nil)
	for name, dirs := range map[string][]string{
		"digits":  {digits},
		"two":     {digits, tiny(t, "vae", encoder)},
		"table":   {tiny(t, "table", onTable(tableFile(t)))},
		"signals": {tiny(t, "signals", onSignals(signalFile(t)))},
	} {
		t.Run(name, func(t *testing.T) {
			_, text := rendered(t, Options{}, dirs...)
			path := filepath.Join(t.TempDir(), "page.html")
			write(t, path, probed(t, text))
			dom, said := chromium(t, path, "--dump-dom", "--window-size=1280,900")
			for line := range strings.Lines(said) {
				if strings.Contains(line, "CONSOLE") {
					t.Errorf("the console says %s", line)
				}
			}
			judge(t, dom, name != "table")
			write(t, path, text)
			shoot(t, path, name)
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// judge holds what the probe has seen.
func judge(t *testing.T, dom string, nearest bool) {
	t.Helper()
	var s seen
	for _, n := range parse(t, dom) {
		if attribute(n, "id") == "probe" {
			if err := json.Unmarshal([]byte(content(n)), &s); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, ok := range map[string]bool{
		"the probe ended":           s.Failure == "" && s.Charts > 0,
		"pictures are there":        s.Pictures > 3 && s.Decoded == s.Pictures,
		"charts are drawn":          s.Drawn == s.Charts && s.DrawnAgain == s.Charts,
		"the axis changes":          s.Axis == "step" && s.OtherAxis == "evaluations",
		"the slider changes":        s.Last != "" && s.Before != "" && s.Before != s.Last,
		"the slider goes back":      s.Again == s.Last,
		"the nearest row is shown":  !nearest || s.Nearest != nil && s.NearestDrawn,
		"points are chosen":         s.Moved && s.Points,
		"the theme changes":         s.Themes,
		"the page is not too wide":  s.Wide <= 0,
		"nothing else is requested": len(s.Requests) == 0,
	} {
		if !ok {
			t.Errorf("%s: no, %+v", what, s)
		}
	}
}

// shoot takes screenshots of the page on a desk, in the dark, and on a phone.
func shoot(t *testing.T, path, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	if err := os.MkdirAll(*screenshots, 0o777); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dark := filepath.Join(t.TempDir(), "dark.html")
	write(t, dark, strings.Replace(string(text), `<html lang="en">`,
		`<html lang="en" data-theme="dark">`, 1))
	phone := filepath.Join(t.TempDir(), "phone.html")
	write(t, phone, `<body style="margin:0"><iframe src="file://`+path+
		`" width="390" height="9000" style="border:0"></iframe>`)
	for _, way := range [][3]string{
		{"light", path, "1280,6000"}, {"dark", dark, "1280,6000"}, {"phone", phone, "390,9000"},
	} {
		to := filepath.Join(*screenshots, name+"-"+way[0]+".png")
		chromium(t, way[1], "--screenshot="+to, "--window-size="+way[2])
	}
}
