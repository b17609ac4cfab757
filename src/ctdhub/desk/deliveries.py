"""The state of a delivery, from its row and the hub folder: the folder decides."""

from __future__ import annotations


def computed_state(row: str, has_file: bool, gone: bool) -> tuple[str, bool]:
    """State of a delivery, and whether its file is lost.

    Args:
        row: the state that its row says.
        has_file: whether its file is in ``contributions/``.
        gone: whether its organisation withdrew.

    >>> computed_state("checked", True, False), computed_state("accepted", False, False)
    (('accepted', False), ('accepted', True))
    """
    if row in ("accepted", "withdrawn") and has_file:
        return ("withdrawn" if gone else "accepted"), False
    if row == "checked" and has_file:
        return "accepted", False
    if row == "accepted" and gone:
        return "withdrawn", False
    return row, row == "accepted"
