"""How the lists of contributors overlap, as the engine takes it and as a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ctdhub.border import CAPTURE_CELLS, CAPTURES, DOUBLES, LISTS, POSSIBLE, UNKEYED
from ctdhub.core.errors import error
from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns, joined_reach, person_rows
from ctdhub.dp.policy import LinkingSettings, Policy
from ctdhub.dp.workload import Workload, question
from ctdhub.schema.model import ORIGIN, PERIOD, load_schema

# --------------------------------------------------------------------------------------------------
# How lists overlap, as the engine takes it: people by the set of lists that know them.


@dataclass(frozen=True)
class Overlap:
    """Exact counts.  Sensitive.

    Attributes:
        lists: ids of the lists, in order; () where none are asked about.
        years: first and last year, both included, in which a list must know a person.
        tokens: the most tokens of a person that join her with others; 0 for her key alone.
        people: people by the lists that know them, ids in order; sets without people are left
            out, and so are people on no list.
        doubles: rows of people that are another row's person by these tokens.
        without_key: rows that say too little to be compared with others.
        possible: rows that may be another row's person, by citizenship, "" where not recorded;
            empty where nobody asks, as is the next.
        captures: rows found by each of :data:`CAPTURES`.
        strata: people by the lists that know them, as in ``people``, by variable and value, ""
            where not recorded; empty where nobody asks.
    """

    lists: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    tokens: int = 0
    people: dict[tuple[str, ...], int] = field(default_factory=dict)
    doubles: int = 0
    without_key: int = 0
    possible: dict[str, int] = field(default_factory=dict)
    captures: dict[str, int] = field(default_factory=dict)
    strata: dict[tuple[str, str, tuple[str, ...]], int] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = asdict(self)
        for name in ("people", "strata"):
            content[name] = [[*item] for item in content[name].items()]
        path.write_text(json.dumps(content, indent=1), "utf-8")

    @staticmethod
    def read(path: Path) -> Overlap:
        """Read what :meth:`write` wrote."""
        found = json.loads(path.read_text("utf-8"))
        found |= {name: tuple(found[name]) for name in ("lists", "years")}
        found["people"] = {tuple(names): people for names, people in found["people"]}
        found["strata"] = {(name, v, tuple(on)): n for (name, v, on), n in found["strata"]}
        return Overlap(**found)


# --------------------------------------------------------------------------------------------------
# The overlap of lists as a question: which lists, in which years, by how many tokens, its noise.
#
# Its cells have the reach of people whom ``tokens`` tokens join (``plan.joined_reach``).  The
# doubles are rows of people less these people: one row of a person changes them by at most
# ``tokens`` (decision 27), and taking away B rows one after the other by at most B times that.
#
# Possible doubles are a question of their own, with a share of their own: no list need be named.

DOUBLES_SHARE = Fraction(1, 10)
"""Part of the overlap's budget that goes to the number of doubles: it is one number, and large."""

POSSIBLE_BY = (POSSIBLE, ORIGIN)
"""Columns of the table of possible doubles by citizenship."""

POSSIBLE_SHARES: dict[Columns, Fraction] = {
    POSSIBLE_BY: Fraction(1, 2),
    (CAPTURES,): Fraction(2, 5),
    (UNKEYED,): Fraction(1, 10),
}
"""Parts of the budget of possible doubles: by citizenship, of all by what finds them, and rows that
say too little."""

STRATA_SHARE = Fraction(1, 2)
"""Part of the lists' own budget that goes to the same by strata, together: the tables by strata
say as much of the whole, once they are added up."""

MOST_VALUES = 30
"""More strata than this would each be small."""

KINDS = 4
"""Tokens of a person that find possible doubles beside those that join rows."""


Tables = dict[Columns, tuple[tuple[int, ...], int, Fraction]]
"""Shape, squared L2 sensitivity and share of the budget of each table."""


def questions_of(tables: Tables, rho: Fraction) -> Workload:
    """The tables with their noise; they cost at most ``rho`` together.

    Raises:
        PolicyError: a table would get more noise than can be drawn.
    """
    return tuple(
        question(columns, shape, "groups", rho * share, reach)
        for columns, (shape, reach, share) in tables.items()
    )


@dataclass(frozen=True)
class ListTables:
    """What is public about the overlap.

    Attributes:
        names: ids of the lists.
        years: first and last year that all of them cover, both included.
        tokens: the most tokens of a person that join her with others.
        fewer: the same in rows of people.
        rows: the most rows that one person may have, see ``person_rows``.
        strata: variables by whose public values people on lists are counted too, with the values.
    """

    names: tuple[str, ...]
    years: tuple[int, int]
    tokens: int
    fewer: int = 0
    rows: int = 1
    strata: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def sets(self) -> tuple[tuple[str, ...], ...]:
        """Every set of lists but the empty one, as ids in the order of ``names``."""
        every = product((False, True), repeat=len(self.names))
        named = (tuple(n for n, on in zip(self.names, s, strict=True) if on) for s in every)
        return tuple(s for s in named if s)

    @property
    def tables(self) -> Tables:
        """What is measured: sets of lists, or people, are on the first axis.

        By strata a person on lists falls into one cell as she does without: her value is a function
        of her own records, so the reach is the same.
        """
        reach, sets, doubles = joined_reach(self.tokens, self.rows), len(self.sets), Fraction(0)
        found: Tables = {}
        if self.tokens != self.fewer:
            doubles = DOUBLES_SHARE
            found[(DOUBLES,)] = ((1,), (self.rows * self.tokens) ** 2, doubles)
        within = (1 - doubles) * STRATA_SHARE if self.strata else Fraction(0)
        own: Tables = {(LISTS,): ((sets,), reach, 1 - doubles - within)}
        for name, values in self.strata:
            own[LISTS, name] = ((sets, len(values) + 1), reach, within / len(self.strata))
        return own | found

    def counts(self, found: Overlap | None) -> Counts:
        """The exact tables; of none at hand, tables of zeros.

        Raises:
            ValueError: what was counted is not what the policy asks.
        """
        if found is None:
            found = Overlap(self.names, self.years, self.tokens)
        if (found.lists, found.years, found.tokens) != (self.names, self.years, self.tokens):
            raise ValueError("the overlap of lists is not the one that the policy asks about")
        cells = np.array([found.people.get(s, 0) for s in self.sets], np.int32)
        exact: Counts = {(LISTS,): cells, (DOUBLES,): np.array([found.doubles], np.int32)}
        for name, values in self.strata:
            exact[LISTS, name] = np.array(
                [[found.strata.get((name, v, s), 0) for v in (*values, "")] for s in self.sets],
                np.int32,
            )
        return {columns: exact[columns] for columns in self.tables}


@dataclass(frozen=True)
class DoubleTables:
    """What is public about the estimate of how many people are counted more than once.

    Attributes:
        settings: of links; ``doubles`` is the share of the release's rho.
        rows: the most rows that one person may have, see ``person_rows``.
        citizenships: public values by which possible doubles are counted.
    """

    settings: LinkingSettings
    rows: int
    citizenships: tuple[str, ...]

    @property
    def tables(self) -> Tables:
        """What is measured.

        A double is every row but the least of those that tokens join.  Without one row of a person
        at most as many rows as it has tokens are doubles no more, and none becomes one; with
        fewer tokens likewise.  By citizenship both may fall on one cell each.  A capture joins by
        one token more than rows: what one row held together by K tokens fell into k pieces, and
        by one token more into 1 to k + 1, so that each capture changes by K - 1 or 1, and so do
        the people whom several contributors know (decision 127).
        """
        keys, captures = self.settings.people, len(CAPTURE_CELLS)
        more, most = keys + KINDS, max(1, keys - 1)
        found: dict[Columns, tuple[tuple[int, ...], int]] = {
            POSSIBLE_BY: ((1, len(self.citizenships) + 1), more**2 + keys**2),
            (CAPTURES,): ((captures,), captures * most**2),
            (UNKEYED,): ((1,), 1),
        }
        return {
            t: (shape, self.rows**2 * reach, POSSIBLE_SHARES[t])
            for t, (shape, reach) in found.items()
        }

    def counts(self, found: Overlap | None) -> Counts:
        """The exact tables; of none at hand, tables of zeros."""
        found = found or Overlap()
        by = [found.possible.get(name, 0) for name in (*self.citizenships, "")]
        captures = [found.captures.get(name, 0) for name in CAPTURE_CELLS]
        return {
            POSSIBLE_BY: np.array([by], np.int32),
            (CAPTURES,): np.array(captures, np.int32),
            (UNKEYED,): np.array([found.without_key], np.int32),
        }


def double_tables(policy: Policy, facts: Mapping[str, Any]) -> DoubleTables | None:
    """The estimate of doubles that a policy asks for, None where it declines.

    Args:
        facts: public facts, as ``person_rows`` reads them.
    """
    if not policy.linking.doubles:
        return None
    by = load_schema().domain(ORIGIN, policy.years)
    return DoubleTables(policy.linking, person_rows(policy, facts).bound, by)


def list_tables(policy: Policy, facts: Mapping[str, Any]) -> ListTables | None:
    """The overlap that a policy asks about, None where it asks about none.

    Args:
        facts: public facts; ``contributors`` with ``id``, ``years``, ``show_counts`` and what
            ``person_rows`` reads.

    Raises:
        PolicyError: the policy names a list of no contributor, of one whose agreement does not
            let its counts be shown, lists that have no year in common, or strata of a variable
            that is not released, is the year, or has too few or too many values.
    """
    settings = policy.sources
    if not settings.share or not settings.lists:
        return None
    given = {str(c["id"]): c for c in _contributors(facts)}
    for name in settings.lists:
        if name not in given:
            raise error("policy-sources", file="policy.yaml", id=name)
        if not given[name].get("show_counts", True):
            raise error("policy-sources/not-shown", file="policy.yaml", id=name)
    spans = [given[name].get("years") or policy.years for name in settings.lists]
    first = max(policy.years[0], *(span[0] for span in spans))
    last = min(policy.years[1], *(span[1] for span in spans))
    if first > last:
        names = ", ".join(settings.lists)
        raise error("policy-sources/years", file="policy.yaml", id=names)
    joins, rows, schema = policy.linking, person_rows(policy, facts).bound, load_schema()
    tokens = joins.lists, joins.people
    released = policy.domains(schema)
    for name in settings.strata:
        if name not in released or not 2 <= len(released[name]) <= MOST_VALUES or name == PERIOD:
            raise error("policy-sources/strata", file="policy.yaml", name=name, most=MOST_VALUES)
    strata = tuple((name, tuple(released[name])) for name in dict.fromkeys(settings.strata))
    return ListTables(settings.lists, (first, last), *tokens, rows, strata)


def _contributors(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = facts.get("contributors", ())
    return [c for c in given if isinstance(c, Mapping) and c.get("id")]
