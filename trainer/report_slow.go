package trainer

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/plume-ml/plume/trainer/pca"
	"github.com/plume-ml/plume/trainer/progress"
	"github.com/plume-ml/plume/trainer/record"
)

// evaluate samples, measures the PCA-64 FD into e, and draws the pictures, and says what it is
// doing when that takes long. Without samples it does nothing.
func (t *Trainer) evaluate(ctx context.Context, e *record.Epoch) error {
	if t.cfg.EvalSamples == 0 {
		return nil
	}
	return t.slowly(func(d *progress.Task) error { return t.measure(ctx, e, d) })
}

// slowly does a report's work.
func (t *Trainer) slowly(work func(d *progress.Task) error) error {
	tell := func(what string) { t.message("report: " + what) }
	return progress.Reporter{Report: tell, After: t.after}.Run(work)
}

// fitPCA fits the principal components of the training images when first needed. Images that
// have none go without the distance.
func (t *Trainer) fitPCA(ctx context.Context, d *progress.Task) error {
	if t.pca != nil || t.pcaTried {
		return nil
	}
	of := fmt.Sprintf(
		"principal components of %s images of %v",
		humanize.Comma(int64(t.train.Len())),
		t.train.Shape(),
	)
	fitted, err := pca.Fit(ctx, t.train, t.train.Shape().Dim(), fdComponents, pca.Options{
		Pool: t.pool, Pass: func(n int) { d.Set(fmt.Sprintf("%s, pass %d", of, n)) },
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.pcaTried, t.pca = true, fitted
	if err != nil {
		d.Do(func() { t.warn(fmt.Sprintf("no PCA-64 FD for these images: %v", err)) })
	} else if !fitted.Converged() {
		d.Do(func() { t.warn(unconverged(fitted)) })
	}
	return nil
}

// unconverged says how far to trust components that were not found to the usual accuracy.
func unconverged(p *pca.PCA) string {
	return fmt.Sprintf(
		"the principal components of these images, of which many have nearly the same variance, were found to %.1g of "+
			"their variance only: a PCA-64 FD compares within this run and others on the same data",
		p.Residual(),
	)
}
