"""A password is nothing that would be tried first: no names of the hub, no well-known ones."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from ctdhub.core.i18n import _
from ctdhub.core.tables import fold
from ctdhub.desk.config import current

_SHORTEST_WORD = 4
_LEFT = 8
"""Letters and digits that must be left of a password without these words."""


class WordsOfTheHub:
    """Refuses a password that is little more than names of person, hub and software."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse it where too little is left.

        Raises:
            ValidationError: fewer than eight other letters and digits.
        """
        left = fold(password)
        for word in sorted(self._words(user), key=len, reverse=True):
            left = left.replace(word, "")
        if sum(sign.isalnum() for sign in left) < _LEFT:
            raise ValidationError(
                _("The password is little more than names. Choose a sentence of other words.")
            )

    def get_help_text(self) -> str:
        """For Django's own pages, which are not in use."""
        return ""

    @staticmethod
    def _words(user: Any) -> set[str]:
        desk = current()
        texts = ["ctdhub", "password", "trafficking", desk.hub_name, desk.file.host]
        texts += [getattr(user, "name", ""), getattr(user, "email", "")]
        words = {word for text in texts for word in re.split(r"[\W_]+", fold(text))}
        return {word for word in words if len(word) >= _SHORTEST_WORD}


_FEWEST_PIECES = 4
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm",
         "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop")  # fmt: skip
_SHORTEST_PIECE, _LOOKED_AT = 3, 64


class KnownOnes:
    """Refuses well-known passwords: few common ones in a row, and those of the operator's file.

    Common passwords are short, so that nearly none of a list is as long as ours; long ones that are
    known are mostly short ones written one after the other, repeated, or rows of keys.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse it where it is of fewer than four pieces, or is in the file.

        Raises:
            ValidationError: it is, or the file cannot be read.
        """
        if pieces(password) < _FEWEST_PIECES:
            raise ValidationError(
                _("The password is made of well-known ones. Choose a sentence of other words.")
            )
        file = current().file.known_passwords
        try:
            known = file is not None and is_known(password, file)
        except OSError:
            raise ValidationError(
                _("The list of known passwords cannot be read. Tell the administrator.")
            ) from None
        if known:
            raise ValidationError(
                _("This password is in a list of stolen ones. Choose another one.")
            )

    def get_help_text(self) -> str:
        """For Django's own pages, which are not in use."""
        return ""


def pieces(password: str) -> int:
    """The fewest common passwords, rows of keys and single characters that a password is made of.

    What repeats counts once, capitals do not matter; only the first 64 characters are looked at.

    >>> pieces("Password12345678"), pieces("a sentence of words") > 5
    (2, True)
    """
    text, known = password[:_LOOKED_AT].lower(), _common()
    for period in range(1, len(text)):
        if text == (text[:period] * len(text))[: len(text)]:
            text = text[:period]
            break
    fewest = [0] + [len(text)] * len(text)
    for end in range(1, len(text) + 1):
        for begin in range(end):
            one = text[begin:end]
            if end - begin == 1 or one in known or _in_a_row(one):
                fewest[end] = min(fewest[end], fewest[begin] + 1)
    return fewest[-1]


def is_known(password: str, file: Path) -> bool:
    """Whether a file lists a password, by its SHA-1; the file is searched and never loaded.

    Args:
        file: lines that begin with a SHA-1 in capital hexadecimal digits, sorted.

    Raises:
        OSError: the file cannot be read.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, lines.seek(0, os.SEEK_END)
        while low < high:  # the first line that begins at or after low .. high and is not smaller
            middle = (low + high) // 2
            lines.seek(max(0, middle - 1))
            if middle:
                lines.readline()
            line = lines.readline()
            if line and line[: len(wanted)] < wanted:
                low = middle + 1
            else:
                high = middle
        lines.seek(max(0, low - 1))
        if low:
            lines.readline()
        return lines.readline()[: len(wanted)] == wanted


@cache
def _common() -> frozenset[str]:
    found = CommonPasswordValidator().passwords
    return frozenset(one for one in found if len(one) >= _SHORTEST_PIECE)


def _in_a_row(text: str) -> bool:
    return len(text) >= _SHORTEST_PIECE and any(text in row or text[::-1] in row for row in _ROWS)
