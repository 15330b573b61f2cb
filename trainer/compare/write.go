package compare

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/google/renameio/v2"

	"github.com/plume-ml/plume/trainer/metric"
)

// csvNumber is empty for what is not finite.
func csvNumber(v float64) string {
	if !metric.Number(v).Finite() {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

type cellJSON struct {
	Mean metric.Number `json:"mean"`
	SD   metric.Number `json:"sd"`
	N    int           `json:"n"`
	Best bool          `json:"best,omitempty"`
	Tied bool          `json:"tied,omitempty"`
}

type rowJSON struct {
	Contestant string              `json:"contestant"`
	Done       int                 `json:"done"`
	Diverged   int                 `json:"diverged"`
	Waiting    int                 `json:"waiting"`
	Cells      map[string]cellJSON `json:"cells"`
}

type runJSON struct {
	Contestant string                   `json:"contestant"`
	Seed       uint64                   `json:"seed"`
	Dir        string                   `json:"run_dir"`
	Done       bool                     `json:"done"`
	Diverged   bool                     `json:"diverged"`
	Epochs     int                      `json:"epochs"`
	Values     map[string]metric.Number `json:"values"`
	Curve      []metric.Epoch           `json:"curve"`
}

// JSON is everything: plan, columns, rows and runs. What is not known is null.
func (r *Results) JSON() ([]byte, error) {
	rows := make([]rowJSON, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = rowJSON{row.Name, row.Done, row.Diverged, row.Waiting, map[string]cellJSON{}}
		for j, c := range row.Cells {
			rows[i].Cells[r.Columns[j].Key] = cellJSON{metric.Number(c.Mean), metric.Number(c.SD), c.N, c.Best, c.Tied}
		}
	}
	runs := make([]runJSON, len(r.Runs))
	for i, o := range r.Runs {
		runs[i] = runJSON{o.Contestant, o.Seed, o.Dir, o.Done, o.Diverged, o.Epochs, map[string]metric.Number{}, o.Curve}
		for key, v := range o.Values {
			runs[i].Values[key] = metric.Number(v)
		}
	}
	text, err := json.MarshalIndent(struct {
		Plan    Plan      `json:"plan"`
		Columns []Column  `json:"columns"`
		Rows    []rowJSON `json:"rows"`
		Runs    []runJSON `json:"runs"`
	}{r.Plan, r.Columns, rows, runs}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	return append(text, '\n'), nil
}

// CSV is the table: a line per contestant, with mean, standard deviation and number of runs of
// every quantity. What is not known is empty.
func (r *Results) CSV() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	head := []string{"contestant", "done", "diverged", "planned_seconds"}
	for _, c := range r.Columns {
		head = append(head, c.Key+"_mean", c.Key+"_sd", c.Key+"_n")
	}
	problems := []error{w.Write(head)}
	for _, row := range r.Rows {
		line := []string{row.Name, strconv.Itoa(row.Done), strconv.Itoa(row.Diverged), csvNumber(row.Seconds)}
		for _, c := range row.Cells {
			line = append(line, csvNumber(c.Mean), csvNumber(c.SD), strconv.Itoa(c.N))
		}
		problems = append(problems, w.Write(line))
	}
	w.Flush()
	return out.Bytes(), errors.Join(append(problems, w.Error())...)
}

// WriteTables stores table.md, table.csv and results.json in dir.
func (r *Results) WriteTables(dir string) error {
	asJSON, err := r.JSON()
	if err != nil {
		return err
	}
	asCSV, err := r.CSV()
	if err != nil {
		return fmt.Errorf("table: %w", err)
	}
	for name, text := range map[string][]byte{"table.md": []byte(r.Markdown()), "table.csv": asCSV, "results.json": asJSON} {
		if err := renameio.WriteFile(filepath.Join(dir, name), text, 0o666, renameio.WithTempDir(dir)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
