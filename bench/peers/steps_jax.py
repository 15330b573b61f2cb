"""JAX's side of the comparison of steps: the step and the sampling of steps.py, compiled by XLA.

    python3 bench/peers/steps_jax.py FOLDER   # run by the driver: go run ./bench/peers -what steps

A step is one compiled function to which the state is donated. XLA uses all cores. There is only one
way, with automatic derivatives and the faster random numbers, in float32 and with the factors of
products in bf16; none for convolutions.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from steps_common import mean_sech, places, serve

jax.config.update("jax_default_prng_impl", "unsafe_rbg")
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
GUARD = 1e6  # mean of z^2 above which a particle is redrawn
WAYS = {"jit": jnp.float32, "bf16-jit": jnp.bfloat16}  # by the type of the products' factors
silu = jax.nn.silu


def unflatten(layers, flat):
    return [(flat[i:j].reshape(shape), flat[j:k]) for i, j, k, shape in places(layers)]


def flatten(tree):
    return np.concatenate([np.ravel(t) for layer in tree for t in layer])


class Networks:
    """The functions of decoder and score network. The factors of products have the given type."""

    def __init__(self, dtype):
        self.dtype = dtype

    def affine(self, x, layer):
        product = x.astype(self.dtype) @ layer[0].astype(self.dtype)
        return product.astype(jnp.float32) + layer[1]

    def decode(self, phi, z):
        for layer in phi[:-1]:
            z = silu(self.affine(z, layer))
        return self.affine(z, phi[-1])

    def embed(self, theta, lam, frequencies):
        phase = lam[:, None] * frequencies
        features = jnp.concatenate([jnp.sin(phase), jnp.cos(phase)], 1)
        return self.affine(silu(self.affine(features, theta[0])), theta[1])

    def residual(self, theta, z, emb):
        h = self.affine(z, theta[2])
        for first, second in zip(theta[3:-1:2], theta[4:-1:2]):
            h = h + self.affine(silu(self.affine(silu(h + emb), first)), second)
        return self.affine(h, theta[-1])


def adam(p, g, m, v, average, lr, decay, t):
    m, v = m + (1 - BETA1) * (g - m), v + (1 - BETA2) * (g * g - v)
    p = p - lr / (1 - BETA1**t) * m / (jnp.sqrt(v / (1 - BETA2**t)) + EPSILON)
    return p, m, v, average + (1 - jnp.minimum(decay, (1 + t) / (10 + t))) * (p - average)


class Run:
    """A training: its state and its step."""

    def __init__(self, work, way):
        self.work, self.functions = work, Networks(WAYS[way])
        phi, theta, z, u = work.start()
        self.nets = {name: {"p": unflatten(layers, jnp.asarray(flat))} for name, layers, flat in
                     (("phi", work.decoder, phi), ("theta", work.score, theta))}
        for net in self.nets.values():
            net["m"], net["v"] = (jax.tree.map(jnp.zeros_like, net["p"]) for _ in range(2))
            net["average"] = jax.tree.map(jnp.copy, net["p"])
        self.cloud = [jnp.asarray(a).reshape(work.points, -1) for a in (z, u)]
        self.images = jnp.asarray(work.pictures())
        self.mean_square, self.t = float(np.square(z).mean()), 0
        self.key = jax.random.key(1)
        self.batches = work.minibatches(np.random.default_rng(1))
        self.gather = jax.jit(
            lambda index, images, cloud: (images[index], [c[index] for c in cloud]))
        self.scatter = jax.jit(
            lambda cloud, index, rows: [c.at[index].set(r) for c, r in zip(cloud, rows)],
            donate_argnums=0)
        self.change = jax.jit(self.pure, donate_argnums=(0, 1))
        self.draw = jax.jit(self.noise)

    def noise(self, key):
        work = self.work
        keys, matrix = jax.random.split(key, 5), (work.rows, work.latent)
        places = jax.random.permutation(keys[1], work.rows) + jax.random.uniform(keys[2])
        lam = work.lambda_min + work.span / work.rows * places
        eps, xi = jax.random.normal(keys[3], matrix), jax.random.normal(keys[4], matrix)
        return keys[0], [lam, eps, xi]

    def losses(self, ps, z, zl, x, sigma, push, lam, eps):
        work, functions = self.work, self.functions
        mean = functions.decode(ps["phi"], z).reshape(work.batch, work.particles, work.pixels)
        error = jnp.sum((mean - x[:, None])**2)
        theta = ps["theta"]
        emb = functions.embed(theta, lam, work.frequencies)
        e = sigma * zl + functions.residual(theta, zl, emb) - eps
        square = jnp.sum(e * e, 1, keepdims=True)
        loss = (error / work.obs_noise**2 + jnp.sum(push * square)) / (2 * work.rows)
        return loss, (error, jnp.sum(square))

    def pure(self, nets, rows, x, noise, t, clip):
        """The step as a function of its state."""
        work, (lam, eps, xi) = self.work, noise
        z, u = (r.reshape(work.rows, work.latent) for r in rows)
        alpha, sigma = (jnp.sqrt(jax.nn.sigmoid(s * lam))[:, None] for s in (1, -1))
        weight = jnp.ones_like(alpha)
        if work.prior_weight == "simple":
            weight = 1 / jnp.cosh(lam / 2)[:, None] / mean_sech(work)
        zl = alpha * z + sigma * eps
        ps = {name: net["p"] for name, net in nets.items()}
        gradient = jax.grad(self.losses, argnums=(0, 1, 2), has_aux=True)
        push = work.span * weight
        (dps, dz, dzl), (error, square) = gradient(ps, z, zl, x, sigma, push, lam, eps)
        own = 1 / (1 + math.exp(-work.lambda_min))
        drift = work.rows * (dz + alpha / weight * dzl) + own * z

        out = {}
        for name, lr in ("phi", work.lr), ("theta", work.score_lr * work.lr):
            net = nets[name]
            update = partial(adam, lr=lr, decay=work.ema, t=t)
            new = jax.tree.map(update, net["p"], dps[name], net["m"], net["v"], net["average"])
            leaf = lambda n: isinstance(n, tuple) and len(n) == 4
            out[name] = {k: jax.tree.map(lambda n: n[i], new, is_leaf=leaf)
                         for i, k in enumerate(("p", "m", "v", "average"))}
        bound = work.span / 2 * square + own / 2 * jnp.sum(z * z) + work.rows * work.constant
        z, u, sums = self.move(z, u, drift, xi, clip)
        return out, [r.reshape(work.batch, -1) for r in (z, u)], (error, bound, *sums)

    def move(self, z, u, drift, xi, clip):
        work = self.work
        push = work.step_size * drift
        rms = jnp.sqrt(jnp.mean(push * push, 1, keepdims=True))
        push = push * jnp.minimum(1, clip / rms)
        heat = math.sqrt(2 * work.friction * work.step_size)
        u = (1 - work.friction) * u - push + heat * xi
        z = z + u
        good = jnp.mean(z * z, 1, keepdims=True) <= GUARD
        z, u = jnp.where(good, z, xi), jnp.where(good, u, 0)
        return z, u, (jnp.sum(rms > clip), jnp.mean(z * z))

    def step(self, index, repeat, noise=None):
        work = self.work
        if repeat == 0:
            self.index = jnp.asarray(index)
            self.x, self.rows = self.gather(self.index, self.images, self.cloud)
        clip = work.drift_clip if noise is None else work.recorded_clip
        if noise is None:
            self.key, noise = self.draw(self.key)
        self.t += 1
        self.nets, self.rows, sums = self.change(
            self.nets, self.rows, self.x, noise, jnp.float32(self.t), clip)
        self.cloud = self.scatter(self.cloud, self.index, self.rows)
        error, bound, clipped, mean = (float(s) for s in sums)
        self.mean_square += (mean - self.mean_square) * work.batch / work.points
        if not math.isfinite(error + bound):
            raise ArithmeticError(f"the losses are {error} and {bound}")
        return error, bound, int(clipped)


def record(work, way):
    run = Run(work, way)
    for step, noise in zip(work.steps, work.noise()):
        given = [jnp.asarray(a) for a in noise]
        sums = run.step(np.array(step["index"]), step["repeat"], given)
    nets = [flatten(run.nets[name][k])
            for name in ("phi", "theta") for k in ("p", "m", "v", "average")]
    work.write(nets + [np.asarray(c) for c in run.cloud])
    return "ok " + " ".join(map(str, sums))


class Sampling:
    """DDIM steps from noise to latents, then the decoder. All rows share the levels' embeddings."""

    def __init__(self, work, way):
        self.work, self.functions = work, Networks(WAYS[way])
        phi, theta = work.start()[:2]
        self.phi = unflatten(work.decoder, jnp.asarray(phi))
        self.theta = unflatten(work.score, jnp.asarray(theta))
        lam = np.linspace(work.lambda_min, work.lambda_max, work.solver_steps + 1)
        alpha, sigma = (np.sqrt(1 / (1 + np.exp(s * lam))) for s in (-1, 1))
        ratio = alpha[1:] / alpha[:-1]
        by_eps = sigma[1:] - ratio * sigma[:-1]
        self.factors = np.stack([ratio + by_eps * sigma[:-1], by_eps], 1).astype(np.float32)
        self.levels = lam[:-1].astype(np.float32)
        self.run = jax.jit(self.pure)
        self.draw = jax.jit(lambda key: jax.random.normal(key, (work.images, work.latent)))
        self.key = jax.random.key(1)

    def pure(self, phi, theta, z):
        functions = self.functions

        def step(z, given):
            emb, (own, by_r) = given
            return own * z + by_r * functions.residual(theta, z, emb), None

        embeddings = functions.embed(theta, self.levels, self.work.frequencies)
        z, _ = jax.lax.scan(step, z, (embeddings, self.factors))
        return z, functions.decode(phi, z)

    def __call__(self, z=None):
        if z is None:
            self.key, key = jax.random.split(self.key)
            z = self.draw(key)
        return jax.block_until_ready(self.run(self.phi, self.theta, z))


def check(work, way):
    if not work.images:
        return record(work, way)
    work.write(np.asarray(a) for a in Sampling(work, way)(jnp.asarray(work.latents())))
    return "ok"


def prepare(work, way):
    if work.images:
        return Sampling(work, way)
    run = Run(work, way)
    return lambda: run.step(*next(run.batches))


if __name__ == "__main__":
    serve(f"JAX {jax.__version__}", lambda work: [] if work.conv else WAYS, check, prepare)
