"""Masks, the encoding of tables, and scores."""

import numpy as np
import pandas as pd

DRAWN = 39  # draws: between the outermost lie 95 %, between the 10th and the 30th 50 %


def split(frame, seed):
    """80 % of the rows for training and the others for tests, by seed."""
    order = np.random.default_rng(seed).permutation(len(frame))
    cut = len(frame) * 4 // 5
    return (frame.iloc[order[:cut]].reset_index(drop=True),
            frame.iloc[order[cut:]].reset_index(drop=True))


def holes(frame, seed, share=0.3):
    """Which cells are missing: share of them, at random; no row is left without a known cell."""
    gone = np.random.default_rng(seed).random(frame.shape) < share
    gone[gone.all(1), 0] = False
    return gone


class Encoding:
    """Rows as numbers: standardised by the training rows, categories as one number each."""

    def __init__(self, train):
        self.names, self.columns, at = list(train.columns), [], 0
        for name in self.names:
            values = train[name].dropna()
            if pd.api.types.is_numeric_dtype(values):
                self.columns.append((slice(at, at + 1), values.mean(), values.std(ddof=0), None))
                at += 1
                continue
            words = sorted(values.unique())
            self.columns.append((slice(at, at + len(words)), 0, 1, words))
            at += len(words)
        self.width = at

    def numbers(self, frame):
        """Rows x width, NaN where missing."""
        out = np.full((len(frame), self.width), np.nan)
        for name, (at, mean, scale, words) in zip(self.names, self.columns):
            cells = frame[name]
            if words is None:
                out[:, at.start] = (cells.astype(float) - mean) / scale
                continue
            known = cells.notna().to_numpy()
            out[known, at] = cells[known].to_numpy()[:, None] == np.array(words, object)
        return out

    def gone(self, cells):
        """Which numbers are missing, of which cells are."""
        return np.repeat(cells, [at.stop - at.start for at, *_ in self.columns], axis=1)


def errors(encoding, truth, guess, gone):
    """Over the missing cells: the mean over columns of the RMSE of numbers, in standard deviations,
    and of the share of categories that are right; NaN without such columns."""
    rmse, right = [], []
    for i, (at, _, _, words) in enumerate(encoding.columns):
        rows = gone[:, i]
        if not rows.any():
            continue
        x, y = truth[rows, at], guess[rows, at]
        if words is None:
            rmse.append(np.sqrt(np.mean((x - y) ** 2)))
        else:
            right.append(np.mean(x.argmax(1) == y.argmax(1)))
    return np.mean(rmse) if rmse else np.nan, np.mean(right) if right else np.nan


def coverage(encoding, truth, draws, gone, rng):
    """Of DRAWN draws: the shares of the missing numbers within their 50 % and 95 % intervals.

    A value has a rank from 0 to DRAWN among the draws, each as likely as any other if the draws
    are from the right distribution. Ties, such as of integers, are broken at random.
    """
    inner = outer = count = 0
    for i, (at, _, _, words) in enumerate(encoding.columns):
        if words is not None:
            continue
        x, y = truth[gone[:, i], at.start], draws[:, gone[:, i], at.start]
        ties = np.isclose(y, x, rtol=0, atol=1e-6)
        rank = ((y < x) & ~ties).sum(0) + rng.integers(0, ties.sum(0) + 1)
        outer += np.sum((rank >= 1) & (rank <= DRAWN - 1))
        inner += np.sum((rank >= 10) & (rank <= DRAWN - 10))
        count += len(x)
    return (inner / count, outer / count) if count else (np.nan, np.nan)
