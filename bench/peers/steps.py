"""PyTorch's side of the comparison of steps: training steps and sampling.

    python3 bench/peers/steps.py FOLDER      # run by the driver: go run ./bench/peers -what steps

The arithmetic is that of plume's training step (ALGORITHM.md, sections 2, 4 and 6), written to be
fast. Images, particles and parameters stay in memory, each network has one flat buffer of
parameters over which optimiser and average pass once, and one backward pass serves both.
There are several ways to compute the gradients (steps_ways.py; of convolutions, steps_conv.py) and
the update. Which is fastest depends on the shape and on the threads, so the driver tries them all.
"x2" cuts the rows into two halves with a Python thread for each; they run concurrently because
PyTorch's functions release the interpreter's lock. In the ways called "bf16" the factors of
products are bf16, by autocast or by hand; parameters, moments and averages, particles and losses
stay float32.
"""

import math

import numpy as np
import torch

import steps_conv
import steps_sampling
from steps_adam import Update, fastest_adam
from steps_common import mean_sech, serve
from steps_torch import Threads, cut, parse, tensors, views, ways_of
from steps_ways import KINDS

GUARD = 1e6  # mean of z^2 above which a particle is redrawn


class Network:
    """The flat parameters of a network, and views of its layers. factors are the parameters as
    products by hand take them, which may be a copy in bf16."""

    def __init__(self, sizes, flat, factors):
        self.sizes, self.p, self.g, self.factors = sizes, flat, torch.empty_like(flat), factors
        self.layers, self.grads = views(sizes, factors), views(sizes, self.g)
        self.leaves = [t.detach().requires_grad_() for layer in views(sizes, flat) for t in layer]

    def twin(self):
        """A network over the same parameters with gradients of its own."""
        return Network(self.sizes, self.p, self.factors)

    def stored(self, x, are_values):
        """Numbers for each parameter, in plume's order."""
        return x


def networks(work, kind, dtype, *flat):
    """Decoder and score network."""
    if work.conv:
        return steps_conv.networks(work, kind, *flat)
    factors = [p.to(dtype) for p in flat] if kind == "by-hand" else flat
    return map(Network, (work.decoder, work.score), flat, factors)


class Piece:
    """The rows of one thread, with gradients of its own; make builds the way to compute them."""

    def __init__(self, run, i, make):
        self.run, work = run, run.work
        first, last = cut(work.batch, run.threads.n, i)
        self.rows = rows = slice(first * work.particles, last * work.particles)
        self.x, self.z, self.u = run.x[first:last], run.z[rows], run.u[rows]
        self.drift = torch.empty_like(self.z)
        self.phi, self.theta = (net.twin() if i else net for net in (run.phi, run.theta))
        self.random = torch.Generator().manual_seed(i)
        self.eps, self.xi = torch.empty_like(self.z), torch.empty_like(self.z)
        self.way = make(self)

    @torch.no_grad()
    def gradients(self, noise):
        """Noises z, and computes the gradients of both losses and the drift."""
        level = [t[self.rows, None] for t in self.run.levels]
        self.lam, (alpha, self.sigma, self.push, self.pull) = level[0][:, 0], level[1:]
        eps = self.eps.normal_(generator=self.random) if noise is None else noise[1][self.rows]
        zl = torch.addcmul(self.sigma * eps, alpha, self.z)
        self.sums = *self.way.gradients(self, zl, eps), self.z.square().sum()

    @torch.no_grad()
    def move(self, noise):
        """The clipped Langevin move with momentum; rows that diverged are redrawn."""
        work = self.run.work
        xi = self.xi.normal_(generator=self.random) if noise is None else noise[2][self.rows]
        clip = work.drift_clip if noise is None else work.recorded_clip
        push = self.drift.add_(self.z, alpha=self.run.own).mul_(work.step_size)
        rms = push.square().mean(1, keepdim=True).sqrt_()
        self.clipped = (rms > clip).sum()
        push.mul_((clip / rms).clamp_(max=1))
        heat = math.sqrt(2 * work.friction * work.step_size)
        self.u.mul_(1 - work.friction).sub_(push).add_(xi, alpha=heat)
        self.z.add_(self.u)
        square = self.z.square().mean(1)
        if not bool((square <= GUARD).all()):
            lost = ~(square <= GUARD)
            self.z[lost], self.u[lost] = torch.randn(int(lost.sum()), work.latent), 0
        self.square = square.mean()


class Run:
    """A training: its state and its step."""

    def __init__(self, work, way):
        self.dtype, kind, pieces = parse(way)
        self.work, self.threads = work, Threads(pieces)
        phi, theta, z, u = tensors(work.start())
        self.phi, self.theta = networks(work, kind, self.dtype, phi, theta)
        self.cloud = [t.view(work.points, -1) for t in (z, u)]  # a row has a datapoint's particles
        self.images = torch.from_numpy(work.pictures())
        self.x = torch.empty(work.batch, work.pixels)
        self.z, self.u = (torch.empty(work.rows, work.latent) for _ in range(2))
        self.frequencies, self.variance = torch.from_numpy(work.frequencies), work.obs_noise**2
        self.own = 1 / (1 + math.exp(-work.lambda_min))
        self.mean_square = float(z.square().mean())
        self.pieces = [Piece(self, i, kinds(work)[kind]) for i in range(self.threads.n)]
        adam = fastest_adam(len(phi) // self.threads.n)
        self.updates = [self.part(name, lr, i, adam) for i in range(self.threads.n)
                        for name, lr in (("phi", work.lr), ("theta", work.score_lr * work.lr))]
        self.batches = work.minibatches(np.random.default_rng(1))

    def part(self, name, lr, i, adam):
        """The update of part i of a network, which sums the pieces' gradients."""
        net = getattr(self, name)
        lo, hi = cut(len(net.p), self.threads.n, i)
        grads = [getattr(p, name).g[lo:hi] for p in self.pieces]
        copy = None if net.factors is net.p else net.factors[lo:hi]
        return Update(net.p[lo:hi], grads, lr, self.work.ema, adam, copy)

    def draw_levels(self, lam):
        """Stratified levels, and what depends only on them."""
        work = self.work
        if lam is None:
            places = torch.randperm(work.rows) + torch.rand(1)
            lam = work.lambda_min + work.span / work.rows * places
        alpha, sigma = torch.sigmoid(lam).sqrt_(), torch.sigmoid(-lam).sqrt_()
        weight = torch.ones_like(lam)
        if work.prior_weight == "simple":
            weight = 1 / torch.cosh(lam / 2) / mean_sech(work)
        self.levels = lam, alpha, sigma, work.span * weight, alpha / weight

    def step(self, index, repeat, noise=None):
        """A step on the datapoints of index, with new noise or the recorded one."""
        with torch.no_grad():
            if repeat == 0:
                self.index = torch.from_numpy(index)
                torch.index_select(self.images, 0, self.index, out=self.x)
                for cloud, rows in zip(self.cloud, (self.z, self.u)):
                    torch.index_select(cloud, 0, self.index, out=rows.view(self.work.batch, -1))
            self.draw_levels(noise and noise[0])
        self.threads(lambda i: self.pieces[i].gradients(noise))
        self.threads(lambda i: self.change(i, noise))
        for cloud, rows in zip(self.cloud, (self.z, self.u)):
            cloud.index_copy_(0, self.index, rows.view(self.work.batch, -1))
        return self.sums()

    @torch.no_grad()
    def change(self, i, noise):
        for update in self.updates[2 * i:2 * i + 2]:
            update()
        self.pieces[i].move(noise)

    def sums(self):
        """The step's squared error, prior loss and clipped rows; the loss must be finite."""
        work = self.work
        error, square, norms = (sum(float(p.sums[k]) for p in self.pieces) for k in range(3))
        bound = work.span / 2 * square + self.own / 2 * norms + work.rows * work.constant
        mean = sum(float(p.square) for p in self.pieces) / len(self.pieces)
        self.mean_square += (mean - self.mean_square) * work.batch / work.points
        if not math.isfinite(error + bound):
            raise ArithmeticError(f"the losses are {error} and {bound}")
        return error, bound, sum(int(p.clipped) for p in self.pieces)


@torch.no_grad()
def record(work, way):
    run = Run(work, way)
    for step, noise in zip(work.steps, work.noise()):
        sums = run.step(np.array(step["index"]), step["repeat"], tensors(noise))
    out = []
    for net, parts in (run.phi, run.updates[::2]), (run.theta, run.updates[1::2]):
        for are_values, get in ((True, lambda u: u.p), (False, lambda u: u.adam.m),
                                (False, lambda u: u.adam.v), (True, lambda u: u.average)):
            out.append(net.stored(torch.cat([get(u) for u in parts]), are_values))
    work.write(t.numpy() for t in out + run.cloud)
    return "ok " + " ".join(map(str, sums))


def train(work, way):
    run = Run(work, way)
    return lambda: run.step(*next(run.batches))


def kinds(work):
    return steps_conv.KINDS if work.conv else KINDS


def ways(work):
    if work.images:
        return steps_sampling.ways()
    return ways_of(kinds(work), steps_conv.IN_BF16 if work.conv else KINDS)


def check(work, way):
    return steps_sampling.record(work, way) if work.images else record(work, way)


def prepare(work, way):
    return steps_sampling.sample(work, way) if work.images else train(work, way)


if __name__ == "__main__":
    serve(f"PyTorch {torch.__version__}", ways, check, prepare)
