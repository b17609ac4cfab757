"""Keyed link tokens and identifiers that nobody can mistake for real ones."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

import numpy as np

from ctdhub.practice.records import Texts

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
