"""What the verb ``link`` prints of a clerical review."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.format import interval, number, share
from ctdhub.core.i18n import _, said


def show_review(review: dict[str, Any]) -> None:
    """Print recall and wrong links with their intervals, and the lines for the policy.

    Args:
        review: ``review`` of the summary of a round.
    """
    console.print(
        _("Decided: {yes} pairs one person, {no} two people.").format(
            yes=number(review["yes"]), no=number(review["no"])
        )
    )
    table = Table(
        "",
        _("pairs"),
        _("reviewed"),
        _("undecided"),
        _("links found by the model"),
        _("links found after the decisions"),
        _("wrong links of the model"),
        title=_("Clerical review, not to be published"),
    )
    for name, one in {"": review, **review["groups"]}.items():
        table.add_row(
            _group(name) if one is not review else _("all"),
            number(one["pairs"]),
            number(one["reviewed"]),
            number(one["undecided"]),
            *(_interval(one[key]) for key in ("recall", "recall_after", "false_links")),
        )
    table.caption = _(
        "Intervals of {level}. They allow for {errors} of wrong decisions, and count what is "
        "undecided as whatever makes each end worse. By the model, {beyond} of all links "
        "cannot be reviewed as pairs; they count as not found."
    ).format(
        level=share(review["level"]),
        errors=share(review["errors"], fine=True),
        beyond=share(review["beyond"], fine=True),
    )
    console.print(table)
    console.print(
        _(
            "Of links that are still missing, tokens find {found}; {merged} of people share a row."
        ).format(found=_interval(review["found"]), merged=_interval(review["merged"]))
    )
    lines = [f"{key}: {value}" for key, value in review["policy"].items() if value is not None]
    if lines:
        console.print(
            _("Under linking in policy.yaml the hub can state: {lines}").format(
                lines=escape(", ".join(lines))
            )
        )
    for key, value in review["policy"].items():
        if value is None:
            console.print(
                _(
                    "The review says too little for {setting}: leave it out, or decide more pairs."
                ).format(setting=key)
            )


def _interval(one: dict[str, float]) -> str:
    low, high = interval(one["low"], one["high"], fine=True)
    return _("{low} to {high}").format(low=low, high=high)


def _group(name: str) -> str:
    from ctdhub.sensitive.linkage.identified.review_frame import OTHERS, SCRIPTS

    if name == OTHERS:
        return _("other groups")
    parts = (said(SCRIPTS[part]) if part in SCRIPTS else part for part in name.split(" + "))
    return escape(" + ".join(parts)) or _("not recorded")
