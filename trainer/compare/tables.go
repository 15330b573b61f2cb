package compare

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/plume-ml/plume/trainer/file"
	"github.com/plume-ml/plume/trainer/record"
)

// csvNumber formats a number; "" if it is not finite.
func csvNumber(v record.Number) string {
	if !v.Finite() {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 64)
}

// jsonRow is a Row as it is written, its cells by the keys of their columns.
type jsonRow struct {
	Contestant string          `json:"contestant"`
	Done       int             `json:"done"`
	Diverged   int             `json:"diverged"`
	Waiting    int             `json:"waiting"`
	Cells      map[string]Cell `json:"cells"`
}

// JSON returns plan, columns, rows and runs as JSON. Unknown numbers are null.
func (r *Results) JSON() ([]byte, error) {
	rows := make([]jsonRow, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = jsonRow{row.Name, row.Done, row.Diverged, row.Waiting, map[string]Cell{}}
		for j, c := range row.Cells {
			rows[i].Cells[r.Columns[j].Key] = c
		}
	}
	text, err := json.MarshalIndent(struct {
		Plan    Plan      `json:"plan"`
		Columns []Column  `json:"columns"`
		Rows    []jsonRow `json:"rows"`
		Runs    []Outcome `json:"runs"`
	}{r.Plan, r.Columns, rows, r.Runs}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	return append(text, '\n'), nil
}

// CSV returns the table as CSV: a line for each contestant, with mean, standard deviation and
// number of runs of every quantity. Unknown numbers are empty.
func (r *Results) CSV() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	head := []string{"contestant", "done", "diverged", "planned_seconds"}
	for _, c := range r.Columns {
		head = append(head, c.Key+"_mean", c.Key+"_sd", c.Key+"_n")
	}
	problems := []error{w.Write(head)}
	for _, row := range r.Rows {
		line := []string{
			row.Name, strconv.Itoa(row.Done), strconv.Itoa(row.Diverged),
			csvNumber(record.Number(row.Seconds)),
		}
		for _, c := range row.Cells {
			line = append(line, csvNumber(c.Mean), csvNumber(c.SD), strconv.Itoa(c.N))
		}
		problems = append(problems, w.Write(line))
	}
	w.Flush()
	return out.Bytes(), errors.Join(append(problems, w.Error())...)
}

// writeTables stores table.md, table.csv and results.json in dir.
func (r *Results) writeTables(dir string) error {
	asJSON, err := r.JSON()
	if err != nil {
		return err
	}
	asCSV, err := r.CSV()
	if err != nil {
		return fmt.Errorf("table: %w", err)
	}
	tables := map[string][]byte{
		"table.md": []byte(r.Markdown()), "table.csv": asCSV, "results.json": asJSON,
	}
	for name, text := range tables {
		if err := file.WriteBytes(file.OS, filepath.Join(dir, name), text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
