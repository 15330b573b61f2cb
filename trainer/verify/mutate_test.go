package verify_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A site is a place in the source where mistakes can be made: a few tokens of a function's body.
// It is found by package, function and tokens, so files may be split, joined and reformatted, and
// functions moved within their package. A change of the function's name, or of the tokens, is made
// here too; if the expression is written anew, the site states the same mistakes for the new one.
type site struct {
	pkg   string // folder of the package
	fn    string // "Function", or "Type.Method" without a star
	right string // tokens that must be in the function exactly once; spacing is not compared
	wrong string // Go code in their place; $ stands for right
}

// edit is a replacement of bytes start to end of a file.
type edit struct {
	path       string // below the root of the module
	start, end int
	text       string
}

// locate finds the site in the module at root.
func (s site) locate(root string) (edit, error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(s.pkg), "*.go"))
	if err != nil {
		return edit{}, err
	}
	var found []edit
	functions := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return edit{}, err
		}
		bodies, err := bodiesOf(s.fn, path, text)
		if err != nil {
			return edit{}, err
		}
		functions += len(bodies)
		for _, b := range bodies {
			body := string(text[b.start:b.end])
			for _, at := range occurrences(tokensOf(body), tokensOf(s.right)) {
				found = append(found, edit{
					path:  s.pkg + "/" + filepath.Base(path),
					start: b.start + at.start,
					end:   b.start + at.end,
					text:  strings.ReplaceAll(s.wrong, "$", body[at.start:at.end]),
				})
			}
		}
	}
	if functions != 1 {
		return edit{}, fmt.Errorf("package %s has %d functions %s, expected one",
			s.pkg, functions, s.fn)
	}
	if len(found) != 1 {
		const text = "%s in %s has %q %d times, expected once"
		return edit{}, fmt.Errorf(text, s.fn, s.pkg, s.right, len(found))
	}
	return found[0], nil
}

// span is bytes start to end of a text.
type span struct{ start, end int }

// bodiesOf returns the bodies of the functions of that name in a file.
func bodiesOf(fn, path string, text []byte) (bodies []span, err error) {
	files := token.NewFileSet()
	offset := func(p token.Pos) int { return files.Position(p).Offset }
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && nameOf(f) == fn {
			bodies = append(bodies, span{offset(f.Body.Pos()), offset(f.Body.End())})
		}
	}
	return bodies, nil
}

// nameOf is the name of a function, or "Type.Method".
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// lexeme is a token and where it is.
type lexeme struct {
	token token.Token
	text  string
	span
}

// tokensOf scans Go code without its comments, and without what only a line break asks for: the
// automatic semicolons, and commas before a closing bracket.
func tokensOf(code string) (tokens []lexeme) {
	file := token.NewFileSet().AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), nil, 0)
	for {
		pos, tok, text := s.Scan()
		switch tok {
		case token.EOF:
			return tokens
		case token.SEMICOLON:
			if text == "\n" {
				continue
			}
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if n := len(tokens); n > 0 && tokens[n-1].token == token.COMMA {
				tokens = tokens[:n-1]
			}
		}
		if text == "" {
			text = tok.String()
		}
		start := file.Offset(pos)
		tokens = append(tokens, lexeme{tok, text, span{start, start + len(text)}})
	}
}

// occurrences are where the wanted tokens follow each other in a text.
func occurrences(text, wanted []lexeme) (found []span) {
	same := func(a, b lexeme) bool { return a.token == b.token && a.text == b.text }
	for i := range len(text) - len(wanted) + 1 {
		if slices.EqualFunc(text[i:i+len(wanted)], wanted, same) {
			found = append(found, span{text[i].start, text[i+len(wanted)-1].end})
		}
	}
	return found
}

// apply makes edits of one text, which must not overlap.
func apply(t *testing.T, text string, edits []edit) string {
	t.Helper()
	slices.SortFunc(edits, func(a, b edit) int { return b.start - a.start })
	before := len(text)
	for _, e := range edits {
		if e.end > before {
			t.Fatalf("%s: the site replaced by %q overlaps another", e.path, e.text)
		}
		text, before = text[:e.start]+e.text+text[e.end:], e.start
	}
	return text
}

// TestLocate: a site is found wherever its function is and however it is formatted, and one that is
// not there exactly once is refused.
func TestLocate(t *testing.T) {
	const inBrokenLines = `package p

func (t *T) f(x int) int {
	return t.g(2*x, // twice
		x+1,
	)
}
`
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "p"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a.go":      "package p\n\ntype T struct{}\n\nfunc other(x int) int { return 2 * x }\n",
		"b.go":      inBrokenLines,
		"b_test.go": "package p\n\nfunc (t *T) f(x int) int { return 2 * x }\n",
	} {
		if err := os.WriteFile(filepath.Join(root, "p", name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	e, err := site{"p", "T.f", "2*x, x + 1)", "0, $"}.locate(root)
	if err != nil || e.path != "p/b.go" || e.text != "0, 2*x, // twice\n\t\tx+1,\n\t)" {
		t.Errorf("%+v, %v", e, err)
	}
	for _, s := range []site{
		{"p", "f", "2*x", ""}, {"p", "T.f", "3*x", ""}, {"p", "T.f", "x", ""},
		{"q", "T.f", "2*x", ""},
	} {
		if e, err := s.locate(root); err == nil {
			t.Errorf("%+v is found: %+v", s, e)
		}
	}
}
