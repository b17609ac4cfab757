"""The verb ``linkage``: the report on who several contributors know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.format import listed, number, share
from ctdhub.core.i18n import _, current, said

ONCE = 0.01
"""Share of a contributor's persons held twice from which a word is said."""


def register(app: typer.Typer) -> None:
    """Add the verb ``linkage``."""

    @app.command(help=about("linkage"))
    def linkage(
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))] = Path(),
        as_json: Annotated[bool, typer.Option("--json", help=_("Print it as JSON."))] = False,
    ) -> None:
        from ctdhub.build.hub import Hub
        from ctdhub.build.rules import policy
        from ctdhub.build.stages import link_report
        from ctdhub.cli.kind_words import kind_words

        hub = Hub(folder)
        report = link_report.linkage(hub)
        if as_json:
            console.print(
                json.dumps(report, indent=1), soft_wrap=True, markup=False, highlight=False
            )
            return
        table = Table(title=_("For the steward: not to be published"), show_header=False)
        for words, value in (
            (_("people as released"), report["people"]),
            (_("persons with tokens, by contributors' own count"), report["persons_with_tokens"]),
            (_("people among them, by all tokens"), report["clusters"]),
            (_("links"), report["links"]),
            (_("pairs to review"), report["to_review"]),
            (_("tokens that too many share, not used"), report["too_common"]),
            (_("records without any key, each counted as a person"), _unkeyed(report)),
        ):
            table.add_row(words, number(value))
        console.print(table)
        overlap = Table(_("known to"), _("people by all tokens"))
        for names, people in report["overlap"].items():
            overlap.add_row(escape(listed(names.split("+"))), number(people))
        console.print(overlap)
        patterns = Table(
            _("what agrees"), _("pairs"), _("by chance"), _("probability"),
            title=_("What each agreement is worth (the 20 most frequent)"),
        )  # fmt: skip
        for row in report["patterns"][:20]:
            sure = share(row["probability"], fine=True)
            patterns.add_row(
                row["kinds"], number(row["pairs"]), number(round(row["by_chance"])), sure
            )
        console.print(patterns)
        if report["conflicts"]:
            console.print(_conflicts(report["conflicts"]))
        facts = {"x": _("gender"), "y": _("citizenship")}
        for letter, words in (kind_words() | facts).items():
            console.print(f"{letter}: {escape(words)}", highlight=False)
        if report["links"] and not policy(hub).linking.lists:
            console.print(
                _(
                    "Nothing released follows these links. To join people by some of their tokens "
                    "in what is released, set linking in policy.yaml, for example "
                    "linking: {people: 0, lists: 2}."
                )
            )
        if twice := _held_twice(report.get("held_twice", {})):
            console.print(
                _(
                    "These contributors probably hold some people under two case numbers (about "
                    "how many, of all their people): {contributors}. The hub counts them twice. "
                    "Ask for one case "
                    "number for one person; the pairs are in {file}."
                ).format(contributors=escape(twice), file="work/people/review.csv")
            )
        if len(report["made_apart"]) > 1:
            groups = _("; ").join(listed(group) for group in report["made_apart"])
            console.print(
                _(
                    "These contributors made their tokens with different keys or for different "
                    "releases, so theirs cannot agree: {groups}."
                ).format(groups=escape(groups))
            )


def _unkeyed(report: dict[str, Any]) -> int:
    return sum(int(n) for n, _of in report.get("without_key", {}).values())


def _held_twice(by_contributor: dict[str, list[int]]) -> str:
    """Contributors that hold more than one person in a hundred twice; empty without one."""
    return listed(
        [
            _("{contributor} ({people} of {persons})").format(
                contributor=name, people=number(twice), persons=number(persons)
            )
            for name, (persons, twice) in by_contributor.items()
            if twice > max(ONCE * persons, 3)
        ]
    )


def _conflicts(persons: dict[str, int]) -> Table:
    from ctdhub.schema.labels import label
    from ctdhub.schema.model import load_schema
    from ctdhub.sensitive.linkage.merge_words import in_words

    table = Table(
        _("variable"), _("people"), _("what counts"),
        title=_("What records of one person say differently"),
    )  # fmt: skip
    for variable, n in persons.items():
        rule = in_words(load_schema().variable(variable))
        table.add_row(label(variable, current()), number(n), said(rule))
    table.caption = _("Which record says what is in work/people/conflicts.parquet.")
    return table
