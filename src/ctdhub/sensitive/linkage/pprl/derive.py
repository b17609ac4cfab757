"""From a person's identifiers to keyed tokens, several per person.

Each key joins parts that rarely agree by chance, so that a spelling mistake, a swap or a missing
cell spoils some keys and leaves others.  No key is made of one identifier alone: its tokens would
repeat as often as the name does, and could be guessed from that.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctdhub.sensitive.linkage.pprl.birth_dates import read_birth
from ctdhub.sensitive.linkage.pprl.phonetics import parts, skeleton

KINDS = {
    "a": "all names as spelt + birth date",
    "b": "two names as they sound + birth date",
    "c": "two names as they sound + birth year",
    "d": "two names as they sound + day and month of birth",
    "e": "two names as they sound + place",
    "f": "one name as it sounds + birth date",
    "g": "one name as it sounds + birth year + place",
    "h": "beginnings of two names + birth date",
    "i": "birth date + place",
}
"""The composite keys by the letter that their tokens begin with."""

PERSON = "b"
"""The kind whose first token alone is taken for a person where one token must do."""

CHECK = "z"
"""Letter of the one token that says nothing of a person: equal keys and releases make it equal."""

LENGTH = 24
"""Hexadecimal digits of a token: 96 bits.  Ten million people with ten tokens each collide by
chance with p < 1e-13 (birthday bound n^2 / 2^97)."""

NAMES = 2
"""Parts of given and of family names that count: compound names lose one of two."""

_PURPOSE = b"ctdhub link tokens 1"


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

    Subkeys by HKDF-SHA256 (RFC 5869), tokens by HMAC-SHA256 (RFC 2104), one subkey for each kind:
    tokens of two kinds never agree.

    Raises:
        ValueError: the key is too short.
    """

    def __init__(self, key: bytes, release: str) -> None:
        if len(key) < 32:
            raise ValueError("a linkage key has at least 32 bytes")
        self._keys = {kind: _subkey(key, release, kind) for kind in (*KINDS, CHECK, "case")}
        self.check = self._token(CHECK, "")

    def tokens(self, person: Identity) -> tuple[str, tuple[str, ...]]:
        """The one token that stands for the person (empty without one), and all tokens.

        A row that says too little for any key gives no token.
        """
        found = tuple(
            dict.fromkeys(self._token(kind, text) for kind, text in composite_keys(person))
        )
        first = next((token for token in found if token.startswith(PERSON)), "")
        return first, found

    def stand_in(self, text: str) -> str:
        """A token in place of ``link_token``, made of other tokens; no name gives the same."""
        return self._token(PERSON, f"\0{text}")

    def case(self, number: str) -> str:
        """The number of a case as a code that nobody without the key can turn back."""
        return hmac.digest(self._keys["case"], number.strip().encode(), hashlib.sha256).hex()[:32]

    def _token(self, kind: str, text: str) -> str:
        code = hmac.digest(self._keys[kind], text.encode(), hashlib.sha256).hex()
        return f"{kind}-{code[:LENGTH]}"


def _subkey(key: bytes, release: str, kind: str) -> bytes:
    info = b"\0".join((_PURPOSE, release.encode(), kind.encode()))
    return HKDF(hashes.SHA256(), 32, None, info).derive(key)


def composite_keys(person: Identity) -> Iterator[tuple[str, str]]:
    """Kind and text of each key, before it is keyed; the surest pair of names comes first.

    Given and family name are not told apart: offices swap them.

    >>> one = dict(composite_keys(Identity("Zoé", "Müller", "1990-05-03")))
    >>> two = dict(composite_keys(Identity("MUELLER", "Zoe", "5.3.1990")))
    >>> {kind for kind in one if one[kind] == two[kind]} == {"b", "c", "d", "f", "h"}
    True
    """
    given, family = parts(person.given), parts(person.family)
    birth = read_birth(person.birth) if person.birth else None
    full, year, days = (birth.full, str(birth.year), birth.days) if birth else ("", "", "")
    place = " ".join(skeleton(p) for p in parts(person.place))
    first, second = [
        list(dict.fromkeys(skeleton(part) for part in names[:NAMES])) for names in (given, family)
    ]
    pairs = list(dict.fromkeys(tuple(sorted(pair)) for pair in product(first, second)))
    singles = [name for name in dict.fromkeys(first + second) if len(name) > 1]
    if full and given and family:
        yield "a", " ".join(sorted(given + family)) + full
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
    if full and place:
        yield "i", f"{full}|{place}"
