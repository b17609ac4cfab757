"""Fictitious names as sounds, and how offices with four scripts would spell them.

A name is a row of sounds drawn at random, so no name means anybody.  Spellings vary as people's do:
several letters for one sound, marks on vowels, vowels left out in Arabic script.
"""

from __future__ import annotations

import numpy as np

Sounds = tuple[str, ...]

_CONSONANTS = tuple("b d f g k l m n r s t v z p sh ch kh j y h".split())  # noqa: SIM905
_CONSONANT_WEIGHTS = np.array([6, 6, 4, 4, 8, 9, 9, 9, 9, 8, 7, 4, 4, 3, 4, 2, 3, 4, 3, 3], float)
_VOWELS = tuple("aeiou")
_VOWEL_WEIGHTS = np.array([10, 6, 7, 5, 4], float)

SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "latin": {
        "sh": ("sh", "sh", "sch", "š"), "ch": ("tch", "ch", "č"), "kh": ("kh", "kh", "ch"),
        "j": ("j", "j", "dj"), "y": ("y", "i", "j"), "k": ("k", "k", "c", "q"), "f": ("f", "ph"),
        "v": ("v", "w"), "g": ("g", "gh"), "z": ("z", "z", "s"), "a": ("a", "a", "á", "â"),
        "e": ("e", "e", "é", "è"), "i": ("i", "i", "y", "ee"), "o": ("o", "o", "ó", "ö"),
        "u": ("u", "ou", "ú", "oo"), "n": ("n", "n", "nn"), "l": ("l", "l", "ll"),
        "s": ("s", "s", "ss"),
    },
    "cyrillic": {
        "b": ("б",), "d": ("д",), "f": ("ф",), "g": ("г",), "k": ("к",), "l": ("л",), "m": ("м",),
        "n": ("н",), "r": ("р",), "s": ("с",), "t": ("т",), "v": ("в",), "z": ("з",), "p": ("п",),
        "sh": ("ш",), "ch": ("ч",), "kh": ("х",), "j": ("дж",), "y": ("й",), "h": ("х", "г"),
        "a": ("а",), "e": ("е", "э"), "i": ("и", "ы"), "o": ("о",), "u": ("у",),
    },
    "greek": {
        "b": ("μπ",), "d": ("ντ",), "f": ("φ",), "g": ("γκ",), "k": ("κ",), "l": ("λ",),
        "m": ("μ",), "n": ("ν",), "r": ("ρ",), "s": ("σ",), "t": ("τ",), "v": ("β",), "z": ("ζ",),
        "p": ("π",), "sh": ("σ",), "ch": ("τσ",), "kh": ("χ",), "j": ("τζ",), "y": ("γι",),
        "h": ("χ",), "a": ("α", "ά"), "e": ("ε", "αι"), "i": ("ι", "η", "ει"), "o": ("ο", "ω"),
        "u": ("ου",),
    },
    "arabic": {
        "b": ("ب",), "d": ("د", "ض"), "f": ("ف",), "g": ("غ", "ك"), "k": ("ك", "ق"), "l": ("ل",),
        "m": ("م",), "n": ("ن",), "r": ("ر",), "s": ("س", "ص"), "t": ("ت", "ط"), "v": ("ف",),
        "z": ("ز",), "p": ("ب",), "sh": ("ش",), "ch": ("تش",), "kh": ("خ",), "j": ("ج",),
        "y": ("ي",), "h": ("ه", "ح"), "a": ("ا", "", "َ"), "e": ("", "ي"), "i": ("ي", "ِ"),
        "o": ("و", ""), "u": ("و",),
    },
}  # fmt: skip
"""Spellings of each sound by script; a sound that is not named is spelt as itself."""


def invent(rng: np.random.Generator, n: int, syllables: tuple[int, int]) -> list[Sounds]:
    """n different names of so many syllables (least, most)."""
    found: dict[Sounds, None] = {}
    consonants = _CONSONANT_WEIGHTS / _CONSONANT_WEIGHTS.sum()
    vowels = _VOWEL_WEIGHTS / _VOWEL_WEIGHTS.sum()
    while len(found) < n:
        name: list[str] = []
        for _syllable in range(int(rng.integers(syllables[0], syllables[1] + 1))):
            name.append(_CONSONANTS[int(rng.choice(len(_CONSONANTS), p=consonants))])
            name.append(_VOWELS[int(rng.choice(len(_VOWELS), p=vowels))])
        if rng.random() < 0.4:
            name.append("nrslmd"[int(rng.integers(6))])
        found[tuple(name)] = None
    return list(found)


def spell(name: Sounds, script: str, rng: np.random.Generator) -> str:
    """The name as somebody spells it in a script, with a capital where the script has some."""
    table = SPELLINGS[script]
    written = ""
    for at, sound in enumerate(name):
        choices = table.get(sound, (sound,))
        if script == "arabic" and at == 0 and sound in _VOWELS:
            choices = ("ا",)
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
