"""Scored pairs: those that become persons, the likeliest first, at most one of each file; and those
that a clerical review speaks for, with what its decisions say of all.
"""

import hashlib
import math
import unicodedata
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.schema.model import LEVEL
from ctdhub.sensitive.linkage.identified.model import Scored, ScoredPairs, among, probability
from ctdhub.sensitive.linkage.pprl.derive import CAPTURES, Tokeniser
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
    tokened = (at for at, text in enumerate(token) if text)
    for at in sorted(tokened, key=lambda at: sex[at] is None):  # whichever row comes first
        own = int(file[at]), token[at]
        alike = [by_token[key] for code in _alike(sex[at]) if (key := (*own, code)) in by_token]
        if alike:
            if sets.root(alike[0]) != sets.root(at) and case[alike[0]] and case[at]:
                doubles.append((alike[0], at))
            sets.join(alike[0], at)
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
            review.append(_review_row(scored, pairs, i, not reason, said))
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
    rivals = np.zeros(len(pairs.one), bool)
    one, other, all_ = pairs.one[likely], pairs.other[likely], np.arange(len(persons.row))
    rivals[likely] = rivalled(one, other, persons.file, pairs.bits[likely], all_)
    return rivals


def _odd(persons: IdentifiedPersons, one: int, other: int, p: float) -> Text | None:
    """Why a link should be looked at, None where nothing is odd."""
    if far_apart(persons, one, other):
        return Text("Merged, although the birth years differ greatly.")
    return None if p >= SURE else Text("Merged, not certain.")


def _review_row(scored: Scored, pairs: PersonPairs, i: int, joined: bool, reason: Text) -> Doubtful:
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


def _bands(chances: NDArray[np.float64]) -> dict[float, int]:
    counts = Counter(np.searchsorted(BANDS, chances, side="right").tolist())
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
    tokens = [""] * len(own)
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
            tokens[int(i)] = token
    return tokens


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


# --------------------------------------------------------------------------------------------------
# The pairs that a clerical review speaks for, and what its decisions say of all of them.


# --------------------------------------------------------------------------------------------------
# The pairs that a clerical review speaks for, and the random sample of them that is reviewed.
#
# The frame is every pair of persons of different files that was scored or ended in one cluster.  It
# is cut into cells by whether a pair was joined, by its band of probability, by its group, and by
# whether the hub would find the pair by itself, since tokens that leave out one fact agree.
#
# Not here: the workbook, and what the decisions say (``clerical_review``).

GROUPS = 8
"""Groups that are told apart, the largest; the pairs of all others are one group."""

OTHERS = "*"
"""What the group of the others is called."""

LEAST = 3
"""Pairs of each cell that are drawn, as far as it has them."""

SCRIPTS = {
    "latin": Text("Latin script"),
    "arabic": Text("Arabic script"),
    "cyrillic": Text("Cyrillic script"),
    "greek": Text("Greek script"),
    "other": Text("another script"),
}
"""Scripts that names are written in, by which pairs are grouped where no column is named."""

_SPREAD = 0.02
"""Variance of a decision that is reckoned with where the model is sure."""

Bools = NDArray[np.bool_]


class PairSampler(Protocol):
    """What draws and shuffles: ``secrets.SystemRandom()``, and a seeded generator in tests."""

    def sample(self, population: Sequence[int], k: int) -> list[int]:
        """``k`` of the population, without replacement."""

    def shuffle(self, x: list[int]) -> None:
        """Put a list into random order."""


class CellKey(NamedTuple):
    """One cell of the frame: joined, lower end of the band, group, found by the hub's tokens."""

    joined: bool
    band: float
    group: str
    by_tokens: bool


@dataclass(frozen=True)
class PairFrame:
    """All pairs, each once, in an order that the files alone decide.

    Attributes:
        one, other: persons; ``one`` is the smaller.
        rows: the two rows that agree best, counted over all files, shape (n, 2).
        probability: by the model, 0 where a pair was not scored.
        joined: whether both are of one cluster without any decision.
        by_tokens: whether the pair is apart and a token of the kinds CAPTURES agrees.
        group: of each pair.
        run: what another run of the same files and options has as well, and no other has.
    """

    one: Ints
    other: Ints
    rows: Ints
    probability: NDArray[np.float64]
    joined: Bools
    by_tokens: Bools
    group: list[str]
    run: str

    def id_of(self, at: int) -> str:
        """What a pair is called in the workbook."""
        text = f"{self.run} {self.one[at]} {self.other[at]}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def cells(self) -> dict[CellKey, list[int]]:
        """Pairs of each cell."""
        cells: dict[CellKey, list[int]] = {}
        bands = np.array(BANDS)[np.searchsorted(BANDS, self.probability, side="right") - 1]
        joined, by_tokens = self.joined.tolist(), self.by_tokens.tolist()
        for at, key in enumerate(zip(joined, bands.tolist(), self.group, by_tokens, strict=True)):
            cells.setdefault(CellKey(*key), []).append(at)
        return cells

    def draw(self, size: int, chance: PairSampler) -> set[int]:
        """A random sample, simple within each cell.

        :data:`LEAST` pairs of each cell, the rest of ``size`` in proportion to the root of the
        cell's size times the standard deviation of a decision there, so that small groups are
        measured too.

        Args:
            size: pairs in all; more where the cells need them, fewer where there are no more.
            chance: the system's randomness, ``secrets.SystemRandom()``.
        """
        cells = list(self.cells.values())
        weights = []
        for cell in cells:
            p = float(self.probability[cell].mean())
            weights.append((len(cell) * max(p * (1 - p), _SPREAD)) ** 0.5)
        wanted = [min(LEAST, len(cell)) for cell in cells]
        while sum(wanted) < size and any(n < len(c) for n, c in zip(wanted, cells, strict=True)):
            open_ = [i for i, cell in enumerate(cells) if wanted[i] < len(cell)]
            wanted[max(open_, key=lambda i: weights[i] / (wanted[i] + 1))] += 1
        return {at for cell, n in zip(cells, wanted, strict=True) for at in chance.sample(cell, n)}


def frame_of(
    persons: IdentifiedPersons,
    scored: Scored,
    cluster: Ints,
    own: Sequence[Own],
    labels: Sequence[str],
    asked: str,
) -> PairFrame:
    """The frame of a run.

    Args:
        persons: of all files.
        scored: candidate pairs of rows.
        cluster: of each person, without any decision.
        own: tokens of each row.
        labels: group of each row.
        asked: hashes of the files, and options.
    """
    pairs = pairs_of_persons(persons, scored)
    members: dict[int, list[int]] = {}
    for person, at in enumerate(cluster.tolist()):
        members.setdefault(at, []).append(person)
    known = set(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True))
    chained = [
        pair
        for some in members.values()
        for pair in combinations(some, 2)
        if pair not in known and persons.file[pair[0]] != persons.file[pair[1]]
    ]
    more = np.array(chained, np.int64).reshape(-1, 2)
    one, other = np.append(pairs.one, more[:, 0]), np.append(pairs.other, more[:, 1])
    best = np.column_stack([scored.one[pairs.row], scored.other[pairs.row]])
    probability = np.append(pairs.probability, np.zeros(len(more)))
    joined = cluster[one] == cluster[other]
    captures: list[set[str]] = [set() for _person in persons.row]
    for person, (_first, tokens) in zip(persons.of_row.tolist(), own, strict=True):
        captures[person] |= {token for token in tokens if token[0] in CAPTURES}
    by_tokens = [
        not same and not captures[a].isdisjoint(captures[b])
        for a, b, same in zip(one.tolist(), other.tolist(), joined.tolist(), strict=True)
    ]
    said = [labels[row] for row in persons.row.tolist()]
    group = _grouped(
        [_both(said[a], said[b]) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    )
    state = hashlib.sha256(asked.encode())
    for array in (one, other, np.round(probability, 6), joined):
        state.update(np.ascontiguousarray(array).tobytes())
    state.update("\0".join(group).encode())
    return PairFrame(
        one=one,
        other=other,
        rows=np.concatenate([best, persons.row[more]]),
        probability=probability,
        joined=joined,
        by_tokens=np.array(by_tokens, bool),
        group=group,
        run=state.hexdigest()[:32],
    )


def _both(one: str, other: str) -> str:
    return " + ".join(sorted({one, other} - {""}))


def _grouped(groups: list[str]) -> list[str]:
    """The largest groups; all others are one."""
    most = Counter(groups).most_common()
    kept = {name for name, _n in sorted(most, key=lambda one: (-one[1], one[0]))[:GROUPS]}
    return [name if name in kept else OTHERS for name in groups]


def script_of(name: str) -> str:
    """The script of the first letter, one of :data:`SCRIPTS`; empty without a letter.

    >>> script_of("Anu"), script_of("آنو"), script_of("")
    ('latin', 'arabic', '')
    """
    letter = next((c for c in name if c.isalpha()), "")
    if not letter:
        return ""
    script = unicodedata.name(letter, "").split(" ")[0].lower()
    return script if script in SCRIPTS else "other"


# --------------------------------------------------------------------------------------------------
# What reviewed pairs say of all: how many links are found and how many are wrong, with intervals.
#
# In a cell of the frame pairs are drawn without replacement, so how many of the cell are one person
# has the exact interval of the hypergeometric distribution.  A number f of several cells has as its
# lower end
#
#     f(x) - sqrt(sum over cells of (f(x) - f(x with the worse end in that cell))²)
#
# so that errors of cells, which are independent, do not add up as if they came together.  What was
# not decided counts at each end as whatever makes that end worse.  So do wrong decisions: of those
# who are one person, and of those who are two, at most a share e is taken for the other.

EACH = 0.98
"""Of a cell's interval, more than :data:`LEVEL`, since squares are added as if errors were as large
to both sides, and those of rare pairs are not; so that planted truths are held as often as said."""

BEYOND = 2
"""The most times that links beyond the frame are more than the model says: what it said of missing
links was within this factor of the truth (see docs/explanation/linkage.md)."""

Floats = NDArray[np.float64]


class ReviewedCell(NamedTuple):
    """A cell of the frame and what was decided in it.

    Attributes:
        key: which.
        pairs: all of it.
        drawn: of the random sample.
        yes, no: decided among those drawn.
        all_yes, all_no: decided among all pairs of the workbook.
    """

    key: CellKey
    pairs: int
    drawn: int
    yes: int
    no: int
    all_yes: int
    all_no: int


@dataclass(frozen=True)
class ReviewedShare:
    """A share of pairs: its interval, and the estimate where every cell has a decision."""

    low: float
    high: float
    value: float | None

    def as_json(self) -> dict[str, float | None]:
        """Rounded, the interval to the outside."""
        value = None if self.value is None else round(self.value, 4)
        return {
            "low": math.floor(self.low * 1e4) / 1e4,
            "high": math.ceil(self.high * 1e4) / 1e4,
            "value": value,
        }


def reviewed_cells(
    frame: PairFrame, drawn: Collection[int], decided: Mapping[int, bool]
) -> list[ReviewedCell]:
    """Count the decisions.

    Args:
        frame: all pairs.
        drawn: pairs of the random sample.
        decided: whether a pair is one person.
    """
    made = []
    for key, pairs in frame.cells.items():
        known = [decided[at] for at in pairs if at in decided]
        sample = [at for at in pairs if at in drawn]
        said = [decided[at] for at in sample if at in decided]
        if len(known) == len(pairs):  # nothing is left to chance
            sample, said = pairs, known
        counts = [n for some in (said, known) for n in (sum(some), len(some) - sum(some))]
        made.append(ReviewedCell(key, len(pairs), len(sample), *counts))
    return made


class ReviewAccuracy:
    """Shares that the reviewed cells tell.

    Args:
        cells: of the frame, or of one group of it.
        unseen: share of links that are no pairs of the frame, by the model.
        errors: share of decisions that may be wrong, at most.
    """

    def __init__(
        self, cells: Sequence[ReviewedCell], unseen: float = 0.0, errors: float = 0.0
    ) -> None:
        self.cells, self.unseen, self.errors = cells, unseen, errors
        self._joined = np.array([cell.key.joined for cell in cells], bool)
        self._by_tokens = np.array([cell.key.by_tokens for cell in cells], bool)
        counts = [(cell.pairs, cell.all_yes, cell.all_no) for cell in cells]
        self._pairs, self._all_yes, self._all_no = np.array(counts, float).reshape(-1, 3).T
        mean = errors * (self._all_yes + self._all_no)
        self._slips = mean + 2 * np.sqrt(mean)
        """The most wrong decisions of each cell: the mean and what chance adds to it."""

    def recall(self, after: bool) -> ReviewedShare:
        """Share of links that are joined: by the model alone, or ``after`` the decisions too."""

        def of(t: Floats, low: bool | None) -> tuple[float, float]:
            added = np.minimum(self._true_yes(low), t)[~self._joined].sum() if after else 0.0
            part = float(t[self._joined].sum() + added)
            return part, float(t.sum()) + self._beyond(t, low)

        return self._share(of, rises=self._joined)

    def false(self) -> ReviewedShare:
        """Share of the model's links that are two people: one minus the precision."""
        whole = float(self._pairs[self._joined].sum())
        return self._share(
            lambda t, _low: (whole - float(t[self._joined].sum()), whole), rises=~self._joined
        )

    def token_recall(self) -> ReviewedShare:
        """Share of the links still missing after the decisions that the hub's tokens find."""

        def left(t: Floats, low: bool | None) -> tuple[float, float]:
            fewer = None if low is None else not low
            known = np.where(self._by_tokens, self._true_yes(fewer), self._true_yes(low))
            missing = np.maximum(t - known, 0)[~self._joined]
            part = float(missing[self._by_tokens[~self._joined]].sum())
            return part, float(missing.sum()) + self._beyond(t, low)

        return self._share(left, rises=self._by_tokens)

    def merged(self, people: int) -> ReviewedShare:
        """Hidden people after the decisions, as a share of all: at most one for each false pair.

        Args:
            people: clusters after the decisions.
        """
        whole = float(self._pairs[self._joined].sum())

        def hidden(t: Floats, low: bool | None) -> tuple[float, float]:
            wrong = self._all_yes - self._true_yes(None if low is None else not low)
            fewer = self._all_no - (0 if low else self._slips)
            split = np.maximum(fewer, 0)[self._joined].sum()
            left = max(0.0, whole - float(t[self._joined].sum() + split))
            return left + float(wrong[~self._joined].sum()), people

        return self._share(hidden, rises=~self._joined)

    def _true_yes(self, low: bool | None) -> Floats:
        """Of all pairs decided to be one person, how many are: at least at a low end, else all."""
        return np.asarray(np.maximum(self._all_yes - self._slips, 0) if low else self._all_yes)

    def _beyond(self, t: Floats, low: bool | None) -> float:
        """Links beyond the frame: what the model says; none at a high end; at a low end
        :data:`BEYOND` times as many, and what chance adds to that."""
        mean = self.unseen / (1 - self.unseen) * float(t.sum())
        if low is None or not mean:
            return mean
        return BEYOND * mean + 2 * math.sqrt(BEYOND * mean) + 1 if low else 0.0

    def _share(
        self,
        of: Callable[[Floats, bool | None], tuple[float, float]],
        rises: NDArray[np.bool_],
    ) -> ReviewedShare:
        """Interval and estimate of a share of pairs.

        Args:
            of: part and whole, by how many pairs of each cell are one person, and whether it is
                for the low end, the high end (False) or the estimate (None).
            rises: cells of which more make the share larger.
        """

        def end(low: bool) -> float:
            def value(t: Sequence[float] | Floats) -> float:
                return _ratio(of(np.array(t), low), empty=not low)

            sides = [(c, up != low, self.errors) for c, up in zip(self.cells, rises, strict=True)]
            base, worse = np.array([_ends(*side) for side in sides]).reshape(-1, 2).T
            at, square = value(base), 0.0
            for i in np.flatnonzero(worse != base):
                moved = base.copy()
                moved[i] = worse[i]
                step = value(moved) - at
                square += max(-step if low else step, 0.0) ** 2
            off, sure = math.sqrt(square), value([_certain(*side) for side in sides])
            return min(1.0, max(0.0, max(at - off, sure) if low else min(at + off, sure)))

        middle = [_middle(cell) for cell in self.cells]
        value = None
        if None not in middle:
            at = np.array(middle, float)
            part, whole = of(at, None)
            value = part / whole if whole else None
        return ReviewedShare(end(True), end(False), value)


def _ratio(of: tuple[float, float], empty: bool) -> float:
    part, whole = of
    return part / whole if whole > 0 else float(empty)


def _middle(cell: ReviewedCell) -> float | None:
    said = cell.yes + cell.no
    return cell.pairs * cell.yes / said if said else None


def _certain(cell: ReviewedCell, high: bool, errors: float) -> float:
    """The most or the least pairs of the cell that can be one person, by what is decided."""
    if errors:
        return float(cell.pairs if high else 0)
    return float(cell.pairs - cell.all_no if high else cell.all_yes)


def _ends(cell: ReviewedCell, high: bool, errors: float) -> tuple[float, float]:
    """Pairs of the cell that are one person, so many that a share is worse: in the sample, and at
    the end of the interval.

    Either may pass what is certain, so that cells cancel each other's chance.  The end is two
    standard deviations off at least: a rare pair that was drawn is then counted too often, and in
    several cells at once, though none can be far from the truth.
    """
    if not cell.drawn:
        return (_certain(cell, high, errors),) * 2
    seen = cell.drawn - cell.no if high else cell.yes
    share, end = seen / cell.drawn, exact_end(seen, cell.drawn, cell.pairs, high) / cell.pairs
    spread = math.sqrt(share * (1 - share) / cell.drawn * (1 - cell.drawn / cell.pairs))
    # What chance adds to the mean of wrong decisions, also where all pairs are drawn.
    slips = (2 * math.sqrt(errors * cell.pairs) + 1) / cell.pairs if errors else 0.0
    off = math.hypot(max(abs(end - share), 2 * spread), slips)
    less = 0.0 if high else errors
    middle, worse = share - less, (share + off if high else share - off) - less
    return cell.pairs * middle / (1 - errors), cell.pairs * worse / (1 - errors)


def exact_end(seen: int, drawn: int, pairs: int, high: bool) -> int:
    """One end of the exact interval, at :data:`EACH`, of how many of all pairs are one person.

    It is the last number under which so few (so many) in the sample have a chance of more than
    (1 - EACH) / 2, as Clopper and Pearson (1934) take it, here for draws without replacement.

    >>> exact_end(0, 10, 1000, True), exact_end(9, 9, 10, False), exact_end(5, 5, 5, True)
    (367, 9, 5)
    """
    if not high:
        return pairs - exact_end(drawn - seen, drawn, pairs, True)
    possible = range(seen, pairs - (drawn - seen) + 1)
    chance = partial(_at_most, seen, drawn, pairs)  # the more are one person, the smaller
    return seen - 1 + bisect_left(possible, (EACH - 1) / 2, key=lambda marked: -chance(marked))


def _at_most(seen: int, drawn: int, pairs: int, marked: int) -> float:
    """Chance of at most ``seen`` marked pairs among those drawn (hypergeometric)."""
    from scipy.special import gammaln

    def ways(of: int, some: NDArray[np.int64]) -> Floats:
        return np.asarray(gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1))

    some = np.arange(max(0, drawn - (pairs - marked)), min(seen, marked) + 1)
    logs = ways(marked, some) + ways(pairs - marked, drawn - some)
    return float(np.exp(logs - ways(pairs, np.array([drawn]))).sum())


def accuracy_json(
    cells: Sequence[ReviewedCell], unseen: float, errors: float, people: int
) -> dict[str, Any]:
    """All shares, in all and by group, with what they rest on.

    Args:
        cells: of the frame.
        unseen, errors: see :class:`ReviewAccuracy`.
        people: clusters after the decisions.
    """
    whole = ReviewAccuracy(cells, unseen, errors)
    names = sorted({cell.key.group for cell in cells})
    by_group = {name: [c for c in cells if c.key.group == name] for name in names}
    return {
        "level": LEVEL,
        "errors": errors,
        "beyond": round(unseen, 6),
        **_of(whole),
        "groups": {
            name: _of(ReviewAccuracy(some, unseen, errors)) for name, some in by_group.items()
        },
        "found": whole.token_recall().as_json(),
        "merged": whole.merged(people).as_json(),
    }


def _of(accuracy: ReviewAccuracy) -> dict[str, Any]:
    cells = accuracy.cells
    drawn, said = sum(c.drawn for c in cells), sum(c.yes + c.no for c in cells)
    return {
        "pairs": sum(c.pairs for c in cells),
        "reviewed": said,
        "undecided": drawn - said,
        "recall": accuracy.recall(after=False).as_json(),
        "recall_after": accuracy.recall(after=True).as_json(),
        "false_links": accuracy.false().as_json(),
    }
