package particle

// Dynamics names how particles move.
type Dynamics string

// The dynamics of a cloud: Move is that of the first two, MoveExact of the last.
const (
	Overdamped  Dynamics = "overdamped"  // the plain gradient flow
	Underdamped Dynamics = "underdamped" // with momentum
	Exact       Dynamics = "exact"       // the exact transition of the underdamped diffusion
)

// AllDynamics lists them.
var AllDynamics = []Dynamics{Overdamped, Underdamped, Exact}

// Velocities tells whether particles have velocities.
func (d Dynamics) Velocities() bool { return d != Overdamped }
