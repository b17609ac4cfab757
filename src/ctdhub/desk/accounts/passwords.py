"""A password is not made of words that anybody near the hub would try first."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError

from ctdhub.core.i18n import _
from ctdhub.core.text import fold
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
