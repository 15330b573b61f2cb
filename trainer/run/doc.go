// Package run keeps a training run in a directory, runs/00007-fashion10k-ipld:
//
//	config.toml     the configuration, with every key
//	run.json        Info: where the run comes from, how far it came, its divergences
//	metrics.jsonl   a record for each epoch, as package record writes it
//	schema.toml     of a table: its columns, and what their cells are encoded as
//	start.safetensors
//	                where cloud_init = pca started the particles, for those of new rows
//	rows.csv        which row of the data each particle belongs to
//	checkpoints/    states to resume from, as package checkpoint writes them
//	samples/        pictures of samples and reconstructions
//	notes.json      what people say about the run: tags and a note
//	curves.png      learning curves up to the last report
//	lock            the process that is writing the directory, if any
//	classifier.safetensors
//	                the classifier of the data, if an evaluation has trained one
//	amortised.safetensors
//	                a network that guesses latents, if inference was to start at its guesses
//
// Find finds a run by its name or number, and Open opens it for reading. Create and CreateNumbered
// make the directory of a new run, Acquire locks it, and a Writer writes it. StateOf returns how
// far a run has come, List an overview of all runs below a directory, and Compare says in what runs
// differ.
package run
