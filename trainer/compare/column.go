package compare

import (
	"strconv"

	"github.com/plume-ml/plume/trainer/evaluate"
	"github.com/plume-ml/plume/trainer/record"
)

// Keys of the quantities that the training itself reports.
const (
	keyEpochs      = "epochs"
	keySteps       = "steps"
	keySeconds     = "train_seconds"
	keyEvaluations = "network_evaluations"
	keyTrainMSE    = "train_recon_mse"
	keyTrainFD     = "train_pca64_fd"
)

// Column is one quantity of the table.
type Column struct {
	Key    string `json:"key"`
	Name   string `json:"name"`
	Unit   string `json:"unit,omitempty"`
	Better string `json:"better,omitempty"` // as in evaluate.Metric
	Note   string `json:"note,omitempty"`

	// Floor is the value of real images, averaged over the runs.
	Floor *record.Number `json:"floor,omitempty"`

	Group string `json:"group"` // a group of package evaluate, or one of those below

	floors []record.Number
}

// Groups of columns beside those of package evaluate: the costs, and what training itself reports.
const (
	groupCost  = "cost"
	groupTrain = "training"
)

// own are the columns that every table has.
var own = []Column{
	{Key: keyEpochs, Name: "epochs", Group: groupCost},
	{Key: keySteps, Name: "steps", Group: groupCost, Note: "parameter steps"},
	{
		Key: keySeconds, Name: "seconds", Group: groupCost,
		Note: "spent in training steps, as measured",
	},
	{
		Key: keyEvaluations, Name: "evaluations", Group: groupCost,
		Note: "passes of a row, forward and back, through one network",
	},
	{
		Key: keyTrainMSE, Name: "train MSE", Group: groupTrain, Better: evaluate.Lower,
		Note: "reconstruction of training images by the latents as they are trained, mean over " +
			"the last epoch",
	},
	{
		Key: keyTrainFD, Name: "train PCA-64 FD", Group: groupTrain, Better: evaluate.Lower,
		Note: "of the last report of the training",
	},
}

// sections are the tables of the report, as groups of columns.
var sections = [][]string{
	{groupCost},
	{groupTrain, evaluate.PCA, evaluate.Classifier, evaluate.Sliced},
	{evaluate.Table, evaluate.Spectrum},
	{evaluate.ByClass, evaluate.Precision, evaluate.Memorisation},
	{evaluate.Reconstruction, evaluate.Likelihood},
}

func (c Column) cost() bool { return c.Group == groupCost }

func (c Column) heading() string {
	name := c.Name
	if c.Unit != "" {
		name += " (" + c.Unit + ")"
	}
	switch c.Better {
	case "lower":
		return name + " ↓"
	case "higher":
		return name + " ↑"
	}
	return name
}

func (c Column) floor() string {
	if c.Floor == nil {
		return ""
	}
	floor := float64(*c.Floor)
	return strconv.FormatFloat(floor, 'f', decimalsOf(floor), 64)
}
