package trainer_test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A page is a document without its code, and the anchors in it.
type page struct {
	text    string
	anchors []string
}

var (
	codeBlock = regexp.MustCompile("(?ms)^[ ]*```.*?^[ ]*```[ ]*$")
	codeSpan  = regexp.MustCompile("`[^`\n]*`")
	heading   = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	anchor    = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	link      = regexp.MustCompile(`(?s)\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)
	picture   = regexp.MustCompile(`(?:src|href)="([^"]+)"`)
)

func readPage(text string) (p page) {
	p.text = codeBlock.ReplaceAllString(text, "")
	for _, m := range heading.FindAllStringSubmatch(p.text, -1) {
		name, same := slug(m[1]), 0
		for slices.Contains(p.anchors, numbered(name, same)) {
			same++
		}
		p.anchors = append(p.anchors, numbered(name, same))
	}
	for _, m := range anchor.FindAllStringSubmatch(p.text, -1) {
		p.anchors = append(p.anchors, m[1])
	}
	return p
}

// numbered is the anchor of a heading that follows n like ones.
func numbered(name string, n int) string {
	if n == 0 {
		return name
	}
	return name + "-" + string(rune('0'+n))
}

// slug is the anchor that GitHub gives a heading: in small letters, without punctuation, with
// hyphens for blanks.
func slug(title string) string {
	if m := regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`).FindStringSubmatch(title); m != nil {
		title = strings.Replace(title, m[0], m[1], 1)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// links are the targets of a page's links and pictures.
func (p page) links() (targets []string) {
	text := codeSpan.ReplaceAllString(p.text, "")
	for _, found := range [][][]string{
		link.FindAllStringSubmatch(text, -1), picture.FindAllStringSubmatch(text, -1),
	} {
		for _, m := range found {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// Every relative link of every document leads to a file of the tree, and its anchor to a heading.
func TestReadmeLinks(t *testing.T) {
	n := 0
	for _, from := range documents(t) {
		p := readPage(document(t, from))
		for _, target := range p.links() {
			n++
			if fault := broken(t, from, target); fault != "" {
				t.Errorf("%s: the link %s: %s", from, target, fault)
			}
		}
	}
	if n < 50 {
		t.Errorf("%d links were found; expected the index of the README and more", n)
	}
	for target, fault := range map[string]string{
		"nowhere.md": "no such file", "README.md#nothing": "no such heading",
		"#nothing": "no such heading", "/README.md": "not relative",
		"http://[": "no address", "../../x": "outside the tree",
	} {
		if got := broken(t, "README.md", target); got != fault {
			t.Errorf("a link to %s is found to be %q; expected %q", target, got, fault)
		}
	}
}

// broken says what is wrong with a link of a document; "" if nothing is.
func broken(t *testing.T, from, target string) string {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		return "no address"
	}
	if address.Scheme == "https" && address.Host != "" {
		return ""
	}
	if address.Scheme != "" || strings.HasPrefix(address.Path, "/") {
		return "not relative"
	}
	to := from
	if address.Path != "" {
		to = path.Join(path.Dir(from), address.Path)
	}
	if to == ".." || strings.HasPrefix(to, "../") {
		return "outside the tree"
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil {
		return "no such file"
	}
	if address.Fragment == "" {
		return ""
	}
	if path.Ext(to) != ".md" ||
		!slices.Contains(readPage(document(t, to)).anchors, address.Fragment) {
		return "no such heading"
	}
	return ""
}

// The README leads to every document, directly or by one that it leads to.
func TestEveryDocumentIsIndexed(t *testing.T) {
	reached := []string{"README.md"}
	for i := 0; i < len(reached); i++ {
		for _, target := range readPage(document(t, reached[i])).links() {
			target, _, _ = strings.Cut(target, "#")
			to := path.Join(path.Dir(reached[i]), target)
			if path.Ext(target) == ".md" && !strings.Contains(target, ":") &&
				!slices.Contains(reached, to) {
				reached = append(reached, to)
			}
		}
	}
	for _, path := range documents(t) {
		if !slices.Contains(reached, path) {
			t.Errorf("%s is not to be found from the README", path)
		}
	}
}

// The README is two screens long before its index: as a code host shows it, 1012 pixels wide in
// letters of 16, its 88 lines before the index took 2,090 of the 2,160 pixels of two screens.
func TestReadmeIsShort(t *testing.T) {
	const most = 88
	before, _, found := strings.Cut(document(t, "README.md"), "\n## The documents")
	if n := strings.Count(before, "\n"); n > most || !found {
		t.Errorf("README.md has %d lines before its index (found: %t); expected at most %d: "+
			"details belong to the documents beside what they describe", n, found, most)
	}
}

// The lines of Go in the README are those of an example, which runs.
func TestReadmeLibrary(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").
		FindAllStringSubmatch(document(t, "README.md"), -1)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks of Go in the README; expected one", len(blocks))
	}
	var lines strings.Builder
	for line := range strings.Lines(blocks[0][1]) {
		if line != "\n" {
			line = "\t" + line
		}
		lines.WriteString(line)
	}
	text, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "func Example() {\n"+lines.String()+"\t// Output:\n") {
		t.Errorf("the lines of the README are not those of Example in example_test.go:\n%s",
			lines.String())
	}
}
