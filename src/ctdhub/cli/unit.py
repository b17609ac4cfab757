"""Who is protected, and what comparing releases tells, for whoever decides at the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.format import exact, number
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub
    from ctdhub.release.manifest import Manifest


# --------------------------------------------------------------------------------------------------
# Who is protected, for how many rows of one person, and what a person with more is promised.


def show_unit(unit: str, rows: int, promised: Sequence[tuple[float, float]]) -> None:
    """Print the unit, and epsilon of a person by the number of rows.

    Args:
        unit: as a plan has it.
        rows: the most rows of one person that noise is for.
        promised: epsilon and delta of each release that is considered.
    """
    from ctdhub.dp.accounting import rho_of
    from ctdhub.dp.plan import epsilon_by_rows
    from ctdhub.report.wording import noise_is_for, unit_words, with_more_rows

    words = escape(said(unit_words(unit, rows)))
    console.print(_("Unit of protection: {unit}.").format(unit=words))
    console.print(said(noise_is_for(rows)))
    each = [epsilon_by_rows(rho_of(epsilon, delta), delta, rows) for epsilon, delta in promised]
    if len(each) == 1:
        console.print(said(with_more_rows(each[0])))
        return
    from ctdhub.report.wording import epsilon_words

    table = Table(title=_("Epsilon of a person by the number of rows"))
    table.add_column(_("rows"), justify="right")
    for epsilon, _delta in promised:
        table.add_column(_("epsilon {epsilon}").format(epsilon=exact(epsilon)), justify="right")
    for n in each[0]:
        table.add_row(n, *(epsilon_words(found[n]) for found in each))
    console.print(table)


def rows_of_statement(hub: Hub, manifest: Manifest) -> list[tuple[str, str]]:
    """What the two people who approve are shown of the unit of a candidate."""
    from ctdhub.build.hub import epsilon_since
    from ctdhub.report.wording import epsilon_words, sentences, unit_words

    promise = manifest.guarantee()
    shown = [(_("unit of protection"), said(unit_words(promise.unit, promise.rows)))]
    shown += [("", said(sentence)) for sentence in sentences(promise)]
    if (together := epsilon_since(hub, manifest)) is not None:
        words = _(
            "Earlier releases were paid for fewer rows of one person. A person with {n} rows in "
            "each of them has epsilon {epsilon} over all releases, this one included."
        ).format(n=number(promise.rows), epsilon=epsilon_words(together))
        shown.append((_("the bound grew"), words))
    return shown


# --------------------------------------------------------------------------------------------------
# What comparing releases tells of single contributors, for the steward and the privacy officer.


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
