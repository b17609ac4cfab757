"""What comparing releases tells of single contributors, for the steward and the privacy officer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from ctdhub.cli.output import console
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub


def show_told(hub: Hub, candidate: Path | None = None) -> None:
    """Print whose counts can be told, and what to do; nothing where there is nobody.

    Args:
        hub: the hub.
        candidate: the bundle to be approved; what would be released today, if None.
    """
    from ctdhub.build.stages.differencing import told_of

    found = told_of(hub, candidate)
    if not found:
        return
    console.print(_("What a comparison of releases reveals:"))
    for one in found:
        console.print(escape(f"* {said(one.words)}"))
    console.print(advice())


def advice() -> str:
    """What the approvers do about it."""
    return _(
        "A contributor left. It is removed at once, whatever that reveals. Show this to each "
        "contributor "
        "that is named before you sign."
    )
