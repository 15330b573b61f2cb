package linear

// methodCases are the methods and what each must reach.
func methodCases() []trained {
	const h = 0.05
	pgd := trained{
		name: "pgd", method: "pgd", dynamics: "overdamped", h: h, lr: 0.05, particles: 4, inner: 1, steps: 1500,
		limit: atStationary("overdamped", h),
	}
	with := func(change func(c *trained)) trained {
		c := pgd
		change(&c)
		return c
	}
	momentum := func(dynamics string) func(c *trained) {
		return func(c *trained) {
			c.name, c.dynamics, c.h = c.name+", "+dynamics, dynamics, 0.02
			c.limit = atStationary(dynamics, 0.02)
		}
	}
	return []trained{
		pgd,
		with(momentum("underdamped")),
		with(momentum("exact")),
		with(func(c *trained) {
			c.name, c.method = "mpgd", "mpgd"
			momentum("exact")(c)
			c.drag, c.lr = 0.1, 0.005
		}),
		with(func(c *trained) {
			c.name, c.method, c.h, c.lr, c.noise = "ipla", "ipla", 0.01, 0.02, 1
			c.limit = atStationary("overdamped", c.h)
		}),
		with(func(c *trained) { c.name, c.method, c.particles, c.inner, c.steps = "soul", "soul", 1, 4, 500 }),
		with(func(c *trained) { c.name, c.method, c.particles, c.inner, c.steps = "abp", "abp", 1, 4, 500 }),
		with(func(c *trained) {
			c.name, c.method, c.particles, c.inner, c.steps = "shortrun", "shortrun", 1, 8, 400
			c.limit = shortRun(h, c.inner)
		}),
		with(func(c *trained) {
			c.name, c.method, c.learnS, c.share, c.annealed = "pgd+diffusion", "pgd+diffusion", true, 0.5, true
			c.limit = refitted(c.limit)
		}),
		{name: "vae", method: "vae", optimizer: "adam", lr: 0.05, particles: 4, steps: 1500, annealed: true},
		{name: "vae+diffusion", method: "vae+diffusion", optimizer: "adam", lr: 0.02, particles: 4, steps: 1500, annealed: true, learnS: true},
		{name: "two-stage", method: "two-stage", optimizer: "adam", lr: 0.05, particles: 4, steps: 2500, annealed: true, learnS: true, share: 0.4},
		// ipld has no fixed point at a step size above 0: the scale grows, and the bias of the particles falls with it
		{name: "ipld", method: "ipld", dynamics: "overdamped", h: 0.02, lr: 0.02, particles: 4, inner: 1, steps: 2000, learnS: true},
		{name: "ipld, underdamped", method: "ipld", dynamics: "underdamped", h: 0.02, lr: 0.02, particles: 4, inner: 1, steps: 2000, learnS: true},
	}
}
