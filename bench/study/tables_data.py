"""The tables of the study: name -> a frame of numbers and of categories (columns of strings).

Those of scikit-learn come with it. california and mixed are made here, from a fixed seed; the seeds
of the study split and mask them.
"""

import gzip
import pathlib

import numpy as np
import pandas as pd
from sklearn import datasets


def wine():
    """178 x 13: chemical analyses of wines."""
    return datasets.load_wine(as_frame=True).data


def breast_cancer():
    """569 x 30: measurements of cell nuclei, many of them nearly functions of others."""
    return datasets.load_breast_cancer(as_frame=True).data


def diabetes():
    """442 x 10: ten variables of patients; sex is one of two numbers."""
    return datasets.load_diabetes(as_frame=True).data


def digits():
    """1,797 x 64: pictures of digits, pixels from 0 to 16, as columns; without the 14 pixels that
    are the same in 95 % of the rows, whose standard deviations mean little."""
    frame = datasets.load_digits(as_frame=True).data
    usual = [(frame[name] == frame[name].mode()[0]).mean() for name in frame]
    return frame.loc[:, np.array(usual) < 0.95]


def mixed():
    """569 x 21: of the breast cancer table the ten means as numbers, five of the standard errors as
    quarters (four categories), five as above the median or not, and the diagnosis."""
    bunch = datasets.load_breast_cancer(as_frame=True)
    frame = bunch.data.iloc[:, :10].copy()
    for i, name in enumerate(bunch.data.columns[10:20]):
        if i % 2 == 0:
            words = ["lowest", "low", "high", "highest"]
            frame[name] = pd.qcut(bunch.data[name], 4, labels=words).astype(str)
        else:
            above = bunch.data[name] > bunch.data[name].median()
            frame[name] = np.where(above, "true", "false")
    frame["diagnosis"] = bunch.target_names[bunch.target]
    return frame


def california(rows=5000, seed=0):
    """5,000 x 9, like the census blocks of the California housing table, but made up.

    Blocks lie about twelve towns and in the country. A town has an income of its own; incomes are
    log-normal, lower far from the coast. Counts of people, households and rooms are integers that
    follow the size of a block, and are skewed. The value of a house follows the income, the coast
    and the age, with noise, and is cut off at 500,001. The proximity of the ocean is a category.
    """
    rng = np.random.default_rng(seed)
    towns = rng.uniform([-4, 33], [4, 41], (12, 2))
    wealth = rng.normal(0, 0.25, 12)
    town = rng.choice(12, rows, p=rng.dirichlet(np.full(12, 2.0)))
    rural = rng.random(rows) < 0.2
    place = towns[town] + rng.normal(0, 0.15, (rows, 2))
    place[rural] = rng.uniform([-4, 33], [4, 41], (rural.sum(), 2))
    inland = place[:, 0] + 3 + 0.4 * np.sin(place[:, 1])  # degrees east of the coast
    income = np.exp(1.2 - 0.06 * inland + np.where(rural, -0.1, wealth[town])
                    + rng.normal(0, 0.4, rows))
    age = np.clip(rng.normal(np.where(rural, 22, 32), 11), 1, 52).round()
    households = np.exp(rng.normal(6, 0.7, rows) - 0.01 * (age - 30)).round() + 1
    people = rng.poisson(households * rng.normal(2.9, 0.5, rows).clip(1.2)) + 2
    rooms = rng.poisson(households * (3.2 + 0.55 * income ** 0.8)) + 2
    value = 45_000 * income ** 0.9 * np.exp(0.25 * np.exp(-inland / 0.7) + 0.004 * (age - 28)
                                            + rng.normal(0, 0.25, rows))
    near = np.select([inland < 0.4, inland < 1.2], ["ocean", "bay"], "inland")
    return pd.DataFrame({
        "longitude": (place[:, 0] - 119).round(2), "latitude": place[:, 1].round(2), "age": age,
        "rooms": rooms, "people": people, "households": households, "income": income.round(4),
        "value": value.clip(15_000, 500_001).round(-2), "proximity": near,
    })


def fashion(rows=2500, seed=0):
    """Of plume's pictures of Fashion-MNIST, 28 x 28 pixels as numbers in [-1, 1]."""
    embedded = pathlib.Path(__file__).parents[2] / "trainer/data/embedded"
    with gzip.open(embedded / "t10k-images-idx3-ubyte.gz") as f:
        pixels = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 784)
    index = np.random.default_rng(seed).permutation(len(pixels))[:rows]
    return pixels[index].astype(np.float32) / 127.5 - 1


TABLES = {
    "wine": wine, "diabetes": diabetes, "breast_cancer": breast_cancer, "mixed": mixed,
    "digits": digits, "california": california,
}


def with_target(name):
    """A table to learn from: its frame, and the name of the column to be predicted."""
    if name == "diabetes":
        bunch = datasets.load_diabetes(as_frame=True)
        return bunch.frame.rename(columns={"target": "progression"}), "progression"
    bunch = {"wine": datasets.load_wine, "breast_cancer": datasets.load_breast_cancer,
             "digits": datasets.load_digits}[name](as_frame=True)
    words = np.array([f"class {c}" for c in bunch.target_names])
    return bunch.data.assign(target=words[bunch.target]), "target"
