"""From a person's identifiers to keyed tokens: names, birth dates, ages."""

import hashlib
import hmac
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from itertools import product
from typing import Literal

import pyarrow as pa
from babel.dates import get_month_names
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctdhub.core.errors import error
from ctdhub.core.i18n import said_all
from ctdhub.core.tables import fold
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl import names as pprl_names
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.mapping.dates import DateForm, DateOrder

# --------------------------------------------------------------------------------------------------
# Birth dates as people write them, in the form that tokens are made of.

_LOCALES = ("en", "fr", "es", "pt", "it", "de", "ru", "uk", "el", "ar", "fa", "tr")
_NUMBERS = re.compile(r"\d+")
_YEAR_FIRST = re.compile(r"^\s*(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})(?:\D.*)?$", re.DOTALL)
_YEAR_LAST = re.compile(r"^\s*(\d{1,2})\D{1,2}(\d{1,2})\D{1,2}(\d{4})(?:\D.*)?$", re.DOTALL)
_PACKED = re.compile(r"^\s*(\d{4})(\d{2})(\d{2})\s*$")
_YEAR = re.compile(r"^\s*(\d{4})\s*$")
_WORDED = re.compile(r"^(?=.*[^\W\d_])[^\d]*\d{1,4}[^\d]+\d{1,4}[^\d]*$|^\D*\d{1,2}\D+\d{4}\D*$")
YEARS = (1900, 2100)


@dataclass(frozen=True)
class Birth:
    """When a person was born: year, and where they are known day and month, the smaller first.

    Day and month without their order: offices swap them.  The first of January is what many
    offices write for an unknown day, so it counts as unknown; ``first`` remembers it.
    """

    year: int
    day: tuple[int, int] | None
    first: bool = field(default=False, compare=False, repr=False)

    @property
    def full(self) -> str:
        """Year, day and month; empty where one is unknown."""
        return f"{self.year}{self.days}" if self.day else ""

    @property
    def days(self) -> str:
        """Day and month; empty where unknown."""
        return f"-{self.day[0]}-{self.day[1]}" if self.day else ""


@lru_cache(maxsize=200_000)
def read_birth(cell: str) -> Birth | None:
    """The birth date in a cell, None where it holds none that can be read for certain.

    Two-digit years are not read: nobody knows the century.

    >>> read_birth("1990-05-03") == read_birth("05/03/1990") == read_birth("٣ مايو ١٩٩٠")
    True
    >>> read_birth("3 mai 1990").full, read_birth("1990"), read_birth("31/31/1990")
    ('1990-3-5', Birth(year=1990, day=None), None)
    """
    if match := _YEAR.match(cell):
        return _made(int(match[1]), None)
    if match := _YEAR_FIRST.match(cell) or _PACKED.match(cell):
        return _made(int(match[1]), (int(match[2]), int(match[3])))
    if match := _YEAR_LAST.match(cell):
        return _made(int(match[3]), (int(match[1]), int(match[2])))
    if _WORDED.match(cell):
        numbers = [int(n) for n in _NUMBERS.findall(cell)]
        months = {
            _months().get(w) for w in pprl_names.romanised(_NUMBERS.sub(" ", cell)).split()
        } - {None}
        if len(numbers) == 2 and len(months) == 1:
            return _made(max(numbers), (min(numbers), months.pop() or 0))
    return None


def _made(year: int, day: tuple[int, int] | None) -> Birth | None:
    if not YEARS[0] <= year < YEARS[1]:
        return None
    if day is None or day == (1, 1):
        return Birth(year, None, day is not None)
    low, high = sorted(day)
    try:
        date(year, low, high)
    except ValueError:
        return None
    return Birth(year, (low, high))


@cache
def _months() -> dict[str, int]:
    """Romanised names of months; a name that means two months means none."""
    numbers: dict[str, set[int]] = {}
    for locale in _LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for month, name in get_month_names(width, context, locale).items():
                    for word in pprl_names.romanised(name).split():
                        numbers.setdefault(word, set()).add(month)
    return {name: months.copy().pop() for name, months in numbers.items() if len(months) == 1}


# --------------------------------------------------------------------------------------------------
# From a person's identifiers to keyed tokens, as many for each person.
#
# Each key joins parts that rarely agree by chance, so that a spelling mistake, a swap or a missing
# cell spoils some keys and leaves others.  No key is made of one identifier alone: its tokens would
# repeat as often as the name does, and could be guessed from that.  None is made without a name:
# who held the key could try every birth date and place.

FORMAT = 2
"""Version of what tokens are made of; those of two versions never agree."""


def kind_words() -> dict[str, str]:
    """The composite keys, and that of the birth date alone, in the user's language."""
    return dict(said_all("ctdhub.sensitive.linkage.pprl", "derive"))


EACH = {"a": 1, "b": 4, "c": 4, "d": 4, "e": 4, "f": 4, "g": 4, "h": 1,
        "j": 1, "k": 1, "l": 1, "m": 1, "n": 1, "o": 1, "p": 1, "r": 1}  # fmt: skip
"""Tokens of each kind in every row: what a row lacks is filled with tokens that equal no other."""

JOINING = "jkl"
"""Kinds by which a hub may join people, the best first; a key means the same in each of them."""

CAPTURES = "nopr"
"""Kinds by which a hub estimates how many people its joins miss; each leaves out one fact of
:data:`PERSON`, so that a difference in that fact alone does not hide two rows from it."""

QUALITY = "q"
"""Letter of the token that says how exactly the birth is known; every row has one, and everybody
can read it."""

QUALITIES = {
    "full": "q-birth_date_in_full",
    "january": "q-birth_on_1_january",
    "year": "q-birth_year_without_day",
    "none": "q-birth_not_recorded",
    "no_key": "q-too_little_for_a_key",
}
"""Tokens of :data:`QUALITY`, the most exact first; the last where no token of
:data:`CAPTURES` can be made, so that nobody can tell whether the row is about somebody else's
person."""

PERSON = "m"
"""The kind whose token is taken for a person where one token must do."""

CHECK = "z"
"""Letter of the one token that says nothing of a person: equal keys and releases make it equal."""

LENGTH = 24
"""Hexadecimal digits of a token: 96 bits.  Ten million people with ten tokens each collide by
chance with p < 1e-13 (birthday bound n^2 / 2^97)."""

NAMES = 2
"""Parts of given and of family names that count: compound names lose one of two."""

_PURPOSE = b"ctdhub link tokens 2"


@dataclass(frozen=True)
class Identity:
    """What a row says of a person, as written; empty where it says nothing."""

    given: str = ""
    family: str = ""
    birth: str = ""
    place: str = ""


class Tokeniser:
    """Makes tokens with the key of contributors, for one release.

    Args:
        key: the secret, at least 32 bytes.
        release: the release that the tokens are for; tokens of two releases never agree.
        filling: the contributor's own secret, from which the tokens come that fill up a row: with
            the same one a file that is made again is the same.  By default a new one.

    Subkeys by HKDF-SHA256 (RFC 5869), tokens by HMAC-SHA256 (RFC 2104), one subkey for each kind
    and one for all of :data:`JOINING`: tokens of two kinds never agree.

    Raises:
        ValueError: the key is too short.
    """

    def __init__(self, key: bytes, release: str, filling: bytes = b"") -> None:
        if len(key) < 32:
            raise ValueError("a linkage key has at least 32 bytes")
        self._keys = {
            kind: _subkey(key, release, JOINING if kind in JOINING else kind)
            for kind in (*EACH, CHECK, "case")
        }
        self._filling = _subkey(filling or os.urandom(32), release, "filling")
        code = hmac.digest(self._keys[CHECK], b"", hashlib.sha256).hex()
        self.check = f"{CHECK}-{FORMAT}_{code[:LENGTH]}"

    def tokens(self, person: Identity) -> tuple[str, tuple[str, ...]]:
        """The one token that stands for the person (empty without one), and all tokens.

        A row that says too little for any key gives no token.
        """
        tokens = tuple(
            dict.fromkeys(self._token(kind, text) for kind, text in composite_keys(person))
        )
        first = next((token for token in tokens if token.startswith(PERSON)), "")
        return first, tokens

    def filled(self, tokens: Iterable[str], row: str) -> tuple[str, ...]:
        """As many tokens of each kind as :data:`EACH` says, sorted: none can be told from another.

        Args:
            tokens: those of a person, at most as many.
            row: what the whole row says; another row is filled with other tokens.
        """
        kinds = {kind: [t for t in tokens if t[0] == kind] for kind in EACH}
        more = (
            f"{kind}-{self._fill(f'{kind}{place}{row}')}"
            for kind, most in EACH.items()
            for place in range(len(kinds[kind]), most)
        )
        return tuple(sorted((*(t for some in kinds.values() for t in some), *more)))

    def _fill(self, text: str) -> str:
        return hmac.digest(self._filling, text.encode(), hashlib.sha256).hex()[:LENGTH]

    def stand_in(self, text: str) -> str:
        """A token in place of ``link_token``, made of other tokens; no name gives the same."""
        return self._token(PERSON, f"\0{text}")

    def case(self, number: str) -> str:
        """The number of a case as a code that nobody without the key can turn back."""
        return hmac.digest(self._keys["case"], number.strip().encode(), hashlib.sha256).hex()[:32]

    def _token(self, kind: str, text: str) -> str:
        code = hmac.digest(self._keys[kind], text.encode(), hashlib.sha256).hex()
        return f"{kind}-{code[:LENGTH]}"


def format_of(check: str) -> int:
    """The version of the format that a token of kind :data:`CHECK` speaks of.

    >>> format_of("z-2_0123456789abcdef"), format_of("z-0123456789abcdef01234567")
    (2, 1)
    """
    version, mark, _code = check[2:].partition("_")
    return int(version) if mark and version.isdecimal() else 1


def _subkey(key: bytes, release: str, kind: str) -> bytes:
    info = b"\0".join((_PURPOSE, release.encode(), kind.encode()))
    return HKDF(hashes.SHA256(), 32, None, info).derive(key)


def composite_keys(person: Identity) -> Iterator[tuple[str, str]]:  # noqa: C901
    """Kind and text of each key, before it is keyed.

    Given and family name are not told apart where that is possible: offices swap them.

    >>> one = dict(composite_keys(Identity("Zoé", "Müller", "1990-05-03")))
    >>> two = dict(composite_keys(Identity("MUELLER", "Zoe", "5.3.1990")))
    >>> "".join(sorted(kind for kind in one if one[kind] == two[kind]))
    'bcdfhmn'
    """
    forenames, family = pprl_names.parts(person.given), pprl_names.parts(person.family)
    birth = read_birth(person.birth) if person.birth else None
    full, year, days = (birth.full, str(birth.year), birth.days) if birth else ("", "", "")
    place = " ".join(pprl_names.skeleton(p) for p in pprl_names.parts(person.place))
    first, second = [
        list(dict.fromkeys(pprl_names.skeleton(part) for part in names[:NAMES]))
        for names in (forenames, family)
    ]
    pairs = list(dict.fromkeys(tuple(sorted(pair)) for pair in product(first, second)))
    singles = [name for name in dict.fromkeys(first + second) if len(name) > 1]
    if full and forenames and family:
        yield "a", " ".join(sorted(forenames + family)) + full
    for one, two in pairs:
        names = f"{one} {two}"
        if full:
            yield "b", names + full
        if year:
            yield "c", names + year
        if days:
            yield "d", names + days
        if place:
            yield "e", f"{names}|{place}"
    for name in singles:
        if full:
            yield "f", name + full
        if year and place:
            yield "g", f"{name}{year}|{place}"
    if full and pairs:
        yield "h", " ".join(sorted((first[0][:2], second[0][:2]))) + full
    if who := pprl_names.names_of(person.given, person.family):
        if birth and (full or place):
            yield PERSON, f"{_pair(who.own, who.family)}|{full or f'{year}|{place}'}"
        every = dict.fromkeys(_joining(who, birth, place))
        yield from zip(JOINING, every, strict=False)
        if part := days or year or place:
            yield "n", f"{_pair(who.own, who.family)}|{part}"
        if whole := full or (year and place and f"{year}|{place}"):
            yield "o", f"{who.own}|{whole}"
            yield "p", f"{who.family}|{whole}"
        if year and place:
            yield "r", f"{_pair(who.own, who.family)}|{year}|{place}"


def quality_of(person: Identity) -> str:
    """How exactly the birth of a row is known, a key of :data:`QUALITIES`.

    >>> quality_of(Identity("Marta", "Cruz", "01/01/1990")), quality_of(Identity("Marta", "Cruz"))
    ('january', 'no_key')
    """
    if not any(kind in CAPTURES for kind, _text in composite_keys(person)):
        return "no_key"
    birth = read_birth(person.birth) if person.birth else None
    if birth is None:
        return "none"
    return "full" if birth.full else "january" if birth.first else "year"


def _pair(one: str, other: str) -> str:
    """Two names without their order."""
    return " ".join(sorted((one, other)))


def _joining(who: pprl_names.Names, birth: Birth | None, place: str) -> Iterator[str]:
    """Texts of the keys that join beside that of :data:`PERSON`, those that find most first.

    They find what it misses: a slip or a short form (beginnings), a father's name in place of the
    family's (the own name with a place, or alone where it is rare), another part of a long name.
    Without the day of birth only two whole names with the place join; without any birth nothing
    does: of those who agree on two names and a place, up to one pair in eight was two people.
    """
    if birth and birth.full:
        own, other = pprl_names.beginning(who.own), pprl_names.beginning(who.other, 1)
        begun = f"1{_pair(own, other)}|{birth.full}"
        if who.rare:
            yield f"2{who.own}|{birth.full}"
        if place and who.short:
            yield f"3{who.own[:2]} {who.family}|{birth.full}|{place}"
        elif place and who.chain:
            yield f"4{who.own}|{birth.full}|{place}"
        if not who.short:
            yield begun
        if who.other != who.family:
            yield f"5{_pair(who.own, who.other)}|{birth.full}"
        if place:
            yield f"4{who.own}|{birth.full}|{place}"
    if birth and place:
        yield f"6{_pair(who.own, who.other)}|{birth.year}|{place}"


# --------------------------------------------------------------------------------------------------
# The age that stays when the birth date goes.

AGE = "age"

Lack = Literal["day", "birth", "before"]
"""Why a row has no age.  day: no full date to count at.  birth: no birth date that can be read.
before: the birth is after that date."""


@dataclass(frozen=True)
class AgeAt:
    """Where an age comes from: the day in ``column``, and the order of day and month.

    The age is in full years; where only the year of birth is known it may be one too high.
    """

    column: str
    order: DateOrder = "dmy"


def check_ages(raw: RawTable, plan: TokenPlan, at: AgeAt) -> None:
    """Refuse a column of days that gives no row an age: with the birth date, all ages would go.

    Raises:
        FileError: that, or a column is missing, or the file has an age that stays.
    """
    birth = plan.of("birth")
    if birth is None or at.column not in raw.table.column_names:
        raise error("age-at/no-column", file=raw.file, column=at.column)
    if AGE in plan.fated("stay") + plan.fated("code"):
        raise error("age-at/column-taken", file=raw.file, column=AGE)
    lacks: Counter[Lack] = Counter()
    for _age, lack in _counted(raw.table, birth, at):
        if lack is None:
            return
        lacks[lack] += 1
    for lack, _rows in lacks.most_common(1):
        if lack == "birth":
            raise error("age-at/no-birth", file=raw.file, column=birth)
        raise error(
            "age-at/no-day" if lack == "day" else "age-at/born-after",
            file=raw.file,
            column=at.column,
        )


def ages(rows: pa.Table, plan: TokenPlan, at: AgeAt, lacks: Counter[Lack]) -> pa.Array:
    """The age of each row; null where there is none, which is added to ``lacks``."""
    pairs = list(_counted(rows, plan.of("birth") or "", at))
    lacks.update(lack for _age, lack in pairs if lack is not None)
    return pa.array([age for age, _lack in pairs], pa.string())


def _counted(rows: pa.Table, birth: str, at: AgeAt) -> Iterator[tuple[str | None, Lack | None]]:
    form = DateForm(order=at.order)
    for batch in rows.select([birth, at.column]).to_batches():
        for born, then in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield _age_of(born, then, form)


def _age_of(birth: str | None, at: str | None, form: DateForm) -> tuple[str | None, Lack | None]:
    then = form.date(fold(at)) if at else None
    if then is None:
        return None, "day"
    born = form.date(fold(birth)) if birth else None
    if born is None:
        born = form.year(fold(birth)) if birth else None
    if born is None:
        return None, "birth"
    if then[: len(born)] < born:
        return None, "before"
    short_of_a_year = then[5:] < born[5:] if len(born) > 4 else False
    return str(int(then[:4]) - int(born[:4]) - short_of_a_year), None
