"""Records the golden test of package method: plume's training step, written again in PyTorch.

    python3 trainer/method/testdata/golden.py           # writes golden.safetensors beside itself
    python3 trainer/method/testdata/golden.py --check   # only compares the file with a new run

Needs PyTorch and NumPy (Debian: apt-get install python3-torch). The committed file was recorded
with PyTorch 2.15.0 and NumPy 2.4.6; its metadata repeats the versions. Nothing
here depends on the random numbers of either library.

Everything is float64, all gradients are autograd's, the optimisers are torch.optim's. Only the
definitions are shared with the Go code: ALGORITHM.md, and the doc comments of
kernel/philox.go (layout of the noise), model.Layout.Init, model.ResidualScore and
diffusion.BoundTape.Begin.

The file (safetensors; arrays F32, sums F64, integers U32) holds, for each case of CASES:
    CASE/init/...     parameters and cloud as the seed makes them
    CASE/start/...    the state that the ten steps start from
    CASE/forward/...  values of both networks at chosen inputs
    CASE/first/...    levels lambda, gradients and drifts of the first step's last evaluation
    CASE/stepNN/...   the state after step NN
    CASE/stats        a row of sums for each step, see STATS
    CASE/sample/...   latents and images of each solver, with the parameters of start
and its metadata holds each case's configuration, as TOML.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "internal" / "reference"))
import recorded
from recorded import single

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

PATH = pathlib.Path(__file__).parent / "golden.safetensors"
STEPS = 10
STATS = ["SquareError", "DataLoss", "PriorLoss", "Moved", "Clipped", "Anchor"]

# ---- Configurations ---------------------------------------------------------------------------

BASE = dict(
    latent=5, likelihood="gaussian", obs_noise=0.2, decoder_widths=[8, 10],
    score_width=8, score_blocks=2, score_features=6,
    lambda_min=-10.0, lambda_max=10.0,
    particles=2, dynamics="underdamped",
    step_size=2e-3, step_size_end=5e-4, step_schedule="geometric", friction=0.3,
    batch_repeats=1, inner_steps=1, score_draws=1, scale_anchor=0.0, drift_clip=0.3, catch_up=0,
    prior_warmup=0, prior_weight="elbo", prior_drift="bound", control_variate=False,
    optimizer="adam", lr=1e-3, lr_end=0.05, lr_schedule="cosine", score_lr=1.0, ema=0.999,
)


def case(method="ipld", points=10, batch=4, seed=1, record=(1, STEPS), out=0.3, spread=1.0,
         **options):
    """A case: the out layer of the score network starts at scale out, the cloud at scale spread."""
    assert options.keys() <= BASE.keys()
    return dict(method=method, points=points, batch=batch, seed=seed, record=list(record), out=out,
                spread=spread, options={**BASE, **options})


CASES = {
    "underdamped": case(
        batch=6, seed=2**40 + 7, record=range(1, STEPS + 1), decoder_widths=[16, 24],
        score_width=16, score_features=8),
    "overdamped": case(
        dynamics="overdamped", optimizer="sgd", lr=3e-4, lr_schedule="constant",
        step_schedule="constant", particles=1),
    "variate": case(control_variate=True, ema=0.4, step_schedule="cosine"),
    "draws": case(score_draws=2, dynamics="overdamped", ema=0, out=0),
    "simple": case(prior_weight="simple", optimizer="rmsprop", score_lr=0.5, catch_up=3),
    "anchor": case(scale_anchor=5.0, spread=1.5, inner_steps=2, particles=3),
    "repeats": case(batch_repeats=2, catch_up=4, drift_clip=0.03),
    "score": case(prior_drift="score", prior_warmup=3, friction=1.0),
    "clipped": case(likelihood="clipped", spread=9.0, drift_clip=0),
    "pgd": case(method="pgd", dynamics="overdamped", drift_clip=0),
    "everything": case(
        latent=33, lambda_min=-8.0, lambda_max=9.0, control_variate=True, score_draws=2,
        prior_weight="simple", scale_anchor=20.0, spread=1.3, inner_steps=2, batch_repeats=2,
        catch_up=3, drift_clip=0.05, ema=0.3, prior_warmup=1),
}
DIM = 12  # numbers in an image

# ---- The noise stream (section 9) -------------------------------------------------------------

INIT, CLOUD, MOVE, SCORE_NOISE, LAMBDA, SHUFFLE = 1, 2, 3, 4, 5, 6
SAMPLE_PRIOR, SAMPLE_NOISE = 8, 9
GROUP = 32


def philox(counter, key):
    """Philox4x32-10: counter is four uint64 arrays of 32-bit values, key two ints."""
    mask = np.uint64(0xFFFFFFFF)
    c, (k0, k1) = [np.asarray(x, np.uint64) for x in counter], key
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        high_p, high_q = p >> np.uint64(32), q >> np.uint64(32)
        c = [high_q ^ c[1] ^ np.uint64(k0), q & mask, high_p ^ c[3] ^ np.uint64(k1), p & mask]
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c


def known_answers():
    """Random123's published vectors for philox4x32-10."""
    for counter, key, want in [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]:
        got = " ".join("%08x" % int(w) for w in philox(counter, key))
        assert got == want, (got, want)


def words(n, seed, step, stream, first=0):
    """n words from group first on, as groups x word 0..3 x lane 0..7: element 8 w + l of group g
    is word w of block 8 g + l."""
    groups = -(-n // GROUP)
    block = np.array([8 * (first + g) + l for g in range(groups) for l in range(8)], np.uint64)
    high, low = block >> np.uint64(32), block & np.uint64(0xFFFFFFFF)
    counter = [low, high, np.full_like(low, step), np.full_like(low, stream)]
    out = philox(counter, (seed % 2**32, seed >> 32))
    return np.stack(out).reshape(4, groups, 8).transpose(1, 0, 2)


def unit(w):
    """Numbers in (0, 1] from the upper 24 bits of words."""
    return ((w >> np.uint64(8)) + np.uint64(1)).astype(np.float64) * 2.0**-24


def uniform(n, *key, first=0):
    return unit(words(n, *key, first=first).reshape(-1)[:n])


def normal(n, *key, first=0):
    w = words(n, *key, first=first)
    radius = np.sqrt(-2 * np.log(unit(w[:, 0::2])))
    angle = np.pi * w[:, 1::2].astype(np.uint32).astype(np.int32).astype(np.float64) * 2.0**-31
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 2).reshape(-1)[:n]


def normal_rows(ids, d, *key):
    """A row of d normals for each id; every row starts a new group."""
    return torch.from_numpy(np.stack([normal(d, *key, first=int(i) * -(-d // GROUP)) for i in ids]))


def permutation(n, *key):
    """Fisher and Yates from the back, partners by multiply-shift."""
    perm, w = list(range(n)), words(max(n, 1), *key).reshape(-1)
    for count, i in enumerate(range(n - 1, 0, -1)):
        j = int(w[count]) * (i + 1) >> 32
        perm[i], perm[j] = perm[j], perm[i]
    return perm


# ---- Networks (section 5) ---------------------------------------------------------------------


def decoder_shapes(o):
    widths = [o["latent"], *o["decoder_widths"], DIM]
    return [(f"layer{i}", a, b) for i, (a, b) in enumerate(zip(widths, widths[1:]))]


def score_shapes(o):
    d, w = o["latent"], o["score_width"]
    shapes = [("emb1", o["score_features"], w), ("emb2", w, w), ("in", d, w)]
    for l in range(o["score_blocks"]):
        shapes += [(f"block{l}.w1", w, w), (f"block{l}.w2", w, w)]
    return shapes + [("out", w, d)]


def initial(shapes, seed, net):
    """The flat buffer of a network: weight (inputs x outputs), then bias, layer by layer."""
    flat = []
    for k, (name, a, b) in enumerate(shapes):
        for i, n in enumerate([a * b, b]):
            u = uniform(n, seed, net, INIT, first=(2 * k + i) << 32)
            flat.append(np.zeros(n) if name == "out" else (2 * u - 1) / math.sqrt(a))
    return np.concatenate(flat)


def layers(shapes, flat):
    """name -> (weight, bias), views of the flat tensor."""
    at, out = 0, {}
    for name, a, b in shapes:
        out[name] = flat[at:at + a * b].view(a, b), flat[at + a * b:at + a * b + b]
        at += a * b + b
    assert at == flat.numel()
    return out


def affine(x, layer):
    return x @ layer[0] + layer[1]


silu = torch.nn.functional.silu


class Model:
    def __init__(self, o, phi, theta):
        self.o, self.phi, self.theta = o, phi, theta

    def decode(self, z):
        *hidden, last = layers(decoder_shapes(self.o), self.phi).values()
        for l in hidden:
            z = silu(affine(z, l))
        return affine(z, last)

    def residual(self, z, lam):
        """r_theta for rows of z at levels lam."""
        net = layers(score_shapes(self.o), self.theta)
        freq = torch.from_numpy(np.geomspace(0.05, 5, self.o["score_features"] // 2))
        phase = lam[:, None] * freq
        features = torch.cat([phase.sin(), phase.cos()], 1)
        emb = affine(silu(affine(features, net["emb1"])), net["emb2"])
        h = affine(z, net["in"])
        for l in range(self.o["score_blocks"]):
            h = h + affine(silu(affine(silu(h + emb), net[f"block{l}.w1"])), net[f"block{l}.w2"])
        return affine(h, net["out"])

    def eps(self, z, lam):
        """Predicted noise, the same level for all rows (section 1)."""
        return sigma(lam) * z + self.residual(z, torch.full((len(z),), lam))


# ---- The diffusion (sections 1 and 2) ---------------------------------------------------------


def alpha(lam):
    return torch.sigmoid(torch.as_tensor(lam)).sqrt()


def sigma(lam):
    return torch.sigmoid(-torch.as_tensor(lam)).sqrt()


def levels(o, rows, seed, step):
    """Stratified levels: lambda_i = min + span (pi(i) + U) / rows."""
    pi = permutation(rows, seed, step, LAMBDA)
    u = uniform(1, seed, step, LAMBDA, first=2**32)[0]
    return o["lambda_min"] + (o["lambda_max"] - o["lambda_min"]) * (torch.tensor(pi) + u) / rows


def weight(o, lam):
    """Weight of the levels in theta's loss, of mean 1 over the range."""
    if o["prior_weight"] == "elbo":
        return torch.ones_like(lam)
    grid = torch.linspace(o["lambda_min"], o["lambda_max"], 200001)
    mean = torch.trapezoid(1 / torch.cosh(grid / 2), grid) / (grid[-1] - grid[0])
    return 1 / torch.cosh(lam / 2) / mean


def normal_nll(z):
    return (z**2).sum(1) / 2 + z.shape[1] / 2 * math.log(2 * math.pi)


def prior_terms(case, model, z, ids, step):
    """Per row: the bound l_theta; then theta's loss (a mean), the drift by z, and the levels."""
    o, d = case["options"], z.shape[1]
    span, draws = o["lambda_max"] - o["lambda_min"], o["score_draws"]
    rows = len(z) * draws
    lam = levels(o, rows, case["seed"], step)
    a, s = alpha(lam)[:, None], sigma(lam)[:, None]
    noise_ids = [i * draws + j for i in ids for j in range(draws)]
    eps = normal_rows(noise_ids, d, case["seed"], step, SCORE_NOISE)

    z = z.detach().requires_grad_()
    zl = a * z.repeat_interleave(draws, 0) + s * eps
    r = model.residual(zl, lam)
    e = s * zl + r - eps
    square = (e**2).sum(1)
    lo, hi = o["lambda_min"], o["lambda_max"]
    bound = span / 2 * square.view(-1, draws).mean(1)
    a2, s2 = alpha(lo)**2, sigma(lo)**2
    bound = bound + (a2 * (z**2).sum(1) + d * (s2 - 1 - s2.log())) / 2
    bound = bound + d / 2 * ((2 * math.pi * sigma(hi)**2 / alpha(hi)**2).log() + 1)
    loss = (weight(o, lam) * span / 2 * square).mean()

    if o["prior_drift"] == "score":
        drift = model.eps(z, hi) / sigma(hi)
    elif o["control_variate"]:
        (back,) = torch.autograd.grad(r, zl, e, retain_graph=True)
        drift = (span * a * (back + s * r)).view(-1, draws, d).mean(1) + alpha(hi)**2 * z
    else:
        (drift,) = torch.autograd.grad(bound.sum(), z, retain_graph=True)
    return bound, loss, drift, lam


# ---- The training step (section 4) ------------------------------------------------------------


def scheduled(kind, start, end, done):
    return {"constant": start, "geometric": start ** (1 - done) * end**done,
            "cosine": end + (start - end) * (1 + math.cos(math.pi * done)) / 2}[kind]


class Network:
    """A flat parameter tensor with its optimiser and moving average."""

    def __init__(self, o, p):
        self.p, self.steps = torch.from_numpy(p.copy()).requires_grad_(), 0
        self.average = torch.from_numpy(p.copy())
        self.decay = o["ema"]
        make = {"adam": lambda p: torch.optim.Adam(p, betas=(0.9, 0.999), eps=1e-8),
                "rmsprop": lambda p: torch.optim.RMSprop(p, alpha=0.99, eps=1e-8),
                "sgd": lambda p: torch.optim.SGD(p, lr=1)}
        self.optimizer = make[o["optimizer"]]([self.p])

    def update(self, gradient, lr):
        self.optimizer.param_groups[0]["lr"] = lr
        self.p.grad = gradient
        self.optimizer.step()
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.average = decay * self.average + (1 - decay) * self.p.detach()

    def state(self):
        out = {"params": self.p.detach()}
        if self.decay > 0:
            out["ema"] = self.average
        state = self.optimizer.state[self.p]
        for name, key in [
            ("moment1", "exp_avg"), ("moment2", "exp_avg_sq"), ("moment2", "square_avg"),
        ]:
            if key in state:
                out[name] = state[key].clone()
        return {k: v.numpy().copy() for k, v in out.items()}


class Flow:
    def __init__(self, case, phi, theta, x, z):
        o = self.o = case["options"]
        self.case, self.x = case, torch.from_numpy(x)
        self.z, self.u = torch.from_numpy(z.copy()), torch.zeros(z.shape)
        self.visited = {}  # datapoint -> minibatch of its last visit
        self.decoder, self.prior = Network(o, phi), Network(o, theta)
        self.model = Model(o, self.decoder.p, self.prior.p)
        self.mean_square = float((self.z**2).mean())
        self.moves = self.steps = 0
        self.beyond = 0.0  # the largest share of outputs beyond -1 and 1

    def step(self, index, number, progress):
        """One step on the datapoints of index; returns the stats' row and what `first` records."""
        o, n = self.o, self.o["particles"]
        ids = [m * n + k for m in index for k in range(n)]
        h = scheduled(o["step_schedule"], o["step_size"], o["step_size_end"], progress)
        lr = scheduled(o["lr_schedule"], o["lr"], o["lr"] * o["lr_end"], progress)
        missed = [number - self.visited.get(m, number) for m in index for _ in range(n)]
        steps = [max(1, min(o["catch_up"], k)) for k in missed]
        h = h * torch.tensor(steps, dtype=torch.float64)[:, None]
        anchor = o["scale_anchor"] * max(0, self.mean_square - 1)
        held = self.case["method"] == "pgd" or self.steps < o["prior_warmup"]
        clipped = 0
        for _ in range(o["inner_steps"]):
            data, terms = self.data_terms(ids, index), None
            if not held:
                terms = prior_terms(self.case, self.model, self.z[ids], ids, self.moves)
            drift = self.z[ids] if held else terms[2].detach()
            phi_grad, theta_grad = self.gradients(data, terms)
            clipped += self.move(ids, data["drift"] + drift + anchor * self.z[ids], h)
            new = float((self.z[ids]**2).mean())
            self.mean_square += (new - self.mean_square) * len(index) / self.case["points"]
            self.moves += 1
        nll = normal_nll(data["z"]) if held else terms[0]
        first = {"decoder_grad": phi_grad, "decoder_drift": data["drift"], "prior_drift": drift}
        self.decoder.update(phi_grad, lr)
        if not held:
            self.prior.update(theta_grad, o["score_lr"] * lr)
            first.update(prior_grad=theta_grad, **{"lambda": terms[3]})
        self.steps += 1
        self.visited.update({m: number for m in index})
        moved = len(ids) * o["inner_steps"]
        stats = [data["square"], data["loss"], float(nll.sum().detach()), moved, clipped, anchor]
        return stats, {k: v.detach().numpy().copy() for k, v in first.items()}

    def data_terms(self, ids, index):
        """-log p(x|z), and of what is differentiated the mean for phi and the drift by z."""
        z = self.z[ids].detach().requires_grad_()
        x = self.x[index].repeat_interleave(self.o["particles"], 0)
        y = mean = self.model.decode(z)
        if self.o["likelihood"] == "clipped":
            mean = y.clamp(-1, 1)
        loss = -torch.distributions.Normal(mean, self.o["obs_noise"]).log_prob(x).sum(1)
        down = loss
        if self.o["likelihood"] == "clipped":  # the bound: its derivative by y is clip(y) - x
            huber = torch.nn.functional.huber_loss(y, torch.zeros_like(y), reduction="none")
            down = (huber - y * x).sum(1) / self.o["obs_noise"]**2
            self.beyond = max(self.beyond, float((y.abs() > 1).double().mean()))
        (drift,) = torch.autograd.grad(down.sum(), z, retain_graph=True)
        square = float(((mean - x)**2).sum().detach())
        return dict(z=z.detach(), mean=down.mean(), drift=drift, square=square,
                    loss=float(loss.sum().detach()))

    def gradients(self, data, terms):
        (phi,) = torch.autograd.grad(data["mean"], self.decoder.p)
        if terms is None:
            return phi, None
        (theta,) = torch.autograd.grad(terms[1], self.prior.p)
        return phi, theta

    def move(self, ids, g, h):
        """Step 7 or 7', clipped per row; returns the number of rows clipped."""
        o = self.o
        xi = normal_rows(ids, o["latent"], self.case["seed"], self.moves, MOVE)
        push = h * g
        rms = (push**2).mean(1, keepdim=True).sqrt()
        over = torch.zeros_like(rms, dtype=torch.bool)
        if o["drift_clip"] > 0:
            over = rms > o["drift_clip"]
        push = torch.where(over, push * o["drift_clip"] / rms, push)
        if o["dynamics"] == "overdamped":
            self.z[ids] += -push + (2 * h).sqrt() * xi
        else:
            f = o["friction"]
            self.u[ids] = (1 - f) * self.u[ids] - push + (2 * f * h).sqrt() * xi
            self.z[ids] += self.u[ids]
        return int(over.sum())

    def state(self):
        out = {"cloud/z": self.z.numpy().copy(), "cloud/mean_square": np.array([self.mean_square])}
        if self.o["dynamics"] == "underdamped":
            out["cloud/u"] = self.u.numpy().copy()
        nets = {"decoder": self.decoder}
        if self.case["method"] == "ipld":
            nets["prior"] = self.prior
        for name, net in nets.items():
            out.update({f"{name}/{k}": v for k, v in net.state().items()})
        return out


def minibatches(case):
    """(number, progress, datapoints) of each of the ten steps."""
    m, repeats = case["points"], case["options"]["batch_repeats"]
    per_epoch = -(-m // case["batch"])
    for k in range(STEPS):
        number = k // repeats
        epoch, b = divmod(number, per_epoch)
        order = permutation(m, case["seed"], epoch, SHUFFLE)
        yield number, k / STEPS, order[b * m // per_epoch:(b + 1) * m // per_epoch]


# ---- Sampling (section 6) ---------------------------------------------------------------------

SAMPLES = {"ancestral": 20, "ddim": 10, "dpm++2m": 8}  # steps of each solver
SAMPLE_ROWS = 6


def sample(case, model, solver):
    o, seed, steps = case["options"], case["seed"], SAMPLES[solver]
    ids, d = range(SAMPLE_ROWS), o["latent"]
    z = normal_rows(ids, d, seed, 0, SAMPLE_PRIOR)
    grid, last = np.linspace(o["lambda_min"], o["lambda_max"], steps + 1), None
    for k, (s, t) in enumerate(zip(grid, grid[1:])):
        eps = model.eps(z, s)
        x = (z - sigma(s) * eps) / alpha(s)
        if solver == "ancestral":
            c = 1 - math.exp(s - t)
            z = alpha(t) / alpha(s) * (z - c * sigma(s) * eps)
            if k < steps - 1:
                z = z + sigma(t) * math.sqrt(c) * normal_rows(ids, d, seed, k, SAMPLE_NOISE)
        elif solver == "ddim":
            z = alpha(t) * x + sigma(t) * eps
        else:  # in the half log-SNR, as Lu et al. 2022 write it
            h = (t - s) / 2
            ratio = 0 if last is None else h / (2 * last[0])
            data = x if last is None else (1 + ratio) * x - ratio * last[1]
            z = sigma(t) / sigma(s) * z - alpha(t) * math.expm1(-h) * data
            last = h, x
    x = model.decode(z)
    return {"z": z, "x": x.clamp(-1, 1) if o["likelihood"] == "clipped" else x}


# ---- Recording --------------------------------------------------------------------------------


def record(name, case, out):
    o, n = case["options"], case["points"] * case["options"]["particles"]
    rng = lambda count, number: normal(count, 99, number, INIT)  # a seed that no case has
    phi = initial(decoder_shapes(o), case["seed"], 0)
    theta = initial(score_shapes(o), case["seed"], 1)
    z = normal_rows(range(n), o["latent"], case["seed"], 0, CLOUD).numpy()
    out["init/decoder/params"], out["init/cloud/z"] = phi, z
    if case["method"] == "ipld":
        out["init/prior/params"] = theta.copy()
    tail = (o["score_width"] + 1) * o["latent"]
    theta[-tail:] = case["out"] * rng(tail, 1)
    phi, theta, z = single(phi), single(theta), single(case["spread"] * z)
    x = single(np.tanh(rng(case["points"] * DIM, 2))).reshape(-1, DIM)
    if o["likelihood"] == "clipped":  # some pixels at the limits
        x = single(np.clip(1.5 * x, -1, 1))
    flow = Flow(case, phi, theta, x, z)
    out["x"] = x
    out.update({f"start/{k}": v for k, v in flow.state().items()})
    with torch.no_grad():
        forward(case, flow.model, out)

    stats = []
    for k, (number, progress, index) in enumerate(minibatches(case), 1):
        row, first = flow.step(index, number, progress)
        stats.append(row)
        if k == 1:
            out.update({f"first/{key}": v for key, v in first.items()})
        state = flow.state()
        keep = state if k in case["record"] else {"cloud/z": state["cloud/z"]}
        out.update({f"step{k:02d}/{key}": v for key, v in keep.items()})
    out["stats"] = np.array(stats, np.float64)
    print(f"{name}: clipped {[r[4] for r in stats]}, "
          f"anchor {stats[0][5]:.3g} to {stats[-1][5]:.3g}, "
          f"beyond {flow.beyond:.2g}, data loss {stats[0][1]:.4g} to {stats[-1][1]:.4g}, "
          f"prior loss {stats[0][2]:.4g} to {stats[-1][2]:.4g}")


def forward(case, model, out):
    """Values of both networks, and the samples, at the starting parameters."""
    d, lam = case["options"]["latent"], single(np.linspace(-9.5, 9.5, 7))
    z = single(2 * normal(7 * d, 99, 3, INIT)).reshape(-1, d)
    out["forward/z"], out["forward/decoder"] = z, model.decode(torch.from_numpy(z))
    if case["method"] == "pgd":
        return
    out["forward/lambda"] = lam
    out["forward/residual"] = model.residual(torch.from_numpy(z), torch.from_numpy(lam))
    for solver in SAMPLES:
        out.update({f"sample/{solver}/{k}": v for k, v in sample(case, model, solver).items()})


def record_normals(out):
    """The first normals of some keys, in more than one group."""
    keys = [  # seed, step, stream, group
        (0, 0, CLOUD, 0), (2**63 + 12345, 7, MOVE, 3),
        (42, 2**32 - 1, SCORE_NOISE, 2**32 - 1), (1, 1, SAMPLE_NOISE, 2**40),
    ]
    halves = [[s % 2**32, s >> 32, step, stream, g % 2**32, g >> 32] for s, step, stream, g in keys]
    values = [normal(72, s, step, stream, first=g) for s, step, stream, g in keys]
    out["normals/keys"] = np.array(halves, np.uint32)
    out["normals/values"] = np.stack(values).astype(np.float32)


def stored(name, x):
    """x in the type in which the file keeps it."""
    return np.asarray(x, np.float64 if name.endswith(("stats", "/mean_square")) else np.float32)


def run():
    """All tensors, and the metadata."""
    known_answers()
    tensors, metadata = {}, {"torch": torch.__version__, "numpy": np.__version__}
    record_normals(tensors)
    for name, c in CASES.items():
        out = {}
        record(name, c, out)
        tensors.update({f"{name}/{k}": stored(k, v) for k, v in out.items()})
        about = {"method": c["method"], "batch": c["batch"], "seed": c["seed"]}
        table = lambda d: "".join(f"{k} = {json.dumps(v)}\n" for k, v in d.items())
        metadata[name] = table(about) + "[options]\n" + table(c["options"])
    metadata["stats"], metadata["samples"] = json.dumps(STATS), json.dumps(SAMPLES)
    return tensors, metadata


if __name__ == "__main__":
    recorded.main(PATH, run)
