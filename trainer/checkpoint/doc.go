// Package checkpoint keeps the full state of a run on disk.
//
// A checkpoint is a directory, runs/00007-fashion10k-ipld/checkpoints/step-000500, of two files:
//
//	state.safetensors  every array of the run, in the safetensors format, readable by other tools
//	meta.json          what the arrays belong to (Meta), and the SHA-256 of state.safetensors
//
// It is written under another name, synced and renamed, so a directory called step-* is whole or
// absent whatever happens to the process. Next to it, the symbolic link "latest" names the newest.
//
// One process at a time may save into a run directory.
package checkpoint
