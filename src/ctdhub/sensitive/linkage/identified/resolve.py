"""Scored pairs become persons: the likeliest first, at most one person of each file."""

import hashlib
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.sensitive.linkage.identified.model import Scored, ScoredPairs, among, probability
from ctdhub.sensitive.linkage.pprl.derive import Tokeniser
from ctdhub.sensitive.linkage.review import PersonSets, rivalled

# --------------------------------------------------------------------------------------------------
# Pairs that a reviewer has decided: one person, or two; and when decisions contradict each other.
#
# Not here: where decisions are read (``clerical_review``), and what follows for the rest.


class DecidedPair(NamedTuple):
    """Two persons, whether they are one, and the row of the workbook that says so."""

    one: int
    other: int
    same: bool
    row: int


def check_decisions(decided: Sequence[DecidedPair], file: Path) -> None:
    """Refuse decisions of which no grouping of persons can hold all.

    Raises:
        FileError: a pair is two people by one row and one person by a chain of others; all are
            named.
    """
    near: dict[int, list[tuple[int, int]]] = {}
    for pair in decided:
        if pair.same:
            near.setdefault(pair.one, []).append((pair.other, pair.row))
            near.setdefault(pair.other, []).append((pair.one, pair.row))
    for pair in decided:
        if not pair.same and (chain := _chain(near, pair.one, pair.other)):
            rows = ", ".join(map(str, sorted(chain)))
            raise error("review-book/contradiction", file=file, row=pair.row, lines=rows)


def _chain(near: dict[int, list[tuple[int, int]]], begin: int, end: int) -> tuple[int, ...]:
    """Rows of a shortest chain of "yes" between two persons; empty without one."""
    chains: dict[int, tuple[int, ...]] = {begin: ()}
    todo = deque([begin])
    while todo and end not in chains:
        at = todo.popleft()
        for other, row in near.get(at, ()):
            if other not in chains:
                chains[other] = (*chains[at], row)
                todo.append(other)
    return chains.get(end, ())


# --------------------------------------------------------------------------------------------------
# Persons as a file tells them apart, and what speaks against two persons being one.

Ints = NDArray[np.int64]

APART = 10
"""Years between two birth years: further apart, a link is shown, for a child may have the names,
address and telephone of a parent.  It is not refused: birth dates are guessed and mistaken."""


@dataclass(frozen=True)
class IdentifiedPersons:
    """Persons of all files, from 0 in the order of their first rows.

    Attributes:
        of_row: person of each row, rows of all files counted on.
        row: first row of each person.
        file: file of each person, from 0.
        sex: by person ``female``, ``male`` or None; None also where its rows differ.
        years: birth years by person.
        doubles: pairs of rows of one person that bear different numbers of cases.
    """

    of_row: Ints
    row: Ints
    file: Ints
    sex: list[str | None]
    years: list[frozenset[str]]
    doubles: list[tuple[int, int]]


def persons_of(
    tables: Sequence[pa.Table], cases: Sequence[Sequence[str]], tokens: Sequence[Sequence[str]]
) -> IdentifiedPersons:
    """Rows of one file are one person where the number of the case or ``link_token`` is the same.

    The hub would join rows of one ``link_token``, so this does too, unless their sexes differ.

    Args:
        tables: features of each file.
        cases: by file the case number of each row, empty without one.
        tokens: by file the ``link_token`` of each row, empty without one.
    """
    sex = [said for table in tables for said in table["sex"].to_pylist()]
    born = [year for table in tables for year in table["birth_year"].to_pylist()]
    file = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
    case, token = ([text for said in of for text in said] for of in (cases, tokens))
    sets, doubles = PersonSets(file), list[tuple[int, int]]()
    by_case: dict[tuple[int, str], int] = {}
    by_token: dict[tuple[int, str, str | None], int] = {}
    for at, own in enumerate(zip(file.tolist(), case, strict=True)):
        if case[at]:
            sets.join(at, by_case.setdefault(own, at))
    for at, own in enumerate(zip(file.tolist(), token, strict=True)):
        if not token[at]:
            continue
        known = [by_token[key] for said in _alike(sex[at]) if (key := (*own, said)) in by_token]
        if known:
            if sets.root(known[0]) != sets.root(at) and case[known[0]] and case[at]:
                doubles.append((known[0], at))
            sets.join(known[0], at)
        by_token.setdefault((*own, sex[at]), at)
    row, of_row = np.unique(sets.roots(), return_inverse=True)
    sexes: list[set[str]] = [set() for _row in row]
    years: list[set[str]] = [set() for _row in row]
    for person, said, year in zip(of_row, sex, born, strict=True):
        sexes[person] |= {said} - {None}
        years[person] |= {year} - {None}
    return IdentifiedPersons(
        of_row=of_row.astype(np.int64),
        row=row,
        file=file[row],
        sex=[next(iter(said)) if len(said) == 1 else None for said in sexes],
        years=[frozenset(said) for said in years],
        doubles=doubles,
    )


def _alike(sex: str | None) -> tuple[str | None, ...]:
    """Sexes that do not speak against one, itself first."""
    return (sex, None) if sex else (None, "female", "male")


def contradiction(p: IdentifiedPersons, one: int, other: int) -> Text | None:
    """Why two persons cannot be one; None where nothing says so."""
    differ = {p.sex[one], p.sex[other]} == {"female", "male"}
    return Text("The genders differ.") if differ else None


def far_apart(p: IdentifiedPersons, one: int, other: int) -> bool:
    """Whether birth years differ by more than :data:`APART`, and by more than a slip."""
    pairs = [(int(a), int(b)) for a in p.years[one] for b in p.years[other]]
    return bool(pairs) and all(abs(a - b) > APART and not _one_slip(a, b) for a, b in pairs)


def _one_slip(one: int, other: int) -> bool:
    """Whether the years differ in one digit or by two digits in the wrong order."""
    a, b = f"{one:04d}", f"{other:04d}"
    differ = [i for i in range(4) if a[i] != b[i]]
    return len(differ) < 2 or (len(differ) == 2 and sorted(a) == sorted(b))


SURE = 0.99
"""Links below this probability are joined and shown as well."""

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
class PersonPairs(ScoredPairs):
    """Pairs of persons with the best score of their rows, the likeliest first; ``one`` is the
    smaller.

    Attributes:
        row: the pair of rows that agrees best, a place in what was scored.
    """

    row: Ints

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """That it is one person."""
        return probability(self.bits)


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
    sets = PersonSets(persons.file, partial(contradiction, persons))
    two = {(pair.one, pair.other) for pair in decided if not pair.same}
    review: list[Doubtful] = []
    links, false_links = 0, 0.0
    for pair in decided:
        if pair.same and sets.root(pair.one) != sets.root(pair.other):
            sets.join(pair.one, pair.other)
            links += 1
    rivals = _rivals(persons, pairs, cut, two)
    for i in range(int((pairs.probability >= look).sum())):
        one, other = int(pairs.one[i]), int(pairs.other[i])
        a, b = (sets.members[sets.root(person)] for person in (one, other))
        p = float(pairs.probability[i])
        if a is b or (one, other) in two:
            continue
        reason = sets.contradicting(one, other) or sets.sharing(one, other)
        if two and any((x, y) in two or (y, x) in two for x in a for y in b):
            reason = Text("A decision keeps them separate.")
        if p < cut:
            reason = reason or Text("Likely, not certain.")
        elif rivals[i]:
            reason = reason or Text("Another person of this contributor is just as likely.")
        if not reason:
            sets.join(one, other)
            links, false_links = links + 1, false_links + 1 - p
        said = reason or _odd(persons, one, other, p)
        if said:
            review.append(_shown(scored, pairs, i, not reason, said))
    root = sets.roots()
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
    one, other = np.sort(persons.of_row[[scored.one, scored.other]], axis=0)
    order = np.lexsort((other, one, -scored.bits))
    code = one[order] * len(persons.row) + other[order]
    best = order[np.sort(np.unique(code, return_index=True)[1])]
    return PersonPairs(one[best], other[best], scored.bits[best], best)


def _rivals(
    persons: IdentifiedPersons, pairs: PersonPairs, cut: float, two: set[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Pairs for which one side has another candidate of the same file that is about as likely.

    Who was decided to be somebody else is no candidate.
    """
    named = ((int(a), int(b)) in two for a, b in zip(pairs.one, pairs.other, strict=True))
    likely = np.flatnonzero((pairs.probability >= cut) & ~np.fromiter(named, bool, len(pairs.one)))
    found = np.zeros(len(pairs.one), bool)
    one, other, all_ = pairs.one[likely], pairs.other[likely], np.arange(len(persons.row))
    found[likely] = rivalled(one, other, persons.file, pairs.bits[likely], all_)
    return found


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


# --------------------------------------------------------------------------------------------------
# The one token that stands for a cluster, from the tokens of its rows.
#
# A cluster takes the smallest ``link_token`` of its rows, so that somebody whom one file alone
# knows has the token that `ctdhub tokens` gives.  Two clusters never share a token: the hub would
# join them.  Where an earlier round of the release gave a row's person a token, the cluster keeps
# it: a row is known again by all its tokens, or by its ``link_token`` where that stood for one
# alone.

Own = tuple[str, tuple[str, ...]]
"""What :meth:`Tokeniser.tokens` gives for a row: ``link_token`` or "", and all tokens."""


def stand_ins(
    cluster: Ints, own: Sequence[Own], tokeniser: Tokeniser, earlier: Mapping[str, set[str]]
) -> list[str]:
    """The token of each row's cluster; empty where a row stands alone and says too little.

    Args:
        cluster: cluster of each row.
        own: tokens of each row.
        tokeniser: the key and the release.
        earlier: by ``link_token`` of a row, and by :func:`fingerprint`, the tokens that stood for
            its persons before.
    """
    order = np.argsort(cluster, kind="stable")
    ends = np.flatnonzero(np.diff(cluster[order], append=-1))
    groups = np.split(order, ends[:-1] + 1) if len(order) else []
    found = [""] * len(own)
    taken: set[str] = set()
    choices = [_choices([own[i] for i in rows], earlier) for rows in groups]
    for at in sorted(range(len(groups)), key=lambda i: (not choices[i][0], choices[i])):
        kept, plain, every = choices[at]
        if not every or (len(groups[at]) == 1 and not plain):
            continue
        free = (token for token in (*kept, *plain) if token not in taken)
        token = next(free, "") or _made(tokeniser, every, taken)
        taken.add(token)
        for i in groups[at]:
            found[int(i)] = token
    return found


Choices = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _choices(own: Sequence[Own], earlier: Mapping[str, set[str]]) -> Choices:
    """Tokens of an earlier round, link tokens and all tokens of a cluster's rows, in order."""
    plain = {first for first, _tokens in own if first}
    kept = {token for one in own if (token := _before(one, earlier))}
    every = {token for _first, tokens in own for token in tokens}
    return tuple(sorted(kept)), tuple(sorted(plain)), tuple(sorted(every))


def fingerprint(tokens: Sequence[str]) -> str:
    """What a row is known by in the next round: a hash of all its tokens, whatever their order."""
    return hashlib.sha256("\0".join(sorted(tokens)).encode()).hexdigest()[:32]


def _before(own: Own, earlier: Mapping[str, set[str]]) -> str:
    """The token that stood for a row's person; empty where there was none, or it is not certain."""
    first, tokens = own
    for known in (fingerprint(tokens), first):
        stood = earlier.get(known, set()) if known else set()
        if len(stood) == 1:
            return next(iter(stood))
    return ""


def _made(tokeniser: Tokeniser, every: Sequence[str], taken: set[str]) -> str:
    """A token of its own, where the rows have none that is free."""
    texts = ("\0".join((*every, str(n))) for n in range(len(taken) + 1))
    return next(t for text in texts if (t := tokeniser.stand_in(text)) not in taken)
