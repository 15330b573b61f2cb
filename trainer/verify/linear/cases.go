package linear

// methodCases returns the methods and what each must reach.
func methodCases() []trained {
	const h = 0.05
	pgd := trained{
		name: "pgd", method: "pgd", dynamics: "overdamped",
		h: h, lr: 0.05, particles: 4, inner: 1, steps: 1500,
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
	// severalMoves is a method that moves its particles several times for each step of theta.
	severalMoves := func(c *trained, method string, inner, steps int) {
		c.name, c.method = method, method
		c.particles, c.inner, c.steps = 1, inner, steps
	}
	cases := []trained{
		pgd,
		with(momentum("underdamped")),
		with(momentum("exact")),
		with(func(c *trained) {
			c.name, c.method = "mpgd", "mpgd"
			momentum("exact")(c)
			c.drag, c.lr = 0.1, 0.005
		}),
		with(func(c *trained) {
			c.name, c.method = "ipla", "ipla"
			c.h, c.lr, c.noise = 0.01, 0.02, 1
			c.limit = atStationary("overdamped", c.h)
		}),
		with(func(c *trained) { severalMoves(c, "soul", 4, 500) }),
		with(func(c *trained) { severalMoves(c, "abp", 4, 500) }),
		with(func(c *trained) {
			severalMoves(c, "shortrun", 8, 400)
			c.limit = shortRun(h, c.inner)
		}),
		with(func(c *trained) {
			c.name, c.method = "pgd+diffusion", "pgd+diffusion"
			c.learnS, c.share, c.annealed = true, 0.5, true
			c.limit = refitted(c.limit)
		}),
	}
	return append(cases, unlimited()...)
}

// unlimited returns the cases that must reach the maximum of the likelihood.
func unlimited() []trained {
	encoder := func(name string, lr float64, steps int) trained {
		return trained{
			name: name, method: name, optimizer: "adam",
			lr: lr, particles: 4, steps: steps, annealed: true,
		}
	}
	joint, twoStage := encoder("vae+diffusion", 0.02, 1500), encoder("two-stage", 0.05, 2500)
	joint.learnS = true
	twoStage.learnS, twoStage.share = true, 0.4
	// The scale of ipld's latents has no fixed point at a step size above 0: it grows, and the
	// bias of the particles falls with it.
	ipld := trained{
		name: "ipld", method: "ipld", dynamics: "overdamped",
		h: 0.02, lr: 0.02, particles: 4, inner: 1, steps: 2000, learnS: true,
	}
	underdamped := ipld
	underdamped.name, underdamped.dynamics = "ipld, underdamped", "underdamped"
	return []trained{encoder("vae", 0.05, 1500), joint, twoStage, ipld, underdamped}
}
