"""How far records are from each noisy table, laid out for one column at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

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
        found, start = [far], _total(self.far)
        for _, wide, others in self._deep_of[name]:
            at = self.deep[wide].group if wide else np.zeros(len(features), dtype=np.int64)
            for other in others:
                codes = features[:, self.layout.at(other)].astype(np.int64)
                at = at * self.layout.sizes[other] + codes - self.layout.starts[other]
            found.append((at + start)[:, None])
            groups = self.deep[wide].share.size if wide else 1
            start += groups * self._cells(others)
        return np.concatenate(found, axis=1) if len(found) > 1 else far

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
    held = weight > 0
    last = weight.shape[1] - np.argmax(held[:, ::-1], axis=1)
    return np.where(held.any(1), last, 0).astype(np.int64)
