"""Kinds of linkage tokens in words: what agrees where two records share one."""

from __future__ import annotations

from ctdhub.core.i18n import _
from ctdhub.sensitive.linkage.pprl.derive import KINDS


def kind_words() -> dict[str, str]:
    """The composite keys in the user's language."""
    words = {
        "a": _("all names as spelt and birth date"),
        "b": _("two names by sound and birth date"),
        "c": _("two names by sound and birth year"),
        "d": _("two names by sound, day and month of birth"),
        "e": _("two names by sound and place"),
        "f": _("one name by sound and birth date"),
        "g": _("one name by sound, birth year and place"),
        "h": _("beginnings of two names and birth date"),
        "i": _("birth date and place"),
        "j": _("first choice for merging"),
        "k": _("second choice for merging"),
        "l": _("third choice for merging"),
        "m": _("given and family name and birth date, or year and place"),
        "n": _("given and family name with day and month of birth, or year, or place"),
        "o": _("given name and birth date, or year and place"),
        "p": _("family name and birth date, or year and place"),
        "r": _("given and family name, birth year and place"),
    }
    return {kind: words[kind] for kind in sorted({*KINDS, "i"})}
