"""PyTorch's own implementation of plume's method vae+diffusion, written to be fast on CPUs.

    python3 bench/quality/twin.py train FOLDER EPOCHS SEED  # answers with the seconds of its steps
    python3 bench/quality/twin.py check FOLDER              # does the recorded steps of a test

go run ./bench/quality runs it. Encoder, decoder and score network are trained together, on the
loss of trainer/ALGORITHM.md: sections 1 and 2, levels and weights of section 4, with clipped
pictures, and q(z|x) in the place of particles; sampled by section 6.

FOLDER/twin.json has the keys of plume's configuration, and the number of pixels. Arrays are
float32 without header: FOLDER/rows are the training rows, FOLDER/samples.npy is written.
"""

import json
import math
import os
import pathlib
import signal
import sys
import time

import numpy as np
import torch

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
torch.set_flush_denormal(True)

silu = torch.nn.functional.silu
CELLS, SHARE = 1024, 0.8  # of the density of levels: cells, and the share that is not uniform


class Settings:
    """The fields of twin.json, and the sizes that follow from them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.__dict__.update(json.loads((self.folder / "twin.json").read_text()))
        self.span = self.lambda_max - self.lambda_min
        d, w, n = self.latent, self.score_width, self.pixels
        chain = lambda *widths: list(zip(widths, widths[1:]))
        self.sizes = {
            "encoder": chain(n, *self.encoder_widths, 2 * d),
            "decoder": chain(d, *self.decoder_widths, n),
            "prior": [(self.score_features, w), (w, w), (d, w),
                      *[(w, w)] * (2 * self.score_blocks), (w, d)],
        }

    def array(self, name):
        return torch.from_numpy(np.fromfile(self.folder / name, np.float32))

    def learning_rate(self, done):
        end = self.lr * self.lr_end
        return end + (self.lr - end) * (1 + math.cos(math.pi * done)) / 2


class Levels:
    """Levels lambda of shares in (0, 1], stratified over the density "sech", and their factors."""

    def __init__(self, s):
        self.s = s
        edges = np.linspace(s.lambda_min, s.lambda_max, CELLS + 1)
        gd = lambda x: 2 * np.arctan(np.tanh(x / 2))
        self.mean = 2 * (gd(s.lambda_max / 2) - gd(s.lambda_min / 2)) / s.span
        middle = (edges[1:] + edges[:-1]) / 2
        mass = 1 - SHARE + SHARE / np.cosh(middle / 2) / self.mean
        self.edges, self.mass = edges, mass / mass.sum()
        self.shares = np.concatenate([[0], np.cumsum(self.mass)])
        self.shares[-1] = 1

    def __call__(self, share):
        """A column each: lambda, alpha, sigma, the factor of |e|^2 in theta's loss, and that from
        the gradient of this loss by z_lambda to the gradient of the bound by z."""
        cell = np.searchsorted(self.shares, share).clip(1, CELLS) - 1
        lam = np.interp(share, self.shares, self.edges)
        alpha, sigma = 1 / np.sqrt(1 + np.exp(-lam)), 1 / np.sqrt(1 + np.exp(lam))
        simple = 1 / np.cosh(lam / 2) / self.mean
        density = 1 / (CELLS * self.mass[cell])
        table = np.stack([lam, alpha, sigma, density * simple * self.s.span / 2, alpha / simple])
        return torch.from_numpy(table.astype(np.float32))[:, :, None]


class Network:
    """The parameters of a network, layer by layer, and their moving average."""

    def __init__(self, sizes, flat):
        self.params = []
        for a, b in sizes:
            self.params += [flat[:a * b].view(a, b).clone(), flat[a * b:a * b + b].clone()]
            flat = flat[a * b + b:]
        assert not len(flat)
        for p in self.params:
            p.requires_grad_()
        self.average = [p.detach().clone() for p in self.params]


def initial(sizes, zero, random):
    """Uniform in +-1/sqrt(inputs), weights and biases; the last layer is zero if asked for."""
    flat = []
    for k, (a, b) in enumerate(sizes):
        scale = 0 if zero and k == len(sizes) - 1 else 1 / math.sqrt(a)
        flat.append((2 * torch.rand(a * b + b, generator=random) - 1) * scale)
    return torch.cat(flat)


def mlp(x, params):
    for k in range(0, len(params) - 2, 2):
        x = silu(torch.addmm(params[k + 1], x, params[k]))
    return torch.addmm(params[-1], x, params[-2])


def embedding(lam, params, frequencies):
    phase = lam * frequencies
    h = torch.cat([phase.sin(), phase.cos()], 1)
    return mlp(h, params[:4])


def residual(z, emb, params):
    """r_theta."""
    h = torch.addmm(params[5], z, params[4])
    for w1, b1, w2, b2 in zip(*[iter(params[6:-2])] * 4):
        h = h + torch.addmm(b2, silu(torch.addmm(b1, silu(h + emb), w1)), w2)
    return torch.addmm(params[-1], h, params[-2])


def bounded(y):
    """Log-variances within -20 and 20 (layer.Moments)."""
    return y * (1 + (y / 20).square()).rsqrt()


class Twin:
    """The three networks with their optimiser."""

    def __init__(self, s, flat):
        self.s, self.levels, self.steps = s, Levels(s), 0
        self.networks = {n: Network(sizes, flat[n]) for n, sizes in s.sizes.items()}
        self.params = [p for n in self.networks.values() for p in n.params]
        self.averages = [p for n in self.networks.values() for p in n.average]
        self.optimizer = torch.optim.Adam(
            self.params, betas=(0.9, 0.999), eps=1e-8, fused=True)
        self.frequencies = torch.from_numpy(
            np.geomspace(0.05, 5, s.score_features // 2).astype(np.float32))
        self.own = 1 / (1 + math.exp(-s.lambda_min))  # alpha^2 at lambda_min
        self.bf16 = s.precision.startswith("bf16")

    def products(self):
        """The context of the networks' products."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bf16)

    def objective(self, x, share, draw, eps):
        """What all parameters descend: the gradients are those of the bounds, not the value.
        Also squared errors and the entropy of each row, for tests."""
        s, d = self.s, self.s.latent
        encoder, decoder, prior = (n.params for n in self.networks.values())
        lam, alpha, sigma, factor, to_z = self.levels(share)
        with self.products():
            out = mlp(x, encoder).float()
            mean, logvar = out[:, :d], bounded(out[:, d:])
            z = torch.addcmul(mean, (logvar / 2).exp(), draw)
            # the value of z_lambda, with the factor of the bound's gradient by z
            zl = torch.addcmul(sigma * eps, alpha, z.detach())
            zl = torch.addcmul(zl, to_z, z - z.detach())
            r = residual(zl, embedding(lam, prior, self.frequencies), prior).float()
            y = mlp(z, decoder).float()
        e = torch.addcmul(r, sigma, zl) - eps
        # the loss of clipped pictures has the error as its gradient, beyond the limits too
        error = y.detach().clamp(-1, 1) - x
        loss = (factor * e.square()).sum() + torch.dot(error.view(-1), y.view(-1)) / s.obs_noise**2
        loss = loss + self.own / 2 * z.square().sum() - logvar.sum() / 2
        return loss / len(x), (error, e, logvar)

    def step(self, x, share, draw, eps, done):
        for group in self.optimizer.param_groups:
            group["lr"] = self.s.learning_rate(done)
        self.optimizer.zero_grad(set_to_none=True)
        loss, parts = self.objective(x, share, draw, eps)
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        decay = min(self.s.ema, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.params, 1 - decay)
        return parts

    @torch.no_grad()
    def sample(self, z):
        """Images from noise z, by second-order multistep with the averages."""
        s, steps = self.s, self.s.solver_steps
        decoder, prior = self.networks["decoder"].average, self.networks["prior"].average
        lam = np.linspace(s.lambda_min, s.lambda_max, steps + 1)
        alpha, sigma = 1 / np.sqrt(1 + np.exp(-lam)), 1 / np.sqrt(1 + np.exp(lam))
        shrink = -np.expm1(-s.span / steps / 2)
        with self.products():
            levels = torch.from_numpy(lam[:-1, None].astype(np.float32))
            embs, before = embedding(levels, prior, self.frequencies), None
            for k in range(steps):
                r = residual(z, embs[k], prior).float()
                clean = (z - sigma[k] * (sigma[k] * z + r)) / alpha[k]
                ahead = clean if before is None else 1.5 * clean - 0.5 * before
                z = sigma[k + 1] / sigma[k] * z + alpha[k + 1] * shrink * ahead
                before = clean
            return mlp(z, decoder).float().clamp(-1, 1)


class Draws:
    """Minibatches, and the noise of each."""

    def __init__(self, s, rows, seed):
        self.s, self.rows = s, rows
        self.random, self.numbers = torch.Generator().manual_seed(seed), np.random.default_rng(seed)

    def normal(self, n):
        return torch.randn(n, self.s.latent, generator=self.random)

    def epoch(self):
        order = self.numbers.permutation(len(self.rows))
        for i in range(0, len(order), self.s.batch):
            x = self.rows[torch.from_numpy(order[i:i + self.s.batch])]
            n = len(x)
            share = (self.numbers.permutation(n) + self.numbers.random()) / n
            yield x, share, self.normal(n), self.normal(n)


def train(s, epochs, seed):
    """Trains, writes samples, and returns the seconds of the steps."""
    draws = Draws(s, s.array("rows").view(-1, s.pixels), seed)
    flat = {n: initial(sizes, n == "prior", draws.random) for n, sizes in s.sizes.items()}
    spare = Twin(s, flat)  # takes the first steps, which are slow, in the place of the twin
    for _, minibatch in zip(range(20), Draws(s, draws.rows, seed).epoch()):
        spare.step(*minibatch, 0)
    twin, began, step = Twin(s, flat), time.perf_counter(), 0
    total = epochs * -(-len(draws.rows) // s.batch)
    for _ in range(epochs):
        for minibatch in draws.epoch():
            twin.step(*minibatch, step / total)
            step += 1
    seconds = time.perf_counter() - began
    np.save(s.folder / "samples.npy", twin.sample(draws.normal(s.samples)).numpy())
    return seconds


def check(s):
    """Does the recorded steps and samples. Writes the gradients of the first step, parameters and
    averages after the last, and images; returns sums of the last step."""
    flat, at, start = {}, 0, s.array("start")
    for n, sizes in s.sizes.items():
        size = sum(a * b + b for a, b in sizes)
        flat[n], at = start[at:at + size], at + size
    twin, rows, written = Twin(s, flat), s.batch, []
    noise = s.array("noise").split([rows * k for k in (s.pixels, 1, s.latent, s.latent)] * s.steps
                                   + [s.samples * s.latent])
    for k in range(s.steps):
        x, share, draw, eps = (t.view(rows, -1) for t in noise[4 * k:4 * k + 4])
        error, e, logvar = twin.step(x, share[:, 0].double().numpy(), draw, eps, 0)
        if k == 0:
            written += [p.grad.clone() for p in twin.params]
    written += twin.params + twin.averages + [twin.sample(noise[-1].view(-1, s.latent))]
    flat = torch.cat([t.detach().reshape(-1) for t in written])
    (s.folder / "checked").write_bytes(flat.numpy().tobytes())
    return float(error.square().sum()), float(logvar.sum())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings = Settings(sys.argv[2])
    if sys.argv[1] == "check":
        print(*check(settings))
    else:
        print(train(settings, int(sys.argv[3]), int(sys.argv[4])))
