package columns

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// csvFile is a CSV file: RFC 4180 with any of the delimiters, and lines that end in LF or CRLF.
type csvFile struct {
	r         *csv.Reader
	closer    io.Closer
	delimiter string
	header    bool
	columns   []Column
	first     []string // the first row, if it is not a header and has not been read
	place     int      // line of the last row
}

// delimiters are what may be between the cells of a line.
var delimiters = []string{",", ";", "\t", "|"}

// headBytes is how much of a file is looked at to find out how it is written.
const headBytes = 1 << 16

// OpenCSV begins to read a CSV file, in UTF-8, or in UTF-16 with a byte order mark. given is a
// schema file's; nil: none. What it does not say is found: the delimiter, of comma, semicolon, tab
// and bar. The first line holds the names of the columns unless given.Header says otherwise. An
// empty name becomes column1, by the column's number. The file is closed with the source.
func OpenCSV(file io.ReadCloser, given *Given) (Source, error) {
	buffered := bufio.NewReaderSize(
		transform.NewReader(file, unicode.BOMOverride(transform.Nop)), headBytes)
	head, err := buffered.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	f := &csvFile{closer: file, header: true}
	if given != nil {
		f.delimiter = given.Delimiter
		f.header = given.Header == nil || *given.Header
	}
	if err := checkText(head); err != nil {
		return nil, err
	}
	if f.delimiter == "" {
		f.delimiter = FindDelimiter(head)
	}
	if f.delimiter == "" {
		if err := checkSpaces(head); err != nil {
			return nil, err
		}
		f.delimiter = ","
	}
	f.r = csv.NewReader(buffered)
	f.r.Comma, f.r.FieldsPerRecord, f.r.ReuseRecord = rune(f.delimiter[0]), -1, true
	f.r.TrimLeadingSpace = f.delimiter != "\t" // of which it would take empty cells
	return f, f.begin(given)
}

// checkText refuses what cannot be a table.
func checkText(head []byte) error {
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return errors.New("is empty; expected a line with the names of the columns, and rows")
	case bytes.IndexByte(head, 0) >= 0:
		return errors.New("holds zero bytes, so that it is no text; expected a CSV file in UTF-8")
	case bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0:
		return errors.New("has lines that end in CR alone, as on old Macs; expected LF or CR LF: " +
			"tr '\\r' '\\n' < OLD > NEW")
	}
	return nil
}

// checkSpaces refuses a table whose cells are separated by spaces.
func checkSpaces(head []byte) error {
	lines := firstLines(head)
	fields := len(strings.Fields(lines[0]))
	numbers := 0
	for _, field := range strings.Fields(lines[len(lines)-1]) {
		if _, ok := parseNumber(field, false); ok {
			numbers++
		}
	}
	if fields < 2 || numbers < 2 {
		return nil
	}
	for _, line := range lines {
		if len(strings.Fields(line)) != fields {
			return nil
		}
	}
	return errors.New("has cells that are separated by spaces; expected commas, semicolons, tabs " +
		"or bars: tr -s ' ' ',' < OLD > NEW")
}

// firstLines returns the complete lines at the beginning that are not blank, at most 20, and the
// only line if there is one.
func firstLines(head []byte) (lines []string) {
	const most = 20
	text := string(head)
	if i := strings.LastIndexByte(text, '\n'); i >= 0 && len(head) == headBytes {
		text = text[:i]
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && len(lines) < most {
			lines = append(lines, line)
		}
	}
	return lines
}

// FindDelimiter returns what is between the cells of a text that begins like this: it gives all of
// the first lines as many cells, two or more, and of several the most. If none does so, it is what
// the first line has most of. "" means that there is nothing of the kind.
func FindDelimiter(head []byte) string {
	best, cells := "", 1
	for _, d := range delimiters {
		if n := evenCells(head, d); n > cells {
			best, cells = d, n
		}
	}
	lines := firstLines(head)
	if best != "" || len(lines) == 0 {
		return best
	}
	count := 0
	for _, d := range delimiters {
		if n := strings.Count(lines[0], d); n > count {
			best, count = d, n
		}
	}
	return best
}

// LooksLikeTable reports whether a text that begins like this is a table whatever its name is: two
// or more lines of as many cells each.
func LooksLikeTable(head []byte) bool {
	text := bytes.TrimSpace(head)
	if len(text) == 0 || bytes.IndexByte([]byte("{[<"), text[0]) >= 0 {
		return false
	}
	for _, d := range delimiters {
		if evenCells(head, d) > 1 && len(firstLines(head)) > 1 {
			return true
		}
	}
	return false
}

// evenCells returns how many cells each of the first lines has with a delimiter; 0 if they differ.
func evenCells(head []byte, delimiter string) int {
	lines := firstLines(head)
	r := csv.NewReader(strings.NewReader(strings.Join(lines, "\n")))
	r.Comma, r.ReuseRecord, r.TrimLeadingSpace = rune(delimiter[0]), true, delimiter != "\t"
	cells := 0
	for {
		record, err := r.Read() // FieldsPerRecord = 0: all must have as many as the first
		switch {
		case errors.Is(err, io.EOF):
			return cells
		case err != nil && !errors.Is(err, csv.ErrQuote): // a cell may go on in other lines
			return 0
		case err != nil:
			return cells
		}
		cells = len(record)
	}
}

// begin reads the names of the columns, or makes them up.
func (f *csvFile) begin(given *Given) error {
	record, err := f.record()
	if errors.Is(err, io.EOF) {
		return errors.New("is empty; expected a line with the names of the columns, and rows")
	}
	if err != nil {
		return err
	}
	f.columns = make([]Column, len(record))
	if !f.header {
		for i := range f.columns {
			f.columns[i].Name = "c" + strconv.Itoa(i+1)
		}
		f.first = append([]string{}, record...)
		return nil
	}
	if given == nil || given.Header == nil {
		if err := f.checkHeader(record); err != nil {
			return err
		}
	}
	return nameColumns(f.columns, record)
}

const noHeader = "header = false in a schema file (--schema), which names the columns c1, c2, ..."

// checkHeader refuses names that look like the cells of a row.
func (f *csvFile) checkHeader(record []string) error {
	for _, cell := range record {
		if _, ok := parseNumber(cell, f.delimiter != ","); ok {
			return fmt.Errorf("line %d looks like a row and not like the names of the columns, "+
				"because of %q: %s; expected names in the first line, or %s (header = true if "+
				"they are names)", f.place, cell, abbreviated(record), noHeader)
		}
	}
	return nil
}

// abbreviated lists the first cells of a record.
func abbreviated(record []string) string {
	const most = 5
	text := strings.Join(record[:min(most, len(record))], ", ")
	if len(record) > most {
		text += ", ..."
	}
	return text
}

// nameColumns sets the names. An empty one becomes column1, by the column's number; two of the same
// are an error.
func nameColumns(columns []Column, names []string) error {
	seen := map[string]int{}
	for i, name := range names {
		if name == "" {
			name = "column" + strconv.Itoa(i+1)
		}
		if first, twice := seen[name]; twice {
			return fmt.Errorf("columns %d and %d are both named %q; expected different names, or, "+
				"if the first line is a row, %s", first+1, i+1, name, noHeader)
		}
		seen[name] = i
		columns[i].Name = name
	}
	return nil
}

// record reads a line, or several if a cell in quotes goes on.
func (f *csvFile) record() ([]string, error) {
	record, err := f.r.Read()
	parse := (*csv.ParseError)(nil)
	switch {
	case errors.As(err, &parse):
		return nil, f.quotes(parse)
	case err != nil:
		return nil, err
	}
	f.place, _ = f.r.FieldPos(0)
	for i, cell := range record {
		if !utf8.ValidString(cell) {
			return nil, fmt.Errorf("line %d is not in UTF-8, because of %q; expected a file in "+
				"UTF-8, such as from iconv -f ISO-8859-1 -t UTF-8 OLD > NEW", f.place, cell)
		}
		record[i] = strings.TrimSpace(cell)
	}
	return record, nil
}

// quotes says what is wrong with the quotes of a line.
func (f *csvFile) quotes(err *csv.ParseError) error {
	if errors.Is(err, csv.ErrQuote) && err.Line > err.StartLine {
		return fmt.Errorf("line %d has a quote \" that does not end; expected another one, and "+
			"\"\" for a quote within a cell", err.StartLine)
	}
	return fmt.Errorf("line %d has a quote \" within a cell, at byte %d; expected cells with "+
		"quotes to be in quotes, and to have each twice: \"so \"\"called\"\"\"", err.Line,
		err.Column)
}

// Columns implements Source.
func (f *csvFile) Columns() []Column { return f.columns }

// Next implements Source.
func (f *csvFile) Next() ([]string, error) {
	if f.first != nil {
		record := f.first
		f.first = nil
		return record, nil
	}
	record, err := f.record()
	if err != nil {
		return nil, err
	}
	if len(record) == len(f.columns) {
		return record, nil
	}
	remedy := ""
	if len(record) > len(f.columns) {
		remedy = fmt.Sprintf(" (cells that contain %q must be in quotes)", f.delimiter)
	}
	return nil, fmt.Errorf("line %d has %s; expected %d, as the first line has%s", f.place,
		count(len(record), "cell"), len(f.columns), remedy)
}

// Place implements Source.
func (f *csvFile) Place() string { return "line " + strconv.Itoa(f.place) }

// Delimiter implements Source.
func (f *csvFile) Delimiter() string { return f.delimiter }

// Header implements Source.
func (f *csvFile) Header() bool { return f.header }

// Close implements Source.
func (f *csvFile) Close() error { return f.closer.Close() }
