"""A table of text made k-anonymous: cells suppressed, rows in random order, k proved on the result.

Three things that a cell may say stay apart: a value, *not recorded* (null), and *suppressed*, a
text of its own.  Suppressed is a category as any other when classes are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.errors import error
from ctdhub.dp.noise import permutation, uniform
from ctdhub.kanon.suppress import Report, suppress

# --------------------------------------------------------------------------------------------------
# What a reader of the file could do, and what was lost: counted on the finished table itself.

RISK_GOAL = 0.03
"""Global re-identification risk under which the Humanitarian Data Exchange (HDX, run by OCHA)
shares case-level data: 3 % (OCHA Centre for Humanitarian Data, guidance on statistical disclosure
control)."""


def class_sizes(table: pa.Table) -> npt.NDArray[np.int64]:
    """Records of each class: of rows that are equal in every column, null being a value.

    >>> sorted(class_sizes(pa.table({"a": ["x", "x", None]})).tolist())
    [1, 2]
    """
    places = [str(place) for place in range(table.num_columns)]
    grouped = table.rename_columns(places).group_by(places).aggregate([([], "count_all")])
    sizes: npt.NDArray[np.int64] = grouped["count_all"].to_numpy().astype(np.int64)
    return sizes


def global_risk(sizes: npt.NDArray[np.int64]) -> float:
    """Mean over records of 1 / class size, 0 to 1: the chance that somebody who knows everything
    in the table about a person, and that she is in it, picks her record; 0 without records.

    The sum over the records of a class is 1, so that it is the number of classes over that of
    records (Templ, Kowarik and Meindl 2015, sdcMicro, with the file as the population).

    >>> global_risk(np.array([1, 3]))
    0.5
    """
    records = int(sizes.sum())
    return len(sizes) / records if records else 0.0


@dataclass(frozen=True)
class Risk:
    """The account of one run.

    Attributes:
        k: the least size of a class that was asked for.
        records: records of the table that was given.
        dropped: records that are not in the table that was made.
        lost: suppressed cells by column.
        classes, smallest: number of classes and size of the smallest (0 without records).
        risk_before, risk_after: see :func:`global_risk`.
        whole: records of which no cell was suppressed.
    """

    k: int
    records: int
    dropped: int
    lost: Mapping[str, int]
    classes: int
    smallest: int
    risk_before: float
    risk_after: float
    whole: int

    @property
    def cells_lost(self) -> int:
        """Suppressed cells of all columns."""
        return sum(self.lost.values())

    @property
    def share_lost(self) -> float:
        """Suppressed cells over all cells, 0 to 1; 0 without cells."""
        cells = self.records * len(self.lost)
        return self.cells_lost / cells if cells else 0.0


# --------------------------------------------------------------------------------------------------
# What the places of suppressed cells tell about what stood there (minimality).
#
# A cell is suppressed because its row is unlike others, so that rare values are suppressed more
# often than common ones (Wong, Fu, Wang and Pei 2007, "Minimality Attack in Privacy Preserving Data
# Publishing").  These figures say how much; they are about the finished table, and are for whoever
# decides whether to publish it.

Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Inference:
    """How much suppression tells.

    Only values of at least k records count: a value of fewer can nowhere stand, whoever knows that
    it exists knows that it was suppressed.

    Attributes:
        lift: by column with such cells, the greatest ratio, over its values, of the value's share
            among suppressed cells to its share among all cells; 1 tells nothing.
        worst: the same greatest ratio inside one class and one suppressed column.
        narrow: classes of exactly k records with one suppressed column.
        disclosures: those of them in which the records differ in that column, as somebody who
            knows the method will conclude.
    """

    lift: dict[str, float]
    worst: float
    narrow: int
    disclosures: int


def classes_of(codes: Codes, masked: Mask) -> npt.NDArray[np.int64]:
    """The class of each record, from 0: equal rows once cells are suppressed."""
    if not codes.size:
        return np.zeros(len(codes), np.int64)
    shown = np.ascontiguousarray(np.where(masked, -1, codes))
    rows = shown.view([("", shown.dtype)] * shown.shape[1]).ravel()
    _, classes = np.unique(rows, return_inverse=True)
    return classes.astype(np.int64)


def also_at_random(codes: Codes, masked: Mask, extra: float) -> Mask:
    """Suppress whole columns of classes at random, beyond need.

    Classes only grow, so that k still holds, and a suppressed cell no longer says that its row was
    unlike others.

    Args:
        codes: n x d table of non-negative integers.
        masked: n x d, what is suppressed already.
        extra: chance, 0 to 1, that a column is suppressed in a class; drawn from the operating
            system's generator.
    """
    home = classes_of(codes, masked)
    size = int(home.max(initial=-1)) + 1
    more = uniform(size * codes.shape[1]).reshape(size, codes.shape[1]) < extra
    mask: Mask = masked | more[home]
    return mask


def inference(names: list[str], codes: Codes, masked: Mask, k: int) -> Inference:
    """How much the places of suppressed cells tell; see :class:`Inference`.

    >>> codes = np.array([[0, 0], [0, 0], [0, 0], [1, 0], [1, 0], [1, 1]], np.int32)
    >>> masked = np.zeros((6, 2), bool); masked[3:, 1] = True
    >>> inference(["a", "b"], codes, masked, 3)
    Inference(lift={'b': 0.8}, worst=0.8, narrow=1, disclosures=1)
    """
    home = classes_of(codes, masked)
    sizes = np.bincount(home)
    first = np.zeros(len(sizes), np.int64)
    first[home] = np.arange(len(home))
    hidden = masked[first]  # class by column: all records of a class are suppressed alike
    narrow = (sizes == k) & (hidden.sum(1) == 1)
    lift: dict[str, float] = {}
    worst, disclosures = 0.0, np.zeros(len(sizes), bool)
    for place, name in enumerate(names):
        inside = masked[:, place]
        if not inside.any():
            continue
        own, where = codes[inside, place], home[inside]
        total = np.bincount(codes[:, place])
        usual = total[own] >= k
        if usual.any():
            share = total / len(codes)
            rate = np.bincount(own, minlength=len(total)) / len(own)
            lift[name] = round(float((rate / np.maximum(share, 1e-12))[total >= k].max()), 2)
            pairs, count = np.unique(np.stack([where, own], 1)[usual], axis=0, return_counts=True)
            ratio = count / sizes[pairs[:, 0]] / share[pairs[:, 1]]
            worst = max(worst, round(float(ratio.max()), 2))
        least = np.full(len(sizes), np.iinfo(np.int32).max)
        most = np.full(len(sizes), -1)
        np.minimum.at(least, where, own)
        np.maximum.at(most, where, own)
        disclosures |= narrow & hidden[:, place] & (least < most)
    return Inference(lift, worst, int(narrow.sum()), int(disclosures.sum()))


SUPPRESSED = "suppressed"
"""What a suppressed cell says unless another text is asked for."""

LEAST_K = 2


@dataclass(frozen=True)
class Anonymised:
    """A k-anonymous table, the account of how it came about, and what suppression tells."""

    table: pa.Table
    account: Risk
    inference: Inference


def anonymise(
    table: pa.Table,
    k: int,
    *,
    suppressed: str = SUPPRESSED,
    extra: float = 0.0,
    report: Report | None = None,
) -> Anonymised:
    """Suppress cells until every record equals at least k - 1 others in all columns.

    Args:
        table: text columns, one row per record, null or the empty text where not recorded.  Every
            column counts as one by which a person could be recognised.
        k: the least number of equal records, at least 2.
        suppressed: what a suppressed cell says; no cell of the table may say it.
        extra: chance, 0 to 1, that a column of a class is suppressed beyond need.
        report: is told the share of the work that is done, 0 to 1.

    Returns:
        The same records in random order, no record dropped.

    Raises:
        PolicyError: k or the text cannot be used, or there are records but fewer than k.
        ArithmeticError: the result is not k-anonymous, which would be a fault of this software.

    >>> done = anonymise(pa.table({"sex": ["f", "m", "m", "m", None]}), 2)
    >>> sorted(done.table["sex"].to_pylist()), done.account.smallest
    (['m', 'm', 'm', 'suppressed', 'suppressed'], 2)
    """
    names = table.column_names
    columns = [_coded(column) for column in table.columns]
    _check(table, k, suppressed, [dictionary for _codes, dictionary in columns])
    codes = np.empty((table.num_rows, len(names)), np.int32)
    for place, (own, _dictionary) in enumerate(columns):
        codes[:, place] = own
    masked = suppress(codes, k, report)
    if extra:
        masked = also_at_random(codes, masked, extra)
    order = pa.array(permutation(table.num_rows))
    made = pa.table(
        {
            name: _written(codes[:, place], masked[:, place], dictionary, suppressed).take(order)
            for place, (name, (_codes, dictionary)) in enumerate(zip(names, columns, strict=True))
        }
    )
    sizes = class_sizes(made)
    smallest = int(sizes.min(initial=table.num_rows))
    if made.num_rows != table.num_rows or (table.num_rows and smallest < k):
        raise ArithmeticError("the result is not k-anonymous")
    before = class_sizes(pa.table([pa.array(c) for c in codes.T], names=names))
    return Anonymised(
        made,
        Risk(
            k=k,
            records=table.num_rows,
            dropped=table.num_rows - made.num_rows,
            lost=dict(zip(names, masked.sum(0).tolist(), strict=True)),
            classes=len(sizes),
            smallest=smallest,
            risk_before=global_risk(before),
            risk_after=global_risk(sizes),
            whole=int((~masked.any(1)).sum()),
        ),
        inference(names, codes, masked, k),
    )


def _check(
    table: pa.Table, k: int, suppressed: str, dictionaries: Sequence[pa.StringArray]
) -> None:
    if not table.num_columns or len(set(table.column_names)) < table.num_columns:
        raise error("columns/names")
    if k < LEAST_K:
        raise error("k")
    if 0 < table.num_rows < k:
        raise error("fewer-than-k", k=k)
    if not suppressed.strip() or not suppressed.isprintable() or suppressed.strip()[0] in "=+-@":
        raise error("suppressed-text", text=SUPPRESSED)
    for name, dictionary in zip(table.column_names, dictionaries, strict=True):
        said = pa.array([suppressed.strip().casefold()])
        folded = pc.utf8_trim_whitespace(pc.utf8_lower(dictionary))
        if pc.any(pc.is_in(folded, value_set=said)).as_py():
            raise error("suppressed-text/in-use", column=name)


def _coded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], pa.StringArray]:
    """Codes of a column, 0 for "not recorded", and the text of each code but 0."""
    texts = column.cast(pa.string()).combine_chunks()
    coded = pc.if_else(pc.equal(texts, ""), None, texts).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy().astype(np.int32) + 1
    return codes, coded.dictionary


def _written(
    codes: npt.NDArray[np.int32],
    masked: npt.NDArray[np.bool_],
    dictionary: pa.StringArray,
    suppressed: str,
) -> pa.StringArray:
    """The texts of a column, the suppressed ones replaced."""
    texts = pa.concat_arrays([pa.nulls(1, pa.string()), dictionary, pa.array([suppressed])])
    return texts.take(pa.array(np.where(masked, len(dictionary) + 1, codes)))
