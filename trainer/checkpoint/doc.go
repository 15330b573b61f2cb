// Package checkpoint stores the full state of a run on disk. A Writer saves checkpoints: Begin
// takes a snapshot of the state, and Commit makes it durable while training continues. Latest and
// List find the checkpoints of a run, and Load reads one.
//
// A checkpoint is a directory, runs/00007-fashion10k-ipld/checkpoints/step-000500, with two files:
//
//	state.safetensors  all arrays of the run, in a format that other tools can read, too
//	meta.json          a Meta, the size and the SHA-256 of state.safetensors, and in the last line
//	                   the SHA-256 of all lines before
//
// If several processes share a run, each has a file of its own beside these, a Shard, with its rows
// of the arrays that have some for every datapoint. Readers get whole arrays, or the rows that they
// ask for, whoever has saved them.
//
// Beside it, "latest" refers to the newest checkpoint: a relative symbolic link or, on file systems
// without links, a file with the name. In a copied run it may be anything, such as a directory or a
// dangling link.
//
// A run may keep its best checkpoint, too, to which "best" refers in the same way.
//
// These properties are guaranteed:
//   - A directory named step-* is complete or absent, even if the process is killed at any
//     operation, the disk is full, or the power fails (on devices that keep what was synced). All
//     files are synced before the directory gets its name, and nothing that it replaces is removed
//     before the new name is durable.
//   - A save that fails leaves the newest checkpoint in place. A file whose sync failed is written
//     again, since syncing it again would prove nothing.
//   - Any change of a file after saving, even of a single bit, is detected before the first
//     element of the live state is written. The error names the file, the damage, and the newest
//     whole checkpoint.
//   - Another format is refused with the version that wrote it.
//   - A named pipe or device in place of a file, or a header with false sizes, is an error. It does
//     not block or exhaust the memory.
//
// Damage is detected but not repaired. Only one process may save into a run directory at a time.
package checkpoint
