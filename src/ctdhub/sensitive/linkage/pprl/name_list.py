"""Common names of several languages: what a name is short for, and whose family name it is.

The list is public and a part of the software, and what it says of a row follows from that row
alone: no likeness between two records of anybody is looked at.  A name need not be in it; one that
is not is read by its sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import yaml

from ctdhub.sensitive.linkage.pprl.phonetics import parts, skeleton

LEAST = 5
"""Letters of a part, at least, in which one wrong letter is put right."""

COMMON = 36
"""The first so many given names of a list are too common to stand alone with a birth date."""

_WISHES = re.compile("^(?:oluwa|olu|ola|omo|ade|osa|chukwu|nwa)(?=[^aeiou].{2})")
"""What Yoruba, Igbo and Edo names begin with and short forms of them leave out."""


@dataclass(frozen=True)
class NameList:
    """The list, for look-ups by romanised spelling.

    Attributes:
        names: the name that a spelling is one of, by its usual spelling.
        sounds: the name that alone has a skeleton.
        near: names by their spellings, whole and with one letter left out.
        given, family: languages in which a spelling is common, and from 0 how common.
        spoken: languages of a name.
    """

    names: dict[str, str]
    sounds: dict[str, str]
    near: dict[str, frozenset[str]]
    given: dict[str, dict[str, int]]
    family: dict[str, dict[str, int]]
    spoken: dict[str, frozenset[str]]


@cache
def name_list() -> NameList:
    """The list, read once."""
    said = yaml.safe_load(
        resources.files(__package__).joinpath("data/names.yaml").read_text("utf-8")
    )
    parent: dict[str, str] = {}
    given: dict[str, dict[str, int]] = {}
    family: dict[str, dict[str, int]] = {}
    for language, lists in said.items():
        for kind, names in lists.items():
            ranks = family if kind == "family" else given
            for rank, name in enumerate(names.split(",")):
                usual, *others = ("".join(parts(form)) for form in name.split("/"))
                for form in (usual, *others):
                    parent.setdefault(form, form)
                    parent[_root(parent, form)] = _root(parent, usual)
                    known = ranks.setdefault(form, {})
                    known[language] = min(rank, known.get(language, rank))
    found = {form: _root(parent, form) for form in parent}
    sounds: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    spoken: dict[str, set[str]] = {}
    for form, name in found.items():
        sounds.setdefault(skeleton(form), set()).add(name)
        spoken.setdefault(name, set()).update(given.get(form, ()), family.get(form, ()))
        if len(form) >= LEAST:
            for shape in (form, *_without_one(form)):
                near.setdefault(shape, set()).add(name)
    return NameList(
        found,
        {s: names.copy().pop() for s, names in sounds.items() if len(names) == 1 and len(s) > 2},
        {shape: frozenset(names) for shape, names in near.items()},
        given,
        family,
        {name: frozenset(some) for name, some in spoken.items()},
    )


def _root(parent: dict[str, str], form: str) -> str:
    while parent[form] != form:
        form = parent[form]
    return form


def _without_one(text: str) -> Iterator[str]:
    return (text[:i] + text[i + 1 :] for i in range(len(text)))


@lru_cache(maxsize=200_000)
def listed(part: str, spoken: frozenset[str]) -> str:
    """The name of the list that a romanised part is a spelling of; empty if none.

    A name of one of the languages ``spoken`` is also meant by a spelling that is one wrong letter
    from it, or sounds like it.

    >>> listed("liz", frozenset()), listed("elizabteh", frozenset({"english"}))
    ('elizabeth', 'elizabeth')
    >>> listed("elizabteh", frozenset())
    ''
    """
    known = name_list()
    for form in (part, _WISHES.sub("", part)):
        if form in known.names:
            return known.names[form]
    if not spoken:
        return ""
    near: set[str] = set()
    if len(part) >= LEAST:
        near = {name for s in (part, *_without_one(part)) for name in known.near.get(s, ())}
    start = skeleton(part)[:1]
    for names in (near, {known.sounds.get(skeleton(part), "")}):
        same = [n for n in names if n and known.spoken[n] & spoken and skeleton(n)[:1] == start]
        if len(same) == 1:
            return same[0]
    return ""


def sound(part: str, spoken: frozenset[str]) -> str:
    """The skeleton of a part, or of the name of the list that it is.

    >>> sound("bill", frozenset()) == sound("william", frozenset())
    True
    """
    return skeleton(listed(part, spoken) or _WISHES.sub("", part))


def languages(part: str) -> frozenset[str]:
    """Languages in which a spelling is common, whatever it names."""
    known = name_list()
    return frozenset((*known.given.get(part, ()), *known.family.get(part, ())))
