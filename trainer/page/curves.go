package page

import (
	"slices"

	"github.com/plume-ml/plume/trainer/record"
)

const (
	mostRecords   = 600 // of a curve
	mostDistances = 200 // of those with a distance of samples
)

// charts are all diagrams, in the order of the page. Those without numbers are left out.
var charts = []Chart{
	{Key: "pca64_fd", Title: "PCA-64 FD of samples", Section: "quality", Log: true,
		About: "Fréchet distance of samples from the training data in 64 principal components; " +
			"lower is better. Dashed: what held-out real data reach. The bar at the end is the " +
			"95 % interval of the evaluation above."},
	{Key: "recon_mse", Title: "Reconstruction error", Section: "learning", Log: true,
		Also: "heldout_mse", AlsoTitle: "held-out rows",
		About: "Mean squared error of a value of the training data, given its latents; dashed: " +
			"of a few held-out rows."},
	{Key: "energy_nats", Title: "Energy", Section: "learning",
		Also: "heldout_nats", AlsoTitle: "held-out rows",
		About: "Decoder and prior loss of a datapoint together, in nats: what training lowers; " +
			"dashed: of a few held-out rows, which rises where the run learns by heart."},
	{Key: "prior_loss", Title: "Prior loss", Section: "learning",
		About: "Loss of the prior, in nats per latent dimension."},
	{Key: "rows_per_s", Title: "Speed", Section: "learning", About: "Rows trained on per second."},
	{Key: "peak_share", Title: "Share of the peak", Section: "learning", Percent: true,
		About: "Share of what multiply-adds alone reach on the machine that the products reach."},
	{Key: "lr", Title: "Learning rate", Section: "learning", Log: true,
		About: "Learning rate of the networks."},
	{Key: "step_size", Title: "Step size", Section: "learning", Log: true,
		About: "Langevin step size h of the particles."},
	{Key: "latent_ms", Title: "Mean z²", Section: "health",
		About: "Mean square of the latents; the prior starts from N(0, 1), which has 1."},
	{Key: "latent_std_min", Title: "Spread of the latent dimensions", Section: "health",
		Also: "latent_std_max", AlsoTitle: "largest",
		About: "Smallest and, dashed, largest standard deviation of a latent dimension."},
	{Key: "clipped", Title: "Clipped moves", Section: "health", Percent: true,
		About: "Share of the particles' moves whose drift was clipped; it should fall to 0."},
	{Key: "redrawn", Title: "Redrawn particles", Section: "health", Percent: true,
		About: "Share of the moves that blew up, after which the particle was drawn anew."},
	{Key: "extra_temperature", Title: "Extra temperature", Section: "health",
		About: "What the noise of the prior's drift adds to the temperature of the particles."},
	{Key: "anchor", Title: "Scale anchor", Section: "health",
		About: "Mean coefficient of the pull that keeps the scale of the cloud."},
}

// axes are the keys of the numbers that a curve can be drawn over, by the names in the page.
var axes = map[string]string{
	"step": "step", "time": "seconds", "evaluations": "evaluations", "epoch": "epoch",
}

// curves are the numbers of records, by their keys in metrics.jsonl.
func curves(records []record.Epoch) Curves {
	c := Curves{X: map[string]numbers{}, Y: map[string]numbers{}}
	for _, i := range thinned(records) {
		for name, key := range axes {
			c.X[name] = append(c.X[name], records[i].Value(key))
		}
		for _, chart := range charts {
			for _, key := range []string{chart.Key, chart.Also} {
				if key != "" {
					c.Y[key] = append(c.Y[key], records[i].Value(key))
				}
			}
		}
	}
	for key, y := range c.Y {
		if !slices.ContainsFunc(y, func(v float64) bool { return record.Number(v).Finite() }) {
			delete(c.Y, key)
		}
	}
	return c
}

// thinned chooses the records that are shown: the first, the last and others at equal distances,
// and as many with a distance of samples.
func thinned(records []record.Epoch) []int {
	var distances []int
	for i, e := range records {
		if e.PCA64FD != nil {
			distances = append(distances, i)
		}
	}
	chosen := spaced(len(records), mostRecords)
	for _, i := range spaced(len(distances), mostDistances) {
		chosen = append(chosen, distances[i])
	}
	slices.Sort(chosen)
	return slices.Compact(chosen)
}

// spaced chooses at most so many of n things, at equal distances: the first and the last of them
// are among these.
func spaced(n, most int) (chosen []int) {
	if n <= most {
		most = n
	}
	for i := range most {
		at := n - 1
		if most > 1 {
			at = i * (n - 1) / (most - 1)
		}
		chosen = append(chosen, at)
	}
	return chosen
}

// shownCharts are the diagrams of which a run has numbers.
func shownCharts(runs []*Run) []Chart {
	return slices.DeleteFunc(slices.Clone(charts), func(c Chart) bool {
		return !slices.ContainsFunc(runs, func(r *Run) bool { return r.Curves.Y[c.Key] != nil })
	})
}
