"""A training step of convolutional networks in PyTorch, in the ways in which it may be fast.

    OMP_NUM_THREADS=2 python3 bench/peers/steps_conv.py             # all ways with two threads
    OMP_NUM_THREADS=1 python3 bench/peers/steps_conv.py compile-x2  # two halves of the rows

The shapes are called "conv": a decoder from 8 x 8 x 4 to 32 x 32 x 3 with 64, 64 and 32 channels,
and a U-Net of 64 and 128 channels over the latents, 128 rows. The step is plume's (ALGORITHM.md,
section 4) without the move of the particles, which costs nothing beside it: noise and levels,
both networks forward and back, with gradients by the parameters and by the latents, and AdamW.
"""

import argparse
import contextlib
import itertools
import math
import time

import torch
import torch.nn.functional as F
from torch import nn

from steps_torch import COMPILES, Threads, compiled, cut, parse, with_pieces

ROWS, LATENT, PICTURE = 128, (4, 8, 8), (3, 32, 32)
DECODER, SCORE, BLOCKS = (64, 64, 32), (64, 128), 1  # channels of each level; residual blocks
GROUPS, HEADS, FEATURES, EMBEDDING = 8, 4, 64, 256
OBS_NOISE, LAMBDA_MIN, LAMBDA_MAX = 0.1, -10.0, 10.0


class Residual(nn.Module):
    """Norm, SiLU and convolution, twice, beside a skip; an embedding modulates the second norm."""

    def __init__(self, before, channels, embedding=0):
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, before)
        self.conv1 = nn.Conv2d(before, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(GROUPS, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.emb = nn.Linear(embedding, 2 * channels) if embedding else None
        self.skip = nn.Conv2d(before, channels, 1) if before != channels else nn.Identity()

    def forward(self, x, emb=None):
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.emb is not None:
            s, t = self.emb(emb)[:, :, None, None].chunk(2, 1)
            h = torch.addcmul(h + t, h, s)
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Attention of the pixels of a row to each other, beside a skip."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        qkv = self.qkv(self.norm(x)).flatten(2).unflatten(1, (3, HEADS, -1))
        q, k, v = qkv.transpose(3, 4).unbind(1)  # rows x heads x pixels x channels of a head
        y = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(y.transpose(2, 3).reshape(x.shape))


class Level(nn.Module):
    """Residual blocks of equally many pixels."""

    def __init__(self, before, channels, embedding=0):
        super().__init__()
        self.blocks = nn.ModuleList(
            Residual(channels if i else before, channels, embedding) for i in range(BLOCKS))

    def forward(self, h, emb=None):
        for block in self.blocks:
            h = block(h, emb)
        return h


class Out(nn.Module):
    """The end of a network."""

    def __init__(self, before, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, before)
        self.conv = nn.Conv2d(before, channels, 3, padding=1)

    def forward(self, h):
        return self.conv(F.silu(self.norm(h)))


def pairs(channels):
    return list(zip(channels, channels[1:]))


class Decoder(nn.Module):
    """model.NewConvDecoder; pixel_shuffle is plume's split but for the order of channels."""

    def __init__(self):
        super().__init__()
        self.into = nn.Conv2d(LATENT[0], DECODER[0], 3, padding=1)
        self.levels = nn.ModuleList(Level(c, c) for c in DECODER)
        self.ups = nn.ModuleList(nn.Conv2d(a, 4 * b, 1) for a, b in pairs(DECODER))
        self.out = Out(DECODER[-1], PICTURE[0])

    def forward(self, z):
        h = self.levels[0](self.into(z))
        for up, level in zip(self.ups, self.levels[1:]):
            h = level(F.pixel_shuffle(up(h), 2))
        return self.out(h)


class UNet(nn.Module):
    """model.NewUNet."""

    def __init__(self):
        super().__init__()
        self.emb1, self.emb2 = nn.Linear(FEATURES, EMBEDDING), nn.Linear(EMBEDDING, EMBEDDING)
        self.into = nn.Conv2d(LATENT[0], SCORE[0], 3, padding=1)
        self.down = nn.ModuleList(Level(c, c, EMBEDDING) for c in SCORE)
        self.merged = nn.ModuleList(nn.Conv2d(4 * a, b, 1) for a, b in pairs(SCORE))
        self.middle = nn.ModuleList(Residual(SCORE[-1], SCORE[-1], EMBEDDING) for _ in range(2))
        self.attention = Attention(SCORE[-1])
        self.split = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in pairs(SCORE))
        self.up = nn.ModuleList(Level(2 * c, c, EMBEDDING) for c in SCORE[:-1])
        self.out = Out(SCORE[0], LATENT[0])
        nn.init.zeros_(self.out.conv.weight)
        frequencies = torch.logspace(math.log10(0.05), math.log10(5), FEATURES // 2)
        self.register_buffer("frequencies", frequencies)

    def forward(self, z, lam):
        phase = lam[:, None] * self.frequencies
        emb = F.silu(self.emb1(torch.cat([phase.sin(), phase.cos()], 1)))
        emb = F.silu(self.emb2(emb))
        skips = [self.down[0](self.into(z), emb)]
        for merged, level in zip(self.merged, self.down[1:]):
            skips.append(level(merged(F.pixel_unshuffle(skips[-1], 2)), emb))
        h = self.middle[0](skips.pop(), emb)
        h = self.middle[1](self.attention(h), emb)
        for split, level in reversed(list(zip(self.split, self.up))):
            h = level(torch.cat([F.pixel_shuffle(split(h), 2), skips.pop()], 1), emb)
        return self.out(h)


class Losses(nn.Module):
    """The loss of both networks, a mean over the rows of the whole step."""

    def __init__(self):
        super().__init__()
        self.decoder, self.score = Decoder(), UNet()

    def forward(self, z, x, lam, eps):
        error = (self.decoder(z) - x).square().sum() / OBS_NOISE**2
        alpha = torch.sigmoid(lam).sqrt()[:, None, None, None]
        sigma = torch.sigmoid(-lam).sqrt()[:, None, None, None]
        zl = alpha * z + sigma * eps
        e = sigma * zl + self.score(zl, lam) - eps
        return (error + (LAMBDA_MAX - LAMBDA_MIN) * e.square().sum()) / (2 * ROWS)


def operations():
    """Floating-point operations of a step: twice the multiply-adds of the products of the forward
    pass, which the gradients by inputs and by weights make once more each."""
    count, hooks, losses = [0], [], Losses()

    def product(module, inputs, y):
        weight = module.weight[0].numel()  # multiply-adds for a number of the output
        count[0] += y.numel() * weight

    for m in losses.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            hooks.append(m.register_forward_hook(product))
    with torch.no_grad():
        latent = torch.zeros(1, *LATENT)
        losses(latent, torch.zeros(1, *PICTURE), torch.zeros(1), latent)
    pixels = LATENT[1] * LATENT[2] // 4 ** (len(SCORE) - 1)
    count[0] += 2 * pixels**2 * SCORE[-1]  # attention
    return 2 * 3 * ROWS * count[0]


class Run:
    """A training: networks, latents and pictures, and its step in a way such as compile-bf16."""

    def __init__(self, way):
        kind, pieces = parse(way)
        words = kind.split("-")
        self.threads = Threads(pieces)
        self.losses = Losses()
        self.format = torch.contiguous_format if "plain" in words else torch.channels_last
        self.losses.to(memory_format=self.format)
        self.cast = "bf16" in words
        self.call = compiled(self.losses) if "compile" in words else self.losses
        self.parameters = list(self.losses.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-3, fused=True)
        chunks = pieces * (4 if "chunks" in words else 1)
        self.rows = [cut(ROWS, chunks, i) for i in range(chunks)]
        self.z, self.x = ([self.put(torch.randn(b - a, *shape)) for a, b in self.rows]
                          for shape in (LATENT, PICTURE))
        self.step(Threads(1))  # compiles in one thread

    def put(self, x):
        return x.contiguous(memory_format=self.format)

    def gradients(self, i, lam):
        """The gradients of chunk i: by the latents, and by the parameters."""
        z, lam = self.z[i].requires_grad_(), lam[slice(*self.rows[i])]
        with torch.autocast("cpu", torch.bfloat16) if self.cast else contextlib.nullcontext():
            loss = self.call(z, self.x[i], lam, torch.randn_like(z))
        return torch.autograd.grad(loss, [z, *self.parameters])

    def step(self, threads=None):
        """A step; returns the gradients by the latents of every chunk."""
        threads = threads or self.threads
        places = torch.randperm(ROWS) + torch.rand(1)
        lam = LAMBDA_MIN + (LAMBDA_MAX - LAMBDA_MIN) / ROWS * places
        drift, sums = [None] * len(self.rows), [None] * threads.n

        def piece(i):
            for k in range(*cut(len(self.rows), threads.n, i)):
                drift[k], *grads = self.gradients(k, lam)
                sums[i] = [a + b for a, b in zip(sums[i], grads)] if sums[i] else grads

        threads(piece)
        for p, *grads in zip(self.parameters, *sums):
            p.grad = sum(grads[1:], grads[0])
        self.optimizer.step()
        return drift


def ways():
    """plain has channels first, all others have them last; chunks are a quarter of the rows."""
    kinds = ["last", "last-chunks", "last-bf16", "plain"]
    return with_pieces(kinds + [f"compile-{k}" for k in kinds] * COMPILES)


def main():
    parser = argparse.ArgumentParser(description="Measure a convolutional step in PyTorch.")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every way")
    parser.add_argument("--seconds", type=float, default=2, help="of a turn")
    parser.add_argument("way", nargs="*", default=ways())
    o = parser.parse_args()
    work, runs, best = operations(), {}, {}
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, "
          f"{work / 1e9:.1f} GFLOP a step, {sum(p.numel() for p in Losses().parameters())} "
          "parameters; the fastest step of each way:")
    for _, way in itertools.product(range(o.rounds), o.way):
        if way not in runs:
            runs[way], best[way] = Run(way), math.inf
        end = time.perf_counter() + o.seconds
        while (start := time.perf_counter()) < end:
            runs[way].step()
            best[way] = min(best[way], time.perf_counter() - start)
    for way, took in best.items():
        print(f"{way:20} {1e3 * took:7.1f} ms {work / took / 1e9:7.1f} GFLOP/s")


if __name__ == "__main__":
    main()
