// Package checkpoint keeps the full state of a run on disk.
//
// A checkpoint is a directory, runs/00007-fashion10k-ipld/checkpoints/step-000500, of two files:
//
//	state.safetensors  every array of the run, in the safetensors format, readable by other tools
//	meta.json          what the arrays belong to (Meta), the size and SHA-256 of state.safetensors,
//	                   and in its last line the SHA-256 of all lines before
//
// Next to it, "latest" leads to the newest: a relative symbolic link, or a file with the name in it
// where there are no links. In a copy of a run it may be anything: a directory, a link to nowhere.
//
// What is guaranteed: a directory called step-* is whole or absent, whether the process is killed
// at any operation, the disk is full, or the power fails (if the device keeps what it says it
// keeps), since both files are synced before they get that name, and what they replace or outlive
// goes only after that is durable. A save that fails leaves the newest checkpoint before it in
// place. A file whose sync failed is written again, not synced again. Any change of either file
// since it was saved, of a single bit or in length, is found before the first element of the live
// state is written, and the error names the file, what is wrong with it and the newest whole
// checkpoint. Another format is refused with the version that wrote it. A named pipe or a device in
// the place of a file, or a header that lies about sizes, is an error, not a wait or an allocation.
//
// What is not: damage is found, not repaired; and one process at a time may save into a run
// directory.
package checkpoint
