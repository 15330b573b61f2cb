package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/record"
)

//go:embed assets
var assets embed.FS

// asset returns the text of an embedded file.
func asset(name string) string {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic("page: " + err.Error())
	}
	return string(text)
}

// Styles and scripts, in the order in which the page has them. uPlot is by Leon Sorokin, and its
// licence stays with it.
var (
	styles  = template.CSS(asset("uplot.min.css") + "\n" + asset("page.css"))
	scripts = []template.JS{
		template.JS("/*\n" + asset("uplot.LICENSE") + "*/\n" + asset("uplot.min.js")),
		template.JS(asset("base.js")),
		template.JS(asset("charts.js")),
		template.JS(asset("page.js")),
	}
	liveScripts = append(slices.Clone(scripts), template.JS(asset("live.js")),
		template.JS(asset("update.js")))
	listScripts = []template.JS{
		template.JS(asset("base.js")), template.JS(asset("live.js")), template.JS(asset("list.js")),
	}
)

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"number": number,
	"percent": func(share float64) string {
		return fmt.Sprintf("%.1f", 100*min(max(share, 0), 1))
	},
	"join":     strings.Join,
	"colour":   func(i int) int { return i % colours },
	"interval": interval,
	"last":     func(frames []Frame) Frame { return frames[len(frames)-1] },
}).ParseFS(assets, "assets/*.html"))

// colours is how many runs have a colour of their own in page.css.
const colours = 8

// Render writes the page as one HTML document, which loads nothing: its policy allows the scripts
// and styles in it, by their hashes, and pictures in data URIs.
func Render(w io.Writer, p *Page) error {
	own := scripts
	if p.Live != nil {
		own = liveScripts
	}
	err := pageTemplate.Execute(w, struct {
		*Page
		document
		Data payload
	}{p, newDocument(own, p.Live != nil), p.payload()})
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// document is what every page needs.
type document struct {
	Policy  string
	Styles  template.CSS
	Scripts []template.JS
	Refresh bool // it is loaded again every few seconds
}

func newDocument(scripts []template.JS, live bool) document {
	return document{Policy: policy(scripts, live), Styles: styles, Scripts: scripts}
}

// payload is what the scripts read.
type payload struct {
	Charts  []Chart    `json:"charts"`
	Curves  []Curves   `json:"curves"`
	Nearest []*Nearest `json:"nearest"`
	Latents []*Scatter `json:"latents"`
}

func (p *Page) payload() payload {
	d := payload{Charts: p.Charts}
	for _, r := range p.Runs {
		d.Curves = append(d.Curves, r.Curves)
		d.Nearest = append(d.Nearest, r.Nearest)
		var points *Scatter
		if r.Latents != nil {
			points = r.Latents.Scatter
		}
		d.Latents = append(d.Latents, points)
	}
	return d
}

// policy is the content security policy of a page with these scripts. One that is served may ask
// its server, and no other.
func policy(scripts []template.JS, live bool) string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	script := ""
	for _, s := range scripts {
		script += hash(string(s))
	}
	from, form := "img-src data:", "'none'"
	if live {
		from, form = "img-src data: 'self'; connect-src 'self'", "'self'"
	}
	return "default-src 'none'; " + from + "; style-src" + hash(string(styles)) +
		"; script-src" + script + "; base-uri 'none'; form-action " + form
}

// number formats v for readers; "" if it is not finite.
func number(v record.Number) string {
	switch size := math.Abs(float64(v)); {
	case !v.Finite():
		return ""
	case size >= 1000 && size < 1e6:
		return fmt.Sprintf("%.0f", float64(v))
	}
	return fmt.Sprintf("%.4g", float64(v))
}

func interval(low, high record.Number) string {
	if !low.Finite() || !high.Finite() {
		return ""
	}
	return number(low) + " to " + number(high)
}

// numbers are written with six digits; those that are not finite as null.
type numbers []float64

// MarshalJSON implements json.Marshaler.
func (x numbers) MarshalJSON() ([]byte, error) {
	text := []byte{'['}
	for i, v := range x {
		if i > 0 {
			text = append(text, ',')
		}
		if record.Number(v).Finite() {
			text = fmt.Appendf(text, "%.6g", v)
		} else {
			text = append(text, "null"...)
		}
	}
	return append(text, ']'), nil
}
