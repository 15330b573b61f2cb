"""What the scripts for the comparison of steps share: the driver's files, and its questions.

A side answers every line on its standard input by one line:

    about              a description
    ways WORK          the ways in which it can do this work, separated by spaces
    check WORK WAY     does the recorded work, writes WORK.out, answers "ok" and numbers
    time WORK WAY      milliseconds for a step, or for all sampled images

A work is the training steps of a shape, or sampling. WORK.json describes it, WORK.start is the
initial state and WORK.noise the noise of the recorded work; its images are in a file that the
description names. All arrays are float32, without header. A way is one in bf16 if its name begins
with "bf16-".
"""

import json
import math
import pathlib
import sys
import time

import numpy as np

TURN = 0.5  # seconds of a measurement
FIRST = 0.2  # seconds of the first measurement, which compares ways


class Work:
    """A work: the fields of WORK.json, and some that follow from them."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.__dict__.update(json.loads((self.folder / f"{name}.json").read_text()))
        self.rows = self.batch * self.particles
        self.span = self.lambda_max - self.lambda_min
        widths = [self.latent, *self.decoder_widths, self.pixels]  # of MLPs
        d, w = self.latent, self.score_width
        self.decoder = list(zip(widths, widths[1:]))  # inputs and outputs of each layer
        self.score = [(self.score_features, w), (w, w), (d, w),
                      *[(w, w)] * (2 * self.score_blocks), (w, d)]
        self.frequencies = np.geomspace(0.05, 5, self.score_features // 2).astype(np.float32)

    def array(self, what, *shapes):
        """The concatenated arrays of WORK.what, which have the given shapes."""
        flat, out, at = np.fromfile(self.folder / f"{self.name}.{what}", np.float32), [], 0
        for shape in shapes:
            n = int(np.prod(shape))
            out.append(flat[at:at + n].reshape(shape))
            at += n
        assert at == flat.size, f"{self.name}.{what} has {flat.size} numbers, not {at}"
        return out

    def start(self):
        """Parameters of decoder and score network, as listed; positions; velocities."""
        cloud = (self.points * self.particles, self.latent)
        sizes = (sum(math.prod(p["shape"]) for p in params)
                 for params in (self.decoder_params, self.score_params))
        return self.array("start", *sizes, cloud, cloud)

    def noise(self):
        """For each recorded step: levels lambda, noise of the diffusion, and noise of the move."""
        matrix = (self.rows, self.latent)
        arrays = self.array("noise", *[(self.rows,), matrix, matrix] * len(self.steps))
        return [arrays[i:i + 3] for i in range(0, len(arrays), 3)]

    def latents(self):
        """The latents from which the recorded sampling starts."""
        return self.array("noise", (self.images, self.latent))[0]

    def pictures(self):
        """The images of the data set, one in each row."""
        return np.fromfile(self.folder / self.data, np.float32).reshape(self.points, self.pixels)

    def write(self, arrays):
        with open(self.folder / f"{self.name}.out", "wb") as file:
            for a in arrays:
                file.write(np.ascontiguousarray(a, np.float32).tobytes())

    def minibatches(self, rng):
        """The datapoints and the repeat of each step; every minibatch is repeated."""
        while True:
            order = rng.permutation(self.points)
            for i in range(self.points // self.batch):
                for repeat in range(self.repeats):
                    yield order[i * self.batch:(i + 1) * self.batch], repeat


def places(layers):
    """Where each layer is in the flat parameters: weight, bias, end; and the weight's shape."""
    at = 0
    for a, b in layers:
        yield at, at + a * b, at + a * b + b, (a, b)
        at += a * b + b


def mean_sech(work):
    """The mean of sech(lambda/2) over the range, the divisor of the weight "simple"."""
    gd = lambda x: 2 * np.arctan(np.tanh(x / 2))
    return 2 * (gd(work.lambda_max / 2) - gd(work.lambda_min / 2)) / work.span


def timed(run, group, seconds):
    """Milliseconds of a run, from whole groups of runs that take at least the given time."""
    start, n = time.perf_counter(), 0
    while True:
        for _ in range(group):
            run()
        n += group
        took = time.perf_counter() - start
        if took >= seconds:
            return 1e3 * took / n


def serve(about, ways, check, prepare):
    """Answers the questions by ways(work) and check(work, way), and times prepare(work, way)."""
    folder, works, ready = sys.argv[1], {}, {}
    for line in iter(sys.stdin.readline, ""):
        question, *words = line.split()
        if question == "about":
            print(about, flush=True)
            continue
        name = words[0]
        if name not in works:
            works[name] = Work(folder, name)
        work, key = works[name], tuple(words)
        if question == "ways":
            answer = " ".join(ways(work))
        elif question == "check":
            answer = check(work, words[1])
        else:
            seconds = TURN
            if key not in ready:
                ready[key], seconds = prepare(work, words[1]), FIRST
            ready[key]()  # replaces what others left in the caches, and wakes threads
            answer = timed(ready[key], work.repeats, seconds)
        print(answer, flush=True)
