// Package query asks a trained model about rows of data, which need not be those of its training,
// nor known in all their values: what their latents are (Model.Latents), what the model makes of
// them (Model.Reconstruct), what their missing values may be (Model.Impute), how likely they are
// (Model.Score), and what lies between two of them (Model.Interpolate). Of a stored run on a table,
// Stored.Complete fills in the missing cells, in the units of the table.
//
// All of them draw from the posterior p(z|x) with package infer, by Langevin moves with the learned
// prior. Answers are passed on block by block, so that their memory does not grow with the number
// of rows. They depend on the model, the rows, the seed and the options, and not on the number of
// threads.
package query
