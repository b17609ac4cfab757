"""Persons whom several contributors know, found by several tokens: a report for the steward.

Within a contributor its own case number decides who is one person, so a cluster holds at most one
person of each contributor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.schema.roles import AGE, PERIOD
from ctdhub.sensitive.linkage.match_weights import (
    FACTS,
    Ints,
    Pairs,
    Pattern,
    held_twice,
    letters,
    pairs_of,
    patterns,
)
from ctdhub.sensitive.linkage.persons import Persons, contradiction, persons_of
from ctdhub.sensitive.linkage.pprl.derive import CAPTURES, CHECK, JOINING, QUALITY

REVIEW = pa.schema(
    [
        pa.field("record_a", pa.string()),
        pa.field("record_b", pa.string()),
        pa.field("probability", pa.float64()),
        pa.field("keys", pa.string()),
        pa.field("reason", pa.string()),
    ]
)

PAIRS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("record_a", "record_b", "key_a", "key_b")),
        *(pa.field(name, pa.string()) for name in ("contributor_a", "contributor_b", "keys")),
        pa.field("probability", pa.float64()),
        pa.field("joined", pa.bool_()),
        pa.field("within", pa.bool_()),
        pa.field("reason", pa.string()),
    ]
)
"""Every pair of persons of two contributors that shares a token, and the pairs for review.  ``key``
is what a contributor tells a person by; ``reason`` is null where nobody needs to look."""

READ = ("record_id", "person_key", AGE, PERIOD, *FACTS)
"""Columns of records that are looked at."""


@dataclass(frozen=True)
class Clusters:
    """Who is likely one person.

    Attributes:
        members: ``record_id``, ``contributor``, ``cluster`` (from 0).  Sensitive.
        review: pairs for the steward, schema :data:`REVIEW`: record ids and reasons, no values.
        pairs: all pairs, schema :data:`PAIRS`.  Sensitive.
        patterns: what each agreement of keys is worth.
        persons: persons by contributor's own count.
        clusters: persons once linked.
        links: pairs that were joined.
        too_common: tokens left out because too many share them.
        made_apart: contributors by the key and release of their tokens; more than one group means
            that tokens of different groups cannot agree.
        overlap: clusters by the contributors that know them, joined with "+".
        held_twice: by contributor, persons, and about how many of them are another one of them.
    """

    members: pa.Table
    review: pa.Table
    pairs: pa.Table
    patterns: tuple[Pattern, ...]
    persons: int
    clusters: int
    links: int
    too_common: int
    made_apart: tuple[tuple[str, ...], ...]
    overlap: dict[str, int]
    held_twice: dict[str, tuple[int, int]]


def cluster(records: pa.Table, tokens: pa.Table, cut: float, look: float) -> Clusters:
    """Join persons of different contributors whose tokens agree.

    The likeliest pairs are joined first.  A pair is not joined but left to the steward where it is
    less likely than ``cut``, where the facts contradict it, where another pair is as good, or where
    it would put two persons of one contributor into one cluster.  Two cases of one contributor that
    agree on both names and the whole birth date are shown as well, without a probability.

    Args:
        records: ``record_id``, ``person_key``, ``age_band``, ``year_of_registration``
            and the columns :data:`~ctdhub.sensitive.linkage.match_weights.FACTS`.
        tokens: schema ``ctdhub.sensitive.mapping.tokens.TOKENS``.
        cut: least probability of a link, above 0 and at most 1.
        look: least probability that a steward is shown, at most ``cut``.
    """
    facts = records.group_by("record_id", use_threads=False).aggregate(
        [(name, "first") for name in ("person_key", AGE, PERIOD, *FACTS)]
    )
    checking = pc.starts_with(tokens["token"], f"{CHECK}-")
    rest = pc.match_substring_regex(tokens["token"], f"^[^{CHECK}{JOINING}{CAPTURES}{QUALITY}]")
    checks, held = tokens.filter(checking), _distinct(tokens.filter(rest))
    place = pc.index_in(held["record_id"], value_set=facts["record_id"])
    held, place = held.filter(place.is_valid()), place.drop_null()
    persons = persons_of(held, facts.take(place))
    pairs = pairs_of(
        persons.of_record,
        persons.source[persons.of_record],
        held["token"].combine_chunks(),
        persons.facts,
    )
    sizes = np.bincount(persons.source, minlength=len(persons.sources))
    worth = patterns(pairs, sizes)
    joined, review, links = _join(persons, pairs, worth, cut, look)
    cluster_of = np.array([joined.root(i) for i in range(len(persons.record))], np.int64)
    __, numbered = np.unique(cluster_of, return_inverse=True)
    members = pa.table(
        {
            "record_id": held["record_id"],
            "contributor": held["contributor"],
            "cluster": pa.array(numbered[persons.of_record], pa.int64()),
        }
    )
    return Clusters(
        members=_distinct(members),
        review=review,
        pairs=_pairs(persons, pairs, worth, cluster_of, review),
        patterns=tuple(sorted(worth.values(), key=lambda p: (-p.pairs, p.kinds))),
        persons=len(persons.record),
        clusters=int(numbered.max(initial=-1)) + 1,
        links=links,
        too_common=pairs.too_common,
        made_apart=_made_apart(checks),
        overlap=_overlap(numbered, persons),
        held_twice={
            name: (int(size), round(twice))
            for name, size, twice in zip(
                persons.sources, sizes, held_twice(pairs, worth, sizes), strict=True
            )
        },
    )


def _made_apart(checks: pa.Table) -> tuple[tuple[str, ...], ...]:
    groups: dict[str, set[str]] = {}
    for row in _distinct(checks.select(["contributor", "token"])).to_pylist():
        groups.setdefault(row["token"], set()).add(row["contributor"])
    return tuple(sorted(tuple(sorted(names)) for names in groups.values()))


def _distinct(table: pa.Table) -> pa.Table:
    return table.group_by(table.column_names, use_threads=False).aggregate([])


class _Joined:
    """Union-find; a set holds at most one person of each contributor."""

    def __init__(self, persons: Persons) -> None:
        self._parent = list(range(len(persons.record)))
        self._members = {i: {int(s): i} for i, s in enumerate(persons.source)}
        self._facts = persons

    def root(self, one: int) -> int:
        while self._parent[one] != one:
            self._parent[one] = one = self._parent[self._parent[one]]
        return one

    def join(self, one: int, other: int) -> Text | None:
        """Join two sets unless something speaks against it; the reason, None if joined."""
        a, b = self.root(one), self.root(other)
        if a == b:
            return None
        first, second = self._members[a], self._members[b]
        if first.keys() & second.keys():
            return Text("It would merge two people of one contributor.")
        for x in first.values():
            for y in second.values():
                if reason := contradiction(self._facts, x, y):
                    return reason
        self._parent[b] = a
        first |= self._members.pop(b)
        return None


def _join(
    persons: Persons, pairs: Pairs, worth: dict[int, Pattern], cut: float, look: float
) -> tuple[_Joined, pa.Table, int]:
    joined, links = _Joined(persons), 0
    rows: list[tuple[str, str, float | None, str, str]] = []
    between = np.flatnonzero(~pairs.within)
    probability = np.array([worth[int(bits)].probability for bits in pairs.kinds[between]])
    keys = np.bitwise_count(pairs.kinds[between])
    shown = probability >= look
    between, probability, keys = between[shown], probability[shown], keys[shown]
    rivals = _rivals(_same(persons, pairs), pairs, between, probability, keys)
    for i in np.lexsort((pairs.other[between], pairs.one[between], -keys, -probability)):
        at = between[i]
        one, other = int(pairs.one[at]), int(pairs.other[at])
        if probability[i] < cut:
            apart = joined.root(one) != joined.root(other)
            reason = Text("Likely, not certain.") if apart else None
        elif rivals[i]:
            reason = Text("Another person of this contributor is just as likely.")
        else:
            before = joined.root(one) != joined.root(other)
            reason = joined.join(one, other)
            links += before and not reason
        if reason:
            agree = letters(int(pairs.kinds[at]))
            ids = persons.record[one], persons.record[other]
            rows.append((*ids, round(float(probability[i]), 4), agree, reason.message))
    rows += _doubles(persons, pairs)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(REVIEW)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, REVIEW, strict=True)]
    return joined, pa.table(arrays, schema=REVIEW), links


def _pairs(
    persons: Persons,
    pairs: Pairs,
    worth: dict[int, Pattern],
    cluster_of: Ints,
    review: pa.Table,
) -> pa.Table:
    """All pairs of different contributors, and those of one contributor that are for review."""
    at = np.flatnonzero(~pairs.within | pairs.doubles)
    one, other, within = pairs.one[at], pairs.other[at], pairs.within[at]
    bits, which = np.unique(pairs.kinds[at], return_inverse=True)
    sure = np.array([worth[int(b)].probability if int(b) in worth else np.nan for b in bits])
    names = pa.array([letters(int(b)) for b in bits], pa.string())
    sources = pa.array(persons.sources, pa.string())
    found: dict[str, pa.Array] = {}
    for name, held in (("record", persons.record), ("key", persons.key)):
        texts = pa.array(held, pa.string())
        found |= {f"{name}_a": texts.take(pa.array(one)), f"{name}_b": texts.take(pa.array(other))}
    for side, person in (("a", one), ("b", other)):
        found[f"contributor_{side}"] = sources.take(pa.array(persons.source[person]))
    said = {(row["record_a"], row["record_b"]): row["reason"] for row in review.to_pylist()}
    records = zip(found["record_a"].to_pylist(), found["record_b"].to_pylist(), strict=True)
    found |= {
        "keys": names.take(pa.array(which)),
        "probability": pa.array(sure[which], mask=within | np.isnan(sure[which])),
        "joined": pa.array(cluster_of[one] == cluster_of[other]),
        "within": pa.array(within),
        "reason": pa.array([said.get(pair) for pair in records], pa.string()),
    }
    return pa.table(found).select(PAIRS.names).cast(PAIRS)


def _doubles(persons: Persons, pairs: Pairs) -> list[tuple[str, str, None, str, str]]:
    """Pairs of one contributor for the steward: two cases, perhaps one person."""
    reason = Text("Perhaps one person with two cases at this contributor.")
    return [
        (
            persons.record[pairs.one[at]],
            persons.record[pairs.other[at]],
            None,
            letters(int(pairs.kinds[at])),
            reason.message,
        )
        for at in np.flatnonzero(pairs.doubles)
    ]


def _same(persons: Persons, pairs: Pairs) -> list[int]:
    """Persons by number; those who are perhaps one person held twice have the same number."""
    number = list(range(len(persons.record)))
    for at in np.flatnonzero(pairs.doubles):  # sorted by the smaller person
        number[pairs.other[at]] = min(number[pairs.one[at]], number[pairs.other[at]])
    return number


def _rivals(
    same: list[int],
    pairs: Pairs,
    between: Ints,
    probability: NDArray[np.float64],
    keys: Ints,
) -> NDArray[np.bool_]:
    """Pairs for which one side has another candidate, of the same contributor, just as good.

    A candidate whom the contributor holds twice is no rival of itself.
    """
    sides = [
        (int(person), int(source))
        for place in between
        for person, source in (
            (pairs.one[place], pairs.sources[place, 1]),
            (pairs.other[place], pairs.sources[place, 0]),
        )
    ]
    candidates = [
        same[person]
        for place in between
        for person in (int(pairs.other[place]), int(pairs.one[place]))
    ]
    scores = [(float(p), int(k)) for p, k in zip(probability, keys, strict=True)]
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for at, side in enumerate(sides):
        best[side] = max(best.get(side, (0.0, 0)), scores[at // 2])
    top: dict[tuple[int, int], set[int]] = {}
    for at, side in enumerate(sides):
        if scores[at // 2] == best[side]:
            top.setdefault(side, set()).add(candidates[at])
    return np.array(
        [
            any(len(top[s]) > 1 and scores[i] == best[s] for s in (sides[2 * i], sides[2 * i + 1]))
            for i in range(len(between))
        ],
        bool,
    )


def _overlap(cluster_of: Ints, persons: Persons) -> dict[str, int]:
    known: dict[int, set[str]] = {}
    for number, source in zip(cluster_of, persons.source, strict=True):
        known.setdefault(int(number), set()).add(persons.sources[source])
    return dict(sorted(_count("+".join(sorted(names)) for names in known.values()).items()))


def _count(names: Iterable[str]) -> Counter[str]:
    return Counter(names)
