"""Whether a steward's note tells readers of withdrawals, which no release does."""

from __future__ import annotations

import re

from ctdhub.core.text import fold

_STEMS = (
    *("withdr", "opted out", "opt-out", "asked to be removed", "asked for removal"),
    *("retir", "retrait", "revoc", "desist"),
    *("سحب", "انسحب", "انسحاب"),
)
"""Beginnings of words for withdrawing in the languages of the hub, folded."""

_SPEAKS = re.compile(r"(?:^|\W)(?:ال|و|وال|ب)?(?:" + "|".join(map(re.escape, _STEMS)) + ")")


def tells_of_withdrawals(note: str) -> bool:
    """Whether a note seems to say that people withdrew: a hint, not a proof.

    >>> tells_of_withdrawals("Two people withdrew."), tells_of_withdrawals("Adds Italy.")
    (True, False)
    """
    return _SPEAKS.search(fold(note)) is not None
