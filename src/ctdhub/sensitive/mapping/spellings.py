"""Texts that every built-in mapping accepts beside those of its format.

The codes of the hub, their labels in the offered languages and the words of the vocabulary: who
fills in a form writes "Female" where the standard says "Feminine".  Texts of fewer than three
letters stand for nothing here: they are codes of somebody's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from ctdhub.core.i18n import LANGUAGES
from ctdhub.core.text import fold
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.header_words import flat, own_words

SHORTEST = 3
"""Letters of the shortest word that counts; codes of the hub count whatever their length."""


@cache
def code_texts(variable: str) -> dict[str, str]:
    """Folded texts for the codes of a variable; one that stands for two codes is left out.

    >>> code_texts("gender")["woman"], code_texts("gender").get("f")
    ('female', None)
    """
    schema = load_schema()
    words = own_words()["codes"].get(schema.variable(variable).codes, {})
    said = [(code, code) for code in schema.domain(variable)]
    for code in schema.domain(variable):
        labels = [code_label(variable, code, lang) for lang in LANGUAGES]
        said += [(text, code) for text in (*labels, *flat(words.get(code, ()))) if _long(text)]
    return _sure(said)


def flag_texts(flags: Iterable[str]) -> dict[str, str]:
    """Folded texts for some flags; one that stands for two of them is left out.

    >>> texts = flag_texts(["exploitation_sexual", "exploitation_other"])
    >>> texts["exploitation_sexual"], texts["sexual exploitation"], texts["autre"]
    ('exploitation_sexual', 'exploitation_sexual', 'exploitation_other')
    """
    own = own_words()
    said: list[tuple[str, str]] = []
    for flag in flags:
        words = [*flat(own["flags"].get(flag, ())), *(label(flag, lang) for lang in LANGUAGES)]
        if flag.endswith("_other"):
            words += own["other"]
        said += [(flag, flag), *((text, flag) for text in words if _long(text))]
    return _sure(said)


@cache
def null_texts() -> tuple[str, ...]:
    """Folded texts that mean "not recorded" and nothing else."""
    return tuple(dict.fromkeys(fold(text) for text in flat(own_words()["empty"]) if _long(text)))


def _long(text: str) -> bool:
    return sum(character.isalpha() for character in text) >= SHORTEST


def _sure(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    meant = defaultdict[str, set[str]](set)
    for text, code in said:
        meant[fold(text)].add(code)
    return {text: codes.pop() for text, codes in meant.items() if len(codes) == 1}
