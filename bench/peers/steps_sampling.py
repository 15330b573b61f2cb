"""Sampling with PyTorch, for steps.py."""

import torch

from steps_torch import (COMPILES, Threads, blocks, compiled, cut, features, linear, parse, silu,
                         tensors, views, ways_of)


class Sampler:
    """DDIM steps from noise to latents, then the decoder, for a part of the images. The networks
    have the given type, latents are float32."""

    def __init__(self, work, kind, dtype, rows):
        self.dtype = dtype
        phi, theta = (t.to(dtype) for t in tensors(work.start()[:2]))
        self.phi, self.theta = views(work.decoder, phi), views(work.score, theta)
        self.residual, self.decode = self.in_place, self.images
        if kind == "compile":
            self.residual, self.decode = compiled(self.network), compiled(self.images)
        lam = torch.linspace(
            work.lambda_min, work.lambda_max, work.solver_steps + 1, dtype=torch.float64)
        alpha, sigma = torch.sigmoid(lam).sqrt(), torch.sigmoid(-lam).sqrt()
        ratio = alpha[1:] / alpha[:-1]
        by_eps = sigma[1:] - ratio * sigma[:-1]
        # the factors of z and of the residual
        self.factors = torch.stack([ratio + by_eps * sigma[:-1], by_eps], 1).float()
        self.levels = lam[:-1].float()
        self.frequencies = torch.from_numpy(work.frequencies)
        buffer = torch.empty(3, rows, work.score_width, dtype=dtype)
        self.h, self.s, self.t = buffer

    def embeddings(self):
        """The embeddings of the levels, one row for each step; they are the same for all images."""
        (w1, b1), (w2, b2) = self.theta[:2]
        given = features(self.levels, self.frequencies).to(self.dtype)
        return linear(silu(linear(given, w1, b1)), w2, b2)

    def network(self, z, emb):
        h, inner = linear(z, *self.theta[2]), [t for layer in self.theta[3:-1] for t in layer]
        return linear(blocks(h, emb, inner, linear), *self.theta[-1])

    def in_place(self, z, emb):
        """network, with outputs in buffers that are reused."""
        (w0, b0), (last, bias) = self.theta[2], self.theta[-1]
        h = torch.addmm(b0, z, w0, out=self.h)
        for (w1, b1), (w2, b2) in zip(self.theta[3:-1:2], self.theta[4:-1:2]):
            silu(torch.add(h, emb, out=self.s), inplace=True)
            h.addmm_(silu(torch.addmm(b1, self.s, w1, out=self.t), inplace=True), w2).add_(b2)
        return torch.addmm(bias, h, last)

    def images(self, z):
        for layer in self.phi[:-1]:
            z = silu(linear(z, *layer), inplace=True)
        return linear(z, *self.phi[-1])

    @torch.no_grad()
    def __call__(self, z):
        for emb, (own, by_r) in zip(self.embeddings(), self.factors.tolist()):
            r = self.residual(z.to(self.dtype), emb)
            z.mul_(own).add_(r, alpha=by_r)
        return z, self.decode(z.to(self.dtype)).float()


class Sampling:
    """The sampling of all images in pieces."""

    def __init__(self, work, way):
        dtype, kind, pieces = parse(way)
        self.threads = Threads(pieces)
        cuts = [cut(work.images, pieces, i) for i in range(pieces)]
        self.rows = [slice(*c) for c in cuts]
        self.samplers = [Sampler(work, kind, dtype, hi - lo) for lo, hi in cuts]

    def __call__(self, z):
        out = [None] * self.threads.n

        def sample(i):
            out[i] = self.samplers[i](z[self.rows[i]])

        self.threads(sample)
        return out


def record(work, way):
    parts = Sampling(work, way)(*tensors([work.latents()]))
    work.write(torch.cat([p[k] for p in parts]).numpy() for k in (0, 1))
    return "ok"


def sample(work, way):
    sampling = Sampling(work, way)
    return lambda: sampling(torch.randn(work.images, work.latent))


def ways():
    kinds = ["plain"] + ["compile"] * COMPILES
    return ways_of(kinds, kinds)
