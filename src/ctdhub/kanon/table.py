"""A table of text made k-anonymous: cells suppressed, rows in random order, k proved on the result.

Three things that a cell may say stay apart: a value, *not recorded* (null), and *suppressed*, a
text of its own.  Suppressed is a category as any other when classes are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.dp.noise import permutation
from ctdhub.kanon.inference import Inference, also_at_random, inference
from ctdhub.kanon.risk import Risk, class_sizes, global_risk
from ctdhub.kanon.suppress import Report, suppress

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
    costs: Mapping[str, float] | None = None,
    extra: float = 0.0,
    report: Report | None = None,
) -> Anonymised:
    """Suppress cells until every record equals at least k - 1 others in all columns.

    Args:
        table: text columns, one row per record, null or the empty text where not recorded.  Every
            column counts as one by which a person could be recognised.
        k: the least number of equal records, at least 2.
        suppressed: what a suppressed cell says; no cell of the table may say it.
        costs: how bad a suppressed cell of a column is, positive; 1 where no cost is named.
        extra: chance, 0 to 1, that a column of a class is suppressed beyond need.
        report: is told the share of the work that is done, 0 to 1.

    Returns:
        The same records in random order, no record dropped.

    Raises:
        PolicyError: k, the text or the costs cannot be used, or there are records but fewer than k.
        ArithmeticError: the result is not k-anonymous, which would be a fault of this software.

    >>> done = anonymise(pa.table({"sex": ["f", "m", "m", "m", None]}), 2)
    >>> sorted(done.table["sex"].to_pylist()), done.account.smallest
    (['m', 'm', 'm', 'suppressed', 'suppressed'], 2)
    """
    names = table.column_names
    columns = [_coded(column) for column in table.columns]
    _check(table, k, suppressed, [dictionary for _codes, dictionary in columns])
    prices = _prices(names, costs or {})
    codes = np.empty((table.num_rows, len(names)), np.int32)
    for place, (own, _dictionary) in enumerate(columns):
        codes[:, place] = own
    masked = suppress(codes, k, prices, report)
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


def _prices(names: Sequence[str], costs: Mapping[str, float]) -> list[float]:
    strangers = set(costs) - set(names)
    prices = [float(costs.get(name, 1.0)) for name in names]
    if strangers or not all(0 < price < float("inf") for price in prices):
        raise error("costs")
    return prices


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
