"""Records the golden test of package model's networks: values and all gradients, by PyTorch.

    python3 trainer/model/testdata/golden.py           # writes golden.safetensors beside itself
    python3 trainer/model/testdata/golden.py --check   # only compares the file with a new run

As trainer/layer/testdata/golden.py, but of whole networks: they are written again from the doc
comments of model.NewConvDecoder, NewConvEncoder and NewUNet, over the layers of layers.py. The
names are those there; the parameters have paths. No parameter starts at zero here.
"""

import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "internal" / "reference"))
import layers
import recorded

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

PATH = pathlib.Path(__file__).parent / "golden.safetensors"


class Network:
    """Parameters by their paths, made when they are first used, and layers that read them."""

    def __init__(self, random):
        self.random, self.p = random, {}

    def layer(self, f, name, *x, **shapes):
        """A layer whose parameters have the given shapes."""
        for k, shape in shapes.items():
            if f"{name}.{k}" not in self.p:
                fan = np.prod(shape[:-1]) if len(shape) > 1 else 4
                value = recorded.single(self.random.standard_normal(shape) / np.sqrt(fan))
                self.p[f"{name}.{k}"] = torch.from_numpy(value).requires_grad_()
        return f({k: self.p[f"{name}.{k}"] for k in shapes}, *x)

    def linear(self, name, x, c):
        return self.layer(layers.linear, name, x, weight=(x.shape[3], c), bias=(c,))

    def conv(self, name, x, c):
        kh = 3 if x.shape[1] > 1 else 1
        return self.layer(layers.conv, name, x, weight=(kh, 3, x.shape[3], c), bias=(c,))

    def norm(self, name, x, *st, silu=True):
        c = x.shape[3]
        groups = max(g for g in range(1, 9) if c % g == 0)
        return self.layer(layers.group_norm(groups, silu), name, x, *st, scale=(c,), shift=(c,))

    def split(self, name, x, c, signal):
        """Twice the pixels in each direction, or twice the samples of a signal."""
        if signal:
            return layers.split_signal({}, self.linear(name, x, 2 * c))
        return layers.split({}, self.linear(name, x, 4 * c))

    def residual(self, name, x, emb, c):
        h = self.conv(name + ".conv1", self.norm(name + ".norm1", x), c)
        st = [] if emb is None else [self.linear(name + ".emb", emb, 2 * c)]
        h = self.conv(name + ".conv2", self.norm(name + ".norm2", h, *st), c)
        return h + (x if x.shape[3] == c else self.linear(name + ".skip", x, c))

    def blocks(self, name, h, emb, n, c):
        for i in range(n):
            h = self.residual(f"{name}.block{i}", h, emb, c)
        return h


def decoder(net, z, channels, blocks, picture, signal=False):
    h = net.conv("in", z, channels[0])
    for i, c in enumerate(channels):
        if i > 0:
            h = net.split(f"up{i}", h, c, signal)
        h = net.blocks(f"up{i}", h, None, blocks, c)
    return net.conv("out", net.norm("norm", h), picture)


def encoder(net, x, channels, blocks, latent):
    h = net.conv("in", x, channels[-1])
    for i, c in enumerate(channels[::-1]):
        h = net.blocks(f"down{i}", h, None, blocks, c)
        if i < len(channels) - 1:
            h = net.linear(f"down{i}", layers.merge({}, h), channels[::-1][i + 1])
    return layers.moments({}, net.conv("out", net.norm("norm", h), 2 * latent))


def unet(net, z, lam, condition=None, *, channels, blocks, heads, embedding, features):
    f = layers.sinusoids(features, 0.05, 5)({}, lam)
    f = layers.silu({}, net.linear("emb1", f, embedding))
    emb = net.linear("emb2", f, embedding)
    if condition is not None:
        emb = emb + net.linear("condition", condition, embedding)
    emb = layers.silu({}, emb)
    h, skips = net.conv("in", z, channels[0]), []
    for i, c in enumerate(channels):
        if i > 0:
            h = net.linear(f"down{i}", layers.merge({}, h), c)
        h = net.blocks(f"down{i}", h, emb, blocks, c)
        skips.append(h)
    h = net.residual("middle.block0", h, emb, channels[-1])
    if heads > 0:
        h = h + attend(net, "middle", h, heads)
    h = net.residual("middle.block1", h, emb, channels[-1])
    for i in reversed(range(len(channels) - 1)):
        h = net.split(f"up{i}", h, channels[i], signal=z.shape[1] == 1)
        h = net.blocks(f"up{i}", layers.concat({}, h, skips[i]), emb, blocks, channels[i])
    return net.conv("out", net.norm("norm", h), z.shape[3])


def attend(net, name, x, heads):
    c = x.shape[3]
    h = net.linear(name + ".qkv", net.norm(name + ".norm", x, silu=False), 3 * c)
    return net.linear(name + ".proj", layers.attention(heads)({}, h), c)


# A network, its sizes, the rows, and the shapes of its inputs, the first of which has a gradient.
# Groups have two or three channels: a norm of single channels takes gradients by the biases before
# it to zero.
CASES = {
    "decoder": (decoder, dict(channels=[12, 9], blocks=1, picture=3), 3, (3, 5, 2)),
    "decoder-deep": (decoder, dict(channels=[10, 9, 9], blocks=1, picture=1), 1, (1, 3, 2)),
    "encoder": (encoder, dict(channels=[9, 9], blocks=2, latent=2), 3, (6, 10, 3)),
    "unet": (unet, dict(channels=[9, 10], blocks=1, heads=2, embedding=7, features=6),
             3, (6, 4, 2), (1, 1, 1)),
    "unet-condition": (unet, dict(channels=[9, 9, 10], blocks=1, heads=0, embedding=5, features=4),
                       2, (8, 12, 3), (1, 1, 1), (1, 1, 3)),
    "decoder-signal": (decoder, dict(channels=[10, 9, 9], blocks=1, picture=2, signal=True),
                       3, (1, 3, 2)),
    "encoder-signal": (encoder, dict(channels=[9, 9], blocks=1, latent=2), 3, (1, 10, 3)),
    "unet-signal": (unet, dict(channels=[9, 9, 10], blocks=1, heads=2, embedding=7, features=6),
                    3, (1, 12, 2), (1, 1, 1)),
}


def record(random, f, sizes, rows, *shapes):
    net = Network(random)
    x = [torch.from_numpy(recorded.single(random.standard_normal((rows, *s)))) for s in shapes]
    if f is unet:
        x[1] = torch.from_numpy(recorded.single(np.linspace(-9.5, 9.5, rows))).view(rows, 1, 1, 1)
    x[0].requires_grad_(f is not encoder)
    y = f(net, *x, **sizes)
    dy = torch.from_numpy(recorded.single(random.standard_normal(y.shape)))
    by = [v for v in x if v.requires_grad] + list(net.p.values())
    grads = list(torch.autograd.grad((dy * y).sum(), by))
    out = {f"x{i}": v for i, v in enumerate(x)} | {"y": y, "dy": dy}
    if f is not encoder:
        out["dx0"] = grads.pop(0)
    for (name, p), grad in zip(net.p.items(), grads):
        out |= {f"param/{name}": p, f"grad/{name}": grad}
    return {k: v.detach().numpy().astype(np.float32, order="C") for k, v in out.items()}


def run():
    """All tensors, and the metadata."""
    tensors, metadata = {}, {"torch": torch.__version__, "numpy": np.__version__}
    for number, (name, case) in enumerate(CASES.items()):
        out = record(np.random.RandomState(number), *case)
        tensors.update({f"{name}/{k}": v for k, v in out.items()})
        metadata[name] = json.dumps({"network": case[0].__name__, **case[1]})
    return tensors, metadata


if __name__ == "__main__":
    recorded.main(PATH, run)
