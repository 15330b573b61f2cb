// Package record writes and reads the records of a run, metrics.jsonl: one Epoch in JSON per line.
// Log appends records, and ReadLog reads them. A Number can be stored in JSON even if it is NaN or
// infinite.
package record
