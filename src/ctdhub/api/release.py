"""A published release: counts, tables and facts, each number with its interval."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

import pyarrow as pa

from ctdhub.api.counts import Count, CountRow, CountTable, count_of
from ctdhub.api.facts import FactsDocument, facts_of
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import language
from ctdhub.release import open as opening
from ctdhub.report.wording import caveat, citation
from ctdhub.schema.labels import code_label
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.asking import Given, asked, checked, conditions, recorded
from ctdhub.stats.breaks import DeclaredBreak, breaks_within
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query

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

    def count(self, where: Mapping[str, Given] | None = None, **more: Given) -> Count:
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
        >>> found = release.count(gender="female", citizenship="europe")
        >>> found.low < found.value < found.high
        True
        """
        query = asked(self._answers, {**(where or {}), **more})
        card = self._answers.card(query)
        return self._count(card, self._missing(query))

    def table(self, *variables: str, where: Mapping[str, Given] | None = None) -> CountTable:
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
        query = asked(answers, named, by=variables)
        size = math.prod(len(codes) for codes in answers.axes(query))
        if size > (MOST_CELLS if answers.is_measured(query) else MOST_SUMS):
            raise error("table-size", n=size)
        missing = self._missing(query)
        found = {row.codes: row for row in answers.table(query, shares=False).rows}
        order = (
            named.get(v) or codes for v, codes in zip(variables, answers.axes(query), strict=True)
        )
        rows = [
            CountRow(codes, found[codes].kind, self._count(found[codes].people, missing))
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
        return facts_of(self._answers, place, years, lang)

    def _missing(self, query: Query) -> float | None:
        names = dict.fromkeys((*query.by, *query.where))
        return self._answers.missing(recorded(self._answers, names)) if names else None

    def _count(self, card: NumberCard, missing: float | None) -> Count:
        if card.state == "not_measured":
            names = set(card.query.where) if card.query else set()
            fewer = sorted({"+".join(t) for t in self.measured if len(t) > 1 and set(t) & names})
            raise error("not-measured/api", tables=", ".join(fewer[:8]) or "–")
        return count_of(card, missing, self.caveat, self.citation)
