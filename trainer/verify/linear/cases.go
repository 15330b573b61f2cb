package linear

import (
	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/optim"
	"github.com/plume-ml/plume/trainer/particle"
)

// methodCases returns the methods and what each must reach.
func methodCases() []trained {
	return append(limited(), unlimited()...)
}

// limited returns the cases with a limit of their own, other than the maximum of the likelihood.
func limited() []trained {
	const h = 0.05
	pgd := trained{
		name: "pgd", method: config.PGD, dynamics: particle.Overdamped,
		h: h, lr: 0.05, particles: 4, inner: 1, steps: 1500,
		limit: atStationary(particle.Overdamped, h),
	}
	with := func(change func(c *trained)) trained {
		c := pgd
		change(&c)
		return c
	}
	momentum := func(dynamics particle.Dynamics) func(c *trained) {
		return func(c *trained) {
			c.name, c.dynamics, c.h = c.name+", "+string(dynamics), dynamics, 0.02
			c.limit = atStationary(dynamics, 0.02)
		}
	}
	// severalMoves is a method that moves its particles several times for each step of theta.
	severalMoves := func(c *trained, method config.Method, inner, steps int) {
		c.name, c.method = string(method), method
		c.particles, c.inner, c.steps = 1, inner, steps
	}
	return []trained{
		pgd,
		with(momentum(particle.Underdamped)),
		with(momentum(particle.Exact)),
		with(func(c *trained) {
			c.name, c.method = "mpgd", config.MPGD
			momentum(particle.Exact)(c)
			c.drag, c.lr = 0.1, 0.005
		}),
		with(func(c *trained) {
			c.name, c.method = "ipla", config.IPLA
			c.h, c.lr, c.noise = 0.01, 0.02, 1
			c.limit = atStationary(particle.Overdamped, c.h)
		}),
		with(func(c *trained) { severalMoves(c, config.SOUL, 4, 500) }),
		with(func(c *trained) { severalMoves(c, config.ABP, 4, 500) }),
		with(func(c *trained) {
			severalMoves(c, config.ShortRun, 8, 400)
			c.limit = shortRun(h, c.inner)
		}),
		with(func(c *trained) {
			c.name, c.method = "pgd+diffusion", config.PGDDiffusion
			c.learnS, c.share, c.annealed = true, 0.5, true
			c.limit = refitted(c.limit)
		}),
	}
}

// unlimited returns the cases that must reach the maximum of the likelihood.
func unlimited() []trained {
	encoder := func(method config.Method, lr float64, steps int) trained {
		return trained{
			name: string(method), method: method, optimizer: optim.Adam,
			lr: lr, particles: 4, steps: steps, annealed: true,
		}
	}
	joint := encoder(config.VAEDiffusion, 0.02, 1500)
	twoStage := encoder(config.TwoStage, 0.05, 2500)
	joint.learnS = true
	twoStage.learnS, twoStage.share = true, 0.4
	// The scale of ipld's latents has no fixed point at a step size above 0: it grows, and the
	// bias of the particles falls with it.
	ipld := trained{
		name: "ipld", method: config.IPLD, dynamics: particle.Overdamped,
		h: 0.02, lr: 0.02, particles: 4, inner: 1, steps: 2000, learnS: true,
	}
	underdamped := ipld
	underdamped.name, underdamped.dynamics = "ipld, underdamped", particle.Underdamped
	return []trained{encoder(config.VAE, 0.05, 1500), joint, twoStage, ipld, underdamped}
}
