// Package export hands trained models on. FromRun reads a run's networks into a Model, which has
// everything that a stranger needs to use them; Write stores it as safetensors, NumPy arrays or
// ONNX. Open reads the first two again, and Import makes a run of them. Inspect says what a file, a
// checkpoint or a run is.
//
// An export has the tensors of the decoder, of the prior and, if there is one, of the encoder. They
// are named by their paths in the network, as in a checkpoint (decoder.up1.block0.conv1.weight),
// and laid out as in PyTorch:
//
//	linear      weight out x in, bias out
//	conv        weight out x in x height x width, bias out
//	positions   bias channels x height x width
//	norms       scale and shift of a channel each, zero at the start: y = (1 + scale) u + shift
//
// Its Description is JSON: under the key "plume" of a safetensors file's metadata, in the member
// plume.json of an .npz, under the key "plume" of an ONNX model's metadata. It lists the layers of
// each network in order, with the names of their tensors, so that a reader needs to know the layers
// and nothing else: bench/reader has one of a page in Python.
//
// Rows of latents and of images are as everywhere in plume: height x width x channels, channels
// last. An export has no state to resume a training from: optimisers, particles unless they were
// asked for, and the position in the data stay in the run.
package export
