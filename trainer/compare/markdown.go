package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/method"
)

// Markdown formats the comparison as tables of costs and results, with the notes that they need.
func (r *Results) Markdown() string {
	var out strings.Builder
	info := r.Plan.Info
	fmt.Fprintf(&out, "Data %s, seeds %s, budget of each run: %v. "+
		"%s, kernels %s, BLAS %s; plume %s.\n\n",
		info.Data, join(r.Plan.Seeds), r.Plan.Budget, info.CPU, info.KernelPath, info.BLAS.Library,
		info.Version)
	for _, groups := range sections {
		r.table(&out, groups)
	}
	out.WriteString(legend + "\n")
	for i, c := range r.Columns {
		if c.Note != "" && !r.unknown(i) {
			fmt.Fprintf(&out, "- %s: %s\n", c.heading(), c.Note)
		}
	}
	r.remarks(&out)
	r.differences(&out)
	return out.String()
}

const legend = "Mean ± standard deviation over the seeds. Bold: the best mean; ≈: within one " +
	"pooled standard error of the difference to it.\n"

// table writes the table of the groups' columns, if there are any.
func (r *Results) table(out *strings.Builder, groups []string) {
	costs := groups[0] == groupCost
	rows := [][]string{{"contestant"}}
	if costs {
		rows[0] = append(rows[0], "runs", "planned seconds")
	}
	for _, row := range r.Rows {
		line := []string{row.Name}
		if costs {
			line = append(line, row.runs(), strconv.FormatFloat(row.Seconds, 'f', 1, 64))
		}
		rows = append(rows, line)
	}
	floors := []string{"real images"}
	for i, c := range r.Columns {
		if !slices.Contains(groups, c.Group) || r.unknown(i) {
			continue
		}
		rows[0] = append(rows[0], c.heading())
		decimals := r.decimals(i)
		for j, row := range r.Rows {
			rows[1+j] = append(rows[1+j], row.Cells[i].text(c, decimals))
		}
		floors = append(floors, c.floor())
	}
	if len(rows[0]) == 1 {
		return
	}
	if strings.Join(floors[1:], "") != "" {
		rows = append(rows, floors)
	}
	writeTable(out, rows)
	out.WriteString("\n")
}

// unknown reports whether to leave out a column: it has no value although a run is done, or it
// repeats another, since the evaluation measures again what the training reported last.
func (r *Results) unknown(column int) bool {
	if r.Columns[column].Key == keyTrainFD && slices.ContainsFunc(r.Columns, func(c Column) bool {
		return c.Group == evaluate.PCA
	}) {
		return true
	}
	known := false
	for _, row := range r.Rows {
		if row.Cells[column].N > 0 {
			return false
		}
		known = known || row.Done > 0
	}
	return known
}

// writeTable aligns the cells, so that the table can be read as it is.
func writeTable(out *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			out.WriteString("| " + cell + pad + " ")
		}
		out.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				out.WriteString("|" + strings.Repeat("-", w+2))
			}
			out.WriteString("|\n")
		}
	}
}

// runs summarises the state of a row's runs.
func (r Row) runs() string {
	text := fmt.Sprintf("%d of %d", r.Done, r.Done+r.Diverged+r.Waiting)
	if r.Diverged > 0 {
		text += fmt.Sprintf(", %d diverged", r.Diverged)
	}
	return text
}

// remarks writes the notes below the tables.
func (r *Results) remarks(out *strings.Builder) {
	for _, run := range r.Runs {
		if run.Diverged {
			fmt.Fprintf(out, "- %s, seed %d, diverged after %d epochs: it is in none of the "+
				"means.\n", run.Contestant, run.Seed, run.Epochs)
		}
	}
	for _, row := range r.Rows {
		if !row.Fits {
			fmt.Fprintf(out, "- %s: one epoch is more than the budget.\n", row.Name)
		}
	}
	if waiting := r.waiting(); waiting > 0 {
		fmt.Fprintf(out, "- %d of %d runs are not done yet.\n", waiting, len(r.Runs))
	}
	if len(r.Plan.Seeds) == 1 {
		out.WriteString("- One seed: how much a number scatters is not known.\n")
	}
}

// differences lists the keys in which the contestants' configurations differ. A value that a method
// does not read is "-".
func (r *Results) differences(out *strings.Builder) {
	rows := [][]string{{"key"}}
	for _, row := range r.Rows {
		rows[0] = append(rows[0], row.Name)
	}
	c := method.Default()
	for _, key := range c.Keys() {
		line, same := []string{key.Name}, true
		read := false
		for _, row := range r.Rows {
			value := row.Keys[key.Name]
			same = same && value == r.Rows[0].Keys[key.Name]
			if method.Reads(row.Method, key.Name) {
				read = true
			} else {
				value = unread
			}
			line = append(line, value)
		}
		if !same && read && !slices.Contains(FixedKeys, key.Name) {
			rows = append(rows, line)
		}
	}
	if len(rows) == 1 {
		return
	}
	out.WriteString("\nKeys in which the contestants differ; all others are the same")
	if slices.ContainsFunc(rows, func(l []string) bool { return slices.Contains(l, unread) }) {
		out.WriteString(" (" + unread + ": the method does not read the key)")
	}
	out.WriteString(":\n\n")
	writeTable(out, rows)
}

// unread stands for the value of a key that a method does not read.
const unread = "-"

func join(seeds []uint64) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(seeds)), ", "), "[]")
}
