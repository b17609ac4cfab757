"""Numbers of people as a program gets them: never without interval, state and what is missing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from ctdhub.client.shape import frame
from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.release.tables import without_formulas
from ctdhub.stats.cards import NumberCard, State
from ctdhub.stats.table import Kind


@dataclass(frozen=True)
class Count:
    """A number of identified people.  It is no number itself: read ``value`` with ``state``.

    Attributes:
        value: the estimate in people; None unless ``state`` is "shown".
        low, high: the confidence interval at ``level``, in people.  It covers the noise added for
            privacy, not people whom nobody identified.
        state: "shown"; "imprecise": the interval of a sum is too wide for one number (more than
            1.6 times the estimate); or "protected": the count is not shown because its interval
            reaches zero.  Not shown is not zero: the count lies between ``low`` and ``high``.
        missing: share of people, in 0..1, for whom the answers to the questions asked are not
            recorded; None where it is not known, or nothing was asked.
        level: coverage of the interval, in 0..1.
        caveat: the sentence that goes with every number.
        citation: how to cite it; names the release.
        once: the second interval, if everybody is counted once, which allows for people who are
            counted twice and people who share a row; compare groups by it.  None where the release
            does not measure it.

    >>> import ctdhub
    >>> women = ctdhub.open_hub("my-hub").release().count(gender="female")
    >>> women
    Count(value=2382, low=2374, high=2390, state='shown', missing=0.0903, level=0.95)
    >>> few = ctdhub.open_hub("my-hub").release().count(citizenship="NOR")
    >>> few.value, few.state, few.low
    (None, 'protected', 0)
    """

    value: int | None
    low: int
    high: int
    state: State
    missing: float | None
    level: float
    caveat: str = field(repr=False)
    citation: str = field(repr=False)
    once: tuple[int, int] | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        raise TypeError("a count is neither true nor false: compare its value, low or high")


@dataclass(frozen=True)
class CountRow:
    """One row of a table.

    Attributes:
        codes: the values of the table's variables, in their order; "" means "not recorded".
        kind: "value"; "not_recorded"; "nobody_reports": no contributor covers that year.
        count: the people of the row.
    """

    codes: tuple[str, ...]
    kind: Kind
    count: Count


@dataclass(frozen=True)
class CountTable:
    """People by the values of some variables; every cell has a row, also one that is not shown.

    Attributes:
        variables: names, in the order asked for.
        rows: see :class:`CountRow`; the values in the order of the codebook, "not recorded" last.
        about: release, level, caveat, citation, whether the data are fictitious, and the
            conditions.  Data frames carry it: ``attrs["ctdhub"]`` in pandas, the metadata
            ``ctdhub`` (JSON) of the schema in Arrow.
    """

    variables: tuple[str, ...]
    rows: tuple[CountRow, ...]
    about: Mapping[str, Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def to_arrow(self) -> pa.Table:
        """A pyarrow Table: a text column for each variable, then count, low, high, state, kind.

        Where the release measures the second interval, once_low and once_high stand before state.

        >>> import ctdhub
        >>> table = ctdhub.open_hub("my-hub").release().table("gender").to_arrow()
        >>> table.column_names
        ['gender', 'count', 'low', 'high', 'state', 'kind']
        """
        return frame(self._columns(), self.about, arrow=True)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the columns of :meth:`to_arrow`; what is not shown is missing.

        Raises:
            HubError: pandas is not installed (rule ``needs-package``).
        """
        require("pandas")
        return frame(self._columns(), self.about, arrow=False)

    def to_polars(self) -> Any:
        """A polars DataFrame with the columns of :meth:`to_arrow`.

        Raises:
            HubError: polars is not installed (rule ``needs-package``).
        """
        require("polars")
        return import_module("polars").from_arrow(self.to_arrow())

    def to_csv(self, path: str | Path | None = None) -> str:
        """The columns of :meth:`to_arrow` as CSV in UTF-8, no cell of which runs as a formula.

        Args:
            path: written too, whole or not at all; a file of that name is replaced.

        >>> import ctdhub
        >>> table = ctdhub.open_hub("my-hub").release().table("gender")
        >>> print(table.to_csv().splitlines()[1])
        "female",2382,2374,2390,"shown","value"
        """
        sink = io.BytesIO()
        pa_csv.write_csv(without_formulas(self._columns()), sink)
        if path is not None:
            write_whole(Path(path), sink.getvalue(), 0o644)
        return sink.getvalue().decode()

    def _columns(self) -> pa.Table:
        counts = [row.count for row in self.rows]
        columns: dict[str, pa.Array] = {
            name: pa.array([row.codes[k] for row in self.rows], pa.string())
            for k, name in enumerate(self.variables)
        }
        columns["count"] = pa.array([c.value for c in counts], pa.int64())
        columns["low"] = pa.array([c.low for c in counts], pa.int64())
        columns["high"] = pa.array([c.high for c in counts], pa.int64())
        if any(c.once for c in counts):
            for k, name in enumerate(("once_low", "once_high")):
                columns[name] = pa.array([c.once and c.once[k] for c in counts], pa.int64())
        columns["state"] = pa.array([c.state for c in counts], pa.string())
        columns["kind"] = pa.array([row.kind for row in self.rows], pa.string())
        return pa.table(columns)


def count_of(card: NumberCard, missing: float | None, caveat: str, citation: str) -> Count:
    """A number card of people as a program gets it.

    Args:
        missing: share of all people, in 0..1, whose answers to what was asked are not recorded.

    Raises:
        ValueError: the card was not measured, so it has no interval.
    """
    if card.low is None or card.high is None:
        raise ValueError("what was not measured has no count")
    return Count(
        value=None if card.value is None else round(card.value),
        low=round(card.low),
        high=round(card.high),
        state=card.state,
        missing=None if missing is None else round(missing, 4),
        level=card.level,
        caveat=caveat,
        citation=citation,
        once=None if card.once is None else (round(card.once[0]), round(card.once[1])),
    )


def require(package: str) -> None:
    """Refuse what needs a package that is not installed.

    Raises:
        HubError: it is not (rule ``needs-package``).
    """
    if find_spec(package) is None:
        raise error("needs-package", name=package)
