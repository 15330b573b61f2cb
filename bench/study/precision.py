"""Precision: does the rounding of the factors of products cost quality? With the standard library.

    python3 bench/study/precision.py bin/plume [--dir bin/precision] [--parts mlp,conv] [--seeds 3]

Trains and evaluates in each precision by `plume compare`, with the same seeds and the same number
of steps, in one directory for each part; what is there already is not computed again. Prints means
and standard deviations over the seeds, and the mean of the differences from float32 with the same
seed, with its standard error. README.md has what they mean.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess

PRECISIONS = ["float32", "bf16", "bf16x3"]  # the first one is what the others are compared with
METRICS = "pca,ffd,sliced,precision,reconstruction"

PARTS = {
    "mlp": "--epochs 360",
    "conv": "--data emoji --epochs 25 --decoder-channels 32,32,32 --unet-channels 32,64 "
            "--score-width 128 --prior-weight elbo --eval-samples 0",
}

# By the keys of plume's reports: a heading, decimals.
COLUMNS = {
    "train_recon_mse": ("training MSE", 5),
    "recon_mse": ("held-out MSE", 5),
    "energy": ("held-out energy, nats", 1),
    "prior_energy": ("energy of the prior", 1),
    "pca64_fd": ("PCA-64 FD", 2),
    "ffd": ("FFD", 2),
    "classifier_kid": ("classifier KID", 4),
    "sliced_w2": ("sliced W2", 4),
    "precision": ("precision", 3),
    "recall": ("recall", 3),
    "coverage": ("coverage", 3),
}


def compare(options, part):
    """Runs what is missing of a part, and returns its values by precision, metric and seed."""
    work = options.dir / part
    command = [options.plume, "compare", "--methods",
               ",".join(f"ipld:precision={name}" for name in PRECISIONS),
               *PARTS[part].split(), "--seeds", str(options.seeds), "--metrics", METRICS,
               "--threads", str(options.threads), "-o", str(work)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}")
    values = {name: {} for name in PRECISIONS}
    for run in json.loads((work / "results.json").read_text())["runs"]:
        name = run["contestant"].partition("precision=")[2]
        for key, value in run["values"].items():
            values[name].setdefault(key, {})[run["seed"]] = value
    return values


def numbers(values, decimals):
    return ", ".join(f"{values[seed]:,.{decimals}f}" for seed in sorted(values))


def mean_and(values, decimals, over=1.0):
    """The mean, and the standard deviation divided by over."""
    spread = statistics.stdev(values) / over if len(values) > 1 else math.nan
    return f"{statistics.mean(values):,.{decimals}f} ± {spread:,.{decimals}f}"


def table(values):
    """A row for each metric: mean and deviation by precision, and the paired differences."""
    first, *others = PRECISIONS
    heads = ["", *PRECISIONS, *(f"{name} - {first}" for name in others)]
    yield heads
    yield ["---"] * len(heads)
    for key, (heading, decimals) in COLUMNS.items():
        if key not in values[first]:
            continue
        row = [heading]
        row += [mean_and(list(values[name][key].values()), decimals) for name in PRECISIONS]
        for name in others:
            seeds = sorted(values[name][key])
            apart = [values[name][key][seed] - values[first][key][seed] for seed in seeds]
            row.append(mean_and(apart, decimals + 1, math.sqrt(len(apart))))
        yield row


def by_seed(values):
    """A row for each metric and precision: the values of the seeds."""
    yield ["", "precision", "seeds in their order"]
    yield ["---"] * 3
    for key, (heading, decimals) in COLUMNS.items():
        for name in PRECISIONS:
            if key in values[name]:
                yield [heading, name, numbers(values[name][key], decimals)]


def show(rows):
    for row in rows:
        print("|", " | ".join(row), "|")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("plume", help="the command")
    parser.add_argument("--dir", type=pathlib.Path, default="bin/precision")
    parser.add_argument("--parts", type=lambda s: s.split(","), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 1 upwards")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"parts {', '.join(sorted(unknown))}: expected some of {', '.join(PARTS)}")
    if options.seeds < 1:
        parser.error(f"{options.seeds} seeds: expected at least 1")
    for part in options.parts:
        print(f"**{part}**, {options.seeds} seeds\n", flush=True)
        values = compare(options, part)
        show(table(values))
        show(by_seed(values))


if __name__ == "__main__":
    main()
