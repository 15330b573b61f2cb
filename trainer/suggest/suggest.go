// Package suggest finds the word that a user probably meant.
package suggest

import "fmt"

// DidYouMean returns ` (did you mean "x"?)` for the known name nearest to name by edit distance, or
// "" if all of them are too different to be a typo.
func DidYouMean(name string, known []string) string {
	best, nearest := 1+(len(name)+1)/2, ""
	for _, candidate := range known {
		if d := editDistance(name, candidate); d < best {
			best, nearest = d, candidate
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", nearest)
}

// editDistance is the least number of bytes to insert, delete or replace to get from a to b
// (Levenshtein 1966). It keeps one row of the dynamic programming table.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
