"""Verbs on fictitious people: practice, rehearse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.approve import show_disclosures, show_unit
from ctdhub.cli.output import bar, console, errors, say, show_exactly, show_table
from ctdhub.core.errors import error
from ctdhub.core.format import decimal, exact, number, share, tiny
from ctdhub.core.i18n import _, said_all
from ctdhub.dp.standalone.domains import load_domains
from ctdhub.dp.standalone.table import MAX_DELTA, check_delta
from ctdhub.practice.naming import write_names
from ctdhub.practice.write import PEOPLE, write_practice
from ctdhub.report.wording import kind_name

if TYPE_CHECKING:
    from ctdhub.dp.plan import Plan
    from ctdhub.dp.policy import Budget
    from ctdhub.dp.simulate import Figures, Range, Rehearsal
    from ctdhub.hub.rehearsal import Rehearsed
    from ctdhub.practice.write import PracticeSummary


# --------------------------------------------------------------------------------------------------
# The verb ``practice``: write fictitious contributors' files with a known truth.


def practice(
    folder: Path,
    people: Annotated[int, typer.Option(min=PEOPLE[0], max=PEOPLE[1])] = 60_000,
    seed: Annotated[int, typer.Option(min=0)] = 20260101,
    names: Annotated[bool, typer.Option("--names")] = False,
) -> None:
    """The verb ``practice``."""
    if (folder / "hub.yaml").exists():
        raise error("practice-folder/files", file=folder)
    options.require_own(folder, "truth.csv" if names else "truth.json")
    if names:
        with errors.status(_("Drawing fictitious people")):
            files = write_names(folder, people, seed)
        for path in files.values():
            show_exactly(str(path))
        text = _("Everything is fictitious; the true links are in {file}.")
        say(text, file=folder / "truth.csv")
        return
    with bar() as progress:
        summary = write_practice(folder, people, seed, progress)
    show(summary)


def show(summary: PracticeSummary) -> None:
    """What each file holds and where the truth lies."""
    rows = []
    for contributor, sent in summary.sent.items():
        numbers = (sent.rows, sent.people, sent.rejected, sum(sent.excluded.values()))
        rows.append((contributor, *map(number, numbers)))
    head = (_("contributor"), _("rows"), _("people"), _("to be rejected"), _("to be excluded"))
    show_table(_("Practice files: everything in them is fictitious"), head, rows)
    text = _("{people} fictitious people; the truth is in {file}.")
    say(text, people=number(summary.people), file=summary.folder / "truth.json")


# --------------------------------------------------------------------------------------------------
# The verb ``rehearse``: how large the errors of a policy would be, on fictitious people.

UNNAMED = ("people", "core_pairs", "core_triples", "wide_triples", "assistance")
"""Kinds of tables that are too many to stand on a screen by name."""


def rehearse(
    hub: Annotated[Path | None, typer.Argument()] = None,
    domains: Path | None = None,
    people: Annotated[int, typer.Option(min=0, max=2_000_000)] = 20_000,
    epsilon: Annotated[list[float] | None, typer.Option(min=0.001, max=100)] = None,
    delta: float | None = None,
    as_json: options.AsJson = False,
) -> None:
    """The verb ``rehearse``."""
    from ctdhub.hub.rehearsal import Rehearsed, figures, of_hub, rehearsed

    if (hub is None) == (domains is None):
        raise error("usage/hub-or-domains")
    if domains:
        asked = Rehearsed(load_domains(domains).plan(), MAX_DELTA)
    else:
        asked = of_hub(options.hub(hub or Path()))
    if delta is not None:
        check_delta(delta, 1)
    epsilons, of = sorted(set(epsilon or (1.0, 2.0, 4.0))), delta or asked.delta
    with bar() as progress:
        alike = domains is None
        done = rehearsed(asked, people, epsilons, of, alike=alike, progress=progress)
    numbers = figures(asked, people, done, of)
    if as_json:
        typer.echo(json.dumps(numbers, indent=1))
    else:
        show_rehearsal(done, people, asked.plan)
        _show_paragraphs(asked, done)
        if hub:
            _show_doubles(numbers)
        if asked.budget:
            _show_bought(numbers["bought"], asked.budget)
        if hub:
            show_disclosures(options.hub(hub))


def _show_paragraphs(asked: Rehearsed, done: Sequence[Rehearsal]) -> None:
    from ctdhub.hub.rehearsal import paragraph

    for one in done:
        at = _("A paragraph at epsilon {epsilon}:").format(epsilon=exact(one.epsilon))
        for text in paragraph(asked, one):
            console.print(f"[bold]{at}[/] {escape(text)}")


def _show_doubles(numbers: dict[str, Any]) -> None:
    from ctdhub.report.sentences import not_estimated

    if not (doubles := numbers.get("doubles")):
        say(_("What pages will say: “{text}”"), text=not_estimated())
        return
    text = _(
        "The estimate of how many people are counted more than once takes {share} of a "
        "release's budget (rho)."
    )
    say(text, share=share(doubles["share"]))
    for one, wider in zip(numbers["rehearsals"], doubles["wider"], strict=True):
        text = _(
            "At epsilon {epsilon} its noise alone makes the number of people less certain by "
            "at least {people}, even where nobody is counted twice."
        )
        epsilon = exact(one["epsilon"])
        say(text, epsilon=epsilon, people=number(wider))


def _show_bought(bought: Sequence[dict[str, float]], budget: Budget) -> None:
    title = _("What a budget of epsilon {budget} buys").format(budget=exact(budget.epsilon))
    heads = [_("epsilon {epsilon}").format(epsilon=exact(one["epsilon"])) for one in bought]
    kept = _("drafts that are not published ({share} of the budget)").format(
        share=share(budget.drafts)
    )
    rows = [
        (name, *(number(int(one[key])) for one in bought))
        for name, key in ((_("published versions"), "versions"), (kept, "drafts"))
    ]
    show_table(title, ("", *heads), rows, right=1, fold=False)
    say(_("Every version is drawn anew and paid for, whether the data changed or not."))


def show_rehearsal(done: Sequence[Rehearsal], people: int, plan: Plan) -> None:
    """Kinds of tables figure by figure, then tables by name; one column for each epsilon."""
    heads = [_("epsilon {epsilon}").format(epsilon=exact(r.epsilon)) for r in done]
    text = _("Fictitious people: {n}; delta {delta}; nothing was charged.")
    say(text, n=number(people), delta=tiny(done[0].delta))
    show_unit(plan.unit, plan.rows, [(r.epsilon, r.delta) for r in done])
    rows = []
    for same in zip(*(r.kinds for r in done), strict=True):
        first = same[0]
        name = f"{kind_name(first.kind)} ({number(first.tables)})"
        for label, cells in _rows(same, plan.level):
            rows.append((name, label, *cells))
            name = ""
    show_table(_("Error by kind of table"), (_("tables"), _("number"), *heads), rows, right=2)
    named = []
    for same in zip(*(r.named for r in done), strict=True):
        if same[0].kind in UNNAMED:
            continue
        cells = [
            _("± {width}, typically from {least}").format(
                width=f.half_width.all, least=_range(f.shown_from)
            )
            for f in same
        ]
        named.append((" × ".join(same[0].columns), *cells))
    title = _("Half-width and typical smallest count shown, table by table")
    show_table(title, (_("table"), *heads), named)
    if done[0].sources:
        _show_sources(done, heads)
    if done[0].sets:
        text = _(
            "Sets for inference: {n} further files of about {bytes} bytes each. They cost no "
            "epsilon; each takes about as long to make as the records."
        )
        say(text, n=number(done[0].sets), bytes=number(done[0].set_bytes))
    say(said_all("ctdhub.cli", "notes")["rehearsal"])


def _show_sources(done: Sequence[Rehearsal], heads: Sequence[str]) -> None:
    title = _("By contributor, and overlap of lists: noise (sigma, people)")
    rows = [
        (name.replace("*", " × "), *(decimal(r.sources[name]) for r in done))
        for name in done[0].sources
    ]
    show_table(title, (_("table"), *heads), rows, right=1)


def _rows(same: Sequence[Figures], level: float) -> list[tuple[str, list[str]]]:
    interval = _("half-width of an interval ({level})").format(level=share(level))
    return [
        (_("noise (sigma, people)"), [decimal(f.sigma) for f in same]),
        (interval, [_range(f.half_width) for f in same]),
        (_("smallest count shown, typically"), [_range(f.shown_from) for f in same]),
        (_("cells shown*"), ["–" if f.shown is None else share(f.shown, fine=True) for f in same]),
        (_("records compared with the truth* (TVD)"), [decimal(f.tv, "#,##0.0000") for f in same]),
    ]


def _range(figure: Range) -> str:
    if figure.all == figure.lone:
        return number(figure.all)
    return f"{number(figure.all)}–{number(figure.lone)}"
