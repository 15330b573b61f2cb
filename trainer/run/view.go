package run

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/picture"
)

// View draws rows of the given shape as a configuration, resolved, says what they are.
func View(c config.Config, shape data.Shape) picture.View {
	return picture.View{Kind: c.As, Shape: shape, Rate: c.SampleRate, Ends: c.Ends()}
}

// View draws rows of the run's data.
func (g *Generator) View() picture.View { return View(g.config, g.info.Shape) }

// Config is the run's configuration.
func (g *Generator) Config() config.Config { return g.config }
