"""Scored pairs become persons: the likeliest first, at most one person of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.sensitive.linkage.identified.decided_pairs import DecidedPair
from ctdhub.sensitive.linkage.identified.missed import among
from ctdhub.sensitive.linkage.identified.persons import (
    IdentifiedPersons,
    Ints,
    Sets,
    contradiction,
    far_apart,
)
from ctdhub.sensitive.linkage.identified.scoring import Scored, ScoredPairs, probability

SURE = 0.99
"""Links below this probability are joined and shown as well."""

CLOSE = 1.0
"""Bits of evidence within which another person is as likely: less than twice."""

BANDS = (0.0, 0.1, 0.5, 0.9, SURE)
"""Lower ends of the bands of probability that are counted."""


class Doubtful(NamedTuple):
    """A pair for review: two rows counted over all files, and the other columns of the list."""

    one: int
    other: int
    probability: float | None
    agree: str
    differ: str
    joined: bool
    reason: Text


@dataclass(frozen=True)
class Resolved:
    """Who is one person.

    Attributes:
        cluster: cluster of each person, from 0.
        review: doubtful pairs, the likeliest first; then persons with two cases.
        links: pairs of persons that were joined.
        false_links: joined pairs that are expected to be two people.
        missed_links: links that are expected to be missing: by how many the clusters are more than
            people.  None where the files teach nothing about it.
        bands: candidate pairs of persons by the lower end of their band of probability.
    """

    cluster: Ints
    review: list[Doubtful]
    links: int
    false_links: float
    missed_links: float | None
    bands: dict[float, int]


@dataclass(frozen=True)
class PersonPairs:
    """Pairs of persons with the best score of their rows, the likeliest first.

    Attributes:
        one, other: persons; ``one`` is the smaller.
        row: the pair of rows that agrees best, a place in what was scored.
        probability, bits: of it.
    """

    one: Ints
    other: Ints
    row: Ints
    probability: NDArray[np.float64]
    bits: NDArray[np.float64]


def resolve(
    persons: IdentifiedPersons,
    scored: Scored,
    cut: float,
    look: float,
    decided: Sequence[DecidedPair] = (),
) -> Resolved:
    """Join persons of different files.

    Pairs that were decided come first: one person is joined whatever speaks against it, and two
    people are kept apart, also through others.

    The likeliest pairs are joined first.  A pair is not joined but shown where it is less likely
    than ``cut``, where facts contradict it, where another person of the file is as likely, or
    where it would put two persons of one file into one cluster.

    Args:
        persons: of all files.
        scored: candidate pairs of rows.
        cut: least probability of a link, above 0 and at most 1.
        look: least probability that is shown, at most ``cut``.
        decided: pairs of which ``check_decisions`` found no contradiction.
    """
    pairs = pairs_of_persons(persons, scored)
    sets = Sets(len(persons.row))
    members = [{person} for person in range(len(persons.row))]
    two = {(pair.one, pair.other) for pair in decided if not pair.same}
    apart: dict[int, set[int]] = {}
    for one, other in two:
        apart.setdefault(one, set()).add(other)
        apart.setdefault(other, set()).add(one)
    review: list[Doubtful] = []
    links, false_links = 0, 0.0
    for pair in decided:
        a, b = sets.root(pair.one), sets.root(pair.other)
        if pair.same and a != b:
            both = members[a] | members[b]
            members[sets.join(a, b)] = both
            links += 1
    rivals = _rivals(persons, pairs, cut, two)
    for i in range(int((pairs.probability >= look).sum())):
        one, other = int(pairs.one[i]), int(pairs.other[i])
        a, b = sets.root(one), sets.root(other)
        p = float(pairs.probability[i])
        if a == b or (one, other) in two:
            continue
        reason = _against(persons, members[a], members[b])
        if any(x in apart and apart[x] & members[b] for x in members[a]):
            reason = Text("A decision keeps them separate.")
        if p < cut:
            reason = reason or Text("Likely, not certain.")
        elif rivals[i]:
            reason = reason or Text("Another person of this contributor is just as likely.")
        if not reason:
            both = members[a] | members[b]
            members[sets.join(a, b)] = both
            links, false_links = links + 1, false_links + 1 - p
        said = reason or _odd(persons, one, other, p)
        if said:
            review.append(_shown(scored, pairs, i, not reason, said))
    root = np.array([sets.root(i) for i in range(len(persons.row))], np.int64)
    for one, other in persons.doubles:
        said = Text("Perhaps one person with two cases at this contributor.")
        review.append(Doubtful(one, other, None, "", "", True, said))
    return Resolved(
        cluster=np.unique(root, return_inverse=True)[1].astype(np.int64),
        review=[row for row in review if not _settled(row, root, persons)],
        links=links,
        false_links=false_links,
        missed_links=_missed(persons, scored, pairs, root, links),
        bands=_bands(pairs.probability),
    )


def pairs_of_persons(persons: IdentifiedPersons, scored: ScoredPairs) -> PersonPairs:
    """Pairs of persons, each once, from pairs of rows."""
    one, other = persons.of_row[scored.one], persons.of_row[scored.other]
    swap = one > other
    one, other = np.where(swap, other, one), np.where(swap, one, other)
    order = np.lexsort((other, one, -scored.bits))
    code = one[order] * len(persons.row) + other[order]
    best = order[np.sort(np.unique(code, return_index=True)[1])]
    bits = scored.bits[best]
    return PersonPairs(one[best], other[best], best, probability(bits), bits)


def _rivals(
    persons: IdentifiedPersons, pairs: PersonPairs, cut: float, two: set[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Pairs for which one side has another candidate of the same file that is about as likely.

    Who was decided to be somebody else is no candidate.
    """
    likely = int((pairs.probability >= cut).sum())
    best: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for i in range(likely):
        if (int(pairs.one[i]), int(pairs.other[i])) in two:
            continue
        for x, y in ((pairs.one[i], pairs.other[i]), (pairs.other[i], pairs.one[i])):
            best.setdefault((int(x), int(persons.file[y])), []).append((float(pairs.bits[i]), i))
    found = np.zeros(len(pairs.one), bool)
    for candidates in best.values():
        top = max(bits for bits, _at in candidates)
        close = [at for bits, at in candidates if bits > top - CLOSE]
        if len(close) > 1:
            found[close] = True
    return found


def _against(persons: IdentifiedPersons, first: set[int], second: set[int]) -> Text | None:
    """What speaks against making one cluster of two, None where nothing does."""
    for one in sorted(first):
        for other in sorted(second):
            if reason := contradiction(persons, one, other):
                return reason
    if {int(persons.file[x]) for x in first} & {int(persons.file[x]) for x in second}:
        return Text("It would merge two people of one contributor.")
    return None


def _odd(persons: IdentifiedPersons, one: int, other: int, p: float) -> Text | None:
    """Why a link should be looked at, None where nothing is odd."""
    if far_apart(persons, one, other):
        return Text("Merged, although the birth years differ greatly.")
    return None if p >= SURE else Text("Merged, not certain.")


def _shown(scored: Scored, pairs: PersonPairs, i: int, joined: bool, reason: Text) -> Doubtful:
    at = int(pairs.row[i])
    agree = ", ".join(name for name, bits in scored.speaks.items() if bits[at] > 0)
    differ = ", ".join(name for name, bits in scored.speaks.items() if bits[at] < 0)
    rows = int(scored.one[at]), int(scored.other[at])
    p = round(float(pairs.probability[i]), 4)
    return Doubtful(*rows, p, agree, differ, joined, reason)


def _settled(row: Doubtful, root: Ints, persons: IdentifiedPersons) -> bool:
    """Whether a pair that was left is in one cluster by other links."""
    one, other = persons.of_row[row.one], persons.of_row[row.other]
    return not row.joined and bool(root[one] == root[other])


def _missed(
    persons: IdentifiedPersons, scored: Scored, pairs: PersonPairs, root: Ints, links: int
) -> float | None:
    if scored.sunk or not scored.learnt:
        return None
    inside = pairs_of_persons(persons, scored.inside)
    size = np.bincount(root, minlength=len(root))[root]
    left, two = root[pairs.one] != root[pairs.other], inside.one != inside.other
    people = np.bincount(persons.file).astype(float)
    within = float((people * (people - 1)).sum())
    ratio = float(people.sum() ** 2 - (people**2).sum()) / within if within else 0.0
    seen = among(
        pairs.bits[left],
        1 / (size[pairs.one[left]] * size[pairs.other[left]]),
        inside.bits[two],
        1 / (size[inside.one[two]] * size[inside.other[two]]),
        ratio,
        links,
    )
    return seen + (links + seen) * scored.unseen / (1 - scored.unseen)


def _bands(found: NDArray[np.float64]) -> dict[float, int]:
    counts = Counter(np.searchsorted(BANDS, found, side="right").tolist())
    return {low: counts[i] for i, low in enumerate(BANDS, 1)}
