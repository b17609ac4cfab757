"""Open a hub, a release or a site, and read a published release: counts, tables and facts, with
their intervals.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from ctdhub.client import Site, frame, open_site
from ctdhub.core.errors import error
from ctdhub.core.files import write_whole
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release import open as opening
from ctdhub.release.bundle import latest_standing, versions
from ctdhub.release.manifest import MANIFEST
from ctdhub.release.tables import without_formulas
from ctdhub.report.facts import FORMS, headline_sheet, place_sheet
from ctdhub.report.wording import caveat, citation
from ctdhub.schema.countries import find_place, resolve
from ctdhub.schema.labels import code_label
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers, Condition, checked, conditions, read_query, recorded
from ctdhub.stats.cards import Kind, NumberCard, State
from ctdhub.stats.query import Query
from ctdhub.stats.tables import place_facts
from ctdhub.stats.trend import DeclaredBreak, breaks_within

# --------------------------------------------------------------------------------------------------
# Numbers of people as a program gets them: never without interval, state and what is missing.


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


def require(package: str) -> None:
    """Refuse what needs a package that is not installed.

    Raises:
        HubError: it is not (rule ``needs-package``).
    """
    if find_spec(package) is None:
        raise error("needs-package", name=package)


# --------------------------------------------------------------------------------------------------
# The facts of a place, or of a whole release, in words of one language.


@dataclass(frozen=True)
class FactsDocument:
    """Sentences and numbers with their intervals, as ``ctdhub facts`` states them.

    Attributes:
        title: the place, or the hub, in words.
        lang: the language, for example "fr".
    """

    title: str
    lang: str
    _text: str = field(repr=False)
    _markdown: str = field(repr=False)
    _json: str = field(repr=False)

    def to_text(self) -> str:
        """Sentences, what to know about them, the citation."""
        return self._text

    def to_markdown(self) -> str:
        """Sentences, a table of the numbers, the citation.

        >>> import ctdhub
        >>> facts = ctdhub.open_hub("my-hub").release().facts("ITA", lang="fr")
        >>> print(facts.to_markdown().splitlines()[0].split(",")[0])
        # Italie
        """
        return self._markdown

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, with the keys of ``ctdhub facts --format json``."""
        facts: dict[str, Any] = json.loads(self._json)
        return facts


# --------------------------------------------------------------------------------------------------
# A published release: counts, tables and facts, each number with its interval.

MOST_CELLS = 100_000
"""Rows of a table that is read as it was measured, at most."""

MOST_SUMS = 2_000
"""Rows of a table whose every cell is a sum, at most."""


def open_release(where: str | os.PathLike[str]) -> PublishedRelease:
    """Verify a release against its hashes and open it.

    Args:
        where: its folder, for example "my-hub/releases/2026.1".

    Raises:
        ReleaseError: there is no release, or it was changed (the rule says how, see
            ``ctdhub verify``).

    >>> import ctdhub
    >>> ctdhub.open_release("my-hub/releases/2026.1").version
    '2026.1'
    """
    return PublishedRelease(Path(where), Answers(opening.open_release(Path(where))))


@dataclass(frozen=True)
class PublishedRelease:
    """A verified release; made by :func:`open_release` or :meth:`ctdhub.HubFolder.release`.

    Attributes:
        path: its folder.

    >>> import ctdhub
    >>> release = ctdhub.open_hub("my-hub").release()
    >>> release.version, release.level, release.fictitious
    ('2026.1', 0.95, True)
    """

    path: Path
    _answers: Answers = field(repr=False)

    @property
    def version(self) -> str:
        """For example "2026.1"."""
        return self._answers.release.version

    @property
    def level(self) -> float:
        """Coverage of every confidence interval, in 0..1."""
        return self._answers.release.protected.guarantee.level

    @property
    def epsilon(self) -> float:
        """The privacy guarantee, together with :attr:`delta`."""
        return self._answers.release.protected.guarantee.epsilon

    @property
    def delta(self) -> float:
        """See :attr:`epsilon`."""
        return self._answers.release.protected.guarantee.delta

    @property
    def fictitious(self) -> bool:
        """Whether these are practice data about nobody."""
        return self._answers.release.facts.invented

    @property
    def years(self) -> tuple[int, int]:
        """First and last year that some contributor reports on."""
        return self._answers.release.years

    @property
    def contributors(self) -> tuple[str, ...]:
        """Names of the organisations behind the numbers."""
        return tuple(c.name for c in self._answers.release.facts.contributors)

    @property
    def breaks(self) -> tuple[DeclaredBreak, ...]:
        """Breaks that contributors declared in the years of the release: figures before and after
        one are not comparable."""
        release = self._answers.release
        return breaks_within(release, None, *release.years)

    @cached_property
    def caveat(self) -> str:
        """The sentence that goes with every number, in English."""
        with language("en"):
            return caveat()

    @cached_property
    def citation(self) -> str:
        """How to cite the release, in English."""
        with language("en"):
            return citation(self._answers.release)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that the release holds, in the order of the codebook."""
        people = load_schema().table("people")
        return tuple(v.name for v in people if v.name in self._answers.variables)

    @property
    def measured(self) -> tuple[tuple[str, ...], ...]:
        """Which variables were counted together: a count whose variables are in none of these
        has no interval and cannot be asked for."""
        tables = self._answers.release.protected.guarantee.sigma
        return tuple(tuple(key.split("*")) for key in tables if key)

    def values(self, variable: str, lang: str = "en") -> dict[str, str]:
        """Labels of the values of a variable, by code.

        Raises:
            QuestionError: the release has no such variable (``no-such-variable``).

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").release().values("gender")["female"]
        'Woman or girl'
        """
        codes = self._answers.domain(checked(self._answers, variable))
        return {code: code_label(variable, code, lang) for code in codes}

    def records(self) -> pa.Table:
        """Synthetic records, one row per person, null where not recorded; no row is a real
        person."""
        return self._answers.release.protected.records

    def count(self, where: Mapping[str, Condition] | None = None, **more: Condition) -> Count:
        """Number of people who meet all conditions; all people without any.

        Args:
            where: by variable a value or several: codes, years as numbers, True or False for a
                yes/no variable, countries and regions by name or code ("CIV", "europe"), None
                for "not recorded".
            more: the same as keywords.

        Raises:
            QuestionError: the release has no such variable (``no-such-variable``), the variable
                no such value (``no-such-value``), there is no such place (``no-such-place``), or
                these variables were not measured together (``not-measured``).

        >>> import ctdhub
        >>> release = ctdhub.open_hub("my-hub").release()
        >>> women = release.count(gender="female", citizenship="europe")
        >>> women.low < women.value < women.high
        True
        """
        query = read_query(self._answers, {**(where or {}), **more})
        card = self._answers.card(query)
        return self._count(card, self._missing(query))

    def table(self, *variables: str, where: Mapping[str, Condition] | None = None) -> CountTable:
        """People by the values of some variables.

        Every combination of values has a row, also one that is not shown; years after the release
        have none.

        Args:
            variables: one, two or three names.
            where: conditions as in :meth:`count`; one on a variable of the table keeps some of
                its rows.

        Raises:
            QuestionError: as :meth:`count`; no variable, or the same twice (``usage``); more
                rows than can be answered (``table-size``).

        >>> import ctdhub
        >>> release = ctdhub.open_hub("my-hub").release()
        >>> for row in release.table("gender", where={"citizenship": "UKR"}).rows[:2]:
        ...     print(row.codes, row.count.value, row.count.low, row.count.high)
        ('female',) 991 983 999
        ('male',) 497 489 505
        """
        answers = self._answers
        if not variables or len(set(variables)) != len(variables):
            for name in variables:
                checked(answers, name)
            raise error("usage/table", names=", ".join(self.variables))
        named = conditions(answers, where or {})
        query = read_query(answers, named, by=variables)
        size = math.prod(len(codes) for codes in answers.axes(query))
        if size > (MOST_CELLS if answers.is_measured(query) else MOST_SUMS):
            raise error("table-size", n=size)
        missing = self._missing(query)
        by_codes = {row.codes: row for row in answers.table(query, shares=False).rows}
        order = (
            named.get(v) or codes for v, codes in zip(variables, answers.axes(query), strict=True)
        )
        rows = [
            CountRow(codes, by_codes[codes].kind, self._count(by_codes[codes].people, missing))
            for codes in product(*order)
        ]
        about = {
            "release": self.version,
            "level": self.level,
            "caveat": self.caveat,
            "citation": self.citation,
            "invented": self.fictitious,
            "where": {name: list(codes) for name, codes in named.items()},
        }
        return CountTable(query.by, tuple(rows), about)

    def facts(
        self, place: str | None = None, *, years: tuple[int, int] | None = None, lang: str = "en"
    ) -> FactsDocument:
        """The facts of a place, or of the whole release, in words.

        Args:
            place: a country or region by name or code ("ITA", "Europe"); None is everybody.
            years: first and last, both included; None is all years, the people whose year is not
                recorded among them.
            lang: a language of ctdhub, such as "fr".

        Raises:
            QuestionError: no such place (``no-such-place``), years that the release does not
                cover (``years``), no such language (``usage``).

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").release().facts("Europe").title
        'Europe'
        """
        answers, (first, last) = self._answers, self.years
        if lang not in LANGUAGES:
            raise error("usage/language", name="lang", values=", ".join(LANGUAGES))
        if years is not None and not first <= years[0] <= years[1] <= last:
            raise error("years/api", first=first, last=last)
        area = find_place(place, lambda text: resolve(text).alpha3) if place is not None else None
        with language(lang):
            sheet = (
                place_sheet(place_facts(answers, area, years), answers.release)
                if area
                else headline_sheet(answers, years)
            )
            text, markdown, data = (FORMS[form](sheet) for form in ("text", "markdown", "json"))
        return FactsDocument(sheet.title, lang, text, markdown, data)

    def _missing(self, query: Query) -> float | None:
        names = dict.fromkeys((*query.by, *query.where))
        return self._answers.missing(recorded(self._answers, names)) if names else None

    def _count(self, card: NumberCard, missing: float | None) -> Count:
        if card.state == "not_measured":
            names = set(card.query.where) if card.query else set()
            fewer = sorted({"+".join(t) for t in self.measured if len(t) > 1 and set(t) & names})
            raise error("not-measured/api", tables=", ".join(fewer[:8]) or "–")
        return Count(
            value=None if card.value is None else round(card.value),
            low=round(card.low or 0),
            high=round(card.high or 0),
            state=card.state,
            missing=None if missing is None else round(missing, 4),
            level=card.level,
            caveat=self.caveat,
            citation=self.citation,
            once=None if card.once is None else (round(card.once[0]), round(card.once[1])),
        )


# --------------------------------------------------------------------------------------------------
# Open what lies in a folder or at an address: a hub, a release or a site.


@dataclass(frozen=True)
class HubFolder:
    """The releases of a hub; made by :func:`open_hub`.  Nothing sensitive is read.

    Attributes:
        path: the folder of the hub.
    """

    path: Path

    @property
    def versions(self) -> tuple[str, ...]:
        """Versions of its releases, the oldest first.

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").versions
        ('2026.1',)
        """
        return versions(self.path / "releases")

    def release(self, version: str | None = None) -> PublishedRelease:
        """A release of the hub, verified.

        Args:
            version: for example "2026.1"; by default the last one that was not withdrawn.

        Raises:
            ReleaseError: the hub has no such release (``no-release``), or it was changed.

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").release("2026.1").version
        '2026.1'
        """
        folder = self.path / "releases"
        if version is None:
            path = latest_standing(folder)
        else:
            path = folder / version if version in self.versions else None
        if path is None:
            names = ", ".join(self.versions) or "–"
            raise error("no-release/version", file=self.path, names=names)
        return open_release(path)


def open_hub(where: str | os.PathLike[str]) -> HubFolder:
    """Open a hub for its releases.

    Args:
        where: the folder of the hub.

    Raises:
        HubFolderError: the folder is not a hub (``hub-folder``).

    >>> import ctdhub
    >>> ctdhub.open_hub("my-hub").release().version
    '2026.1'
    """
    path = Path(where)
    if not (path / "hub.yaml").is_file():
        raise error("hub-folder", file=path)
    return HubFolder(path)


def open(where: str | os.PathLike[str]) -> HubFolder | PublishedRelease | Site:
    """Open a hub, a release or a site, by what lies there.

    Args:
        where: a folder, or the address of a site (http or https).  Programs that are checked by
            types use :func:`open_hub`, :func:`open_release` or :func:`open_site`.

    Raises:
        HubFolderError: the folder is none of them (``hub-folder``).
        ReleaseError: the release was changed.
        SiteError: the site cannot be reached or is damaged.

    >>> import ctdhub
    >>> type(ctdhub.open("my-hub")).__name__
    'HubFolder'
    >>> type(ctdhub.open("my-hub/releases/2026.1")).__name__
    'PublishedRelease'
    """
    if isinstance(where, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", where):
        return open_site(where)
    path = Path(where)
    if (path / "hub.yaml").is_file():
        return open_hub(path)
    if (path / MANIFEST).is_file():
        return open_release(path)
    if (path / "api" / "latest.json").is_file():
        return open_site(path)
    raise error("hub-folder/neither", file=path)
