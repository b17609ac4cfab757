"""Records that agree with all noisy tables at once: post-processing, free of privacy cost.

The corridor of the records is made first and stays.  Then records change one value at a time, each
time to the value that lowers the sum over tables of (records - noisy)^2 / variance most: first
against pairs, pooled from all tables that contain them, then against triples too.  This is the
projection of noisy answers onto those that some data could give (Nikolov, Talwar and Zhang 2013)
by coordinate descent over whole records: non-negative, consistent and integer by construction, and
no step samples.  A record moves only where the gain exceeds what noise alone would offer
(``Pace``), and a stage ends when few records still move: neither looks at
the truth.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.dp import kernels, noise
from ctdhub.dp.count import Codes, Counts, count
from ctdhub.dp.plan import Columns, Draft, Plan
from ctdhub.dp.published import Estimated, pool, total_people
from ctdhub.dp.synth import records as synth_records
from ctdhub.dp.workload import Workload, measure

# --------------------------------------------------------------------------------------------------
# How far records are from each noisy table, laid out for one column at a time.

Singles = npt.NDArray[np.float32]
Key = tuple[str, ...]
"""Columns of a residual table: at most one group of a wide column first, then columns that move,
in the order of the layout."""


@dataclass(frozen=True)
class FitLayout:
    """Where the values of the columns that move lie among all values; place 0 is a constant.

    Attributes:
        sizes: codes by column, in order.
    """

    sizes: dict[str, int]
    starts: dict[str, int] = field(init=False)
    place: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        ends = np.cumsum([1, *self.sizes.values()])
        object.__setattr__(self, "starts", dict(zip(self.sizes, ends.tolist(), strict=False)))
        object.__setattr__(self, "place", {n: k for k, n in enumerate(self.sizes, 1)})

    @property
    def width(self) -> int:
        """Number of places."""
        return 1 + sum(self.sizes.values())

    def span(self, name: str) -> slice:
        """Places of a column's values; the constant is the column ""."""
        if not name:
            return slice(0, 1)
        return slice(self.starts[name], self.starts[name] + self.sizes[name])

    def at(self, name: str) -> int:
        """Number of the column; 0 is the constant."""
        return self.place[name] if name else 0

    def sorted(self, names: Iterable[str]) -> Key:
        """Columns in the order of the layout."""
        return tuple(sorted(names, key=self.at))

    def firsts(self) -> npt.NDArray[np.int64]:
        """By number of the column its first place, and the width."""
        return np.array([0, *self.starts.values(), self.width])

    def empty(self) -> npt.NDArray[np.bool_]:
        """By place, whether it is "not recorded"."""
        result = np.zeros(self.width, dtype=bool)
        result[list(self.starts.values())] = True
        return result


@dataclass(frozen=True)
class Wide:
    """Groups of a wide column, or of a pair of them, by record.

    Attributes:
        name: of the groups, no column's name.
        group: by record.
        share: by group, one over the number of values that it joins; 0 leaves the group out.
    """

    name: str
    group: npt.NDArray[np.int64]
    share: Singles


@dataclass(frozen=True)
class Slabs:
    """The residuals of one column's tables as the sweep wants them; see ``kernels.sweep``."""

    inner: Singles
    inner_weight: Singles
    end: npt.NDArray[np.int64]
    near: Singles
    near_weight: Singles
    near_end: npt.NDArray[np.int64]
    far: Singles
    far_weight: Singles
    deep_share: Singles


class TableResiduals:
    """Weight x (records - target) of every table of a stage.

    Args:
        layout: of the columns that move.
        near: groups of wide columns that have tables with two columns that move.
        far: groups that have tables with one.
        tables: by key; a group's name comes first.
        weight: by key, one over the variance of a cell.
        deep: groups that have still larger tables.  Such a table, and one of four columns that
            move, is looked up by all its other columns at once, as if these were one wide column.
    """

    def __init__(
        self,
        layout: FitLayout,
        near: tuple[Wide, ...],
        far: tuple[Wide, ...],
        tables: dict[Key, Singles],
        weight: dict[Key, float],
        deep: tuple[Wide, ...] = (),
    ) -> None:
        self.layout, self.near, self.far = layout, near, far
        self.deep = {w.name: w for w in deep}
        self.tables, self.weight = tables, weight
        self._nearby = {w.name for w in near}
        self._starts = _starts(near) | _starts(far)
        names = {w.name for w in (*near, *far, *deep)}
        self._of: dict[str, list[tuple[Key, str, Key]]] = {n: [] for n in layout.sizes}
        self._deep_of: dict[str, list[tuple[Key, str, Key]]] = {n: [] for n in layout.sizes}
        for key in tables:
            wide = key[0] if key[0] in names else ""
            moving = key[1:] if wide else key
            of = self._deep_of if wide in self.deep or len(moving) > 3 else self._of
            for name in moving:
                others = tuple(n for n in moving if n != name)
                of[name].append((key, wide, others))

    def slabs(self, name: str, fill: float = 0.0) -> Slabs:
        """The arrays of one column; cells of tables that are not there hold ``fill``."""
        layout, size, columns = self.layout, self.layout.sizes[name], len(self.layout.sizes) + 1
        inner = _filled((layout.width, layout.width, size), fill)
        inner_weight = np.zeros((columns, columns), np.float32)
        near = _filled((_total(self.near), layout.width, size), fill)
        near_weight = np.zeros((len(self.near), columns), np.float32)
        far = _filled((_total(self.far), size), fill)
        far_weight = np.zeros(len(self.far), np.float32)
        number = {w.name: k for ws in (self.near, self.far) for k, w in enumerate(ws)}
        for key, wide, others in self._of[name]:
            view, at = self._views(key, wide, others, name)
            if not wide:
                b, c = ("", *others)[-2:]
                inner[at] = view
                inner_weight[layout.at(b), layout.at(c)] = self.weight[key]
            elif wide in self._nearby:
                near[at] = view
                near_weight[number[wide], layout.at(others[0] if others else "")] = self.weight[key]
            else:
                far[at] = view
                far_weight[number[wide]] = self.weight[key]
        deep = self._deep_of[name]
        rows = [self._last(key, name).reshape(-1, size) for key, _, _ in deep]
        return Slabs(
            inner, inner_weight, _ends(inner_weight),
            near, near_weight, _ends(near_weight),
            np.concatenate([far, *rows]) if rows else far,
            np.append(far_weight, [self.weight[key] for key, _, _ in deep]).astype(np.float32),
            self._deep_share(deep),
        )  # fmt: skip

    def keep(self, name: str, slabs: Slabs) -> None:
        """Write the arrays of one column back after a sweep."""
        for key, wide, others in self._of[name]:
            view, at = self._views(key, wide, others, name)
            beside = slabs.near if wide in self._nearby else slabs.far
            view[...] = beside[at] if wide else slabs.inner[at]
        start = _total(self.far)
        for key, _, _ in self._deep_of[name]:
            view = self._last(key, name)
            rows = view.size // view.shape[-1]
            view[...] = slabs.far[start : start + rows].reshape(view.shape)
            start += rows

    def _last(self, key: Key, name: str) -> Singles:
        """The table with that column as its last axis."""
        axes = [axis for axis, other in enumerate(key) if other != name]
        return self.tables[key].transpose(*axes, key.index(name))

    def _deep_share(self, deep: list[tuple[Key, str, Key]]) -> Singles:
        shares = [np.zeros(0, np.float32)]
        for _, wide, others in deep:
            one = self.deep[wide].share if wide else np.ones(1, np.float32)
            shares.append(np.repeat(one, self._cells(others)))
        return np.concatenate(shares)

    def _cells(self, names: Key) -> int:
        return math.prod(self.layout.sizes[n] for n in names)

    def own(
        self, name: str, far: npt.NDArray[np.int64], features: npt.NDArray[np.uint16]
    ) -> npt.NDArray[np.int64]:
        """Records x tables of a column: the place of each record in ``Slabs.far``.

        Args:
            far: :meth:`groups` of the wide columns that have tables with one column.
            features: records x columns, the place of each value.
        """
        places, start = [far], _total(self.far)
        for _, wide, others in self._deep_of[name]:
            at = self.deep[wide].group if wide else np.zeros(len(features), dtype=np.int64)
            for other in others:
                codes = features[:, self.layout.at(other)].astype(np.int64)
                at = at * self.layout.sizes[other] + codes - self.layout.starts[other]
            places.append((at + start)[:, None])
            groups = self.deep[wide].share.size if wide else 1
            start += groups * self._cells(others)
        return np.concatenate(places, axis=1) if len(places) > 1 else far

    def _views(
        self, key: Key, wide: str, others: Key, name: str
    ) -> tuple[Singles, tuple[slice, ...]]:
        """The table with ``name`` as its last axis, and where it lies in the column's array."""
        view = self._last(key, name)
        spans = tuple(self.layout.span(n) for n in others)
        if wide:
            start = self._starts[wide]
            groups = slice(start, start + len(view))
            if wide in self._nearby and not others:
                return view[:, None], (groups, slice(0, 1))
            return view, (groups, *spans)
        lead = (slice(0, 1),) * (2 - len(others))
        return view[(None,) * len(lead)], (*lead, *spans)

    def groups(self, wides: tuple[Wide, ...], records: int) -> npt.NDArray[np.int64]:
        """Records x wides: the place of each record's group in the arrays."""
        result = np.zeros((records, len(wides)), dtype=np.int64)
        for k, w in enumerate(wides):
            result[:, k] = w.group + self._starts[w.name]
        return result

    def reach(self, name: str) -> float:
        """Standard deviation of the noise in half the misfit that a move of one record changes.

        A cell's noise enters as weight x noise, of variance weight, once for the old value and
        once for the new.
        """
        keys = (key for key, _, _ in (*self._of[name], *self._deep_of[name]))
        return float(np.sqrt(2 * sum(self.weight[key] for key in keys)))


def _filled(shape: tuple[int, ...], fill: float) -> Singles:
    return np.full(shape, fill, np.float32) if fill else np.zeros(shape, np.float32)


def _starts(wides: Iterable[Wide]) -> dict[str, int]:
    starts, total = {}, 0
    for w in wides:
        starts[w.name] = total
        total += w.share.size
    return starts


def first_groups(wides: tuple[Wide, ...]) -> npt.NDArray[np.int64]:
    """The place of the first group of each, and the number of groups."""
    return np.cumsum([0, *(w.share.size for w in wides)])


def _total(wides: Iterable[Wide]) -> int:
    return sum(w.share.size for w in wides)


def _ends(weight: Singles) -> npt.NDArray[np.int64]:
    """By row the place after the last weight above zero."""
    positive = weight > 0
    last = weight.shape[1] - np.argmax(positive[:, ::-1], axis=1)
    return np.where(positive.any(1), last, 0).astype(np.int64)


# --------------------------------------------------------------------------------------------------
# Protected records on their way.

MOVING = 128
"""Columns with more codes do not move.  (40 tried: better where wide pairs are strong, and on Adult
at epsilon 1 half as much error again, for its pairs of some 100 codes are mostly noise.)"""


class State:
    """Exactly ``people`` records: corridors and other wide columns stay, the others move.

    Each column begins near its one-way table, independent of the others but for the corridor.

    Attributes:
        layout: of the columns that move, core columns first: those of their triples then lie side
            by side.
        features: records x (1 + columns that move), the place of each value; column 0 is constant.
        base: codes of the columns that stay.
        pair: the columns of the corridor, if there is one.
        compared: tables that records have been compared with, see :func:`residuals`.
        wide: of ``base`` the columns that do not follow from others.
        expected: people by code of the columns that stay.
    """

    def __init__(
        self,
        measured: synth_records.NoisyTables,
        plan: Plan,
        people: int,
        source: noise.Bits = os.urandom,
    ) -> None:
        self.plan, self.people = plan, people
        self.pair = plan.ordered(plan.corridor) if plan.corridor else ()
        follow = plan.followers.whole
        staying = [
            n for n in plan.domains if n in follow or n in self.pair or plan.sizes[n] > MOVING
        ]
        order = [*plan.ordered(plan.core), *(n for n in plan.domains if n not in plan.core)]
        self.layout = FitLayout({n: plan.sizes[n] for n in order if n not in staying})
        one = {n: measured.pooled[(n,)] for n in plan.domains}
        laid = synth_records.HeldColumns(
            measured, plan, tuple(n for n in staying if n not in follow), people, source
        )
        self.compared, self.base = laid.met, laid.codes
        self.wide = {n: codes for n, codes in self.base.items() if n not in follow}
        self.features = np.zeros((people, len(self.layout.sizes) + 1), dtype=np.uint16)
        for name in self.layout.sizes:
            self.place(name, synth_records.spread(one[name].value, people, source))
        self.expected = {n: synth_records.simplex(one[n].value, float(people)) for n in staying}
        for n in follow:
            self.expected[n] = np.bincount(self.base[n], minlength=plan.sizes[n]).astype(float)

    def lasting(self, measured: synth_records.NoisyTables) -> list[Columns]:
        """Tables without columns that follow from others: these add no combination of their own."""
        follow = self.plan.followers.whole
        return [t for t in measured.variance if not follow.keys() & {*t}]

    def column(self, name: str) -> npt.NDArray[np.uint16]:
        """Codes of a column that moves."""
        return self.features[:, self.layout.at(name)] - np.uint16(self.layout.starts[name])

    def place(self, name: str, codes: npt.NDArray[np.integer]) -> None:
        """Set the codes of a column that moves."""
        self.features[:, self.layout.at(name)] = codes + self.layout.starts[name]

    def moving(self) -> Draft:
        """Codes of the columns that move."""
        return {n: self.column(n) for n in self.layout.sizes}

    def records(self) -> Draft:
        """All columns in the order of the plan."""
        columns = self.moving() | {n: codes.astype(np.uint16) for n, codes in self.base.items()}
        return {n: columns[n] for n in self.plan.domains}


# --------------------------------------------------------------------------------------------------
# The tables that a stage of the fit compares records with.

_PAIRED, _ALONE, _CORRIDOR = 6.0, 3.0, 3.0
"""A wide value is compared on its own in pairs, or in triples, where so many standard deviations
of a cell of such tables are expected to hold it; a corridor likewise."""


def residuals(
    state: State, measured: synth_records.NoisyTables, most: int, known: set[str]
) -> TableResiduals:
    """Records less noisy tables; the tables join ``state.compared``.

    Args:
        most: 2 for pairs, pooled from all tables that contain them, and corridors by one column;
            3 for larger tables too, beside pairs as they were measured.
        known: columns that move and are fitted, or are being fitted; tables with others wait.
    """
    building = _Building(state, measured, most)
    kinds: dict[tuple[Columns, int], list[Columns]] = {}
    for t in measured.variance:
        base = tuple(n for n in t if n in state.base)
        moving = len(t) - len(base)
        ready = moving and known.issuperset({*t} - {*base})
        early = len(t) == 2 or (moving == 1 and base == state.pair)
        if ready and len(t) >= 2 and (early or most > 2):
            kinds.setdefault((base, moving), []).append(t)
    for (base, moving), tables in kinds.items():
        building.add(base, moving, tables)
        state.compared.update(tables)
    return building.less_records()


_Joined = tuple[synth_records.Places, Singles, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]]
"""The group of each combination of held values, ``Wide.share``, and a table by these groups."""


class _Building:
    def __init__(self, state: State, measured: synth_records.NoisyTables, most: int) -> None:
        self.state, self.measured, self.most = state, measured, most
        self.targets: dict[Key, Estimated] = {}
        self.near: list[Wide] = []
        self.far: list[Wide] = []
        self.deep: list[Wide] = []

    def add(self, base: Columns, moving: int, tables: list[Columns]) -> None:
        """Tables of the same columns that stay and of so many columns that move."""
        state, name = self.state, f"{' and '.join(base)} by {moving}"
        joined: Callable[[npt.NDArray[Any]], npt.NDArray[Any]] | None = None
        if base:
            shape = [state.plan.sizes[n] for n in base]
            flat = np.ravel_multi_index([state.base[n] for n in base], shape)
            people = np.bincount(flat, minlength=math.prod(shape))
            sd = self._sd(tables)
            group, share, joined = (
                self._kin(base[0], sd, len(tables[0])) if len(base) == 1 else _large(people, sd)
            )
            of = (self.far, self.near)[moving - 1] if moving + len(base) <= 3 else self.deep
            of.append(Wide(name, group[flat], share))
        for t in tables:
            estimate, key = self._estimate(t), state.layout.sorted(n for n in t if n not in base)
            value = estimate.value.transpose([t.index(n) for n in (*base, *key)])
            if joined:
                value = joined(value.reshape(-1, *value.shape[len(base) :]))
            self.targets[(name, *key) if base else key] = Estimated(value, estimate.variance)

    def less_records(self) -> TableResiduals:
        """Weight x (records - target); a group that joins values weighs one over their number."""
        wides = {w.name: w for w in (*self.near, *self.far, *self.deep)}
        columns = dict(self.state.moving())
        sizes = dict(self.state.layout.sizes)
        for name, w in wides.items():
            columns[name], sizes[name] = w.group.astype(np.uint16), w.share.size
        counted = count(Codes(columns, sizes, self.state.people), self.targets)
        tables: dict[Key, Singles] = {}
        weight: dict[Key, float] = {}
        for key in list(counted):
            target, made = self.targets.pop(key), counted.pop(key)
            weight[key] = 1 / target.variance
            scale: synth_records.Floats = np.array(weight[key])
            if key[0] in wides:
                share = wides[key[0]].share.astype(np.float64)
                scale = scale * share.reshape(-1, *(1,) * (target.value.ndim - 1))
            tables[key] = (scale * (made - target.value)).astype(np.float32)
        near, far, deep = tuple(self.near), tuple(self.far), tuple(self.deep)
        return TableResiduals(self.state.layout, near, far, tables, weight, deep)

    def _estimate(self, table: Columns) -> Estimated:
        early = self.most == 2 and len(table) == 2
        return self.measured.pooled[table] if early else self.measured.alone(table)

    def _kin(self, column: str, sd: float, columns: int) -> _Joined:
        """Groups of a wide column's values that are large enough for such tables."""
        parents = self.state.plan.parents.get(column, ())
        least = (_PAIRED if columns == 2 else _ALONE) * sd
        group = synth_records.grouped(self.state.expected[column], parents, least)
        share = (1 / np.bincount(group)).astype(np.float32)
        return group, share, lambda value: synth_records.merged(value, 0, group)

    def _sd(self, tables: Iterable[Columns]) -> float:
        pooled = self.measured.pooled
        variances = [
            pooled[t].variance if len(t) == 2 else self.measured.variance[t] for t in tables
        ]
        return float(np.median(variances) ** 0.5)


def _large(people: synth_records.Places, sd: float) -> _Joined:
    """Combinations of held values: large ones each, all others left out as group 0."""
    large = np.flatnonzero(people >= _CORRIDOR * sd)
    group = np.zeros(people.size, dtype=np.int64)
    group[large] = np.arange(1, large.size + 1)
    share = np.append(0, np.ones(large.size)).astype(np.float32)
    return group, share, lambda value: np.insert(value[large], 0, 0, axis=0)


# --------------------------------------------------------------------------------------------------
# Support: how readily rare combinations are left out of the records.
#
# A combination that one protected record has was perhaps nobody's.  With a price on the first
# records of each kind, records drift to combinations that several share: fewer are made up, and
# more of those that were somebody's are missed.

PRICE = (0.0, 0.1, 0.4, 1.5, 6.0)
"""By setting: what the first record of a combination costs, in standard deviations of noise."""

LENGTH = (1.0, 1.0, 2.0, 4.0, 8.0)
"""By setting: the price falls by a factor e for so many records more."""

_RARE = 64
"""A combination with so many records costs nothing."""

_FREE = 2.0**22
"""Stands for the count of a combination that is not looked at, however many records move."""

_PAIR = "a pair of wide values"


class Support:
    """Counts of combinations of recorded values, kept up to date as records move.

    Args:
        setting: from 1, nearly complete, to 4, cautious.
        layout: of the columns that move, whose codes are ``moving``.
        base: codes of the columns that stay.
        tables: the combinations that count: at most three columns, of them two that stay.
    """

    def __init__(
        self,
        setting: int,
        layout: FitLayout,
        moving: Draft,
        base: dict[str, synth_records.Places],
        tables: Iterable[Columns],
    ) -> None:
        self.setting = setting
        columns: dict[str, npt.NDArray[np.integer]] = dict(moving)
        sizes = dict(layout.sizes)
        near, far = [], []
        for name, values in base.items():
            near.append(_wide(name, values))
            columns[name], sizes[name] = values, near[-1].share.size
        if len(base) == 2:
            one, two = base.values()
            both = np.where((one > 0) & (two > 0), one * (int(two.max()) + 1) + two, 0)
            present, place = np.unique(np.append(0, both), return_inverse=True)
            far.append(_wide(_PAIR, place[1:]))
            columns[_PAIR], sizes[_PAIR] = place[1:], present.size
        keys: dict[Key, None] = {}
        for t in tables:
            staying = [n for n in t if n in base]
            rest = layout.sorted(n for n in t if n not in base)
            if 2 <= len(t) <= 3 and rest and (len(staying) < 2 or _PAIR in columns):
                lead = staying[:1] if len(staying) < 2 else [_PAIR]
                keys[(*lead, *rest)] = None
        people = len(next(iter(columns.values())))
        codes = {n: c.astype(np.min_scalar_type(sizes[n])) for n, c in columns.items()}
        counted = count(Codes(codes, sizes, people), keys)
        counts = {k: t.astype(np.float32) for k, t in counted.items()}
        for key, table in counts.items():
            if key[0] not in layout.sizes:
                table[0] = _FREE
        self.books = TableResiduals(
            layout, tuple(near), tuple(far), counts, dict.fromkeys(counts, 1.0)
        )
        self.near = self.books.groups(self.books.near, people)
        self.far = self.books.groups(self.books.far, people)

    def slabs(self, name: str) -> Slabs:
        """Counts by the values of one column, as ``kernels.sweep`` wants them."""
        return self.books.slabs(name, fill=_FREE)

    def dear(self, reach: float) -> Singles:
        """What the k-th record of a combination costs where ``reach`` is one standard deviation."""
        k = np.arange(_RARE + 1)
        price = reach * PRICE[self.setting] * np.exp(-k / LENGTH[self.setting])
        price[-1] = 0.0
        return price.astype(np.float32)


def _wide(name: str, codes: synth_records.Places) -> Wide:
    return Wide(name, codes, np.ones(int(codes.max()) + 1, dtype=np.float32))


@dataclass(frozen=True)
class Pace:
    """When a record moves, and when a stage of the fit ends.

    Attributes:
        pairs, triples: in the stage whose largest tables have two columns, or three, a move must
            gain so many standard deviations of what noise offers.
        sweeps, still: a column is at rest when a smaller share of what a sweep looked at moved; a
            stage ends when all are, or after so many sweeps.
        visits, part: a sweep over pairs looks at so many records, or at one in so many where these
            are more; the very first looks at all, for all begin without regard to each other, and
            so does every sweep over larger tables, of which there are few.
    """

    pairs: float
    triples: float
    sweeps: int
    still: float
    visits: int
    part: int


STEADY = Pace(1.0, 0.7, 4, 0.08, 80_000, 12)
"""Associations that noise alone would explain stay out of the records (0.5 to 2 standard deviations
were tried on fictitious people)."""

CLOSE = Pace(0.0, 0.0, 8, 0.002, 80_000, 1)
"""Records meet the tables as closely as whole numbers can, noise and all: what an estimate loses
by noise is then noise alone, which has mean 0, and no pull towards independence."""

_BLOCK = 64
"""Records that a sweep looks at are drawn in blocks that lie together in memory."""

_NONE = np.zeros((0, 0, 0), dtype=np.float32)

Progress = Callable[[float], None]


def fit(
    measured: synth_records.NoisyTables,
    plan: Plan,
    people: int,
    progress: Progress = lambda share: None,
    source: noise.Bits = os.urandom,
    compared: set[Columns] | None = None,
    pace: Pace = STEADY,
) -> Draft:
    """Exactly ``people`` records, as codes by column in the order of the plan.

    Indicators are fitted before their flags, which then move within what their indicator allows.

    Args:
        progress: told the share done, from 0 to 1.
        source: random bits for orders and ties; equal bits give equal records.
        compared: where given, the tables of two and more columns that records were fitted to, or
            that the corridor decides, are added to it.
        pace: how closely records follow the tables.
    """
    state = State(measured, plan, people, source)
    names = list(state.layout.sizes)
    rules = plan.indicators
    free = [n for n in names if n not in rules.gated]
    last = [n for n in names if n not in rules.watched]
    steps: list[tuple[int, list[str], set[str], int]] = [(2, free, set(free), 0)]
    if rules.gated:
        steps.append((2, last, set(names), 0))
    steps.append((3, last, set(names), 0))
    if plan.support:
        steps.append((3, last, set(names), plan.support))
    for turn, (most, moving, known, support) in enumerate(steps):
        if turn == 1 and rules.gated:
            _agree(state, measured, source)
        if people and moving:
            part = _part(progress, turn, len(steps))
            _stage(state, measured, most, moving, known, support, part, source, pace)
    progress(1.0)
    if compared is not None:
        compared.update(state.compared)
    records = state.records()
    rules.repair(records)
    plan.followers.repair(records, plan.domains)
    return records


def _part(progress: Progress, turn: int, turns: int) -> Progress:
    return lambda share: progress((turn + share) / turns)


def _agree(state: State, measured: synth_records.NoisyTables, source: noise.Bits) -> None:
    """Make flags agree with their indicators, which have been fitted."""
    draft, rules = state.moving(), state.plan.indicators
    rules.agree(draft, {n: measured.pooled[(n,)].value for n in rules.gated}, source)
    for name in (*rules.gated, *rules.watched):
        state.place(name, draft[name])


def _stage(  # noqa: PLR0913
    state: State,
    measured: synth_records.NoisyTables,
    most: int,
    names: list[str],
    known: set[str],
    support: int,
    progress: Progress,
    source: noise.Bits,
    pace: Pace,
) -> None:
    """Sweep over ``names`` until records are still, against tables of up to ``most`` columns.

    Args:
        support: where not 0, one sweep that also drains rare combinations.
    """
    books = residuals(state, measured, most, known)
    near, far = (books.groups(w, state.people) for w in (books.near, books.far))
    near_share, far_share = _shares(books.near), _shares(books.far)
    near_starts = first_groups(books.near)
    rare = (
        Support(support, state.layout, state.moving(), state.wide, state.lasting(measured))
        if support
        else None
    )
    nowhere = np.zeros((state.people, 0), dtype=np.int64)
    sweeps = 1 if rare else pace.sweeps
    gain = pace.pairs if most == 2 else pace.triples
    some = max(pace.visits, state.people // pace.part)
    for turn in range(sweeps):
        look = state.people if most > 2 or turn == 0 else some
        restless = []
        for done, k in enumerate(noise.permutation(len(names), source)):
            name = names[k]
            slabs, reach = books.slabs(name), books.reach(name)
            least = np.float32(gain * _choices(state.layout.sizes[name]) * reach)
            order = _order(state.people, look, source)
            seen = rare.slabs(name) if rare else None
            moved = kernels.sweep(
                state.features, state.layout.at(name), state.layout.firsts(),
                order, _gate(state, name), least,
                slabs.inner, slabs.inner_weight, slabs.end,
                near, slabs.near, slabs.near_weight, near_share, slabs.near_end, near_starts,
                books.own(name, far, state.features), slabs.far, slabs.far_weight,
                np.append(far_share, slabs.deep_share),
                rare.dear(reach) if rare else _NONE.ravel(), state.layout.empty(),
                seen.inner if seen else _NONE,
                rare.near if rare else nowhere, seen.near if seen else _NONE,
                rare.far if rare else nowhere, seen.far if seen else _NONE.reshape(0, 0),
            )  # fmt: skip
            books.keep(name, slabs)
            if rare and seen:
                rare.books.keep(name, seen)
            if moved >= pace.still * order.size:
                restless.append(name)
            progress((turn + (done + 1) / len(names)) / sweeps)
        names = restless


def _choices(values: int) -> float:
    """The best of many values gains more by noise alone: about the square root of the logarithm."""
    return float(np.sqrt(1.0 + np.log(max(values - 1, 1))))


def _shares(wides: tuple[Wide, ...]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.concatenate([np.zeros(0, np.float32), *(w.share for w in wides)])


def _order(people: int, most: int, source: noise.Bits) -> synth_records.Places:
    """At most so many records, in blocks in random order: neighbours in memory stay together."""
    starts = noise.permutation(-(-people // _BLOCK), source)[: -(-most // _BLOCK)] * _BLOCK
    order: synth_records.Places = (starts[:, None] + np.arange(_BLOCK)).ravel()
    return order[order < people]


def _gate(state: State, name: str) -> synth_records.Places:
    """What the column may become, by record; see ``kernels.sweep``."""
    rules = state.plan.indicators
    if not (kin := rules.kin(name)):
        return np.zeros(state.people, dtype=np.int64)
    return rules.gate({n: state.column(n) for n in kin}, name)


# --------------------------------------------------------------------------------------------------
# Sets of records for inference: multiple imputation of the exact tables, from the noisy ones.
#
# Let x be the exact tables and y = x + N what was measured, with N of a known distribution around
# 0. Given y and a flat prior, x is y less a draw of N; as N is symmetric, each set is fitted to y +
# N' with a fresh N' of that distribution.  Its estimate is then off by what N and N' do to it, of
# which N' alone differs between sets.  So the variance B between sets tells what N does, and the
# mean over m sets has the variance U + B + B / m, U being that of sampling.  This is Rubin's rule
# for missing data (1987, chapter 3), with the exact tables as what is missing.
#
# A set is no new sample of people: its tables are those of a draw, but for whole numbers.  Rules
# for synthetic samples (Raghunathan, Reiter and Rubin 2003; Reiter 2003; after them Räisä and
# others 2023) meet U once more between their sets and take it off again; here it is not in there.
#
# Records cannot be fewer than none.  Where a value is nobody's ("not recorded" of a column that is
# always filled in), noise above zero would make records of it and take as many from every other
# cell, so that ratios grow.  Values that so few have that noise hides them are therefore left out.
#
# It is post-processing: sets are made of noisy tables and public settings, and cost nothing.

HIDDEN = 3.0
"""A value is left out of the sets where fewer people have it than so many standard deviations of
the noise of its count; of a value that nobody has, once in 700 times it is not."""

ImputationsCodes = npt.NDArray[np.int64]


def imputed(
    noisy: Counts, questions: Workload, plan: Plan, source: noise.Bits, progress: Progress
) -> tuple[pa.Table, ...]:
    """``plan.imputations`` sets, each with its own number of records.

    Rare combinations are not left out of them, whatever ``plan.support`` says: that would bend
    what is estimated.

    Args:
        noisy: every table of the questions, as it was measured.
        source: random bits of the second noise, and of orders and ties.
        progress: told the share done, from 0 to 1.
    """
    if not plan.imputations:
        return ()
    twice = tuple(replace(q, sigma2=2 * q.sigma2) for q in questions)
    complete = replace(plan, support=0)
    hidden = _hidden(pool(noisy, questions, most=1), plan)
    sets = []
    for k in range(plan.imputations):
        again = measure(noisy, questions, source)
        _set(again, hidden, 0)
        pooled = pool(again, twice)
        people = total_people(pooled, plan.level).value
        far = -min(4 * people + 4, 2**30)  # no record pays to be there
        _set(again, hidden, far)
        _set({t: e.value for t, e in pooled.items()}, hidden, far)
        draft = fit(
            synth_records.NoisyTables.of(again, twice, pooled),
            complete,
            people,
            progress=lambda s, k=k: progress((k + s) / plan.imputations),  # type: ignore[misc]
            source=source,
            pace=CLOSE,
        )
        sets.append(synth_records.to_table(draft, plan.domains))
    return tuple(sets)


def _hidden(pooled: dict[Columns, Estimated], plan: Plan) -> dict[str, ImputationsCodes]:
    """By column that moves the codes that are left out; the largest never is."""
    codes = {}
    base = {*(plan.corridor or ()), *plan.followers.whole}
    for name, size in plan.sizes.items():
        if size <= MOVING and name not in base:
            one = pooled[(name,)]
            out = one.value < HIDDEN * one.sd
            out[np.argmax(one.value)] = False
            codes[name] = np.flatnonzero(out)
    return codes


def _set(
    tables: Mapping[Columns, npt.NDArray[Any]], hidden: dict[str, ImputationsCodes], value: float
) -> None:
    """Set all cells of left-out codes."""
    for columns, table in tables.items():
        for axis, name in enumerate(columns):
            if name in hidden:
                np.moveaxis(table, axis, 0)[hidden[name]] = value
