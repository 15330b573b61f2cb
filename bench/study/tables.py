"""Tables: plume beside other ways to fill in missing cells, and what learners make of its samples.

    python3 bench/study/tables.py bin/plume [--dir bin/tables] [--tables wine,digits] [--seeds 1,2,3]

Rows are split, cells are removed, and plume is started as a user would start it, on CSV files. Each
result is a line of results.jsonl in --dir, and is not computed again; the tables of results go to
the standard output. README.md has what they mean.
"""

import argparse
import functools
import json
import pathlib
import shutil
import subprocess
import time

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tables_data import TABLES, fashion, with_target
from tables_rivals import DRAWS, RIVALS, gaussian, mean, neighbours
from tables_score import DRAWN, Encoding, coverage, errors, holes, split

REGIMES = {"whole": 0.0, "holes": 0.3}  # share of the training cells that is missing
MOST = 200  # rows to be filled in, at most


def plume(options, *args):
    command = [options.plume, *map(str, args), "-q", "--threads", str(options.threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stderr}")


def train(options, work, frame, seed):
    """Trains a run on the table, in work, and returns its directory."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    frame.to_csv(work / "train.csv", index=False)
    plume(options, "train", "--data", work / "train.csv", "--holdout", 0, "--seed", seed,
          "--out", work / "run", *options.flags.split())
    return work / "run"


def plume_fills(options, work, encoding, rows, test, seed):
    """The most probable cells, and DRAWN draws, as numbers."""
    run = train(options, work, rows, seed)
    test.to_csv(work / "test.csv", index=False)
    ask = ["impute", run, "--data", work / "test.csv", "--seed", seed]
    plume(options, *ask, "-o", work / "filled.csv")
    plume(options, *ask, "--particles", DRAWN, "--completions", "-o", work / "draws.csv")
    words = {name: str for name in rows.columns if not pd.api.types.is_numeric_dtype(rows[name])}
    filled = pd.read_csv(work / "filled.csv", dtype=words)
    drawn = pd.read_csv(work / "draws.csv", dtype=words)
    draws = [encoding.numbers(draw[rows.columns]) for _, draw in drawn.groupby("completion")]
    return encoding.numbers(filled[rows.columns]), np.stack(draws)


@functools.cache
def choose(name, table, regime, seed):
    """Of a rival's candidates the one that is best at cells of held-out training rows."""
    method, candidates = RIVALS[name]
    if len(candidates) == 1:
        return candidates[0]
    whole, _ = split(TABLES[table](), seed)
    rows, test = split(whole.mask(holes(whole, seed + 200, REGIMES[regime])), seed + 1000)
    test = test[:MOST]
    encoding = Encoding(rows)
    gone = holes(test, seed + 2000) & test.notna().to_numpy()
    truth = encoding.numbers(test)
    asked = np.where(encoding.gone(gone), np.nan, truth)

    def loss(candidate):
        guess = method(encoding.numbers(rows), asked, candidate, np.random.default_rng(seed))
        rmse, right = errors(encoding, truth, guess, gone)
        return np.nansum([rmse, 1 - right])

    return min(candidates, key=loss)


def impute(options, name, regime, seed, known):
    """One table, one seed: yields a result for each method that is not known."""
    whole, test = split(TABLES[name](), seed)
    test = test[:MOST]
    gone = holes(test, seed + 100)
    rows = whole.mask(holes(whole, seed + 200, REGIMES[regime]))
    encoding, rng = Encoding(rows), np.random.default_rng(seed)
    truth = encoding.numbers(test)
    inputs = encoding.numbers(rows), np.where(encoding.gone(gone), np.nan, truth)
    for method in ["plume", *RIVALS]:
        if method not in options.methods or known(method):
            continue
        start, chosen, draws = time.monotonic(), None, None
        if method == "plume":
            work = options.dir / f"{name}-{regime}-{seed}"
            guess, draws = plume_fills(options, work, encoding, rows, test.mask(gone), seed)
        else:
            chosen = choose(method, name, regime, options.seeds[0])
            start = time.monotonic()
            guess = RIVALS[method][0](*inputs, chosen, rng)
        seconds = time.monotonic() - start
        if method in DRAWS and (method != "ridge" or encoding.width <= 40):
            draws = DRAWS[method](*inputs, chosen, rng, DRAWN)
        rmse, right = errors(encoding, truth, guess, gone)
        inner, outer = (np.nan,) * 2 if draws is None else coverage(encoding, truth, draws, gone,
                                                                    rng)
        yield {"method": method, "rmse": rmse, "right": right, "in 50 %": inner,
               "in 95 %": outer, "seconds": seconds, "chosen": chosen}


def pictures(options, hole, seed, known):
    """Pictures of which pixels, or a rectangle, are missing: as arrays, with plume's networks."""
    order = np.random.default_rng(seed).permutation(2500)
    pixels = fashion()[order]
    rows, test = pixels[:2000], pixels[2000:2200]
    gone = np.random.default_rng(seed + 100).random(test.shape) < 0.3
    if hole == "rectangle":
        gone = np.zeros((28, 28), bool)
        gone[8:20, 8:20] = True
        gone = np.tile(gone.ravel(), (len(test), 1))
    asked, rng = np.where(gone, np.nan, test), np.random.default_rng(seed)
    for method in ["plume", "mean", "neighbours", "gaussian"]:
        if method not in options.methods or known(method):
            continue
        start, inside = time.monotonic(), (np.nan, np.nan)
        if method == "plume":
            work = options.dir / f"fashion-{seed}"
            if not (work / "run").exists():
                work.mkdir(parents=True)
                np.save(work / "train.npy", rows.reshape(-1, 28, 28))
                plume(options, "train", "--data", work / "train.npy", "--holdout", 0,
                      "--seed", seed, "--epochs", 500, "--out", work / "run")
            np.save(work / "test.npy", asked.reshape(-1, 28, 28))
            plume(options, "impute", work / "run", "--data", work / "test.npy",
                  "--particles", 16, "-o", work / "filled.npz")
            filled = np.load(work / "filled.npz")
            guess, std = filled["mean"].reshape(gone.shape), filled["std"].reshape(gone.shape)
            z = np.abs(guess - test)[gone] / std[gone]
            inside = np.mean(z < 0.6745), np.mean(z < 1.96)
        else:
            method_of = {"mean": mean, "neighbours": neighbours, "gaussian": gaussian}[method]
            parameters = {"neighbours": (10, "distance"), "gaussian": 0.01}.get(method)
            guess = method_of(rows, asked, parameters, rng)
        yield {"method": method, "rmse": float(np.sqrt(np.mean((guess - test)[gone] ** 2))),
               "right": np.nan, "in 50 %": float(inside[0]), "in 95 %": float(inside[1]),
               "seconds": time.monotonic() - start, "chosen": None}


def gaussian_rows(frame, target, rng):
    """As many rows of one Gaussian, or of one for each class in the same shares."""
    numbers = not pd.api.types.is_numeric_dtype(frame[target])
    parts = []
    for word, part in frame.groupby(target) if numbers else [(None, frame)]:
        x = part.drop(columns=target) if numbers else part
        drawn = rng.multivariate_normal(x.mean(), x.cov() + 1e-6 * np.diag(x.var()), len(x))
        made = pd.DataFrame(drawn, columns=x.columns)
        parts.append(made.assign(**{target: word}) if numbers else made)
    return pd.concat(parts)[frame.columns]


def learn(options, name, seed, known):
    """What learners score on real rows that learnt from real, from plume's and from Gaussian rows:
    the share of right classes, or R^2."""
    frame, target = with_target(name)
    rows, test = split(frame, seed)
    classes = not pd.api.types.is_numeric_dtype(frame[target])
    for method in ["real", "plume", "gaussian"]:
        if known(method):
            continue
        made = rows
        if method == "plume":
            work = options.dir / f"{name}-learn-{seed}"
            run = train(options, work, rows, seed)
            plume(options, "sample", run, "-n", len(rows), "--seed", seed,
                  "-o", work / "synthetic.csv")
            made = pd.read_csv(work / "synthetic.csv")[rows.columns]
        elif method == "gaussian":
            made = gaussian_rows(rows, target, np.random.default_rng(seed))
        boosting = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        line = LogisticRegression(max_iter=5000) if classes else Ridge()
        scores = []
        for learner in [boosting(random_state=0), make_pipeline(StandardScaler(), line)]:
            learner.fit(made.drop(columns=target), made[target])
            scores.append(learner.score(test.drop(columns=target), test[target]))
        yield {"method": method, "boosting": scores[0], "linear": scores[1]}


def jobs(options):
    """All experiments: what they are called, and what yields their results."""
    for name in options.tables:
        for regime in REGIMES:
            for seed in options.seeds:
                if name in TABLES and "impute" in options.tasks:
                    yield ({"task": "impute", "table": name, "regime": regime, "seed": seed},
                           lambda known: impute(options, name, regime, seed, known))
        for seed in options.seeds:
            if name in ("wine", "breast_cancer", "diabetes", "digits") and "learn" in options.tasks:
                yield ({"task": "learn", "table": name, "regime": "whole", "seed": seed},
                       lambda known: learn(options, name, seed, known))
            for hole in ("pixels", "rectangle") if name == "fashion" else ():
                yield ({"task": "impute", "table": name, "regime": hole, "seed": seed},
                       lambda known: pictures(options, hole, seed, known))


def report(results):
    """Means over the seeds, and their standard errors."""
    frame = pd.DataFrame(results)
    for task, part in frame.groupby("task"):
        values = ["rmse", "right", "in 50 %", "in 95 %", "seconds"]
        if task == "learn":
            values = ["boosting", "linear"]
        groups = part.groupby(["table", "regime", "method"], sort=False)[values]
        means, errors_of = groups.mean(), groups.sem()
        text = means.map("{:.3f}".format) + errors_of.map(" +- {:.3f}".format)
        print(f"\n{task}: means and standard errors over {part.seed.nunique()} seeds\n")
        print(text.to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    comma = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("plume", help="the command")
    parser.add_argument("--dir", type=pathlib.Path, default="bin/tables")
    parser.add_argument("--tables", type=comma, default=[*TABLES, "fashion"])
    parser.add_argument("--seeds", type=lambda text: [*map(int, comma(text))], default=[1, 2, 3])
    parser.add_argument("--tasks", type=comma, default=["impute", "learn"])
    parser.add_argument("--methods", type=comma, default=["plume", *RIVALS])
    parser.add_argument("--threads", type=int, default=0, help="plume's (0: all cores)")
    parser.add_argument("--flags", default="", help="more flags for plume train on tables")
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    path = options.dir / "results.jsonl"
    results = [json.loads(line) for line in path.open()] if path.exists() else []
    for job, run in jobs(options):
        done = {r["method"] for r in results if job.items() <= r.items()}
        for result in run(lambda method: method in done):
            results.append(job | result)
            print(json.dumps(results[-1]), flush=True)
            with path.open("a") as f:
                print(json.dumps(results[-1]), file=f)
    report(results)


main()
