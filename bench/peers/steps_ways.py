"""The ways to compute gradients with PyTorch, for steps.py.

A way is built for a Piece, the rows of one thread. gradients(piece, zl, eps) writes the parameters'
gradients of both mean losses to piece.phi.g and piece.theta.g, and the particles' drift to
piece.drift. It returns the sums over the rows of the squared pixel error and of |e|^2.
"""

import torch

from steps_torch import COMPILES, autocast, blocks, compiled, convolution, features, linear, silu

aten = torch.ops.aten


class Autograd:
    """One graph of both networks, whose leaves are the parameters, z and z_lambda."""

    def __init__(self, piece, affine=linear, wrap=lambda f: f):
        self.affine = affine
        self.losses = wrap(self.forward)

    def forward(self, z, zl, phi, theta, x, lam, sigma, push, eps, frequencies, variance, rows):
        a, affine = z, self.affine
        for l in range(0, len(phi) - 2, 2):
            a = silu(affine(a, *phi[l:l + 2]))
        mean = affine(a, *phi[-2:])
        error = (mean.view(len(x), -1, x.shape[1]) - x[:, None]).square().sum()

        emb = affine(silu(affine(features(lam, frequencies), *theta[:2])), *theta[2:4])
        h = blocks(affine(zl, *theta[4:6]), emb, theta[6:-2], affine)
        e = sigma * zl + affine(h, *theta[-2:]) - eps
        square = e.square().sum(1, keepdim=True)
        return (error / variance + (push * square).sum()) / (2 * rows), error, square.sum()

    def gradients(self, p, zl, eps):
        phi, theta = p.phi.leaves, p.theta.leaves
        z, zl = p.z.detach().requires_grad_(), zl.detach().requires_grad_()
        with torch.enable_grad(), autocast(p.run.dtype):
            loss, error, square = self.losses(
                z, zl, phi, theta, p.x, p.lam, p.sigma, p.push, eps, p.run.frequencies,
                p.run.variance, p.run.work.rows)
        dz, dzl, *grads = torch.autograd.grad(loss, [z, zl, *phi, *theta])
        torch.addcmul(dz, dzl, p.pull, out=p.drift).mul_(p.run.work.rows)
        n = len(phi)
        torch.cat([g.reshape(-1) for g in grads[:n]], out=p.phi.g)
        torch.cat([g.reshape(-1) for g in grads[n:]], out=p.theta.g)
        return error.detach(), square.detach()


class ByHand:
    """Forward and backward passes written out, with buffers that are reused. The buffers have the
    type of the factors of products, in which PyTorch's products also give their results."""

    def __init__(self, piece):
        self.kept, self.dtype = {}, piece.run.dtype

    def new(self, name, like, columns, dtype=None):
        if name not in self.kept:
            self.kept[name] = torch.empty(len(like), columns, dtype=dtype or self.dtype)
        return self.kept[name]

    def wide(self, name, x):
        """A float32 array of x's shape for what is computed from x: x itself, if it is float32."""
        return x if x.dtype is torch.float32 else self.new(name, x, x.shape[1], torch.float32)

    def affine(self, name, x, layer):
        return torch.addmm(layer[1], x, layer[0], out=self.new(name, x, layer[0].shape[1]))

    def silu(self, name, x):
        return aten.silu.out(x, out=self.new(name, x, x.shape[1]))

    def weights(self, x, dy, grad):
        """The gradients of a layer."""
        if self.dtype is torch.float32:
            torch.mm(x.t(), dy, out=grad[0])
        else:
            grad[0].copy_(torch.mm(x.t(), dy))
        torch.sum(dy, 0, dtype=torch.float32, out=grad[1])

    def back(self, name, dy, layer, pre=None):
        dx = torch.mm(dy, layer[0].t(), out=self.new(name, dy, layer[0].shape[0]))
        return dx if pre is None else aten.silu_backward.grad_input(dx, pre, grad_input=dx)

    def gradients(self, p, zl, eps):
        dz, error = self.decoder(p)
        dzl, square = self.score(p, zl, eps)
        torch.addcmul(dz, dzl, p.pull, out=p.drift).mul_(p.run.work.rows)
        return error, square

    def decoder(self, p):
        layers, grads = p.phi.layers, p.phi.grads
        inputs, pre = [p.z.to(self.dtype)], []
        for l, layer in enumerate(layers[:-1]):
            pre.append(self.affine(f"pre{l}", inputs[-1], layer))
            inputs.append(self.silu(f"act{l}", pre[-1]))
        y = self.affine("mean", inputs[-1], layers[-1])
        rows = len(p.x), -1, p.x.shape[1]
        e = self.wide("error", y)
        torch.sub(y.view(rows), p.x[:, None], out=e.view(rows))
        error = torch.dot(e.view(-1), e.view(-1))
        torch.mul(e, 1 / (p.run.variance * p.run.work.rows), out=y)
        for l in range(len(layers) - 1, -1, -1):
            self.weights(inputs[l], y, grads[l])
            y = self.back(f"dact{l}", y, layers[l], pre[l - 1] if l else None)
        return y, error

    def score(self, p, zl, eps):
        layers, grads = p.theta.layers, p.theta.grads
        feat, x = features(p.lam, p.run.frequencies).to(self.dtype), zl.to(self.dtype)
        pre = self.affine("pre", feat, layers[0])
        act = self.silu("act", pre)
        emb = self.affine("emb", act, layers[1])
        h, kept = self.affine("h", x, layers[2]), []
        for l in range(3, len(layers) - 1, 2):
            s = torch.add(h, emb, out=self.new(f"s{l}", h, h.shape[1]))
            a = self.silu(f"a{l}", s)
            u = self.affine(f"u{l}", a, layers[l])
            v = self.silu(f"v{l}", u)
            w2, b2 = layers[l + 1]
            h.addmm_(v, w2).add_(b2)
            kept.append((l, s, a, u, v))

        e = torch.addcmul(self.affine("r", h, layers[-1]), zl, p.sigma).sub_(eps)
        square = torch.dot(e.view(-1), e.view(-1))
        dr = torch.mul(e, p.push).mul_(1 / p.run.work.rows).to(self.dtype)
        self.weights(h, dr, grads[-1])
        dh, demb = self.back("dh", dr, layers[-1]), self.new("demb", h, h.shape[1]).zero_()
        for l, s, a, u, v in reversed(kept):
            self.weights(v, dh, grads[l + 1])
            du = self.back("du", dh, layers[l + 1], u)
            self.weights(a, du, grads[l])
            ds = self.back("ds", du, layers[l], s)
            demb.add_(ds)
            dh.add_(ds)
        self.weights(x, dh, grads[2])
        self.weights(act, demb, grads[1])
        self.weights(feat, self.back("dact", demb, layers[1], pre), grads[0])
        return torch.addcmul(self.back("dzl", dh, layers[2]), dr, p.sigma), square


KINDS = {"autograd": Autograd, "convolution": lambda p: Autograd(p, convolution), "by-hand": ByHand}
if COMPILES:
    KINDS["compile"] = lambda p: Autograd(p, wrap=compiled)
