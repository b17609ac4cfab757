"""Spellings of one text found in a column: by a key that they share, and by a small distance.

As OpenRefine does: a key collision is a pair whose words are the same once case, accents, marks and
order are taken off; near neighbours are at most two letters apart and share three in a row.  A
cluster is a proposal for a person: nothing is merged by itself.  Texts whose digits differ are
never one, nor are short codes that differ in a letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ctdhub.core.i18n import Numeral, Text
from ctdhub.core.text import fold

MOST = 2_000
"""Texts of a column that are compared, those of most rows."""

DISTANCE, GRAM = 2, 3
SHORTEST = 5
"""Letters of the shortest text that may be near another."""

_PAIRS = 100_000
"""Pairs that are compared at most."""

_APART = re.compile(r"[^\w]+|_")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class TextCluster:
    """Texts that may be one.

    Attributes:
        method: ``key`` where they share a key, ``near`` where they are only alike.
        texts: those of most rows first.
        rows: rows that hold one of them.
    """

    method: Literal["key", "near"]
    texts: tuple[str, ...]
    rows: int


def fingerprint(text: str) -> str:
    """The key of a text: its words without case, accents and marks, sorted, each once.

    >>> fingerprint("  Fém. ") == fingerprint("fem"), fingerprint("Bar, travail en")
    (True, 'bar en travail')
    """
    plain = unicodedata.normalize("NFKD", fold(text))
    letters = "".join(c for c in plain if not unicodedata.combining(c) and c != "\u0640")
    words = _APART.sub(" ", letters.casefold()).split()
    return " ".join(sorted(set(words)))


def clusters(
    texts: Sequence[tuple[str, int]], apart: Iterable[frozenset[str]] = ()
) -> tuple[list[TextCluster], Text | None]:
    """The clusters of a column.

    Args:
        texts: each with its rows, those of most rows first.
        apart: sets of folded texts that somebody decided alike: texts of two sets are no cluster.

    Returns:
        The clusters, those of most rows first, and a note where not all texts were compared.
    """
    compared = texts[:MOST]
    rows = dict(compared)
    of = {text: number for number, own in enumerate(apart) for text in own}
    by_key: dict[str, list[str]] = defaultdict(list)
    for text, _n in compared:
        by_key[fingerprint(text) or fold(text)].append(text)
    found = [
        TextCluster("key", tuple(own), sum(rows[text] for text in own))
        for own in by_key.values()
        if len(own) > 1 and _one_decision(own, of)
    ]
    groups, whole = _near(by_key, of)
    for keys in groups:
        own = sorted((t for key in keys for t in by_key[key]), key=lambda t: (-rows[t], t))
        found.append(TextCluster("near", tuple(own), sum(rows[text] for text in own)))
    note = None
    if len(texts) > MOST or not whole:
        note = Text(
            "Only the {n} texts with the most rows were compared with each other; this column has "
            "{all} different texts.",
            n=Numeral(len(compared) if whole else min(len(compared), MOST)),
            all=Numeral(len(texts)),
        )
    return sorted(found, key=lambda one: (-one.rows, one.texts)), note


def _one_decision(texts: Iterable[str], of: dict[str, int]) -> bool:
    """Whether the texts that somebody decided are decided alike."""
    return len({of[fold(text)] for text in texts if fold(text) in of}) < 2


def _near(by_key: dict[str, list[str]], of: dict[str, int]) -> tuple[list[list[str]], bool]:
    """Keys at most two letters apart, as groups, and whether all pairs were compared."""
    blocks: dict[str, list[str]] = defaultdict(list)
    for key in by_key:
        if len(key) >= SHORTEST:
            for at in range(len(key) - GRAM + 1):
                blocks[key[at : at + GRAM]].append(key)
    pairs: set[tuple[str, str]] = set()
    whole = True
    for own in sorted(blocks.values(), key=len):
        for i, one in enumerate(own):
            for other in own[i + 1 :]:
                if one != other and abs(len(one) - len(other)) <= DISTANCE:
                    pairs.add((min(one, other), max(one, other)))
            if len(pairs) > _PAIRS:
                whole = False
                break
        if not whole:
            break
    parent = {key: key for key in by_key}
    decided = {key: {of[fold(t)] for t in own if fold(t) in of} for key, own in by_key.items()}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for one, other in sorted(pairs):
        first, second = root(one), root(other)
        if first == second or _DIGITS.findall(one) != _DIGITS.findall(other):
            continue
        if len(decided[first] | decided[second]) < 2 and _alike(one, other):
            parent[second] = first
            decided[first] |= decided[second]
    groups: dict[str, list[str]] = defaultdict(list)
    for key in by_key:
        groups[root(key)].append(key)
    return [keys for keys in groups.values() if len(keys) > 1], whole


def _alike(one: str, other: str) -> bool:
    """Whether two texts are at most two letters apart; one letter where they are short."""
    most = DISTANCE if min(len(one), len(other)) >= 2 * SHORTEST - 2 else 1
    return within(one, other, most)


def within(one: str, other: str, most: int) -> bool:
    """Whether so few letters have to be put in, left out or changed (Levenshtein).

    >>> within("mendicite", "mendicitee", 1), within("oui", "non", 1)
    (True, False)
    """
    if abs(len(one) - len(other)) > most:
        return False
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j in range(1, len(other) + 1):
            cost = before + (a != other[j - 1])
            before = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
        if min(row) > most:
            return False
    return row[-1] <= most
