"""Any table whose columns have permitted values, protected by differential privacy."""

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ctdhub.border import Estimate, Protected
from ctdhub.core.errors import error
from ctdhub.core.i18n import said
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.standalone import table as standalone
from ctdhub.dp.standalone.domains import scope_of
from ctdhub.release.standalone import check_ledger, check_out, write_alone
from ctdhub.sensitive.ingest.raw import read_arrow, read_as_is


@dataclass(frozen=True)
class ProtectedTable:
    """What may be published of a table.

    Attributes:
        records: synthetic records, a pyarrow Table; no row is a real person.
        counts: counts with their intervals, a pyarrow Table with the columns ``columns``,
            ``values``, ``count``, ``low``, ``high`` and ``state``.  A cell without a row is not
            shown; that is not zero.
        people: how many people, or rows where a person may have several; with its interval.
        epsilon, delta: the privacy guarantee.
        level: coverage of the intervals, in 0..1.
        spent: epsilon that everything in the ledger has cost so far.
        charged: False where the same was asked before and was free.
        left_out: columns of the table that have no permitted values, so they are not in it.
        imputations: sets of records for inference, as many as were asked for; see
            :func:`ctdhub.client.pool`.
    """

    records: pa.Table
    counts: pa.Table
    people: Estimate
    epsilon: float
    delta: float
    level: float
    spent: float
    charged: bool
    left_out: tuple[str, ...]
    imputations: tuple[pa.Table, ...]
    _protected: Protected = field(repr=False)
    _ledger: Path = field(repr=False)
    _rows: int = field(repr=False)
    _most: int = field(repr=False)

    def write(self, out: str | os.PathLike[str]) -> Path:
        """Write records, counts and manifest, as ``ctdhub protect --out`` does.

        Args:
            out: a new or empty folder, or one that holds the same answer.

        Raises:
            ReleaseError: the folder holds something else, or the answer was written into another
                folder before (``out-folder``); the ledger is in it (``ledger-folder``).
        """
        folder = Path(out)
        check_ledger(self._ledger, folder)
        charge, book = self._protected.guarantee.charge, Ledger(self._ledger)
        with book.exclusive():
            if charge in standalone.written_charges(book, folder, check_out(folder)):
                raise error("out-folder/written", file=folder)
            with standalone.writing(book, charge, folder):
                return write_alone(self._protected, folder, self._rows, self._most)


def protect(  # noqa: PLR0913
    frame: Any,
    *,
    domains: str | os.PathLike[str],
    epsilon: float,
    ledger: str | os.PathLike[str],
    max_people: int,
    new_ledger: str = "",
    delta: float | None = None,
    budget: float = 12.0,
    support: int | None = None,
    imputations: int = 0,
) -> ProtectedTable:
    """Protect a table by differential privacy, and charge the ledger before noise is drawn.

    The same table with the same settings again is free until the answer is written into a folder;
    from then on it counts as published, and is drawn anew and charged.

    Args:
        frame: anything with ``__arrow_c_stream__`` (DataFrames of pandas and polars, pyarrow
            Tables, results of DuckDB), or the path of a table.
        domains: the domains file, or the word "schema" for the public variables of the hub.
        epsilon: the privacy guarantee, from 0.001 to 100; smaller is stronger.
        ledger: folder of the privacy-budget ledger; one for all tables of the same people.
        max_people: at least as many people as the table will ever hold.
        new_ledger: who the people are, in words, where nothing was ever released about them: then
            the ledger begins.
        delta: at most 1e-6, and at most 1 / (100 × max_people), which is the default.
        budget: the most epsilon of everything in the ledger.
        support: from 0 (complete) to 4 (cautious): how readily rare combinations are left out of
            the records; the domains file's own by default.
        imputations: how many sets of records for inference, from 0 to 100; they cost no epsilon.
            Another number is another question, which is charged.

    Raises:
        HubError: the table cannot be read; a setting is out of range (``usage``); delta is too
            large (``delta``); after the charge, the protected number of people is above max_people
            (``max-people``): do not publish then; a cell holds a value that is not permitted
            (``public-domain``); the ledger refuses (``budget``), was changed or copied, or there is
            none and ``new_ledger`` does not begin one (``ledger-unnamed``).

    >>> import ctdhub, pyarrow
    >>> frame = pyarrow.table({"gender": ["female", "male"] * 500})
    >>> asked = {"domains": "domains.yaml", "epsilon": 1.0, "max_people": 10_000}
    >>> answer = ctdhub.protect(frame, **asked, ledger="ledger", new_ledger="people of the example")
    >>> answer.records.column_names, answer.charged, answer.epsilon
    (['gender'], True, 1.0)
    >>> again = ctdhub.protect(frame, **asked, ledger="ledger")
    >>> again.charged
    False
    """
    _within("epsilon", epsilon, 0.001, 100)
    _within("budget", budget, 0.001, 1000)
    _within("max_people", max_people, 1, 10**10)
    _within("support", support or 0, 0, 4)
    _within("imputations", imputations, 0, 100)
    delta = min(standalone.MAX_DELTA, 1 / (100 * max_people)) if delta is None else delta
    standalone.check_delta(delta, max_people)
    check_ledger(Path(ledger))
    book = standalone.ledger_of_table(Path(ledger), new_ledger)
    raw = read_as_is(Path(frame)) if isinstance(frame, str | os.PathLike) else read_arrow(frame)
    scope = scope_of(os.fspath(domains), raw.table.column_names, support, imputations)
    fitted, before = standalone.fit_domains(raw, scope), len(book.entries())
    answer = standalone.protect_alone(
        fitted, epsilon=epsilon, delta=delta, budget=budget, ledger=book
    )
    rows = scope.plan.rows
    if fault := standalone.too_many(answer, rows, max_people):
        raise fault
    for note in raw.notes:
        warnings.warn(said(note), stacklevel=2)
    return ProtectedTable(
        records=answer.records,
        counts=answer.counts,
        people=answer.people,
        epsilon=epsilon,
        delta=delta,
        level=answer.guarantee.level,
        spent=book.guarantee(book.strictest(delta)),
        charged=len(book.entries()) > before,
        imputations=answer.imputations,
        left_out=scope.left_out(raw.table.column_names),
        _protected=answer,
        _ledger=book.folder,
        _rows=rows,
        _most=max_people,
    )


def _within(name: str, value: float, least: float, most: float) -> None:
    """Refuse a setting out of its range.

    Raises:
        PolicyError: it is (``usage``).
    """
    if not least <= value <= most:
        raise error("usage/range", name=name, least=least, most=most)
