"""Names and addresses of people as others are shown them: what is seen is all that there is."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms

from ctdhub.core.errors import printable
from ctdhub.core.i18n import _

_JOINERS = "\u200c\u200d"
"""Signs without a form of their own that names in some scripts are written with."""


class NameField(forms.CharField):
    """A person's name, without signs that turn or hide other text."""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=100, **given)

    def to_python(self, value: Any) -> str:
        """The name in one spelling, on one line."""
        text = unicodedata.normalize("NFC", str(value or ""))
        kept = (c if c in _JOINERS or c.isspace() or _shown(c) else "" for c in text)
        return super().to_python(" ".join("".join(kept).split()))  # type: ignore[no-any-return]

    def validate(self, value: Any) -> None:
        """At least one letter or digit, and no letter under a heap of marks.

        Raises:
            ValidationError: it has none, or three marks in a row.
        """
        super().validate(value)
        kinds = "".join(unicodedata.category(c)[0] for c in value)
        if not set(kinds) & {"L", "N"} or "MMM" in kinds:
            raise forms.ValidationError(_("Write the name in letters."))


class PlainEmailField(forms.EmailField):
    """An e-mail address in ASCII: letters of other alphabets that look alike make none."""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=254, **given)

    def validate(self, value: Any) -> None:
        """ASCII alone.

        Raises:
            ValidationError: it has another letter.
        """
        super().validate(value)
        if not str(value).isascii():
            raise forms.ValidationError(
                _(
                    "Write the e-mail address in letters from a to z, its domain as xn--… "
                    "if need be."
                )
            )


def _shown(sign: str) -> bool:
    return sign == "·" or printable(sign) != "·"
