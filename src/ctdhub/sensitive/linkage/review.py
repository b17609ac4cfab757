"""Persons whom several contributors know, how sure each link is, and a report on them for the
steward.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.schema.model import AGE, ORIGIN, PERIOD, SEX
from ctdhub.sensitive.duck import run_whole
from ctdhub.sensitive.linkage.pprl.derive import CAPTURES, CHECK, JOINING, PERSON, QUALITY

# --------------------------------------------------------------------------------------------------
# How many pairs of people agree on a set of keys by chance, whomever contributors hold twice.
#
# Two people of one contributor, told apart by its own case numbers, are two people, and their pairs
# tell how often chance makes an agreement.  But contributors hold one person twice, and such
# doubles look like chance.  So chance is the least of four numbers, each of which is at least as
# large as chance, as far as it can be told:
#
# inside: pairs of one contributor, scaled; too high by doubles.
# bound: what chance makes of a weaker key of the agreement alone, and a tenth of it for each name
# and
#     each part of the birth date that agrees as well; too high where that is rarer.
# without doubles: inside less doubles, where these are to links as they are in agreements in which
#     the bound leaves no room for chance; with one standard deviation on top.
# taken: pairs of which one side surely is a third, and the other surely is not, scaled by how often
#     people who hold the same kinds of keys surely are somebody else's; too high where three
#     contributors know one person and one spells her unlike both others.

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SAYS = {
    "a": (2, 1, 1),
    "b": (2, 1, 1),
    "c": (2, 1, 0),
    "d": (2, 0, 1),
    "e": (2, 0, 0),
    "f": (1, 1, 1),
    "g": (1, 1, 0),
    "h": (1, 1, 1),
    "i": (0, 1, 1),
}
"""Names, year of birth, and its day and month that a kind of key agrees on.  Places do not count:
chance often makes people of one town agree on them.  A kind that is not here says nothing."""

WHOLE = "b"
"""Kind of key that agrees on both names and the whole birth date: between two cases of one
contributor it speaks of one person held twice."""

RARER = 0.1
"""How often, at most, chance adds one name, or one part of the birth date, to a weaker key."""

TELLING = 0.2
"""Share of chance pairs expected to be taken, below which those that are tell nothing."""


def bounds(kinds: Ints, inside: Mapping[int, int], facts: int) -> Floats:
    """Pairs of two people of one contributor that agree on each pattern, at most.

    A bound comes from the parts of a pattern that occur at all.  Where none does it is infinite,
    but 0 where both names and the whole birth date agree.

    Args:
        kinds: patterns, as bits.
        inside: pairs of one contributor by their pattern.
        facts: bits that stand for facts of the hub; patterns are compared where these are equal.
    """
    seen = np.unique(np.concatenate([kinds, np.array([*inside], np.int64)]))
    pairs = np.array([inside.get(int(bits), 0) for bits in seen], float)
    says = np.array([_says(int(bits)) for bits in seen]).reshape(-1, 3)
    most = np.full(len(kinds), np.inf)
    for at, bits in enumerate(kinds):
        own = _says(int(bits))
        parts = ((seen & bits) == seen) & ((seen & facts) == (bits & facts))
        beyond = sum(own) - says.sum(axis=1)
        if own == SAYS[WHOLE] and not (parts & (beyond > 0)).any():
            most[at] = 0
        for less in np.unique(says[parts & (beyond > 0)], axis=0):
            alike = parts & (says == less).all(axis=1)
            most[at] = min(most[at], RARER ** (sum(own) - less.sum()) * pairs[alike].sum())
    return most


def _says(bits: int) -> tuple[int, int, int]:
    known = [said for kind, said in SAYS.items() if bits & bit(kind)]
    names, years, days = (max((said[i] for said in known), default=0) for i in range(3))
    return names, years, days


def without_doubles(between: Floats, inside: Floats, most: Floats, ratio: float) -> Floats:
    """Pairs of different people of one contributor, for each agreement, doubles taken off.

    Args:
        between, inside: pairs of different contributors and of one, for each agreement.
        most: at most so many of ``inside`` are different people, see :func:`bounds`; infinite where
            nothing is known, or doubles may be copies that agree on everything.
        ratio: pairs of different contributors for each pair of one.
    """
    known = np.isfinite(most)
    people = np.minimum(inside, np.where(known, most, 0))
    doubles, links = (inside - people)[known].sum(), (between - ratio * people)[known].sum()
    share = float(doubles / links) if links > 0 else 0.0
    left = 1 - ratio * share
    if not share or left <= 0:
        return inside
    spread = np.sqrt(inside + share**2 * between)
    return np.asarray(np.minimum(inside, (np.maximum(inside - share * between, 0) + spread) / left))


def taken(
    pattern: Ints, patterns: int, one: Ints, other: Ints, holds: Ints, strong: Ints
) -> Floats:
    """Pairs of different people between contributors, for each agreement, by who is taken.

    Args:
        pattern: number of the agreement of each pair between contributors.
        patterns: how many agreements there are.
        one, other: their persons.
        holds: by person, a number for the kinds of keys that it has.
        strong: pairs that are hardly chance, shape (n, 2): persons, of one contributor or several.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = strong[:, 0], strong[:, 1]
    ties = coo_array((np.ones(len(strong), np.int8), ends), shape=(len(holds), len(holds)))
    group = connected_components(ties, directed=False)[1]
    partner = np.bincount(group)[group] > 1
    rate = np.bincount(holds, partner) / np.maximum(np.bincount(holds), 1)
    is_taken = (partner[one] | partner[other]) & (group[one] != group[other])
    likely = 1 - (1 - rate[holds[one]]) * (1 - rate[holds[other]])
    pairs, seen, expected = (
        np.bincount(pattern, weights, minlength=patterns)
        for weights in (np.ones(len(one)), is_taken.astype(float), likely)
    )
    share = np.where(expected >= TELLING * pairs, seen / np.maximum(expected, 1e-9), 1.0)
    return np.asarray(pairs * np.minimum(share, 1.0))


def bit(letter: str) -> int:
    """The bit of a letter: a is 1, b is 2, c is 4, …"""
    return 1 << (ord(letter) - ord("a"))


# --------------------------------------------------------------------------------------------------
# How sure a link is, by which keys agree, learnt from pairs that are known to be two people.
#
# The weights of Fellegi and Sunter (1969, "A theory for record linkage", JASA 64) compare how often
# keys agree between records of one person (m) and of two people (u).  Composite keys share parts,
# so their agreements are not independent and are weighed as whole patterns.  u needs no guess: two
# people of one contributor, told apart by its own case numbers, are two people.  How often a
# pattern occurs among them, scaled to pairs between contributors, is how often chance makes it
# there:
#
#     probability of a pattern = 1 - (pairs expected by chance) / (pairs found)
#
# which is one minus the local false discovery rate (Efron 2004, JASA 99).  Contributors also hold
# one person twice, and such doubles look like chance: ``chance`` tells them apart.

MOST = 100
"""Persons that share a token at most; a token that more share tells nobody apart, and goes."""

CHANCE = 1e-5
"""Guess, before any pair is seen, of how often two people agree on a pattern by chance: one first
name in a hundred, born in one year of forty, in one town of a hundred make 2.5e-6, and the guess is
four times that.  It counts for little once there are some hundred people."""

STRONG = 0.99
"""Probability from which a person counts as found in another, see ``chance.taken``."""

_WEIGHED_AS = {PERSON: WHOLE}
"""The token that stands for a person says what :data:`WHOLE` says, by another reading of names."""

FACTS = {SEX: "x", ORIGIN: "y"}
"""Facts of the hub whose agreement is weighed too, by a letter that no kind of key has."""

_PAIRS = f"""
WITH shared AS (SELECT token FROM rows GROUP BY token HAVING count(*) BETWEEN 2 AND {MOST})
SELECT a.unit AS one, b.unit AS other, any_value(a.source) AS source,
       any_value(b.source) AS other_source, bit_or(a.kind) AS kinds
FROM rows a JOIN shared USING (token) JOIN rows b USING (token)
WHERE a.unit < b.unit
GROUP BY a.unit, b.unit
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Pairs:
    """Pairs of persons that share a token, each once.

    Attributes:
        one, other: persons, from 0; ``one`` is the smaller.
        within: whether both are of one contributor.
        kinds: set of what agrees, as bits: kinds of keys (a = 1, b = 2, c = 4, …) and
            :data:`FACTS`.
        sources: contributor of both, from 0; columns one and other.
        too_common: tokens left out because more than :data:`MOST` share them.
        holds: by person, kinds of keys that it has, as bits; numbered from 0.
    """

    one: Ints
    other: Ints
    within: NDArray[np.bool_]
    kinds: Ints
    sources: Ints
    too_common: int
    holds: Ints

    @property
    def doubles(self) -> NDArray[np.bool_]:
        """Pairs that are perhaps one person whom a contributor holds twice."""
        both: NDArray[np.bool_] = self.within & ((self.kinds & bit(WHOLE)) != 0)
        return both


def pairs_of(
    unit: Ints, source: Ints, tokens: pa.Array, facts: Mapping[str, Ints] | None = None
) -> Pairs:
    """Find the pairs.

    Args:
        unit: person of each token, from 0.
        source: contributor of each token, from 0.
        tokens: texts that begin with the letter of their kind.
        facts: :data:`FACTS` as codes by person, -1 where not recorded.
    """
    kind = pc.binary_slice(tokens.cast(pa.binary()), 0, 1).to_numpy(zero_copy_only=False)
    bits = np.array([bit(_WEIGHED_AS.get(chr(k[0]), chr(k[0]))) for k in kind], np.int64)
    rows = pa.table({"unit": unit, "source": source, "token": tokens, "kind": bits})
    rows = rows.group_by(["unit", "source", "token", "kind"]).aggregate([])
    pairs = run_whole(_PAIRS, rows=rows)
    one, other, source_, other_source, kinds = (
        pairs[name].to_numpy().astype(np.int64)
        for name in ("one", "other", "source", "other_source", "kinds")
    )
    for name, codes in (facts or {}).items():
        agree = (codes[one] == codes[other]) & (codes[one] >= 0)
        kinds = kinds | np.where(agree, bit(FACTS[name]), 0)
    sizes = pc.value_counts(rows["token"].combine_chunks()).field("counts").to_numpy()
    sources = np.column_stack([source_, other_source])
    too_common = int((sizes > MOST).sum())
    holds = np.zeros(int(unit.max(initial=-1)) + 1, np.int64)
    np.bitwise_or.at(holds, unit, bits)
    holds = np.unique(holds, return_inverse=True)[1]
    return Pairs(one, other, source_ == other_source, kinds, sources, too_common, holds)


@dataclass(frozen=True)
class Pattern:
    """What a set of agreeing keys is worth.

    Attributes:
        kinds: letters of what agrees.
        pairs: pairs between contributors with exactly this agreement.
        by_chance: pairs among them expected to be two people.
        probability: that such a pair is one person, 0 to 1.
    """

    kinds: str
    pairs: int
    by_chance: float
    probability: float


def held_twice(pairs: Pairs, worth: Mapping[int, Pattern], persons: Ints) -> NDArray[np.float64]:
    """About how many people each contributor holds twice: pairs of its persons beyond chance.

    Args:
        pairs: pairs that share a token.
        worth: of :func:`patterns`.
        persons: number of persons of each contributor.
    """
    ratio = _pairs_apart(persons)[2]
    kinds, which, inside = np.unique(
        pairs.kinds[pairs.within], return_inverse=True, return_counts=True
    )
    chance = [
        worth[bits].by_chance / ratio if ratio and bits in worth else float(n)
        for bits, n in zip(kinds.tolist(), inside, strict=True)
    ]
    share = 1 - np.minimum(1.0, np.array(chance) / np.maximum(inside, 1))
    of = pairs.sources[pairs.within, 0]
    return np.bincount(of, share[which], minlength=len(persons)).astype(np.float64)


def _pairs_apart(persons: Ints) -> tuple[float, float, float]:
    """Pairs of persons of one contributor, of different ones, and how many of these for each."""
    within = float((persons * (persons - 1) // 2).sum())
    across = float((persons.sum() ** 2 - (persons**2).sum()) // 2)
    return within, across, across / within if within else 0.0


def patterns(pairs: Pairs, persons: Ints) -> dict[int, Pattern]:
    """Every pattern that occurs between contributors, by its bits.

    Who agrees on more keys is never less likely one person: a pattern is worth at least what any
    part of it is worth.

    Args:
        pairs: pairs that share a token.
        persons: number of persons of each contributor.
    """
    within, across, ratio = _pairs_apart(persons)
    guess = min(0.5, CHANCE * within) * ratio if within else CHANCE * across
    kinds, which, between = np.unique(
        pairs.kinds[~pairs.within], return_inverse=True, return_counts=True
    )
    seen = dict(zip(*np.unique(pairs.kinds[pairs.within], return_counts=True), strict=True))
    inside = np.array([seen.get(bits, 0) for bits in kinds], float)
    most = bounds(kinds, seen, _FACT_BITS)
    respelt = np.where(kinds & bit(WHOLE), np.inf, most)
    chance = (
        np.minimum(most, without_doubles(between.astype(np.float64), inside, respelt, ratio))
        * ratio
    )
    sure = kinds[1 - np.maximum(chance, guess) / between >= STRONG]
    strong = np.isin(pairs.kinds, sure)
    chance = np.minimum(
        chance,
        taken(
            which,
            len(kinds),
            pairs.one[~pairs.within],
            pairs.other[~pairs.within],
            pairs.holds,
            np.column_stack([pairs.one[strong], pairs.other[strong]]),
        ),
    )
    chance = np.maximum(chance, guess)
    raw = 1 - np.minimum(1.0, chance / np.maximum(between, 1))
    worth = [
        float(raw[(kinds & bits) == kinds].max(initial=0.0)) for bits in kinds
    ]  # the parts of a pattern, itself among them
    return {
        int(bits): Pattern(letters(int(bits)), int(n), float(by_chance), probability)
        for bits, n, by_chance, probability in zip(kinds, between, chance, worth, strict=True)
    }


_FACT_BITS = sum(bit(letter) for letter in FACTS.values())


def letters(bits: int) -> str:
    """Letters of a set of kinds.

    >>> letters(0b101)
    'ac'
    """
    return "".join(chr(ord("a") + i) for i in range(26) if bits >> i & 1)


# --------------------------------------------------------------------------------------------------
# Persons as a contributor tells them apart, and what its records say against a link.

TOLERANCE = 1
"""Years by which birth years may differ: an age is known to the year, a registration too."""


@dataclass(frozen=True)
class Persons:
    """Persons, from 0.

    Attributes:
        of_record: person of each row that went in.
        record: id of the first record of each person.
        key: what the contributor tells each person by: its key, else the id of the record.
        source: contributor of each person, from 0.
        sources: ids of the contributors.
        facts: codes of ``FACTS`` by person, -1 where not recorded.
        women, men: codes of these genders.
        born, seen: first and last possible year of birth and of registration, shape (n, 2),
            without bounds where not recorded.
    """

    of_record: Ints
    record: list[str]
    key: list[str]
    source: Ints
    sources: list[str]
    facts: dict[str, Ints]
    women: int
    men: int
    born: NDArray[np.float64]
    seen: NDArray[np.float64]


def persons_of(rows: pa.Table, facts: pa.Table) -> Persons:
    """A person is a contributor's key of a person, else a record.

    Args:
        rows: ``record_id``, ``contributor``.
        facts: for each row of it ``person_key_first``, ``age_band_first``,
            ``year_of_registration_first`` and the columns of the facts.
    """
    key = pc.coalesce(facts["person_key_first"], rows["record_id"])
    scope = pc.binary_join_element_wise(rows["contributor"], key, "\0").combine_chunks()
    coded = scope.dictionary_encode()
    of_record = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    n = len(coded.dictionary)
    first = np.full(n, len(of_record), np.int64)
    np.minimum.at(first, of_record, np.arange(len(of_record)))
    contributor = rows["contributor"].combine_chunks().dictionary_encode()
    facts_, genders = {}, dict[str, int]()
    for name in FACTS:
        said = facts[f"{name}_first"].combine_chunks().dictionary_encode()
        codes = said.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        facts_[name] = _latest(of_record, n, codes)
        if name == SEX:
            genders = {text: i for i, text in enumerate(said.dictionary.to_pylist())}
    year = facts["year_of_registration_first"].cast(pa.float64()).to_numpy().copy()
    age = np.array([_ages(band) for band in facts["age_band_first"].to_pylist()]).reshape(-1, 2)
    return Persons(
        of_record=of_record,
        record=rows["record_id"].take(pa.array(first)).to_pylist(),
        key=key.take(pa.array(first)).to_pylist(),
        source=contributor.indices.to_numpy(zero_copy_only=False).astype(np.int64)[first],
        sources=contributor.dictionary.to_pylist(),
        facts=facts_,
        women=genders.get("female", -2),
        men=genders.get("male", -2),
        born=_bounds(of_record, n, year - age[:, 1] - 1, year - age[:, 0]),
        seen=_bounds(of_record, n, year, year),
    )


def _ages(band: str | None) -> tuple[float, float]:
    """Youngest and oldest age of a band, unbounded where it is."""
    if not band:
        return np.nan, np.nan
    low, __, high = band.rstrip("+").partition("-")
    return float(low), float(high) if high else np.inf


def _latest(of_record: Ints, n: int, codes: Ints) -> Ints:
    """The code of a person: that of the last record that has one, -1 where none has."""
    code = np.full(n, -1, np.int64)
    known = codes >= 0
    code[of_record[known]] = codes[known]
    return code


def _bounds(
    of_record: Ints, n: int, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The widest bounds that any record of a person allows: shape (n, 2), open where unknown."""
    bounds = np.column_stack([np.full(n, np.inf), np.full(n, -np.inf)])
    known = ~np.isnan(low)
    np.minimum.at(bounds[:, 0], of_record[known], low[known])
    np.maximum.at(bounds[:, 1], of_record[known], high[known])
    bounds[bounds[:, 0] > bounds[:, 1]] = (-np.inf, np.inf)
    return bounds


def contradiction(p: Persons, x: int, y: int) -> Text | None:
    """Why two persons cannot be one; None where nothing says so."""
    gender = p.facts[SEX]
    if {int(gender[x]), int(gender[y])} == {p.women, p.men}:
        return Text("The genders differ.")
    if max(p.born[x, 0], p.born[y, 0]) > min(p.born[x, 1], p.born[y, 1]) + TOLERANCE:
        return Text("The ages do not belong to one person.")
    if p.seen[x, 0] + TOLERANCE < p.born[y, 0] or p.seen[y, 0] + TOLERANCE < p.born[x, 0]:
        return Text("One was registered before the other was born.")
    return None


# --------------------------------------------------------------------------------------------------
# Sets of persons who are one, of each contributor or file one at most; the likeliest join first.


class PersonSets:
    """Union-find over persons from 0; the smallest of a set is its root.

    Args:
        source: contributor or file of each person.
        contradiction: why two persons cannot be one; None where nothing says so.
    """

    def __init__(
        self, source: Ints, contradiction: Callable[[int, int], Text | None] = lambda _x, _y: None
    ) -> None:
        self._source, self._contradiction = source.tolist(), contradiction
        self._parent = list(range(len(source)))
        self.members = [[person] for person in self._parent]

    def root(self, one: int) -> int:
        """The smallest of the set that one is in."""
        while self._parent[one] != one:
            self._parent[one] = one = self._parent[self._parent[one]]
        return one

    def roots(self) -> Ints:
        """The root of each."""
        return np.array([self.root(one) for one in range(len(self._parent))], np.int64)

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        a, b = self.root(one), self.root(other)
        if a != b:
            low, high = sorted((a, b))
            self._parent[high] = low
            self.members[low] = self.members[a] + self.members[b]

    def sharing(self, one: int, other: int) -> Text | None:
        """That one set of two would hold two persons of one source, None where it would not."""
        first, second = (self.members[self.root(person)] for person in (one, other))
        if {self._source[x] for x in first}.isdisjoint(self._source[y] for y in second):
            return None
        return Text("It would merge two people of one contributor.")

    def contradicting(self, one: int, other: int) -> Text | None:
        """Why persons of two sets cannot be one, None where nothing says so."""
        first, second = (self.members[self.root(person)] for person in (one, other))
        both = (self._contradiction(x, y) for x in first for y in second)
        return next(filter(None, both), None)


def rivalled(
    one: Ints, other: Ints, source: Ints, score: NDArray[Any], who: Sequence[int] | Ints
) -> NDArray[np.bool_]:
    """Pairs of which one side has another candidate, of the same source, that is about as likely.

    Args:
        one, other: persons of each pair.
        source: contributor or file of each person.
        score: of each pair; less than 1 below the best is about as likely.
        who: number of each person; a candidate with the same number is no rival.
    """
    candidates: dict[tuple[int, int], list[tuple[float, int, int]]] = {}
    for at, (x, y) in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
        for side, candidate in ((x, y), (y, x)):
            group = candidates.setdefault((side, int(source[candidate])), [])
            group.append((float(score[at]), int(who[candidate]), at))
    rivals = np.zeros(len(one), bool)
    for group in candidates.values():
        top = max(group)[0]
        close = [(person, at) for bits, person, at in group if bits > top - 1]
        if len({person for person, _at in close}) > 1:
            rivals[[at for _person, at in close]] = True
    return rivals


# --------------------------------------------------------------------------------------------------
# Persons whom several contributors know, found by several tokens: a report for the steward.
#
# Within a contributor its own case number decides who is one person, so a cluster holds at most one
# person of each contributor.

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

REVIEW = pa.schema(
    [PAIRS.field(name) for name in ("record_a", "record_b", "probability", "keys", "reason")]
)

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
            and the columns :data:`~ctdhub.sensitive.linkage.review.FACTS`.
        tokens: schema ``ctdhub.sensitive.mapping.identifiers.TOKENS``.
        cut: least probability of a link, above 0 and at most 1.
        look: least probability that a steward is shown, at most ``cut``.
    """
    facts = records.group_by("record_id", use_threads=False).aggregate(
        [(name, "first") for name in ("person_key", AGE, PERIOD, *FACTS)]
    )
    checking = pc.starts_with(tokens["token"], f"{CHECK}-")
    rest = pc.match_substring_regex(tokens["token"], f"^[^{CHECK}{JOINING}{CAPTURES}{QUALITY}]")
    checks, rows = tokens.filter(checking), _distinct(tokens.filter(rest))
    place = pc.index_in(rows["record_id"], value_set=facts["record_id"])
    rows, place = rows.filter(place.is_valid()), place.drop_null()
    persons = persons_of(rows, facts.take(place))
    pairs = pairs_of(
        persons.of_record,
        persons.source[persons.of_record],
        rows["token"].combine_chunks(),
        persons.facts,
    )
    sizes = np.bincount(persons.source, minlength=len(persons.sources))
    worth = patterns(pairs, sizes)
    joined, reasons, links = _join(persons, pairs, worth, cut, look)
    numbered = np.unique(joined.roots(), return_inverse=True)[1]
    members = pa.table(
        {
            "record_id": rows["record_id"],
            "contributor": rows["contributor"],
            "cluster": pa.array(numbered[persons.of_record], pa.int64()),
        }
    )
    shown, review = _pairs(persons, pairs, worth, numbered, reasons)
    twice = held_twice(pairs, worth, sizes)
    return Clusters(
        members=_distinct(members),
        review=review,
        pairs=shown,
        patterns=tuple(sorted(worth.values(), key=lambda p: (-p.pairs, p.kinds))),
        persons=len(persons.record),
        clusters=int(numbered.max(initial=-1)) + 1,
        links=links,
        too_common=pairs.too_common,
        made_apart=_made_apart(checks),
        overlap=_overlap(numbered, persons),
        held_twice={
            name: (int(n), round(more))
            for name, n, more in zip(persons.sources, sizes, twice, strict=True)
        },
    )


def _made_apart(checks: pa.Table) -> tuple[tuple[str, ...], ...]:
    groups: dict[str, set[str]] = {}
    for row in _distinct(checks.select(["contributor", "token"])).to_pylist():
        groups.setdefault(row["token"], set()).add(row["contributor"])
    return tuple(sorted(tuple(sorted(names)) for names in groups.values()))


def _distinct(table: pa.Table) -> pa.Table:
    return table.group_by(table.column_names, use_threads=False).aggregate([])


def _join(
    persons: Persons, pairs: Pairs, worth: dict[int, Pattern], cut: float, look: float
) -> tuple[PersonSets, dict[int, str], int]:
    """Persons joined; why pairs are shown, by their place, the likeliest first; how many joined."""
    joined, links = PersonSets(persons.source, partial(contradiction, persons)), 0
    reasons: dict[int, str] = {}
    between = np.flatnonzero(~pairs.within)
    probability = np.array([worth[int(bits)].probability for bits in pairs.kinds[between]])
    shown = probability >= look
    between, probability = between[shown], probability[shown]
    keys, one, other = (of[between] for of in (pairs.kinds, pairs.one, pairs.other))
    keys = np.bitwise_count(keys)
    rank = np.unique(np.column_stack([probability, keys]), axis=0, return_inverse=True)[1]
    rivals = rivalled(one, other, persons.source, rank, _same(persons, pairs))
    for i in np.lexsort((other, one, -keys, -probability)):
        apart = joined.root(one[i]) != joined.root(other[i])
        reason = None
        if probability[i] < cut:
            reason = Text("Likely, not certain.") if apart else None
        elif rivals[i]:
            reason = Text("Another person of this contributor is just as likely.")
        elif apart and not (
            reason := joined.sharing(one[i], other[i]) or joined.contradicting(one[i], other[i])
        ):
            joined.join(one[i], other[i])
            links += 1
        if reason:
            reasons[int(between[i])] = reason.message
    twice = Text("Perhaps one person with two cases at this contributor.")
    reasons |= dict.fromkeys(np.flatnonzero(pairs.doubles).tolist(), twice.message)
    return joined, reasons, links


def _pairs(
    persons: Persons,
    pairs: Pairs,
    worth: dict[int, Pattern],
    cluster_of: Ints,
    reasons: Mapping[int, str],
) -> tuple[pa.Table, pa.Table]:
    """All pairs of different contributors and those of one that are for review; then these."""
    at = np.flatnonzero(~pairs.within | pairs.doubles)
    one, other, within = pairs.one[at], pairs.other[at], pairs.within[at]
    bits, which = np.unique(pairs.kinds[at], return_inverse=True)
    sure = np.array([worth[int(b)].probability if int(b) in worth else np.nan for b in bits])
    names = pa.array([letters(int(b)) for b in bits], pa.string())
    sources = pa.array(persons.sources, pa.string())
    cells: dict[str, pa.Array] = {}
    for name, ids in (("record", persons.record), ("key", persons.key)):
        texts = pa.array(ids, pa.string())
        cells |= {f"{name}_a": texts.take(pa.array(one)), f"{name}_b": texts.take(pa.array(other))}
    for side, person in (("a", one), ("b", other)):
        cells[f"contributor_{side}"] = sources.take(pa.array(persons.source[person]))
    cells |= {
        "keys": names.take(pa.array(which)),
        "probability": pa.array(sure[which], mask=within | np.isnan(sure[which])),
        "joined": pa.array(cluster_of[one] == cluster_of[other]),
        "within": pa.array(within),
        "reason": pa.array([reasons.get(place) for place in at.tolist()], pa.string()),
    }
    every = pa.table(cells).select(PAIRS.names).cast(PAIRS)
    review = every.take(pa.array(np.searchsorted(at, list(reasons)), pa.int64()))
    rounded = [p if p is None else round(p, 4) for p in review["probability"].to_pylist()]
    place = PAIRS.names.index("probability")
    review = review.set_column(place, "probability", pa.array(rounded, pa.float64()))
    return every, review.select(REVIEW.names)


def _same(persons: Persons, pairs: Pairs) -> list[int]:
    """Persons by number; those who are perhaps one person held twice have the same number."""
    number = list(range(len(persons.record)))
    for at in np.flatnonzero(pairs.doubles):  # sorted by the smaller person
        number[pairs.other[at]] = min(number[pairs.one[at]], number[pairs.other[at]])
    return number


def _overlap(cluster_of: Ints, persons: Persons) -> dict[str, int]:
    known: dict[int, set[str]] = {}
    for number, source in zip(cluster_of, persons.source, strict=True):
        known.setdefault(int(number), set()).add(persons.sources[source])
    return dict(sorted(Counter("+".join(sorted(names)) for names in known.values()).items()))
