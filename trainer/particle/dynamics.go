package particle

// Dynamics names the diffusion that a Batch's Move discretises.
type Dynamics string

// The dynamics. Underdamped and Exact need a cloud with momentum, Exact also UseExact.
const (
	Overdamped  Dynamics = "overdamped"  // without velocities
	Underdamped Dynamics = "underdamped" // with velocities
	Exact       Dynamics = "exact"       // with velocities and the exact transition
)

// AllDynamics lists all dynamics.
var AllDynamics = []Dynamics{Overdamped, Underdamped, Exact}

// Velocities reports whether particles have velocities.
func (d Dynamics) Velocities() bool { return d != Overdamped }
