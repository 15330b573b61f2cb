package method

// ipld trains decoder and diffusion prior together with interacting particles: Wang, Kuntz and
// Akyildiz, "Training Latent Diffusion Models with Interacting Particle Algorithms" (AISTATS
// 2026, arXiv:2505.12412), as reconstructed in plume from its abstract and its predecessors.
// The underdamped dynamics are plume's choice for this model, after the momentum of Chen, Fox
// and Guestrin (2014); dynamics "overdamped" is the plain gradient flow.
var ipld = spec{
	name: "ipld",
	// The prior follows any scale of the cloud, which the bias of the moves inflates.
	defaults:  func(o *Options) { o.ScaleAnchor = 2 },
	prior:     func(o Options) Prior { return NewDiffusionPrior(o) },
	build:     func(s Setup) (Method, error) { return NewFlow(s) },
	footprint: flowFootprint,
}
