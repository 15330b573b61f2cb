package page

import (
	"math"
	"os"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
)

// reconFile is the picture of held-out rows that an evaluation draws, samplePictures the titles of
// those of samples. What else it draws is on the page otherwise.
const reconFile = "reconstructions.png"

var samplePictures = map[string][2]string{
	"nearest.png": {"Samples nearest to training rows", "The samples that are nearest to " +
		"training rows, and these."},
	"spectrum.png":     {"Spectra", "Mean power spectra of samples and of real signals."},
	"associations.png": {"Associations", "Associations of columns in the data and in samples."},
}

// evaluate measures the run, with pictures.
func (x *reading) evaluate(o evaluate.Options) error {
	dir, err := os.MkdirTemp("", "plume-report-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.Pictures, o.Data, o.Raw, o.Threads = dir, x.Data, x.Raw, x.Threads
	o.Progress = x.Progress
	o.Warn = func(string) {} // the user has heard them when the data were read
	if x.Measure != All {
		o.Samples = x.quickSamples()
	}
	o.Seed = x.stored.Config.Seed
	report, err := evaluate.Run(x.ctx, x.stored.Dir, o)
	if err != nil {
		return err
	}
	x.Quality = report
	x.Curves.Levels = levels(report)
	pictures := report.Pictures
	report.Pictures = nil
	for _, path := range pictures {
		if err := x.readDrawn(path); err != nil {
			return err
		}
	}
	return nil
}

// quickSamples is as many samples as the run's own reports draw; fewer where that leaves too few
// real rows for what these reach in the samples' place.
func (x *reading) quickSamples() int {
	n := x.stored.Config.EvalSamples
	if most := x.own.Held.Len() + x.own.Train.Len()/2; n > most && most >= fewestSamples {
		n = most
	}
	return max(n, fewestSamples)
}

const fewestSamples = 200

// readDrawn reads a picture that the evaluation has drawn, if the page shows it.
func (x *reading) readDrawn(path string) error {
	name, to := filepath.Base(path), &x.Drawn
	title, known := samplePictures[name]
	if name == reconFile {
		title, known = [2]string{"Held-out rows", "Rows that the run was not trained on, and " +
			"what the model makes of them."}, true
		to = &x.Held
	}
	if !known {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	p, fits, err := x.room.picture(title[0], title[1], text)
	if err == nil && fits {
		*to = append(*to, p)
	}
	return err
}

// levels are what curves are compared with.
func levels(r *evaluate.Report) (all []Level) {
	nan := record.Number(math.NaN())
	if m, ok := r.Metric("pca64_fd"); ok {
		all = append(all, Level{"pca64_fd", "measured", m.Value, m.Low, m.High})
		if m.Floor.Finite() {
			all = append(all, Level{"pca64_fd", "real data", m.Floor, nan, nan})
		}
	}
	if m, ok := r.Metric("recon_mse"); ok {
		all = append(all, Level{"recon_mse", "measured held-out rows", m.Value, m.Low, m.High})
	}
	return all
}
