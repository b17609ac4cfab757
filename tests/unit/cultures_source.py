"""People who do not exist, of twelve cultures, as three offices would write them: seeded.

Names are common given and family names (``cultures.yaml``) drawn at random, with two to five
spellings of many.  An office takes the usual spelling half of the time and another one else.  By
culture it adds a father's name or puts it in place of the family name, calls somebody by a
honorific or as the mother or father of a child, drops one of two surnames, moves a middle name,
turns the order round; in all of them one row in twenty has a slip of the hand and one in twenty
has its fields swapped.  Six cultures are those that rules were chosen on, six are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from ctdhub.schema.model import ORIGIN, SEX
from ctdhub.sensitive.linkage.pprl.derive import JOINING, Identity, Tokeniser
from ctdhub.sensitive.linkage.token_joins import joins, joint_keys
from ctdhub.sensitive.mapping.identifiers import TOKENS

FIRST_YEAR, LAST_YEAR = 1960, 2009
TOWNS = 60
Random = np.random.Generator


@dataclass(frozen=True)
class Culture:
    """Names, each with its spellings, the commonest first; middle names by gender, without rank."""

    name: str
    citizenship: str
    given: dict[str, list[list[str]]]
    family: list[list[str]]
    middle: dict[str, list[list[str]]]
    tuned: bool


@dataclass(frozen=True)
class Somebody:
    """One fictitious person."""

    culture: Culture
    gender: str
    given: list[str]
    second: list[str]
    father: list[str]
    family: list[str]
    mother: list[str]
    middle: list[str]
    born: tuple[int, int, int]
    known: str
    town: int


@dataclass(frozen=True)
class Recipe:
    """What offices know.

    Attributes:
        births: share of people whose birth is known full, as 1 January, by year, by age or not.
        place: share of rows with a place of birth.
        slips: share of rows with a slip of the hand.
        swaps: share of rows whose two fields change places.
    """

    births: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    place: float = 0.0
    slips: float = 0.05
    swaps: float = 0.05


MIXED = Recipe((0.70, 0.15, 0.10, 0.05))
BIRTHS = ("full", "january", "year", "none")


@cache
def cultures() -> dict[str, Culture]:
    """All twelve, by name."""
    said = yaml.safe_load((Path(__file__).parent / "cultures.yaml").read_text("utf-8"))
    found = {}
    for group, members in said.items():
        for name, lists in members.items():
            middle = {"female": _names(lists.get("middle", ""))}
            middle["male"] = _names(lists.get("middle men", ""))
            given = {"female": _names(lists["women"]), "male": _names(lists["men"])}
            family = _names(lists["family"])
            found[name] = Culture(
                name, lists["citizenship"], given, family, middle, group == "tuned"
            )
    return found


def _names(text: str) -> list[list[str]]:
    return [one.strip().split("/") for one in text.split(",") if one.strip()]


def people(
    culture: Culture, n: int, rng: Random, recipe: Recipe, gender: str = ""
) -> list[Somebody]:
    """Fictitious people; all of one gender where it is said."""
    return [_somebody(culture, rng, recipe, gender) for _ in range(n)]


def _somebody(culture: Culture, rng: Random, recipe: Recipe, gender: str) -> Somebody:
    gender = gender or ("female" if rng.random() < 0.6 else "male")
    given, middle = culture.given[gender], culture.middle[gender]
    day = np.datetime64(f"{FIRST_YEAR}-01-01") + rng.integers(0, 365 * (LAST_YEAR - FIRST_YEAR + 1))
    year, month, of_month = (int(part) for part in str(day).split("-"))
    known = BIRTHS[int(rng.choice(4, p=recipe.births))]
    return Somebody(
        culture, gender, _drawn(given, rng), _drawn(given, rng),
        _drawn(culture.given["male"], rng), _drawn(culture.family, rng, steep=_steep(culture)),
        _drawn(culture.family, rng, steep=_steep(culture)),
        middle[int(rng.integers(len(middle)))] if middle else [], (year, month, of_month), known,
        int(np.searchsorted(_weights(TOWNS, 1.0), rng.random())),
    )  # fmt: skip


def _steep(culture: Culture) -> float:
    return 1.35 if culture.name == "vietnamese" else 0.7


@cache
def _weights(n: int, steep: float) -> np.ndarray:  # type: ignore[type-arg]
    weight = (np.arange(n) + (1.0 if steep > 1 else 3.0)) ** -steep
    total: np.ndarray = np.cumsum(weight / weight.sum())  # type: ignore[type-arg]
    return total


def _drawn(names: list[list[str]], rng: Random, steep: float = 0.7) -> list[str]:
    place = int(np.searchsorted(_weights(len(names), steep), rng.random()))
    return names[min(place, len(names) - 1)]


def written(who: Somebody, rng: Random, recipe: Recipe) -> Identity:
    """How one office writes a person."""
    given, family = _STYLES.get(who.culture.name, _plain)(who, rng)
    fields = [given, family]
    if rng.random() < recipe.slips:
        which = fields[int(rng.integers(2))]
        at = int(rng.integers(len(which)))
        which[at] = _slip(which[at], rng)
    if rng.random() < recipe.swaps:
        fields.reverse()
    place = f"town {_letters(who.town)}" if rng.random() < recipe.place else ""
    return Identity(" ".join(fields[0]), " ".join(fields[1]), _birth(who, rng), place)


def _letters(town: int) -> str:
    return "bdgklmnrst"[town // 10] + "a" + "bdgklmnrst"[town % 10] + "iru"


def _birth(who: Somebody, rng: Random) -> str:
    year, month, day = who.born
    if who.known == "none":
        return ""
    if who.known == "year":
        return str(year)
    if who.known == "january":
        month = day = 1
    return (
        f"{day:02d}/{month:02d}/{year}" if rng.random() < 0.5 else f"{year}-{month:02d}-{day:02d}"
    )


def _said(spellings: list[str], rng: Random, latin: bool | None = None) -> str:
    """A spelling: the usual one half of the time; of one script where that is asked for."""
    some = spellings
    if latin is not None:
        some = [s for s in spellings if s.isascii() == latin] or spellings
    if len(some) == 1 or rng.random() < 0.5:
        return some[0]
    return some[1 + int(rng.integers(len(some) - 1))]


Names = tuple[list[str], list[str]]


def _plain(who: Somebody, rng: Random) -> Names:
    return [_said(who.given, rng)], [_said(who.family, rng)]


def _english(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if rng.random() < 0.10:
        given.append(_said(who.second, rng))
    if rng.random() < 0.05:
        given.insert(0, "Mrs" if who.gender == "female" else "Mr")
    return given, family


def _romanian(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if rng.random() < 0.15:
        given.append(_said(who.second, rng))
    return given, family


def _spanish(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if rng.random() < 0.65:
        family.append(_said(who.mother, rng))
    if rng.random() < 0.25:
        given.append(_said(who.second, rng))
    if rng.random() < 0.06:
        given.insert(0, "Doña" if who.gender == "female" else "Don")
    return given, family


def _nigerian(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if rng.random() < 0.20:
        given.append(_said(who.second, rng))
    if rng.random() < 0.08:
        given.insert(0, str(rng.choice(["Chief", "Pastor", "Madam", "Alhaja", "Evangelist"])))
    return (family, given) if rng.random() < 0.10 else (given, family)


def _arabic(who: Somebody, rng: Random) -> Names:
    latin = bool(rng.random() < 0.7)
    given, father, family = (_said(n, rng, latin) for n in (who.given, who.father, who.family))
    if rng.random() < 0.06:
        title = ["Sheikh", "Hajj", "Umm", "Abu"] if latin else ["الشيخ", "الحاج", "أم", "أبو"]
        place = int(rng.integers(2)) + 2 * int(rng.random() < 0.5)
        if place > 1:
            place = 2 if who.gender == "female" else 3
        given = f"{title[place]} {given}"
    draw = rng.random()
    if draw < 0.10:
        return [given], [father]
    if draw < 0.35:
        return ([given, father], [family]) if rng.random() < 0.6 else ([given], [father, family])
    return [given], [family]


def _vietnamese(who: Somebody, rng: Random) -> Names:
    marked = bool(rng.random() < 0.5)
    given, family = (_toned(n, rng, marked) for n in (who.given, who.family))
    middle = _toned(who.middle, rng, marked)
    draw = rng.random()
    first, last = [given], [family]
    if draw < 0.5:
        first = [middle, given]
    elif draw < 0.7:
        last = [family, middle]
    return (last, first) if rng.random() < 0.15 else (first, last)


def _toned(spellings: list[str], rng: Random, marked: bool) -> str:
    """With its marks or without."""
    some = [s for s in spellings if s.isascii() != marked] or spellings
    return some[int(rng.integers(len(some)))]


def _ethiopian(who: Somebody, rng: Random) -> Names:
    given, father = _said(who.given, rng), _said(who.father, rng)
    grandfather = _said(who.family, rng)
    draw = rng.random()
    if draw < 0.35:
        return [given, father], [grandfather]
    return [given], [father] if draw < 0.9 else [grandfather]


def _ukrainian(who: Somebody, rng: Random) -> Names:
    latin = bool(rng.random() < 0.6)
    given, family = [_said(who.given, rng, latin)], [_said(who.family, rng, latin)]
    if rng.random() < 0.2:
        son = _said(who.father, rng, latin)
        given.append(son + ("ivna" if latin else "івна") if who.gender == "female" else
                     son + ("ovych" if latin else "ович"))  # fmt: skip
    return given, family


def _filipino(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if rng.random() < 0.35:
        given.append(_said(who.second, rng))
    draw = rng.random()
    if draw < 0.25:
        given.append(_said(who.mother, rng))  # the mother's surname stands between
    elif draw < 0.35:
        given.append(_said(who.mother, rng)[0] + ".")
    return given, family


def _brazilian(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if rng.random() < 0.3:
        given.append(_said(who.second, rng))
    if rng.random() < 0.5:
        family.insert(0, str(rng.choice(["", "da ", "de "])) + _said(who.mother, rng))
    return given, family


def _bangladeshi(who: Somebody, rng: Random) -> Names:
    given, family = _plain(who, rng)
    if who.gender == "male" and rng.random() < 0.4:
        given.insert(0, str(rng.choice(["Md", "Md.", "Mohammad", "Mohd"])))
    if rng.random() < 0.15:
        given.append(_said(who.second, rng))
    if who.gender == "female" and rng.random() < 0.15:
        given.insert(0, "Mst.")
    return given, family


def _chinese(who: Somebody, rng: Random) -> Names:
    latin = bool(rng.random() < 0.8)
    given, family = [_said(who.given, rng, latin)], [_said(who.family, rng, latin)]
    return (family, given) if rng.random() < 0.30 else (given, family)


_STYLES: dict[str, Callable[[Somebody, Random], Names]] = {
    "english": _english, "romanian": _romanian, "spanish": _spanish, "nigerian": _nigerian,
    "arabic": _arabic, "vietnamese": _vietnamese, "ethiopian": _ethiopian, "ukrainian": _ukrainian,
    "filipino": _filipino, "brazilian": _brazilian, "bangladeshi": _bangladeshi,
    "chinese": _chinese,
}  # fmt: skip


def _slip(name: str, rng: Random) -> str:
    """A letter lost, doubled, replaced or turned round with the next."""
    if len(name) < 3:
        return name
    at, kind = int(rng.integers(1, len(name))), int(rng.integers(4))
    other = name[int(rng.integers(len(name)))].casefold()
    middle = {0: "", 1: name[at] * 2, 2: other, 3: name[at]}[kind]
    if kind == 3 and at + 1 < len(name):
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + middle + name[at + 1 :]


def offices(
    group: list[Somebody], rng: Random, recipe: Recipe, knows: float = 1 / 3, number: int = 3
) -> Iterator[tuple[int, int, Identity]]:
    """Office, person and how the office writes her; each office knows a share of all."""
    for office in range(number):
        for person, who in enumerate(group):
            if rng.random() < knows:
                yield office, person, written(who, rng, recipe)


@dataclass(frozen=True)
class Measured:
    """How released rows follow people.

    Attributes:
        recall: of the pairs of rows about one person, the share that is one person in a release.
        precision: of the pairs of rows that are one person in a release, the share about one.
        rows: people of the release by true person.
        people: people of the release.
    """

    recall: float
    precision: float
    rows: float
    people: int


Row = tuple[int, int, Identity]


def measured(rows: Sequence[Row], group: Sequence[Somebody], most: int) -> Measured:
    """Join rows as a hub does, by ``link_token`` and ``most`` tokens; compare with the truth."""
    maker = Tokeniser(bytes(range(32)), "2026.1")
    ids = [f"{i:06d}" for i in range(len(rows))]
    keys, held = [], []
    for i, (_office, _person, identity) in zip(ids, rows, strict=True):
        first, every = maker.tokens(identity)
        keys.append(first or None)
        held += [(i, token) for token in every if token[0] in JOINING]
    who = [group[person] for _office, person, _identity in rows]
    records = pa.table(
        {
            "record_id": ids,
            "person_key": pa.array(keys, pa.string()),
            SEX: [one.gender for one in who],
            ORIGIN: [one.culture.citizenship for one in who],
        }
    )
    tokens = pa.table(
        [[i for i, _t in held], ["office"] * len(held), [t for _i, t in held]], schema=TOKENS
    )
    persons = pc.coalesce(records["person_key"], records["record_id"]).combine_chunks()
    found = joint_keys(persons, joins(records, tokens, most)).to_pylist()
    truth = [person for _office, person, _identity in rows]
    both = _pairs(zip(found, truth, strict=True))
    return Measured(
        both / max(1, _pairs(truth)),
        both / max(1, _pairs(found)),
        len(set(found)) / max(1, len(set(truth))),
        len(set(found)),
    )


def _pairs(values: Iterable[object]) -> int:
    return sum(n * (n - 1) // 2 for n in Counter(values).values())


def sampled(
    culture: Culture, n: int, seed: int, recipe: Recipe, most: int, knows: float = 1 / 2
) -> Measured:
    """Three offices that each know a share of ``n`` fictitious people."""
    rng = np.random.default_rng(seed)
    group = people(culture, n, rng, recipe)
    return measured(list(offices(group, rng, recipe, knows)), group, most)


def hidden(culture: Culture, n: int, seed: int, recipe: Recipe, most: int, gender: str) -> float:
    """Share of ``n`` people of one culture and gender, each with one row, whom false links hide."""
    rng = np.random.default_rng(seed)
    group = people(culture, n, rng, recipe, gender)
    rows = [(0, i, written(who, rng, recipe)) for i, who in enumerate(group)]
    return 1 - measured(rows, group, most).people / n
