"""Convolutional networks in PyTorch and the ways to compute their gradients, for steps.py.

The networks are model.NewConvDecoder and model.NewUNet with plume's parameters by their paths. As
in PyTorch, pictures have the shape rows x channels x height x width. In the ways called "last",
channels are last in memory, in "plain" they are first; "chunks" takes a quarter of a thread's rows
at a time.
"""

import math

import torch
import torch.nn.functional as F

from steps_torch import COMPILES, autocast, compiled, cut, features

EPSILON = 1e-5  # of the norms


class Network:
    """The flat parameters of a network, as PyTorch likes them, and views of each by its path."""

    def __init__(self, layout, flat):
        self.layout, self.p, self.g, self.factors = layout, flat, torch.empty_like(flat), flat
        self.grads = layout.views(self.g)
        self.leaves = {name: x.detach().requires_grad_() for name, x in layout.views(flat).items()}

    def twin(self):
        """A network over the same parameters with gradients of its own."""
        return Network(self.layout, self.p)

    def stored(self, x, are_values):
        """Numbers for each parameter, in plume's order: values of parameters, or others."""
        out = torch.empty_like(x)
        out[self.layout.order] = x - self.layout.more if are_values else x
        return out


class Layout:
    """Where the parameters lie: order holds the places in plume's flat parameters, and more is what
    PyTorch's are above plume's: norms store their scale as the deviation from one."""

    def __init__(self, params, last):
        self.last, self.shapes, order, more, at = last, {}, [], [], 0
        for p in params:
            name, shape = p["name"], p["shape"]
            n = math.prod(shape)
            places = self.turned(name, torch.arange(at, at + n).view(shape))
            self.shapes[name] = places.shape
            order.append(places.reshape(-1))
            more.append(torch.full((n,), float(name.endswith(".scale"))))
            at += n
        self.order, self.more = torch.cat(order), torch.cat(more)

    def turned(self, name, x):
        """plume's array in PyTorch's order. PyTorch counts the four pixels of a block after the
        channels, plume before them; a level's linear layer is between the two."""
        level, _, rest = name.partition(".")
        up = level.startswith("up") and rest in ("weight", "bias")
        if up:
            x = x.unflatten(-1, (4, -1)).transpose(-1, -2).flatten(-2)
        elif level.startswith("down") and rest == "weight":
            x = x.unflatten(0, (4, -1)).transpose(0, 1).flatten(0, 1)
        if x.dim() == 4:  # rows, columns, channels of x, channels of y
            return x.permute(3, 0, 1, 2) if self.last else x.permute(3, 2, 0, 1)
        return x.t() if x.dim() == 2 else x

    def packed(self, flat):
        """plume's parameters in PyTorch's order."""
        return flat[self.order] + self.more

    def views(self, flat):
        out, at = {}, 0
        for name, shape in self.shapes.items():
            x = flat[at:at + shape.numel()].view(shape)
            out[name] = x.permute(0, 3, 1, 2) if self.last and x.dim() == 4 else x
            at += x.numel()
        return out


def networks(work, kind, phi, theta):
    """Decoder and score network of a kind of way."""
    for params, flat in (work.decoder_params, phi), (work.score_params, theta):
        layout = Layout(params, "plain" not in kind)
        yield Network(layout, layout.packed(flat))


def conv(p, name, x):
    return F.conv2d(x, p[name + ".weight"], p[name + ".bias"], padding=1)


def linear(p, name, x):
    """A linear layer of every pixel, or of a vector."""
    weight = p[name + ".weight"]
    if x.dim() == 2:
        return F.linear(x, weight, p[name + ".bias"])
    return F.conv2d(x, weight[:, :, None, None], p[name + ".bias"])


def norm(p, name, x):
    groups = max(g for g in range(1, 9) if x.shape[1] % g == 0)
    return F.group_norm(x, groups, p[name + ".scale"], p[name + ".shift"], EPSILON)


def residual(p, name, x, emb):
    h = norm(p, name + ".norm2", conv(p, name + ".conv1", F.silu(norm(p, name + ".norm1", x))))
    if emb is not None:
        s, t = linear(p, name + ".emb", emb)[:, :, None, None].chunk(2, 1)
        h = torch.addcmul(h + t, h, s)
    skip = linear(p, name + ".skip", x) if name + ".skip.weight" in p else x
    return skip + conv(p, name + ".conv2", F.silu(h))


def blocks(p, name, h, emb=None):
    """The residual blocks of a level."""
    i = 0
    while f"{name}.block{i}.conv1.weight" in p:
        h, i = residual(p, f"{name}.block{i}", h, emb), i + 1
    return h


def levels(p, side):
    """The names of the levels of a side with a linear layer, between them and the one before."""
    i = 1
    while f"{side}{i}.weight" in p:
        yield f"{side}{i}"
        i += 1


def attention(p, name, x, heads):
    qkv = linear(p, name + ".qkv", norm(p, name + ".norm", x))
    qkv = qkv.flatten(2).unflatten(1, (3, heads, -1))
    q, k, v = qkv.transpose(3, 4).unbind(1)  # rows x heads x pixels x channels of a head
    if hasattr(F, "scaled_dot_product_attention"):
        y = F.scaled_dot_product_attention(q, k, v)
    else:
        y = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[3]), 3) @ v
    return x + linear(p, name + ".proj", y.transpose(2, 3).reshape(x.shape))


def end(p, h):
    return conv(p, "out", F.silu(norm(p, "norm", h)))


def decoder(p, z):
    h = blocks(p, "up0", conv(p, "in", z))
    for name in levels(p, "up"):
        h = blocks(p, name, F.pixel_shuffle(linear(p, name, h), 2))
    return end(p, h)


def unet(p, z, lam, frequencies, heads):
    emb = F.silu(linear(p, "emb1", features(lam, frequencies)))
    emb = F.silu(linear(p, "emb2", emb))
    skips = [blocks(p, "down0", conv(p, "in", z), emb)]
    for name in levels(p, "down"):
        skips.append(blocks(p, name, linear(p, name, F.pixel_unshuffle(skips[-1], 2)), emb))
    h = residual(p, "middle.block0", skips.pop(), emb)
    if heads > 0:
        h = attention(p, "middle", h, heads)
    h = residual(p, "middle.block1", h, emb)
    for i in reversed(range(len(skips))):
        h = torch.cat([F.pixel_shuffle(linear(p, f"up{i}", h), 2), skips[i]], 1)
        h = blocks(p, f"up{i}", h, emb)
    return end(p, h)


class Convolutional:
    """One graph of both networks, whose leaves are the parameters, z and z_lambda."""

    def __init__(self, piece, last=True, chunks=1, wrap=lambda f: f):
        self.work, self.last, self.frequencies = piece.run.work, last, piece.run.frequencies
        self.rows = [slice(*cut(len(piece.z), chunks, i)) for i in range(chunks)]
        self.losses = wrap(self.forward)

    def pictures(self, x, shape):
        """Rows of numbers, channels last, as pictures of the given height, width and channels."""
        x = x.view(-1, *shape).permute(0, 3, 1, 2)
        return x if self.last else x.contiguous()

    def forward(self, z, zl, phi, theta, x, lam, sigma, push, eps):
        work = self.work
        mean = decoder(phi, self.pictures(z, work.latent_shape))
        error = (mean - self.pictures(x, work.picture)).square().sum()
        r = unet(theta, self.pictures(zl, work.latent_shape), lam, self.frequencies,
                 work.score_heads)
        e = sigma * zl + r.permute(0, 2, 3, 1).reshape(zl.shape) - eps
        square = e.square().sum(1, keepdim=True)
        loss = error / work.obs_noise**2 + (push * square).sum()
        return loss / (2 * work.rows), error, square.sum()

    def gradients(self, p, zl, eps):
        sums = []
        for rows in self.rows:
            given = (t[rows] for t in (p.x, p.lam, p.sigma, p.push, eps))
            sums.append(self.chunk(p, rows, zl, given, first=not sums))
        return [sum(s) for s in zip(*sums)]

    def chunk(self, p, rows, zl, given, first):
        """Writes the drift of some rows, and the gradients or adds to them; returns the sums."""
        phi, theta = p.phi.leaves, p.theta.leaves
        z, zl = (t[rows].detach().requires_grad_() for t in (p.z, zl))
        with torch.enable_grad(), autocast(p.run.dtype):
            loss, error, square = self.losses(z, zl, phi, theta, *given)
        by = [z, zl, *phi.values(), *theta.values()]
        dz, dzl, *grads = torch.autograd.grad(loss, by)
        torch.addcmul(dz, dzl, p.pull[rows], out=p.drift[rows]).mul_(p.run.work.rows)
        for to, grad in zip([*p.phi.grads.values(), *p.theta.grads.values()], grads):
            to.copy_(grad) if first else to.add_(grad)
        return error.detach(), square.detach()


KINDS = {
    "last": Convolutional, "last-chunks": lambda p: Convolutional(p, chunks=4),
    "plain": lambda p: Convolutional(p, last=False),
}
if COMPILES:
    KINDS |= {
        "compile-last": lambda p: Convolutional(p, wrap=compiled),
        "compile-last-chunks": lambda p: Convolutional(p, chunks=4, wrap=compiled),
        "compile-plain": lambda p: Convolutional(p, last=False, wrap=compiled),
    }
IN_BF16 = [kind for kind in KINDS if "plain" not in kind]
