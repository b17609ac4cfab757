"""Contingency tables of people: exact, sensitive, from packed integer codes.

Belongs here: encoding people by their public domains, counting tables, adding counts of parts.
Does not belong here: noise (``measure``) and anything that leaves the hub.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.errors import PolicyError
from ctdhub.i18n import _
from ctdhub.protect.plan import Columns
from ctdhub.protect.policy import Domains

Counts = dict[Columns, npt.NDArray[np.int64]]
"""Tables by columns; an axis has one place per public value, after place 0, "not recorded"."""

_BLOCK = 256


@dataclass(frozen=True)
class Codes:
    """People as integer codes: 0 is "not recorded", k is the k-th public value.

    Attributes:
        columns: name to array of length ``people``, uint8 or uint16.
        sizes: name to number of codes, that is public values + 1.
    """

    columns: dict[str, npt.NDArray[np.unsignedinteger]]
    sizes: dict[str, int]
    people: int

    def __post_init__(self) -> None:
        for name, codes in self.columns.items():
            if codes.shape != (self.people,) or (codes.size and codes.max() >= self.sizes[name]):
                raise ValueError(f"codes of {name} do not fit")

    def digest(self) -> bytes:
        """SHA-256 of the content; the order of people does not matter."""
        digest = hashlib.sha256(repr((self.people, list(self.sizes.items()))).encode())
        if self.columns:
            rows = np.column_stack([c.astype(">u2") for c in self.columns.values()])
            flat = np.ascontiguousarray(rows).view(f"V{2 * len(self.columns)}").ravel()
            digest.update(np.sort(flat.view(f"S{2 * len(self.columns)}")).tobytes())
        return digest.digest()


def encode(people: pa.Table, domains: Domains) -> Codes:
    """Codes of the columns of ``domains``; other columns are left out.

    Raises:
        PolicyError: a column is missing, or holds a value outside its public domain.  The value
            is not told; upstream checks keep such values out.
    """
    columns = {}
    for name, domain in domains.items():
        if name not in people.column_names:
            raise _misfit(_("The people lack a column that the policy releases."), name)
        values = people.column(name).cast(pa.string())
        places = pc.index_in(values, value_set=pa.array(domain, pa.string()))
        if places.null_count != values.null_count:
            raise _misfit(_("The people hold a value outside the public domain."), name)
        dtype = np.uint8 if len(domain) < 256 else np.uint16
        columns[name] = (places.fill_null(-1).to_numpy() + 1).astype(dtype)
    return Codes(columns, {n: len(d) + 1 for n, d in domains.items()}, people.num_rows)


def _misfit(what: str, column: str) -> PolicyError:
    fix = _("Build the people again with the hub's schema and policy.")
    return PolicyError(what, fix, column=column, rule="public-domain")


def count(codes: Codes, tables: Iterable[Columns]) -> Counts:
    """Count tables of any number of columns.

    Pairs are counted by blocks of columns whose joint domain has at most 256 cells: one pass over
    the people for each two blocks, and two small matrix products give all their pairs.
    """
    wanted = list(tables)
    small = {t for t in wanted if len(t) == 2}
    names = [n for n in codes.columns if any(n in t for t in small)]
    found: Counts = {t: _direct(codes, t) for t in wanted if t not in small}
    blocks = [_Block.of(codes, part) for part in _parts(names, codes.sizes)]
    for i, left in enumerate(blocks):
        for right in blocks[i:]:
            if left is right:
                joint = np.diag(np.bincount(left.key, minlength=left.size))
            else:
                key = left.key.astype(np.intp) * right.size + right.key
                joint = np.bincount(key, minlength=left.size * right.size)
            joint = joint.reshape(left.size, right.size).astype(np.float64)  # exact to 2^53
            pairs = np.rint(left.margins.T @ joint @ right.margins).astype(np.int64)
            for a, rows in left.places.items():
                for b, cols in right.places.items():
                    if (a, b) in small:
                        found[a, b] = pairs[rows, cols].copy()
    return {t: found[t] for t in wanted}


def add(parts: Sequence[Counts]) -> Counts:
    """Counts of the union of disjoint sets of people."""
    return {t: np.sum([part[t] for part in parts], axis=0) for t in parts[0]}


def _direct(codes: Codes, table: Columns) -> npt.NDArray[np.int64]:
    shape = tuple(codes.sizes[n] for n in table)
    key = np.zeros(codes.people, dtype=np.intp)
    for name, size in zip(table, shape, strict=True):
        key = key * size + codes.columns[name]
    return np.bincount(key, minlength=int(np.prod(shape))).astype(np.int64).reshape(shape)


def _parts(names: list[str], sizes: dict[str, int]) -> list[list[str]]:
    """Runs of columns, in order, whose joint domain stays within a block."""
    parts: list[list[str]] = []
    cells = _BLOCK + 1
    for name in names:
        cells *= sizes[name]
        if cells > _BLOCK:
            parts.append([])
            cells = sizes[name]
        parts[-1].append(name)
    return parts


@dataclass(frozen=True)
class _Block:
    """Columns counted together: their joint code, and the 0/1 matrix that sums it per column."""

    key: npt.NDArray[np.unsignedinteger]
    size: int
    margins: npt.NDArray[np.float64]
    places: dict[str, slice]

    @classmethod
    def of(cls, codes: Codes, names: list[str]) -> _Block:
        sizes = [codes.sizes[n] for n in names]
        size = int(np.prod(sizes))
        key = np.zeros(codes.people, dtype=np.uint32)
        for name, columns in zip(names, sizes, strict=True):
            key = key * np.uint32(columns) + codes.columns[name]
        axes = np.unravel_index(np.arange(size), sizes)
        margins = np.hstack([np.eye(s)[axis] for s, axis in zip(sizes, axes, strict=True)])
        ends = np.cumsum(sizes)
        places = {n: slice(e - s, e) for n, s, e in zip(names, sizes, ends, strict=True)}
        return cls(key.astype(np.min_scalar_type(size - 1)), size, margins, places)
