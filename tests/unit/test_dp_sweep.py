"""The sweep keeps its books right and makes the best move: against sums made again from records.

The oracle is slow and plain: it counts every table again for each value that a record might take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.dp import kernels
from ctdhub.dp.synth.fit import FitLayout, Key, Support, TableResiduals, Wide, first_groups

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NOTHING = np.zeros((0, 0, 0), dtype=np.float32)


@dataclass(frozen=True)
class Problem:
    """Records, and noisy tables that they are to agree with.

    Attributes:
        codes: by column that moves.
        near, far: groups of wide columns.
        targets: by key, with the weight of a cell.
    """

    layout: FitLayout
    codes: dict[str, Ints]
    near: tuple[Wide, ...]
    far: tuple[Wide, ...]
    targets: dict[Key, tuple[Floats, float]]

    @property
    def people(self) -> int:
        return len(next(iter(self.codes.values())))

    def _table(self, key: Key, codes: dict[str, Ints]) -> tuple[Floats, Floats]:
        """Records less target, and the weight of each cell; counted from the start."""
        target, weight = self.targets[key]
        groups = {w.name: w for w in (*self.near, *self.far)}
        columns = [groups[n].group if n in groups else codes[n] for n in key]
        flat = np.ravel_multi_index(columns, target.shape)
        counted = np.bincount(flat, minlength=target.size).reshape(target.shape)
        scale = np.full(target.shape, weight)
        if key[0] in groups:
            scale *= groups[key[0]].share.reshape(-1, *(1,) * (target.ndim - 1))
        return counted - target, scale

    def residuals(self, codes: dict[str, Ints]) -> dict[Key, Floats]:
        found = {key: self._table(key, codes) for key in self.targets}
        return {key: scale * difference for key, (difference, scale) in found.items()}

    def half_misfit(self, codes: dict[str, Ints]) -> float:
        tables = (self._table(key, codes) for key in self.targets)
        return sum(float((scale * difference**2).sum()) for difference, scale in tables) / 2

    def books(self) -> TableResiduals:
        tables = {k: t.astype(np.float32) for k, t in self.residuals(self.codes).items()}
        weight = {key: weight for key, (_, weight) in self.targets.items()}
        return TableResiduals(self.layout, self.near, self.far, tables, weight)

    def features(self) -> npt.NDArray[np.uint16]:
        found = np.zeros((self.people, len(self.codes) + 1), dtype=np.uint16)
        for name, codes in self.codes.items():
            found[:, self.layout.at(name)] = codes + self.layout.starts[name]
        return found


def grouped(name: str, people: int, groups: int, rng: np.random.Generator) -> Wide:
    share = rng.choice([1, 0.5, 0.25], groups).astype(np.float32)
    return Wide(name, rng.integers(0, groups, people), share)


def problem(sizes: list[int], people: int, seed: int, dense: float = 0.6) -> Problem:
    """Any problem: about a share ``dense`` of all tables was measured.

    Targets, weights and shares are binary fractions, so that sums in single precision are exact.
    """
    rng = np.random.default_rng(seed)
    layout = FitLayout({f"c{i}": size for i, size in enumerate(sizes)})
    codes = {n: rng.integers(0, s, people) for n, s in layout.sizes.items()}
    near = tuple(grouped(f"near {k}", people, 3 + k, rng) for k in range(rng.integers(0, 3)))
    far = [grouped(f"far {k}", people, 4 - k, rng) for k in range(rng.integers(0, 3))]
    if rng.random() < 0.5:  # a corridor: its first group is left out
        far.append(grouped("corridor", people, 5, rng))
        far[-1].share[:] = [0, 1, 1, 1, 1]
    names = list(layout.sizes)
    keys: list[Key] = [t for k in (2, 3) for t in combinations(names, k)]
    keys += [(w.name, *t) for w in near for k in (1, 2) for t in combinations(names, k)]
    keys += [(w.name, n) for w in far for n in names]
    chosen = [k for k in keys if rng.random() < dense] or keys[:1] or [("far 0", names[0])]
    if not keys:
        far.append(grouped("far 0", people, 4, rng))
    length = {**layout.sizes, **{w.name: w.share.size for w in (*near, *far)}}
    targets = {}
    for key in chosen:
        shape = tuple(length[n] for n in key)
        near_truth = np.rint(4 * rng.normal(people / np.prod(shape), 3, shape)) / 4
        targets[key] = near_truth, float(rng.choice([0.125, 0.25, 0.5, 1]))
    return Problem(layout, codes, near, tuple(far), targets)


class Sweeps:
    """The arrays that a stage of the fit holds, and one sweep over them."""

    def __init__(self, made: Problem, rare: Support | None = None) -> None:
        self.made, self.rare = made, rare
        self.books, self.features = made.books(), made.features()
        wides = (made.near, made.far)
        self.near, self.far = (self.books.groups(w, made.people) for w in wides)
        self.shares = [
            np.concatenate([np.zeros(0, np.float32), *(w.share for w in ws)]) for ws in wides
        ]

    def codes(self) -> dict[str, Ints]:
        starts, at = self.made.layout.starts, self.made.layout.at
        return {n: self.features[:, at(n)].astype(np.int64) - starts[n] for n in starts}

    def column(
        self, name: str, orders: list[Ints], gate: Ints, threshold: float, reach: float = 1.0
    ) -> Iterator[int]:
        """Sweep over the records of each order; how many moved."""
        layout, slabs = self.made.layout, self.books.slabs(name)
        seen = self.rare.slabs(name) if self.rare else None
        nowhere = np.zeros((self.made.people, 0), dtype=np.int64)
        for order in orders:
            yield kernels.sweep(
                self.features, layout.at(name), layout.firsts(),
                order, gate, np.float32(threshold),
                slabs.inner, slabs.inner_weight, slabs.end,
                self.near, slabs.near, slabs.near_weight, self.shares[0], slabs.near_end,
                first_groups(self.made.near),
                self.far, slabs.far, slabs.far_weight, self.shares[1],
                self.rare.dear(reach) if self.rare else NOTHING.ravel(), layout.empty(),
                seen.inner if seen else NOTHING,
                self.rare.near if self.rare else nowhere, seen.near if seen else NOTHING,
                self.rare.far if self.rare else nowhere,
                seen.far if seen else NOTHING.reshape(0, 0),
            )  # fmt: skip
        self.books.keep(name, slabs)
        if self.rare and seen:
            self.rare.books.keep(name, seen)

    def assert_books_are_right(self) -> None:
        for key, expected in self.made.residuals(self.codes()).items():
            assert np.array_equal(self.books.tables[key], expected), key


sizes_of_columns = st.lists(st.sampled_from([1, 2, 3, 3, 4, 6]), min_size=1, max_size=4)
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=40)
@given(sizes_of_columns, st.integers(1, 300), seeds, st.sampled_from([0.2, 0.6, 1.0]))
def test_residuals_after_sweeps_are_those_of_the_records(
    sizes: list[int], people: int, seed: int, dense: float
) -> None:
    sweeps, rng = Sweeps(problem(sizes, people, seed, dense)), np.random.default_rng(seed)
    sweeps.assert_books_are_right()
    for _ in range(2):
        for name in rng.permutation(list(sweeps.made.codes)):
            before, half = sweeps.codes(), sweeps.made.half_misfit(sweeps.codes())
            gate = rng.choice(3, people, p=[0.7, 0.2, 0.1])
            threshold = float(rng.choice([0, 0.25, 1]))
            [moved] = sweeps.column(name, [rng.permutation(people)], gate, threshold)
            after = sweeps.codes()
            sweeps.assert_books_are_right()
            assert all(np.array_equal(before[n], after[n]) for n in after if n != name)
            change = before[name] != after[name]
            assert change.sum() == moved
            assert not change[gate == 2].any()
            assert not (after[name][change & (gate == 1)] == 1).any()
            assert after[name].min() >= 0
            assert after[name].max() < sweeps.made.layout.sizes[name]
            gain = half - sweeps.made.half_misfit(after)  # each move gains more than the threshold
            assert gain > moved * threshold or moved == gain == 0


def assert_best(half: Floats, now: int, to: int, gate: int, threshold: float) -> None:
    """The value taken is the best of those open; a record stays where none gains enough."""
    slack = 2e-4 * max(1.0, float(np.abs(half - half[now]).max()))
    open_ = np.array(
        [x != now and gate != 2 and not (gate == 1 and x == 1) for x in range(half.size)]
    )
    if to == now:
        assert (half[open_] >= half[now] - threshold - slack).all()
    else:
        assert open_[to]
        assert half[to] < half[now] - threshold + slack
        assert half[to] <= half[open_].min() + slack


@settings(deadline=None, max_examples=25)
@given(sizes_of_columns, st.integers(1, 25), seeds)
def test_each_record_takes_the_value_that_lowers_the_misfit_most(
    sizes: list[int], people: int, seed: int
) -> None:
    made, rng = problem(sizes, people, seed), np.random.default_rng(seed)
    sweeps = Sweeps(made)
    for name, size in made.layout.sizes.items():
        gate = rng.choice(3, people, p=[0.7, 0.2, 0.1])
        threshold, order = float(rng.choice([0, 0.25, 1])), rng.permutation(people)
        before = sweeps.codes()
        for i, _ in zip(
            order, sweeps.column(name, [order[k : k + 1] for k in range(people)], gate, threshold),
            strict=True,
        ):  # fmt: skip
            half = np.empty(size)
            for x in range(size):
                tried = {n: c.copy() for n, c in before.items()}
                tried[name][i] = x
                half[x] = made.half_misfit(tried)
            now, before = before[name][i], sweeps.codes()
            assert_best(half, int(now), int(before[name][i]), int(gate[i]), threshold)


@settings(deadline=None, max_examples=40)
@given(sizes_of_columns, st.integers(1, 300), seeds)
def test_one_pass_is_the_same_as_record_by_record(sizes: list[int], people: int, seed: int) -> None:
    made, rng = problem(sizes, people, seed, dense=0.8), np.random.default_rng(seed)
    whole, single = Sweeps(made), Sweeps(made)
    for name in (*made.codes, *made.codes):
        gate, order = rng.choice(3, people, p=[0.7, 0.2, 0.1]), rng.permutation(people)
        [moved] = whole.column(name, [order], gate, 0.25)
        orders = [order[k : k + 1] for k in range(people)]
        assert sum(single.column(name, orders, gate, 0.25)) == moved
        assert np.array_equal(whole.features, single.features)


def test_records_that_agree_stay() -> None:
    made = problem([2, 3, 4], 200, 3)
    exact = {
        key: (made._table(key, made.codes)[0] + target, weight)
        for key, (target, weight) in made.targets.items()
    }
    sweeps = Sweeps(Problem(made.layout, made.codes, made.near, made.far, exact))
    for name in made.codes:
        assert list(sweeps.column(name, [np.arange(200)], np.zeros(200, np.int64), 0.0)) == [0]


def test_every_order_is_as_likely() -> None:
    rng, runs = np.random.default_rng(3), 24_000
    orders: dict[tuple[int, ...], int] = {}
    for _ in range(runs):
        values = np.array([10, 20, 30, 40])
        kernels.shuffle(values, rng.integers(0, 2**64, 4, dtype=np.uint64))
        assert sorted(values) == [10, 20, 30, 40]
        orders[tuple(values.tolist())] = orders.get(tuple(values.tolist()), 0) + 1
    assert len(orders) == 24
    assert max(abs(n - 1000) for n in orders.values()) < 200  # six standard errors; seeded anyway


# Support: a price on combinations of recorded values that few other records have.


def held_columns(made: Problem, sizes: list[int], seed: int) -> dict[str, Ints]:
    rng = np.random.default_rng(seed)
    return {f"w{k}": rng.integers(0, size, made.people) for k, size in enumerate(sizes)}


def tables_of_support(made: Problem, held: dict[str, Ints], seed: int) -> list[Key]:
    rng = np.random.default_rng(seed)
    names = [*made.codes, *held]
    tables = [t for k in range(1, 4) for t in combinations(names, k)]
    return [t for t in tables if rng.random() < 0.6]


def rare_books_are_right(rare: Support, codes: dict[str, Ints], held: dict[str, Ints]) -> None:
    """Counts of combinations whose values are all recorded are those of the records."""
    groups = {w.name: w.group for w in (*rare.books.near, *rare.books.far)}
    for key, table in rare.books.tables.items():
        columns = [groups[n] if n in groups else codes[n] for n in key]
        expected = np.zeros(table.shape)
        np.add.at(expected, tuple(columns), 1)
        some = (slice(1, None),) * table.ndim
        assert np.array_equal(table[some], expected[some]), key


def price(
    rare: Support, tables: list[Key], everything: dict[str, Ints], i: int, name: str, reach: float
) -> float:
    """What the record pays for the combinations that it has with its value of one column.

    Two wide values count together where they are a corridor: where no third column is wide.
    """
    dear, total, wide = rare.dear(reach), 0.0, everything.keys() - rare.books.layout.sizes.keys()
    for t in tables:
        if not 2 <= len(t) <= 3 or name not in t or any(everything[n][i] == 0 for n in t):
            continue
        if len(wide & {*t}) == 2 < len(wide):
            continue
        same = np.all([everything[n] == everything[n][i] for n in t], axis=0)
        total += float(dear[min(int(same.sum()) - 1, len(dear) - 1)])
    return total


@settings(deadline=None, max_examples=25)
@given(
    sizes_of_columns,
    st.lists(st.integers(2, 5), max_size=3),
    st.sampled_from([2, 12, 120]),
    st.integers(1, 4),
    seeds,
)
def test_each_record_pays_for_what_few_others_have(
    sizes: list[int], wide: list[int], people: int, setting: int, seed: int
) -> None:
    made, rng = problem(sizes, people, seed), np.random.default_rng(seed)
    held = held_columns(made, wide, seed)
    tables = tables_of_support(made, held, seed)
    rare = Support(setting, made.layout, made.codes, held, tables)
    sweeps, reach = Sweeps(made, rare), float(rng.exponential(1.0))
    gate = np.zeros(people, dtype=np.int64)
    for name, size in made.layout.sizes.items():
        order = rng.permutation(people)
        before = sweeps.codes()
        orders = [order[k : k + 1] for k in range(people)]
        for i, _ in zip(order, sweeps.column(name, orders, gate, 0.0, reach), strict=True):
            half = np.empty(size)
            for x in range(size):
                tried = {n: c.copy() for n, c in before.items()}
                tried[name][i] = x
                half[x] = made.half_misfit(tried)
                half[x] += price(rare, tables, {**tried, **held}, int(i), name, reach)
            now, before = before[name][i], sweeps.codes()
            assert_best(half, int(now), int(before[name][i]), 0, 0.0)
        sweeps.assert_books_are_right()
        rare_books_are_right(rare, sweeps.codes(), held)


def test_combinations_that_are_not_looked_at_stay_free_however_many_records_move() -> None:
    """No table of all three columns: 400 records leave a value, and nobody pays for it."""
    people, layout = 400, FitLayout({"a": 2, "b": 2, "c": 3})
    codes = {"a": np.ones(people, np.int64), "b": np.ones(people, np.int64)}
    codes["c"] = np.where(np.arange(people) < 395, 1, 2)
    target = np.zeros((2, 3))
    target[1, 1:] = 5, 395
    made = Problem(layout, codes, (), (), {("a", "c"): (target, 1.0)})
    rare = Support(4, layout, codes, {}, [("a", "b")])
    sweeps = Sweeps(made, rare)
    gate = np.zeros(people, dtype=np.int64)
    [moved] = sweeps.column("c", [np.arange(people)], gate, 0.0, reach=1000.0)
    assert moved == 390
    assert np.bincount(sweeps.codes()["c"]).tolist() == [0, 5, 395]


def test_more_pairs_of_wide_values_than_sixteen_bits_can_number() -> None:
    people = np.arange(70_000)
    held = {"w": 1 + people // 300, "v": 1 + people % 300}  # no two people share a pair
    codes = {"a": np.ones(people.size, np.int64)}
    rare = Support(2, FitLayout({"a": 2}), codes, held, [("w", "v", "a")])
    [table] = rare.books.tables.values()
    assert table[1:, 1].tolist() == [1] * people.size


@pytest.mark.parametrize("setting", [1, 2, 3, 4])
def test_the_price_falls_with_company_and_rises_with_the_setting(setting: int) -> None:
    layout, codes = FitLayout({"a": 2, "b": 2}), {n: np.ones(3, np.int64) for n in "ab"}
    prices = {s: Support(s, layout, codes, {}, [("a", "b")]).dear(2.0) for s in range(1, 5)}
    dear = prices[setting]
    assert dear[0] > 0
    assert (np.diff(dear) <= 0).all()
    assert dear[-1] == 0
    assert np.allclose(Support(setting, layout, codes, {}, []).dear(6.0), 3 * dear)
    if setting > 1:
        assert (dear >= prices[setting - 1]).all()
        assert dear[0] > prices[setting - 1][0]
