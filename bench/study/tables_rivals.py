"""What plume is held against: ways to fill in missing cells, from scikit-learn and one Gaussian.

All work on encoded rows: numbers in standard deviations from the mean of the training rows, one
number for each category, NaN where missing. A rival is a function of (train, test, parameters, rng)
that returns test filled in, or of the same and a number of draws that returns these, first axis.
"""

import warnings

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge

warnings.simplefilter("ignore", ConvergenceWarning)


def mean(train, test, _, rng):
    """The column's mean, and most frequent category."""
    return SimpleImputer().fit(train).transform(test)


def neighbours(train, test, parameters, rng):
    k, weights = parameters
    return KNNImputer(n_neighbors=k, weights=weights).fit(train).transform(test)


def iterate(train, test, estimator, rng, rounds, posterior=False):
    """Iterative imputation of the training rows and the rows with holes together, as it is meant:
    its regressions would otherwise never see a row with holes, and stop after one round, where the
    training rows are complete. Values stay within the range of the training rows."""
    low, high = np.nanmin(train, 0), np.nanmax(train, 0)
    few = 20 if train.shape[1] > 40 else None  # columns that a regression uses, of many
    imputer = IterativeImputer(
        estimator, max_iter=rounds, min_value=low, max_value=high + 1e-9, n_nearest_features=few,
        sample_posterior=posterior, random_state=int(rng.integers(2 ** 31)))
    return imputer.fit_transform(np.concatenate([train, test]))[len(train):]


def ridge(train, test, rounds, rng):
    return iterate(train, test, BayesianRidge(), rng, rounds)


def ridge_draws(train, test, _, rng, draws):
    """Multiple imputation by chained equations: every draw is a chain of its own, of 5 rounds."""
    return np.stack([iterate(train, test, BayesianRidge(), rng, 5, True) for _ in range(draws)])


def trees(train, test, leaf, rng):
    """Iterative imputation by extremely randomised trees, after missForest."""
    estimator = ExtraTreesRegressor(10, min_samples_leaf=leaf, max_features=0.5, random_state=0)
    return iterate(train, test, estimator, rng, 4)


def gaussian(train, test, ridge, rng):
    return gaussian_draws(train, test, ridge, rng, 0)


def gaussian_draws(train, test, ridge, rng, draws):
    """Conditional means, or draws, of one Gaussian, fitted by expectation maximisation."""
    mu, cov = np.nanmean(train, 0), np.eye(train.shape[1])
    for _ in range(1 if not np.isnan(train).any() else 25):
        x, spread = fill(train, mu, cov)
        mu = x.mean(0)
        cov = (x - mu).T @ (x - mu) / len(x) + spread / len(x) + ridge * np.eye(len(mu))
    if draws == 0:
        return fill(test, mu, cov)[0]
    return fill(test, mu, cov, draws, rng)


def fill(rows, mu, cov, draws=0, rng=None):
    """The conditional means of rows, and the sum of their conditional covariances; or draws."""
    filled = np.where(np.isnan(rows), mu, rows)
    out = np.repeat(filled[None], draws, 0)
    spread = np.zeros_like(cov)
    for i, row in enumerate(rows):
        gone = np.isnan(row)
        if not gone.any():
            continue
        known = ~gone
        weights = np.linalg.solve(cov[np.ix_(known, known)], cov[np.ix_(known, gone)]).T
        filled[i, gone] += weights @ (row[known] - mu[known])
        rest = cov[np.ix_(gone, gone)] - weights @ cov[np.ix_(known, gone)]
        spread[np.ix_(gone, gone)] += rest
        if draws:
            noise = rng.multivariate_normal(np.zeros(gone.sum()), rest, draws, check_valid="ignore")
            out[:, i, gone] = filled[i, gone] + noise
    return out if draws else (filled, spread)


# Of each rival the candidates from which held-out cells of the training rows choose.
RIVALS = {
    "mean": (mean, [None]),
    "neighbours": (neighbours, [(k, w) for k in (5, 10, 20) for w in ("uniform", "distance")]),
    "ridge": (ridge, [5, 20]),
    "trees": (trees, [1, 4]),
    "gaussian": (gaussian, [1e-3, 1e-2, 1e-1]),
}
DRAWS = {"ridge": ridge_draws, "gaussian": gaussian_draws}
