"""The verb ``linkage``: the report on who several contributors know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.cli.verbs import about
from ctdhub.core.format import interval, listed, number, share
from ctdhub.core.i18n import _, current, said

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub

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
        decided = _decided(hub)
        if as_json:
            report |= {"decided": decided} if decided else {}
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
        if decided:
            console.print(_measured(decided))
        if report["conflicts"]:
            console.print(_conflicts(report["conflicts"]))
        facts = {"x": _("gender"), "y": _("citizenship")}
        for letter, words in (kind_words() | facts).items():
            console.print(f"{letter}: {escape(words)}", highlight=False)
        if report["links"] and not policy(hub).linking.lists:
            console.print(
                _(
                    "Nothing released follows these links. To merge people by some of their "
                    "tokens in what is released, set linking in policy.yaml, for example "
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
                    "releases, so their tokens cannot agree: {groups}."
                ).format(groups=escape(groups))
            )


def _decided(hub: Hub) -> dict[str, Any] | None:
    """What the decisions at the desk say; None where there is none, or nothing to hold to."""
    from ctdhub.build import doubles
    from ctdhub.build.stages.link_report import PAIRS

    if not (hub.work / "people" / PAIRS).is_file():
        return None
    return doubles.measured(hub)


def _measured(found: dict[str, Any]) -> Table:
    """Recall as the decisions on pairs measure it, as the desk shows it."""
    table = Table(title=_("What the decisions say"), show_header=False)
    words = {
        "recall": _("links found by the report (recall)"),
        "recall_after": _("links found after the decisions"),
        "false_links": _("links of the report that are two people"),
    }
    for key, what in words.items():
        if key in found:
            low, high = interval(found[key]["low"], found[key]["high"], fine=True)
            table.add_row(what, _("{low} to {high}").format(low=low, high=high))
    decided = _("One person: {yes}. Two people: {no}. Decided differently by two: {differ}.")
    lines = [decided.format(**{name: number(found[name]) for name in ("yes", "no", "differ")})]
    if "recall" in found:
        note = _(
            "Intervals of {level}, of pairs that share a token: {pairs}; reviewed at random: {n}. "
            "They allow for {errors} of wrong decisions. Links between records that share no token "
            "are not counted."
        )
        lines.append(
            note.format(
                level=share(found["level"]),
                pairs=number(found["pairs"]),
                n=number(found["reviewed"]),
                errors=share(found["errors"]),
            )
        )
    table.caption = " ".join(lines)
    return table


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
        title=_("Where records of one person contradict each other"),
    )  # fmt: skip
    for variable, n in persons.items():
        rule = in_words(load_schema().variable(variable))
        table.add_row(label(variable, current()), number(n), said(rule))
    table.caption = _("Which record says what is in work/people/conflicts.parquet.")
    return table
