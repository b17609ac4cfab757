"""The border between Sensitive and Protected is a type: this one.

Rooms right of the border (``release``, ``stats``, ``report``, ``site``) may import this module and
no other before it.  Only ``dp`` mints Protected values; ``release`` reads them back from the files
of a verified bundle by :func:`restore`.  Tests hold all three rules.
"""

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

COUNTS = pa.schema(
    [
        pa.field("columns", pa.list_(pa.string()), nullable=False),
        pa.field("values", pa.list_(pa.string()), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("low", pa.int64(), nullable=False),
        pa.field("high", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)
"""Protected counts: one row per cell that may be shown.  ``values`` follow ``columns``; the empty
text means "not recorded".  ``count`` is an estimate in people (never negative) and ``low`` and
``high`` are its interval at ``Guarantee.level``.  ``state`` is "shown" where ``low`` is above
zero.  A cell of the public domain that has no row is "protected: too few to show", never zero."""

MEASUREMENTS = pa.schema(
    [
        pa.field("columns", pa.list_(pa.string()), nullable=False),
        pa.field("values", pa.list_(pa.string()), nullable=False),
        pa.field("noisy", pa.float64(), nullable=False),
    ]
)
"""Noisy measurements: one row per cell.  ``values`` follow ``columns`` as in :data:`COUNTS`.
``noisy`` is an unbiased estimate in people: not truncated, so that it may be negative, and not
chosen by its own size (a group is chosen by its total, see ``dp.published``).  It is an input of
statistics (series, sums, models), never a figure to show by itself.  Its standard deviation is
``sigma["*".join(columns)]`` of the same answer, ``regions[...]`` for a table of regions."""

LISTS = "lists"
DOUBLES = "doubles"
UNKEYED = "without_key"
POSSIBLE = "possible_doubles"
CAPTURES = "captures"
CAPTURE_CELLS = ("names", "own_name", "family_name", "year_and_place", "shared")
"""People whom both names with the day of birth, the own name with the birth, the family name with
the birth, and both names with year and place find to be another one; people whom two contributors
or more share."""
LIST_JOIN = "+"

SHOWN = "shown"
PROTECTED = "protected"

FALSE_SHARE = 0.005
"""Share of empty cells among the shown that policies allow unless they say otherwise.  R of m cells
are shown where at least R estimates are as large as chance alone makes this share of R / m of the
empty ones (Benjamini and Hochberg 1995, see ``dp.published``)."""


@dataclass(frozen=True)
class Estimate:
    """A protected figure with its interval (``low <= value <= high``, all in the same unit)."""

    value: int
    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError("an estimate lies inside its interval")


@dataclass(frozen=True)
class Guarantee:
    """What was promised: the parameters a reader needs to check the protection.

    Attributes:
        epsilon, delta: the approximate differential privacy guarantee of this answer.
        rho: the same in zero-concentrated differential privacy (zCDP).
        unit: whose presence is hidden, in words that a test compares ("person").
        mechanism: the noise, for example "discrete Gaussian".
        level: the coverage of every interval, for example 0.95.
        sigma: standard deviation of the noise of a cell by table, keyed by columns joined with "*";
            the key "" is the number of people.  It is that of the unbiased estimate that all
            measured tables give together.
        charge: the ledger entry that paid for it.
        rows: the most rows that one person may have and that the noise is for: epsilon, delta and
            rho are what a person with so many rows is promised.
        by_rows: epsilon of a person by the number of rows, as text; it follows from the rest.
        not_fitted: measured tables of two and more columns, keyed as in ``sigma``, that the
            records were not fitted to.
        drawn: standard deviation of the noise that was drawn for each measured table, keyed as in
            ``sigma``; {} where nothing was measured.
        false_share: the policy's, see :data:`FALSE_SHARE`: which cells are shown depends on it, and
            so what is known of the others.
        regions: standard deviation of the noise of a cell of each table of regions, keyed by the
            columns that it has in the measurements; {} where there are none.
    """

    epsilon: float
    delta: float
    rho: float
    unit: str
    mechanism: str
    level: float
    sigma: dict[str, float]
    charge: str
    rows: int = 1
    by_rows: dict[str, float] = field(default_factory=dict, compare=False)
    not_fitted: tuple[str, ...] = ()
    drawn: dict[str, float] = field(default_factory=dict)
    false_share: float = FALSE_SHARE
    regions: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Perpetrators:
    """Protected perpetrators: a table of their own, not linked to the rows of people.

    They are covered by the one :class:`Guarantee` of the answer, whose unit stays the person.

    Attributes:
        records: protected rows, one text column per variable, null where not recorded.
        counts: see :data:`COUNTS`; they count perpetrators whom case records mention.  The first
            row, without columns, is their number.
        rows: the public bound: how many perpetrators of one person count.
        sigma: as in :class:`Guarantee`; the key "" is the number of perpetrators.
    """

    records: pa.Table
    counts: pa.Table
    rows: int
    sigma: dict[str, float]

    def __post_init__(self) -> None:
        if not self.counts.schema.equals(COUNTS):
            raise ValueError("protected counts do not have the schema COUNTS")
        if self.records.num_rows != self.total.value or self.rows < 1:
            raise ValueError("protected perpetrators and their protected number must agree")

    @property
    def total(self) -> Estimate:
        """The protected number of perpetrators.

        Raises:
            ValueError: the counts do not begin with it.
        """
        first = self.counts.slice(0, 1).to_pylist()
        if not first or first[0]["columns"]:
            raise ValueError("counts begin with the number of perpetrators")
        return Estimate(*(first[0][name] for name in ("count", "low", "high")))


@dataclass(frozen=True)
class Sources:
    """Noisy measurements by contributor, and of how the contributors' lists overlap.

    They are covered by the one :class:`Guarantee` of the answer.

    Attributes:
        contributors: ids of those that have counts of their own, in order; the value "" of the
            column :data:`CONTRIBUTOR` stands for all others together.  A person counts with the
            contributor of her earliest record, once.
        lists: ids of the lists whose overlap was measured, in order; () where none was.
        measurements: see :data:`MEASUREMENTS`.  Tables hold ``reporting_entity`` and
            ``year_of_registration``, some a third column; the table ``lists`` holds people by the
            set of lists that know them (ids in the order of ``lists``, joined with "+"); people
            on none of them are not in it; tables of ``lists`` and a variable hold the same by
            its values ("" where not recorded).  The table ``doubles`` has one cell: how many of the
            people of the answer are another one of them, found by further tokens.
            :data:`POSSIBLE` by citizenship counts those who may be another one, :data:`CAPTURES`
            what finds them, :data:`UNKEYED` rows that say too little to be compared.
        sigma: as in :class:`Guarantee`.
        share: of the answer's rho that was set aside for them, 0 to 1.
        list_years: first and last year in which a list must know a person; None where no overlap
            was measured.
        tokens: the most tokens of a person by which lists were joined, beside her key.  Where rows
            of people were joined by as many there is no table ``doubles``.
        found: share of all doubles that tokens find, at least, as the public policy states; None
            where it is estimated.
        merged: share of all people who share a row with another one, at most; likewise.
    """

    contributors: tuple[str, ...]
    lists: tuple[str, ...]
    measurements: pa.Table
    sigma: dict[str, float]
    share: float = 0.0
    list_years: tuple[int, int] | None = None
    tokens: int = 0
    found: float | None = None
    merged: float | None = None

    def __post_init__(self) -> None:
        _check_measurements(self.measurements)

    def cells(self, *columns: str) -> dict[str, float]:
        """Noisy cells of a table by their last value; {} where nobody asked."""
        if "*".join(columns) not in self.sigma:
            return {}
        first = pc.list_element(self.measurements["columns"], 0)
        rows = self.measurements.filter(pc.equal(first, columns[0])).to_pylist()
        return {r["values"][-1]: r["noisy"] for r in rows if r["columns"] == list(columns)}

    def estimates(self, level: float, *columns: str) -> dict[str, Estimate]:
        """The same cells with intervals of noise, each at the level by itself, rounded outwards."""
        cells = self.cells(*columns)
        half = NormalDist().inv_cdf((1 + level) / 2) * self.sigma.get("*".join(columns), 0.0)
        return {
            value: Estimate(
                *(max(0, n) for n in (round(x), math.floor(x - half), math.ceil(x + half)))
            )
            for value, x in cells.items()
        }

    def doubles(self, level: float) -> Estimate | None:
        """People who are another one of them, found by further tokens; None where nobody asked."""
        return next(iter(self.estimates(level, DOUBLES).values()), None)

    def without_key(self, level: float) -> Estimate | None:
        """Rows that say too little to be compared with others; None where nobody asked."""
        return next(iter(self.estimates(level, UNKEYED).values()), None)


@dataclass(frozen=True)
class Protected:
    """A protected answer: records, counts, totals and their guarantee.

    Attributes:
        records: protected person-level rows, one text column per released variable, null where
            not recorded; exactly ``people.value`` rows.
        counts: see :data:`COUNTS`.
        people: the protected number of people.
        case_records: the protected number of case records, a different statistic.
        guarantee: see :class:`Guarantee`.
        facts: public facts that need no protection: hub name, contributors, years, schema
            version, whether the data are fictitious, the caveats that readers must see.
        perpetrators: None where the answer has none, as its public policy says.
        measurements: noisy counts by year, see :data:`MEASUREMENTS`, of the groups whose total is
            shown in ``counts``; the years of a group follow each other, "not recorded" last.
            Then every cell of the tables of regions, see ``Guarantee.regions``.
            Empty where the answer has no column of years.
        sources: None where the answer has none, as its public policy says.
        imputations: sets of records for inference, columns as in ``records``: each is made of the
            noisy tables with noise of their own added once more, so that estimates differ between
            sets by as much as noise alone moves them.  How many there are is public; () is none.
    """

    records: pa.Table
    counts: pa.Table
    people: Estimate
    case_records: Estimate
    guarantee: Guarantee
    facts: dict[str, Any]
    _mint: object
    perpetrators: Perpetrators | None = None
    measurements: pa.Table = field(default_factory=MEASUREMENTS.empty_table)
    sources: Sources | None = None
    imputations: tuple[pa.Table, ...] = ()

    def __post_init__(self) -> None:
        if self._mint is not _MINT:
            raise TypeError("Protected values are made by protect, or restored from a release")
        if self.records.num_rows != self.people.value:
            raise ValueError("protected records and the protected number of people must agree")
        if not self.counts.schema.equals(COUNTS):
            raise ValueError("protected counts do not have the schema COUNTS")
        _check_measurements(self.measurements)
        if any(not t.schema.equals(self.records.schema) for t in self.imputations):
            raise ValueError("sets for inference do not have the columns of the records")


def _check_measurements(table: pa.Table) -> None:
    if not table.schema.equals(MEASUREMENTS):
        raise ValueError("noisy measurements do not have the schema MEASUREMENTS")


_MINT = object()


def mint(**parts: Any) -> Protected:
    """Make a Protected value.  For ``dp`` alone."""
    return Protected(**parts, _mint=_MINT)


def restore(**parts: Any) -> Protected:
    """Read a Protected value back from stored artefacts.  For ``dp`` and ``release`` alone."""
    return Protected(**parts, _mint=_MINT)


def highest_unseen(sigma: float, cells: int, shown: int, false_share: float) -> int:
    """What no estimate of a cell that is not shown is above, in people.

    Args:
        sigma: standard deviation of a cell of the table, in people.
        cells, shown: how many cells the table has, and how many of them are shown.
        false_share: see :class:`Guarantee`.
    """
    by_chance = false_share * min(1.0, max(1, shown) / cells)
    return math.ceil(NormalDist().inv_cdf(1 - by_chance / 2) * sigma + 0.5) - 1


def unseen_end(highest: float, sigma: float, level: float) -> int:
    """Upper end, in people, of the interval of a cell that is not shown.

    Args:
        highest: see :func:`highest_unseen`.
        level: coverage of the interval, in 0..1.
    """
    return math.ceil(highest + NormalDist().inv_cdf((1 + level) / 2) * sigma)
