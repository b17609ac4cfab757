"""Fictitious tables of other kinds than those that the engine was tuned on, and wide columns alone.

Belongs here: one function a shape, fixed but for the number of rows.  Does not belong here: case
records (``case_records``), files, figures.

The five of :data:`SHAPES` are scored, never tuned on: whoever changes the engine to make one of
them better must write a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.case_records import Table

Rng = np.random.Generator


def wide_columns(rows: int, sizes: Sequence[int], narrow: int = 8) -> Table:
    """Wide columns of so many codes, each usual in few of 150 hidden kinds, and narrow ones."""
    w, r = np.random.default_rng(7), np.random.default_rng(8)
    kind = r.choice(150, rows, p=_zipf(150, 0.9))
    out: Table = {}
    for j, size in enumerate(sizes):
        usual = w.choice(size - 1, (150, 3), p=w.permutation(_zipf(size - 1, 0.6)))
        value = 1 + usual[kind, r.choice(3, rows, p=[0.7, 0.2, 0.1])]
        out[f"wide_{j}"] = _column(size - 1, np.where(r.random(rows) < 0.08, 0, value))
    for j in range(narrow):
        shares = w.dirichlet(np.ones(3 + j % 3), 150)
        out[f"narrow_{j}"] = _column(2 + j % 3, _drawn(r, shares[kind]))
    return out


def latent_classes(rows: int) -> Table:
    """Twenty columns of 2 to 30 codes that depend on one of twelve classes alone."""
    w, r = np.random.default_rng(11), np.random.default_rng(12)
    kind = r.choice(12, rows, p=w.dirichlet(np.full(12, 2.0)))
    sizes = [2, 2, 3, 3, 4, 5, 6, 8, 12, 30] * 2
    return {
        f"c{k}": _column(size - 1, _drawn(r, w.dirichlet(np.full(size, 0.6), 12)[kind]))
        for k, size in enumerate(sizes)
    }


def geography(rows: int) -> Table:
    """Region, district and town of birth and of today, nested; few leave their region."""
    w, r = np.random.default_rng(21), np.random.default_rng(22)
    district_of = np.sort(w.integers(0, 55, 260))
    region_of = np.sort(w.integers(0, 9, 55))
    size = w.pareto(1.1, 260) + 0.2
    born = r.choice(260, rows, p=size / size.sum())
    away = r.choice(260, rows, p=(size**1.5) / (size**1.5).sum())
    near = (born + r.integers(-2, 3, rows)) % 260
    stays = r.random(rows)
    today = np.where(stays < 0.6, born, np.where(stays < 0.8, near, away))
    out: Table = {}
    for name, town in (("born", born), ("today", today)):
        out[f"{name}_town"] = _column(260, town + 1)
        out[f"{name}_district"] = _column(55, district_of[town] + 1)
        out[f"{name}_region"] = _column(9, region_of[district_of[town]] + 1)
    moved = (born != today).astype(int)
    for k in range(6):
        odds = w.normal(0, 1, 9)[region_of[district_of[today]]] + moved * w.normal(0, 1)
        out[f"answer_{k}"] = _column(2, 1 + (r.random(rows) < 1 / (1 + np.exp(-odds))))
    return out


def survey(rows: int) -> Table:
    """Thirty questions; whole blocks are asked only after certain answers, some people give up."""
    w, r = np.random.default_rng(31), np.random.default_rng(32)
    mood = r.normal(0, 1, (rows, 3))
    patience = r.geometric(0.03, rows)
    out: Table = {}
    asked, number = np.ones(rows, dtype=bool), 0
    for block in range(6):
        gate = np.ones(rows, dtype=bool)
        for k in range(5):
            number += 1
            levels = 2 if k == 0 else int(w.integers(3, 8))
            score = mood @ w.normal(0, 0.9, 3) + r.logistic(0, 1, rows)
            cuts = np.sort(w.normal(0, 1.3, levels - 1))
            answer = 1 + np.searchsorted(cuts, score)
            given = asked & (gate | (k == 0)) & (patience >= number)
            out[f"q{block}_{k}"] = _column(levels, np.where(given, answer, 0))
            if k == 0:
                gate = given & (answer == 2)
    return out


def heavy_tails(rows: int) -> Table:
    """Three wide columns with very uneven codes, tied by one continuous trait, and narrow ones."""
    w, r = np.random.default_rng(41), np.random.default_rng(42)
    trait = r.normal(0, 1, rows)
    out: Table = {}
    for k, size in enumerate((220, 150, 70)):
        level = _phi(trait * 0.8 + r.normal(0, 0.6, rows))
        rank = np.searchsorted(np.cumsum(_zipf(size, 1.4)), level)
        out[f"code_{k}"] = _column(size, 1 + w.permutation(size)[rank.clip(0, size - 1)])
    for k in range(9):
        cuts = np.sort(w.normal(0, 1, 2 + k % 4))
        answer = np.searchsorted(cuts, trait + r.normal(0, 1, rows))
        out[f"scale_{k}"] = _column(3 + k % 4, 1 + answer)
    return out


def near_deterministic(rows: int) -> Table:
    """A list of 180 codes, its chapter and section, units that mostly follow from it, and years."""
    w, r = np.random.default_rng(51), np.random.default_rng(52)
    code = r.choice(180, rows, p=w.permutation(_zipf(180, 0.8)))
    out: Table = {"code": _column(180, code + 1)}
    for name, size, wrong in (("chapter", 21, 0.0), ("section", 48, 0.002), ("unit", 6, 0.03),
                              ("clinic", 135, 0.08)):  # fmt: skip
        value = w.integers(0, size, 180)[code]
        value = np.where(r.random(rows) < wrong, r.integers(0, size, rows), value)
        out[name] = _column(size, value + 1)
    year = r.integers(0, 12, rows)
    out["year"] = _column(12, year + 1)
    out["age"] = _column(9, 1 + ((code % 9) + r.integers(-1, 2, rows)).clip(0, 8))
    for k in range(5):
        out[f"flag_{k}"] = _column(1, (r.random(rows) < w.beta(0.4, 1.2, 180)[code]).astype(int))
    return out


SHAPES: dict[str, tuple[Callable[[int], Table], int]] = {
    "latent classes": (latent_classes, 60_000),
    "nested geography": (geography, 80_000),
    "survey with skips": (survey, 50_000),
    "heavy tails": (heavy_tails, 100_000),
    "near deterministic": (near_deterministic, 40_000),
}
"""Each shape with its rows."""


def _column(values: int, codes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(f"v{k:03d}" for k in range(values)), codes


def _zipf(size: int, power: float) -> np.ndarray:
    share = 1 / np.arange(1, size + 1) ** power
    return share / share.sum()


def _drawn(r: Rng, shares: np.ndarray) -> np.ndarray:
    """A code by row, by its shares."""
    return (r.random(len(shares))[:, None] > shares.cumsum(1)).sum(1).clip(0, shares.shape[1] - 1)


def _phi(x: np.ndarray) -> np.ndarray:
    """Near the normal distribution function."""
    return 1 / (1 + np.exp(-1.702 * x))
