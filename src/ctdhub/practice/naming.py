"""Fictitious lists with fictitious names in four scripts, to practise linking on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from ctdhub.core.i18n import read_shipped
from ctdhub.core.tables import put_rows
from ctdhub.practice.people import pick

# --------------------------------------------------------------------------------------------------
# Fictitious names as sounds, and how offices with four scripts would spell them.
#
# A name is a row of sounds drawn at random, so no name means anybody.  Spellings vary as people's
# do: several letters for one sound, marks on vowels, vowels left out in Arabic script.

Sounds = tuple[str, ...]

_CONSONANTS = tuple("b d f g k l m n r s t v z p sh ch kh j y h".split())  # noqa: SIM905
_CONSONANT_WEIGHTS = np.array([6, 6, 4, 4, 8, 9, 9, 9, 9, 8, 7, 4, 4, 3, 4, 2, 3, 4, 3, 3], float)
_VOWELS = tuple("aeiou")
_VOWEL_WEIGHTS = np.array([10, 6, 7, 5, 4], float)


@cache
def spellings() -> dict[str, dict[str, list[str]]]:
    """Spellings of each sound by script; a sound that is not named is spelt as itself."""
    shipped = resources.files("ctdhub.practice") / "data" / "spellings.yaml"
    return read_shipped(shipped)  # type: ignore[no-any-return]


def invent(rng: np.random.Generator, n: int, syllables: tuple[int, int]) -> list[Sounds]:
    """n different names of so many syllables (least, most)."""
    names: dict[Sounds, None] = {}
    consonants = _CONSONANT_WEIGHTS / _CONSONANT_WEIGHTS.sum()
    vowels = _VOWEL_WEIGHTS / _VOWEL_WEIGHTS.sum()
    while len(names) < n:
        name: list[str] = []
        for _syllable in range(int(rng.integers(syllables[0], syllables[1] + 1))):
            name.append(_CONSONANTS[int(rng.choice(len(_CONSONANTS), p=consonants))])
            name.append(_VOWELS[int(rng.choice(len(_VOWELS), p=vowels))])
        if rng.random() < 0.4:
            name.append("nrslmd"[int(rng.integers(6))])
        names[tuple(name)] = None
    return list(names)


def spell(name: Sounds, script: str, rng: np.random.Generator) -> str:
    """The name as somebody spells it in a script, with a capital where the script has some."""
    table = spellings()[script]
    written = ""
    for at, sound in enumerate(name):
        choices = table.get(sound, [sound])
        if script == "arabic" and at == 0 and sound in _VOWELS:
            choices = ["ا"]
        written += choices[int(rng.integers(len(choices)))]
    if script == "greek" and written.endswith("σ"):
        written = written[:-1] + "ς"
    return written[:1].upper() + written[1:]


def slip(text: str, rng: np.random.Generator) -> str:
    """One slip of the pen: a letter left out, doubled, exchanged, or two in the wrong order.

    The letter that is put in comes from the same text, so that it is of the same script.
    """
    if len(text) < 3:
        return text
    at, kind = int(rng.integers(1, len(text) - 1)), int(rng.integers(4))
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[:at] + text[int(rng.integers(len(text)))].lower() + text[at + 1 :]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


LISTS = {
    "harbour": "latin",
    "lantern": "latin",
    "mayak": "cyrillic",
    "pharos": "greek",
    "manara": "arabic",
}
"""Invented offices and the script that each writes in."""

CITIZENSHIPS = ("NAM", "PER", "LAO", "FJI", "BOL", "GHA", "MDA", "NPL")
COLUMNS = (
    "case_number",
    "given_name",
    "family_name",
    "birth_date",
    "sex",
    "town",
    "year",
    "citizenship",
)


# Share of rows in which an office gets something wrong: invented, and meant to be worse than most.
# In the only comparable public data (FEBRL, set 4) up to two fields of a row are wrong.
MISSPELT, SWAPPED_NAMES, OTHER_TOWN, NO_CITIZENSHIP = 0.15, 0.06, 0.08, 0.1
SWAPPED_DAY, WRONG_YEAR, NO_BIRTH = 0.05, 0.03, 0.03
HALF_A_COMPOUND = 0.5


@dataclass(frozen=True)
class _Person:
    forenames: list[Sounds]
    family: list[Sounds]
    birth: date
    sex: str
    town: Sounds
    citizenship: str


def write_names(folder: Path, people: int, seed: int, known: float = 0.5) -> dict[str, Path]:
    """Write one list per office and ``truth.csv`` (office, case, person).

    Args:
        folder: made if it is not there.
        people: fictitious people.
        seed: the same seed gives the same files.
        known: chance that an office knows a person.

    Returns:
        Office to its file.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    invented = list(_people(people, rng))
    truth, files = [], {}
    for letter, (office, script) in zip("ABCDE", LISTS.items(), strict=True):
        files[office] = folder / f"{office}.csv"
        with files[office].open("w", encoding="utf-8", newline="") as out:
            rows = []
            for place in rng.permutation(people):
                if rng.random() < known:
                    case = f"{letter}{int(place):06d}"
                    rows.append([case, *_row(invented[place], script, rng)])
                    truth.append((office, case, int(place)))
            put_rows(out, COLUMNS, rows, end="\r\n", as_is=True)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as out:
        put_rows(out, ("office", "case", "person"), truth, end="\r\n", as_is=True)
    return files


def _people(n: int, rng: np.random.Generator) -> Iterator[_Person]:
    """People whose names, as in life, are of very different frequency."""
    forenames, family = invent(rng, 600, (1, 3)), invent(rng, 5_000, (2, 4))
    towns = invent(rng, 300, (2, 3))
    first, last = (1 / np.arange(5, 5 + len(names)) ** 0.9 for names in (forenames, family))
    home = 1 / np.arange(3, 3 + len(towns))
    nations = 1 / np.arange(1, 1 + len(CITIZENSHIPS))
    parts = [pick(rng, n, weights) for weights in (first, first, last, last, home, nations)]
    for one, two, house, other, town, nation in zip(*parts, strict=True):
        days = int(rng.integers(0, 45 * 365))
        yield _Person(
            [forenames[one]] + [forenames[two]] * (rng.random() < 0.12),
            [family[house]] + [family[other]] * (rng.random() < 0.2),
            date(1968, 1, 1) + timedelta(days=days),
            "F" if rng.random() < 0.6 else "M",
            towns[town],
            CITIZENSHIPS[nation],
        )


def _row(who: _Person, script: str, rng: np.random.Generator) -> list[str]:
    names = []
    for sounds in (who.forenames, who.family):
        written = [spell(part, script, rng) for part in sounds]
        if len(written) > 1 and rng.random() < HALF_A_COMPOUND:
            written = [written[int(rng.integers(2))]]
        names.append(("-" if rng.random() < 0.5 else " ").join(written))
    if rng.random() < MISSPELT:
        which = int(rng.integers(2))
        names[which] = slip(names[which], rng)
    if rng.random() < SWAPPED_NAMES:
        names.reverse()
    town = spell(who.town, script, rng)
    if rng.random() < OTHER_TOWN:
        town = "" if rng.random() < 0.5 else slip(town, rng)
    year = str(int(rng.integers(2015, 2026)))
    citizenship = "" if rng.random() < NO_CITIZENSHIP else who.citizenship
    return [*names, _birth(who.birth, rng), who.sex, town, year, citizenship]


def _birth(day: date, rng: np.random.Generator) -> str:
    if rng.random() < NO_BIRTH:
        return ""
    year = day.year + int(rng.integers(-2, 3)) * (rng.random() < WRONG_YEAR)
    first, second = day.day, day.month
    if second != first and first <= 12 and rng.random() < SWAPPED_DAY:
        first, second = second, first
    return f"{first:02d}/{second:02d}/{year}"
