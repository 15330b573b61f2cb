// Package record is the records that a run writes for programs: a line of metrics.jsonl for each
// epoch (Epoch, Log), with numbers that JSON can hold even if they are NaN or infinite (Number).
package record
