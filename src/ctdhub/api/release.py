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

from ctdhub.api.conditions import Conditions, Given, checked, conditions, recorded
from ctdhub.api.counts import Count, CountRow, CountTable, count_of
from ctdhub.api.facts import FactsDocument, facts_of
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import language
from ctdhub.release import open as opening
from ctdhub.report.wording import caveat, citation
from ctdhub.schema.labels import code_label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import PERIOD
from ctdhub.stats.answers import Answer, Answers
from ctdhub.stats.cards import card
from ctdhub.stats.tables import NOT_RECORDED, Kind, missing_share, reported

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
        asked = conditions(self._answers, {**(where or {}), **more})
        return self._count(self._answers.count(asked), self._missing(asked), tuple(asked))

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
        names = tuple(checked(answers, name) for name in variables)
        if not names or len(set(names)) != len(names):
            raise error("usage/table", names=", ".join(self.variables))
        asked = conditions(answers, where or {})
        rest = {name: codes for name, codes in asked.items() if name not in names}
        domains = [asked.get(name) or self._domain(name) for name in names]
        answered = self._cells(names, domains, rest)
        missing = self._missing({**rest, **dict(zip(names, domains, strict=True))})
        rows = []
        for codes, answer in answered.items():
            count = self._count(answer, missing, (*names, *rest))
            rows.append(CountRow(codes, self._kind(names, codes), count))
        about = {
            "release": self.version,
            "level": self.level,
            "caveat": self.caveat,
            "citation": self.citation,
            "invented": self.fictitious,
            "where": {name: list(codes) for name, codes in asked.items()},
        }
        return CountTable(names, tuple(rows), about)

    def facts(
        self, place: str | None = None, *, years: tuple[int, int] | None = None, lang: str = "en"
    ) -> FactsDocument:
        """The facts of a place, or of the whole release, in words.

        Args:
            place: a country or region by name or code ("ITA", "Europe"); None is everybody.
            years: first and last, both included; None is all years, the people whose year is not
                recorded among them.
            lang: one of "en", "fr", "es", "ar".

        Raises:
            QuestionError: no such place (``no-such-place``), years that the release does not
                cover (``years``), no such language (``usage``).

        >>> import ctdhub
        >>> ctdhub.open_hub("my-hub").release().facts("Europe").title
        'Europe'
        """
        return facts_of(self._answers, place, years, lang)

    def _domain(self, name: str) -> tuple[str, ...]:
        values = self._answers.domain(name)
        if name == PERIOD:
            values = tuple(year for year in values if year <= self._answers.release.year)
        return (*values, NOT_RECORDED)

    def _cells(
        self, names: tuple[str, ...], domains: list[tuple[str, ...]], rest: Conditions
    ) -> dict[tuple[str, ...], Answer]:
        """The answer of every cell: as it was measured where it was, else as a sum."""
        answers, every = self._answers, (*names, *rest)
        single = all(len(codes) == 1 for codes in rest.values())
        key = answers.measured(*every) if single else None
        size = math.prod(len(codes) for codes in domains)
        if size > (MOST_SUMS if key is None else MOST_CELLS):
            raise error("table-size", n=size)
        cells = list(product(*domains))
        if key is None:
            return {
                cell: answers.count({**rest, **{n: [c] for n, c in zip(names, cell, strict=True)}})
                for cell in cells
            }
        shown, most = answers.cells(*every), Answer(0, 0, answers.unseen(key))
        end = tuple(codes[0] for codes in rest.values())
        found = {cell: shown.get((*cell, *end)) for cell in cells}
        return {c: Answer(e.value, e.low, e.high) if e else most for c, e in found.items()}

    def _kind(self, names: tuple[str, ...], codes: tuple[str, ...]) -> Kind:
        if NOT_RECORDED in codes:
            return "not_recorded"
        covered = all(reported(self._answers, *pair) for pair in zip(names, codes, strict=True))
        return "value" if covered else "nobody_reports"

    def _missing(self, asked: Conditions) -> float | None:
        if not asked:
            return None
        return missing_share(self._answers, {}, recorded(self._answers, asked))

    def _count(self, answer: Answer, missing: float | None, names: tuple[str, ...]) -> Count:
        if answer.low is None:
            fewer = sorted(
                {"+".join(t) for t in self.measured if len(t) > 1 and set(t) & set(names)}
            )
            raise error("not-measured/api", tables=", ".join(fewer[:8]) or "–")
        made = card(self._answers.release, answer, "people", missing=missing)
        return count_of(made, self.caveat, self.citation)
