"""What a contributor wrote down about the people it knows: rows, dates, and what it left empty."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ctdhub.practice.people import BLOCKS, Bools, Ints, Marginals, People
from ctdhub.schema.model import load_schema

Texts = NDArray[np.object_]
PLANTED_BLOCKS = ("gender", "citizenship", "country")
"""Blocks that are always recorded for people of the planted corridor."""


@dataclass(frozen=True)
class Records:
    """Rows of one contributor; every array has one entry per row.

    Attributes:
        people: the fictitious people.
        person: position of the row's person in ``people``.
        date: day of registration (datetime64[D]).
        missing: block to whether the row leaves it empty.
        extra: positions of rows that are added to be refused: "rejected" and every exclusion.
    """

    people: People
    person: Ints
    date: NDArray[np.datetime64]
    missing: dict[str, Bools]
    extra: dict[str, Ints]

    def __len__(self) -> int:
        return len(self.person)

    def code(self, name: str) -> Ints:
        """Positions in the domain of a hub variable, -1 where nothing is true of the person."""
        return self.people.codes[name][self.person]

    def words(self, name: str, words: Sequence[str] | Mapping[str, str], block: str) -> Texts:
        """The contributor's words for a code, "" where missing.

        Args:
            name: hub variable.
            words: one per code in the order of the domain, or a mapping from hub code to word.
            block: the block that decides what is missing.
        """
        if isinstance(words, Mapping):
            words = [words[code] for code in load_schema().domain(name)]
        found = np.array([*words, ""], object)[self.code(name)]
        found[self.missing[block]] = ""
        return found

    def spoil(
        self,
        columns: dict[str, Texts],
        rejected: Sequence[tuple[str, object]],
        excluded: Mapping[str, tuple[str, object]],
    ) -> None:
        """Turn the added rows into ones that the hub must reject, or exclude by a named rule."""
        for i, place in enumerate(self.extra["rejected"]):
            column, value = rejected[i % len(rejected)]
            columns[column][place] = value
        for rule, (column, value) in excluded.items():
            columns[column][self.extra[rule]] = value

    def several(self, words: Mapping[str, str], block: str, separator: str = "; ") -> Texts:
        """A list of the words whose flags are yes, "" where missing or where none is yes."""
        found = np.full(len(self), "", object)
        for name, word in words.items():
            yes = self.people.is_yes(name)[self.person] & ~self.missing[block]
            tail = np.where(found == "", word, separator + word).astype(object)
            found = np.where(yes, found + tail, found)
        return found


def record(
    people: People,
    contributor: str,
    exclusions: Iterable[str],
    rng: np.random.Generator,
    m: Marginals,
) -> Records:
    """The rows that a contributor wrote, in random order.

    A person whom another list registered first may come a year later; some people of a
    contributor with ``repeat`` have a second row up to 60 days later.  Rows that the hub must
    refuse are added, so every person of the contributor has at least one good row.
    """
    model = m.contributors[contributor]
    column = m.ids.index(contributor)
    (person,) = np.nonzero(people.known[:, column])
    year = people.year[person]
    later = (people.first_list[person] != column) & (year < model.years[1])
    later &= rng.random(len(person)) < m.lists.later_year
    date = _days(year + later, rng)
    again = np.flatnonzero(rng.random(len(person)) < model.repeat)
    ends = (date.astype("datetime64[Y]") + np.timedelta64(1, "Y")).astype(
        "datetime64[D]"
    ) - np.timedelta64(1, "D")
    second = np.minimum(date + rng.integers(1, 60, len(date)).astype("timedelta64[D]"), ends)
    counts = {"rejected": max(3, round(m.faulty_rows * len(person)))}
    counts |= {rule: max(2, round(m.excluded_rows * len(person))) for rule in exclusions}
    copied = rng.integers(0, len(person), sum(counts.values()))
    rows = np.concatenate([np.arange(len(person)), again, copied])
    date = np.concatenate([date, second[again], date[copied]])
    order = rng.permutation(len(rows))
    person, date = person[rows][order], date[order]
    place = np.argsort(order)[len(rows) - len(copied) :]
    splits = np.cumsum(list(counts.values()))[:-1]
    extra = dict(zip(counts, np.split(place, splits), strict=True))
    missing = _missing(people, person, date, contributor, rng, m)
    return Records(people, person, date, missing, extra)


def _days(year: Ints, rng: np.random.Generator) -> NDArray[np.datetime64]:
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    days: NDArray[np.datetime64] = start + rng.integers(0, 365, len(year)).astype("timedelta64[D]")
    return days


def _missing(
    people: People,
    person: Ints,
    date: NDArray[np.datetime64],
    contributor: str,
    rng: np.random.Generator,
    m: Marginals,
) -> dict[str, Bools]:
    """Blocks go missing together: a Gaussian copula over a record's hidden quality."""
    model = m.contributors[contributor]
    rho = m.missing_together
    quality = rng.normal(size=len(person))
    early = date.astype("datetime64[Y]").astype(int) + 1970 <= model.early.get("until", 0)
    found = {}
    for block in BLOCKS:
        share = np.where(early, model.early.get(block, model.missing[block]), model.missing[block])
        own = rho**0.5 * quality + (1 - rho) ** 0.5 * rng.normal(size=len(person))
        found[block] = own < _limits(share)
        if block in PLANTED_BLOCKS:
            found[block] &= ~people.planted[person]
    return found


def _limits(share: NDArray[np.float64]) -> NDArray[np.float64]:
    limit = {0.0: -np.inf, 1.0: np.inf}
    for value in set(share.tolist()) - set(limit):
        limit[value] = NormalDist().inv_cdf(value)
    return np.array([limit[value] for value in share.tolist()])


# --------------------------------------------------------------------------------------------------
# Keyed link tokens and identifiers that nobody can mistake for real ones.

PRACTICE_KEY = b"practice key: invented, public, protects nobody"


def token(person: int) -> str:
    """HMAC-SHA256 of a fictitious person's number with the public practice key, in hex.

    >>> len(token(1)), token(1) == token(1), token(1) == token(2)
    (64, True, False)
    """
    return hmac.new(PRACTICE_KEY, b"%d" % person, hashlib.sha256).hexdigest()


def tokens(people: int) -> Texts:
    """Tokens of the people numbered from 1."""
    return np.array([token(i) for i in range(1, people + 1)], object)


def numbered(text: str, numbers: Iterable[int]) -> Texts:
    """The text with each number put into it: placeholders in place of names and case numbers.

    >>> numbered("PRACTICE-{:06d}", [12]).tolist()
    ['PRACTICE-000012']
    """
    return np.array([text.format(int(n)) for n in numbers], object)


def telephones(numbers: Iterable[int]) -> Texts:
    """Telephone numbers from the range that Ofcom keeps for drama (07700 900000 to 900999).

    >>> telephones([5, 1005]).tolist()
    ['+44 7700 900005', '+44 7700 900005']
    """
    return numbered("+44 7700 900{:03d}", (int(n) % 1000 for n in numbers))
