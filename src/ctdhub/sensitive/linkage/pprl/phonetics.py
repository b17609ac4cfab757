"""Skeletons: what stays of a name when spellings and scripts differ.

A skeleton keeps the order of consonants, each as a class of sounds, and whether a name begins with
a vowel.  Like Soundex (R. C. Russell, US patent 1,261,167, 1918) it drops vowels and doubled
letters; the classes are narrower, and digraphs of several languages are read first, so that for
example Cyrillic, Arabic and German spellings of one name meet.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ctdhub.sensitive.linkage.pprl.scripts import romanised

_DIGRAPHS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("^mac(?=[^aeiou])|^mc", "mk"),
        ("^(?:ou|u|w)(?=[aeiy])", "w"),
        ("^(?:i|y|j)(?=[aeouyw])", "j"),
        ("dj|dzh|dz|dsch|dg(?=e)", "j"),
        ("shch|sch|tsch|tch|tsh|sh|ch(?=[aeiouy])|zh|ts|tz|cz|sz|rz", "s"),
        ("kh", "h"),
        ("ch|gh|gu(?=[ei])|ck|cq|qu", "k"),
        ("ph", "f"),
        ("th|dh", "t"),
        ("c(?=[eiy])", "s"),
        ("x", "ks"),
    )
)
_CLASSES = str.maketrans("bpfvwcgkqdtsz", "bbbbbkkkkttss")
_VOWELS = re.compile("[aeiouywh]")
_DOUBLED = re.compile(r"(.)\1+")
_SMALL = (
    "al el as ad ar an az ash bin ibn ben bint bent binti abd abdul abdel de da do dos das di del "
    "della du des la le lo los las van von der den ter ten zu af av mc mac san st y e i"
)
PARTICLES = frozenset(_SMALL.split())
"""Small words that one office writes and another leaves out."""

_SERVANT = re.compile("^abd[aeiu]l+(?=...)")
"""Arabic "servant of", written as one word with what follows or apart from it."""

_TITLES = (
    "mr mrs ms miss dr prof m mme mlle sr sra srta herr frau jr hajji haji hajj hadj haj hajja "
    "alhaji alhaja sheikh shaikh shaykh cheikh shykh um umm oum am abu abou abo abw sir madam "
    "madame monsieur don dona chief pastor evangelist rev reverend md mohd mst"
)
TITLES = frozenset(_TITLES.split())
"""What somebody is called by beside her name; "mother of" and "father of" among it (kunya)."""


@lru_cache(maxsize=200_000)
def parts(name: str) -> tuple[str, ...]:
    """The parts of a name that count, romanised: no titles or particles unless all are.

    >>> parts("Mme. María-José de la Cruz"), parts("El"), parts("Umm Huda"), parts("Abu")
    (('maria', 'jose', 'cruz'), ('el',), ('huda',), ('abu',))
    """
    every = [_SERVANT.sub("", p) for p in romanised(name).split()]
    found = [p for p in every if p not in TITLES] or every
    kept = [p for p in found if p not in PARTICLES and len(p) > 1]
    return tuple(kept or found)


@lru_cache(maxsize=200_000)
def skeleton(part: str) -> str:
    """The skeleton of one romanised part.

    >>> skeleton("mueller") == skeleton("muller"), skeleton("khdyja") == skeleton("hadidja")
    (True, True)
    >>> skeleton("wagner") == skeleton("vagner"), skeleton("oualid") == skeleton("walyd")
    (True, True)
    >>> skeleton("anna"), skeleton("hanna"), skeleton("viktor") == skeleton("victor")
    ('an', 'hn', True)
    """
    text = part
    for pattern, sound in _DIGRAPHS:
        text = pattern.sub(sound, text)
    if not text:
        return ""
    first, rest = text[0], text[1:]
    first = "a" if first in "aeiouy" else first.translate(_CLASSES)
    rest = _VOWELS.sub("", rest).translate(_CLASSES)
    return _DOUBLED.sub(r"\1", first + rest)
