package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/plume-ml/plume/trainer/page"
)

var (
	browserFlag = flag.String("browser", "", "Chromium for TestBrowser; empty: it is skipped")
	screenshots = flag.String("screenshots", "", "`directory` that gets TestBrowser's screenshots")
)

// browser is a window of Chromium, and what it has said and asked for.
type browser struct {
	t   *testing.T
	ctx context.Context
	at  string // the server

	mu       sync.Mutex
	said     []string
	requests []string
}

// patience is for a machine that has other things to do.
const browserPatience = 10 * time.Minute

// newBrowser opens a window, headless and with an empty profile, that reaches nothing but this
// machine.
func newBrowser(t *testing.T, at string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(*browserFlag),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.WSURLReadTimeout(browserPatience))
	ctx, cancel := context.WithTimeout(context.Background(), browserPatience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	// Of events that the package does not know, it would write that they are unhandled.
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, at: at}
	chromedp.ListenTarget(ctx, b.hear)
	b.do(network.Enable(), log.Enable(), chromedp.EmulateViewport(1280, 900))
	return b
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.said = append(b.said, fmt.Sprintf("%s: %s", e.Type, e.Args[0].Value))
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		b.said = append(b.said, e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// silent expects that the console has said nothing since the last time.
func (b *browser) silent(when string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.said {
		b.t.Errorf("%s, the console says %s", when, said)
	}
	b.said = nil
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// keys types keys.
func (b *browser) keys(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// eval evaluates an expression, or waits for a promise.
func eval[T any](b *browser, expression string) (value T) {
	b.t.Helper()
	b.do(chromedp.Evaluate(expression, &value, awaited))
	return value
}

// awaited makes the value of a promise that of the expression.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams {
	return p.WithAwaitPromise(true)
}

// until waits for an expression to be true.
func (b *browser) until(expression string) {
	b.t.Helper()
	var err error
	for range 1200 {
		var now bool
		// It fails while another page is loaded.
		if err = chromedp.Run(b.ctx, chromedp.Evaluate(expression, &now, awaited)); now {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("%s: %v; the page says %s", expression, err,
		eval[string](b, "document.body.innerText.slice(0, 500)"))
}

// expect compares what expressions are.
func (b *browser) expect(want map[string]any) {
	b.t.Helper()
	for expression, want := range want {
		if got := eval[any](b, expression); fmt.Sprint(got) != fmt.Sprint(want) {
			b.t.Errorf("%s: %v, expected %v", expression, got, want)
		}
	}
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.at + path))
	b.until(isLive)
}

const (
	isLive = `document.getElementById("connection")?.dataset.kind === "live"`
	inked  = `[...document.querySelectorAll(".chart canvas")].every((c) => c.getContext("2d")
		.getImageData(0, 0, c.width, c.height).data.some((v) => v))`
	decoded = `Promise.all([...document.images].map((image) => image.decode()))
		.then(() => document.images.length)`
)

// still is that the page has scrolled to its end.
const still = `new Promise((done) => {
	const y = scrollY;
	setTimeout(() => done(scrollY === y), 300);
})`

// shoot takes screenshots in both themes, and on a phone, where nothing may be wider than it.
func (b *browser) shoot(name string) {
	b.t.Helper()
	for _, way := range []struct {
		name, theme string
		width       int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 360}} {
		b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: way.theme},
		}), chromedp.EmulateViewport(way.width, 800))
		time.Sleep(400 * time.Millisecond) // the page draws again after a while
		b.expect(map[string]any{"document.documentElement.scrollWidth <= innerWidth": true})
		if *screenshots == "" {
			continue
		}
		var picture []byte
		b.do(chromedp.FullScreenshot(&picture, 100))
		err := errors.Join(os.MkdirAll(*screenshots, 0o777), os.WriteFile(
			filepath.Join(*screenshots, name+"-"+way.name+".png"), picture, 0o666))
		if err != nil {
			b.t.Fatal(err)
		}
	}
	b.do(chromedp.EmulateViewport(1280, 900))
}

// node is a part of a page as those meet it who cannot see it. Chromium has properties of nodes
// that the package accessibility does not know, so only these are read.
type node struct {
	Ignored bool  `json:"ignored"`
	Role    named `json:"role"`
	Name    named `json:"name"`
}

type named struct {
	Value any `json:"value"`
}

// named expects that everything that can be used has a name for those who cannot see it.
func (b *browser) named() {
	b.t.Helper()
	var tree struct {
		Nodes []node `json:"nodes"`
	}
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		return cdp.Execute(ctx, accessibility.CommandGetFullAXTree, nil, &tree)
	}))
	used := 0
	for _, n := range tree.Nodes {
		switch n.Role.Value {
		case "button", "link", "checkbox", "searchbox", "combobox", "slider", "radio", "image",
			"img", "dialog", "region":
			if used++; !n.Ignored && (n.Name.Value == nil || n.Name.Value == "") {
				b.t.Errorf("a %s has no name", n.Role.Value)
			}
		}
	}
	if used < 10 {
		b.t.Errorf("%d things can be used", used)
	}
}

// The list and the pages work in a browser that reaches the server alone, by keys, on a phone and
// in the dark; what is new appears, and the reader's place stays; a lost connection is told and
// found again.
func TestBrowser(t *testing.T) {
	if *browserFlag == "" {
		t.Skip("`make test-pages` runs it in Chromium")
	}
	root := t.TempDir()
	dir := copyRun(t, root, "00001-a")
	setMetrics(t, dir, 4)
	copyRun(t, root, "00002-b")
	write(t, filepath.Join(root, "00002-b", "notes.json"),
		`{"tags": ["good", "wide"], "note": "with twice the noise"}`)
	write(t, filepath.Join(copyRun(t, root, "00003-c"), "config.toml"), "x = [")
	s, err := New(Options{Root: root, Measure: page.None, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		s.ServeHTTP(w, r)
	}))
	web.Config.ErrorLog = nil
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		web.CloseClientConnections()
		web.Close()
	})
	b := newBrowser(t, web.URL)
	b.list()
	b.together()
	b.live(dir)
	b.silent("with a connection")
	b.reconnects(dir, &down, web)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, to := range b.requests {
		if !strings.HasPrefix(to, b.at+"/") && !strings.HasPrefix(to, "data:") {
			t.Errorf("a request to %s", to)
		}
	}
}

// list uses the list by keys, and leaves by choosing two runs.
func (b *browser) list() {
	b.t.Helper()
	const rows = `[...document.querySelectorAll("table.runs tbody tr")].filter((r) => !r.hidden)`
	b.open("/")
	b.until(rows + ".length === 3")
	b.named()
	b.shoot("list")
	b.expect(map[string]any{
		rows + `[2].querySelector(".problem") !== null`:                true,
		`document.getElementById("count").textContent`:                 "3 runs",
		`document.querySelector("[aria-sort]").dataset.column`:         "started",
		`document.getElementById("shortcuts").getClientRects().length`: 1,
	})
	b.keys("/")
	b.until(`document.activeElement.id === "search"`)
	// The driver types the slash as well, although the page has prevented that.
	b.do(chromedp.Evaluate(`document.activeElement.value = ""`, nil))
	b.keys("t", "w", "i", "c", "e")
	b.until(rows + ".length === 1")
	b.keys(kb.Enter)
	b.expect(map[string]any{
		"document.activeElement.textContent":                    "00002-b",
		"getComputedStyle(document.activeElement).outlineStyle": "solid",
		`new URLSearchParams(location.search).get("search")`:    "twice",
		`document.getElementById("count").textContent`:          "1 of 3 runs",
		`document.querySelector("table.runs .tag").textContent`: "good",
	})
	b.keys("x", "/", kb.Escape)
	b.until(rows + ".length === 3")
	b.keys("?")
	b.until(`document.getElementById("keys").open`)
	b.keys(kb.Escape, "j", "j")
	b.until(`["00001-a", "00002-b"].includes(document.activeElement.textContent)`)
	b.do(chromedp.Evaluate(`[...document.querySelectorAll("th[scope=row] a")]
		.find((a) => a.textContent === "00001-a").focus()`, nil))
	b.keys("x", "c")
	b.until(`location.pathname === "/run"`)
}

// together looks at two runs, until their latents are there.
func (b *browser) together() {
	b.t.Helper()
	b.until(isLive)
	b.until(`document.querySelectorAll(".scatter .points").length === 2`)
	b.until(inked)
	b.named()
	if n := eval[int](b, decoded); n < 8 {
		b.t.Errorf("%d pictures", n)
	}
	b.expect(map[string]any{
		`document.querySelectorAll(".differences tbody tr").length > 3`: true,
		`document.querySelector(".tag").textContent`:                    "good",
	})
	b.shoot("together")
	b.keys("5")
	b.until(`document.activeElement.id === "learning" && scrollY > 300`)
	b.keys("g")
	b.until(`location.pathname === "/"`)
}

// live reads a run while it grows.
func (b *browser) live(dir string) {
	b.t.Helper()
	b.open("/run?run=00001-a")
	b.until(`document.querySelectorAll(".scatter .points").length === 1`)
	b.do(chromedp.Evaluate(`
		document.querySelector("#configuration details").open = true;
		document.querySelector("#samples input[type=range]").focus()`, nil))
	b.keys(kb.ArrowLeft)
	b.do(chromedp.Evaluate(`document.querySelector("#learning .plot").focus()`, nil))
	b.keys("+")
	const ticks = `plume.data.curves[0].x.step.length`
	const shown = `document.querySelector("#samples .slide output").textContent`
	const range_ = `document.querySelector("#samples input[type=range]")`
	b.until("scrollY > 100")
	b.until(still)
	before := eval[string](b, shown)
	frames := eval[int](b, "+"+range_+".max")
	y := eval[float64](b, "scrollY")
	b.expect(map[string]any{ticks: 4})

	setMetrics(b.t, dir, 5)
	picture, err := os.ReadFile(filepath.Join(dir, "samples", "step-000102.png"))
	if err != nil {
		b.t.Fatal(err)
	}
	write(b.t, filepath.Join(dir, "samples", "step-000900.png"), string(picture))
	b.until(ticks + " === 5")
	b.until(fmt.Sprintf("%s.max == %d", range_, frames+1))
	b.until(`document.getElementById("overview").textContent.includes("5 of 6 epochs")`)
	b.until(inked)
	b.expect(map[string]any{
		shown: before, "scrollY": y, `document.querySelector("#configuration details").open`: true,
		`document.activeElement.className`: "plot",
		`[...document.querySelectorAll("#samples .strip:first-of-type .frames img")]
			.filter((image) => !image.hidden).map((image) => image.dataset.step).join()`: before,
	})
	b.do(chromedp.Evaluate(range_+`.value = `+range_+`.max; `+range_+
		`.dispatchEvent(new Event("input", { bubbles: true }))`, nil))
	write(b.t, filepath.Join(dir, "samples", "step-000950.png"), string(picture))
	b.until(shown + ` === "950"`) // at the end, the slider follows
	b.shoot("run")
}

// reconnects loses the connection, and finds it again with what was missed.
func (b *browser) reconnects(dir string, down *atomic.Bool, web *httptest.Server) {
	b.t.Helper()
	down.Store(true)
	web.CloseClientConnections()
	b.until(`document.getElementById("connection").textContent.startsWith("Connection lost")`)
	setMetrics(b.t, dir, 6)
	down.Store(false)
	b.until(isLive)
	b.until(`plume.data.curves[0].x.epoch.join() === "1,2,3,4,5,6"`)
}
