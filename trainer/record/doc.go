// Package record is what a run writes to be read: a line of metrics.jsonl for each epoch (Epoch,
// Log), and numbers for JSON, which has no NaN and no infinity (Number).
package record
