"""The verb ``count``: a round of counts without records, for the hub and for a contributor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ctdhub.cli.options import table_help
from ctdhub.cli.output import bar, console, errors
from ctdhub.cli.protect import Support, show, show_left_out, support_of
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, number
from ctdhub.core.i18n import _, said
from ctdhub.core.tables import ROW
from ctdhub.dp.secagg import parties
from ctdhub.dp.secagg import parties as side
from ctdhub.dp.secagg.answer import SCHEMA, protected, read_sum
from ctdhub.dp.secagg.masks import guarding
from ctdhub.dp.secagg.messages import Round, Terms, Total, read_any, read_round
from ctdhub.dp.secagg.parties import open_keep
from ctdhub.dp.standalone.domains import load_domains, public_columns, unchecked
from ctdhub.dp.standalone.table import ledger_of_table
from ctdhub.release.standalone import check_out, write_alone
from ctdhub.sensitive.ingest.readers import read_as_is

MOST_PEOPLE = 2**28
"""Tables hold 32 bits with a sign, and all that a contributor of false counts does must fit too."""


def count_show(
    file: Path,
) -> None:
    """The verb ``ctdhub count show``."""
    message, body = read_any(file)
    console.print(
        _("A file of kind {kind}, {n} bytes of numbers.").format(
            kind=message.kind, n=number(len(body))
        )
    )
    who = getattr(message, "contributor", None)
    if who:
        console.print(_("It comes from {contributor}.").format(contributor=escape(who)))
    if isinstance(message, Terms):
        _show_terms(message)
    if isinstance(message, Total):
        console.print(
            _("In the sum: {names}.").format(names=escape(", ".join(message.contributors)))
        )
        message = message.round
    if isinstance(message, Round):
        _show_terms(message.terms)
        _show_round(message)


def count_new(
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
    domains: Annotated[str, typer.Option()],
    contributor: Annotated[list[str], typer.Option()],
    epsilon: Annotated[float, typer.Option(min=0.001, max=100)],
    delta: Annotated[float, typer.Option()],
    max_people: Annotated[int, typer.Option(min=1, max=MOST_PEOPLE)],
    known_to: Annotated[int | None, typer.Option(min=1)] = None,
    liars: Annotated[int, typer.Option(min=1)] = 1,
    column: list[str] | None = None,
) -> None:
    """The verb ``ctdhub count new``."""
    found = None if domains == SCHEMA else load_domains(Path(domains))
    if found and not found.checked:
        raise unchecked(Path(domains))
    columns = public_columns(column or ()) if found is None else ()
    terms = parties.new_round(
        exchange,
        keep,
        found,
        contributor,
        epsilon=epsilon,
        delta=delta,
        max_people=max_people,
        columns=columns,
        known_to=known_to,
        liars=liars,
    )
    _show_terms(terms)
    n = len(terms.contributors)
    _show_noise(n, guarding(n, parties.usual_threshold(n, liars), liars))
    _next(
        _("Send plan.count to every contributor; each runs `ctdhub count join`."),
        _("When their files are back: `ctdhub count start`."),
    )


def count_start(
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
    without: list[str] | None = None,
    threshold: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """The verb ``ctdhub count start``."""
    _show_round(parties.start_round(exchange, keep, without or (), threshold))
    _next(
        _("Send round.count to every contributor; each runs `ctdhub count mask`."),
        _("When their files are back: `ctdhub count close`."),
    )


def count_close(
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
    ledger: Path | None = None,
    new_ledger: str = "",
    budget: Annotated[float, typer.Option(min=0.001, max=1000)] = 6.0,
    without: list[str] | None = None,
) -> None:
    """The verb ``ctdhub count close``."""
    if ledger is not None:
        parties.refuse_seen(exchange, ledger)
    book = ledger_of_table(ledger, new_ledger)
    with bar() as progress:
        progress(_("checking masked counts"), 0.2)
        asked = parties.close_round(exchange, keep, without or (), ledger=book, budget=budget)
    console.print(_("In the sum: {names}.").format(names=escape(", ".join(asked.bodies))))
    last = book.entries()[-1]
    console.print(
        _("Ledger: epsilon {spent} of {budget} spent.").format(
            spent=decimal(book.guarantee(book.strictest(last.delta)), "#,##0.000"),
            budget=exact(budget),
        )
    )
    _next(
        _("Send request.count to every contributor; each runs `ctdhub count reveal`."),
        _("When enough files are back: `ctdhub count sum`."),
    )


def count_sum(
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
) -> None:
    """The verb ``ctdhub count sum``."""
    with bar() as progress:
        progress(_("removing the masks"), 0.2)
        path, found = parties.total_of_round(exchange, keep)
    console.print(
        _("The sum of {names} is in {file}.").format(
            names=escape(", ".join(found.contributors)), file=escape(str(path))
        )
    )
    _next(
        _("Make the release: `ctdhub count release {file} --out protected`.").format(
            file=escape(str(path))
        )
    )


def count_release(
    file: Path,
    out: Annotated[Path, typer.Option()],
    support: Support = None,
) -> None:
    """The verb ``ctdhub count release``."""
    level = support_of(support)
    check_out(out)
    with bar() as progress:
        progress(_("reading"), 0.0)
        found = read_sum(file)
        answer = protected(found, level, progress=progress)
        round_ = found.told.round
        write_alone(answer, out, round_.plan.rows, round_.terms.max_people)
    if strange := found.impossible():
        errors.print(
            _(
                "Noisy cells that no correct sum can give, far below zero or above the "
                "number of all people: {n}. A contributor sent false counts or false "
                "noise. Do not publish this before you have spoken with all of them."
            ).format(n=number(strange))
        )
    show(answer, round_.plan.rows)
    console.print(_("Files are in {folder}.").format(folder=escape(str(out))))


def count_join(
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
    name: Annotated[str, typer.Option()],
) -> None:
    """The verb ``ctdhub count join``."""
    path = side.join_round(exchange, keep, name)
    console.print(_("Your secrets are in {folder}.").format(folder=escape(str(keep))))
    _next(
        _("Send {file} to the hub.").format(file=escape(path.name)),
        _("When round.count has come: `ctdhub count mask`."),
    )


def count_mask(
    table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
) -> None:
    """The verb ``ctdhub count mask``."""
    with bar() as progress:
        progress(_("reading"), 0.0)
        raw = read_as_is(table)
        path = side.mask_counts(exchange, keep, raw, progress=progress)
    for note in raw.notes:
        errors.print(escape(said(note)))
    round_ = read_round(exchange)
    scope = round_.terms.scope()
    counted = {*scope.plan.domains, scope.person, ROW}
    show_left_out([n for n in raw.table.column_names if n not in counted])
    _show_terms(round_.terms)
    _show_round(round_)
    console.print(
        _("{file}: {n} bytes.").format(file=escape(path.name), n=number(path.stat().st_size))
    )
    _next(
        _("Read the fingerprint out to another contributor, by telephone, before you send."),
        _("If it is the same, send {file} to the hub.").format(file=escape(path.name)),
        _("When request.count has come: `ctdhub count reveal`."),
    )


def count_reveal(
    exchange: Path,
    keep: Annotated[Path, typer.Option()],
) -> None:
    """The verb ``ctdhub count reveal``."""
    path, asked = side.reveal_shares(exchange, keep)
    console.print(_("In the sum: {names}.").format(names=escape(", ".join(asked.bodies))))
    if open_keep(keep).party not in asked.bodies:
        console.print(_("Your counts are not in it; your answer helps the others."))
    console.print(_("Your key of this round is destroyed."))
    _next(_("Send {file} to the hub.").format(file=escape(path.name)))


def _show_terms(terms: Terms) -> None:
    layout, domains = terms.layout(), terms.scope().plan.domains
    listed = ", ".join(f"{printable(name)} ({len(values)})" for name, values in domains.items())
    console.print(
        _("Columns, with the number of values of each: {columns}.").format(columns=escape(listed))
    )
    console.print(
        _("{tables} tables, {cells} cells; at most {known} contributors know one person.").format(
            tables=number(len(layout.tables)), cells=number(layout.cells), known=terms.known_to
        )
    )
    console.print(
        _(
            "Guarantee: epsilon {epsilon}, delta {delta}, for up to {most} people. Contributors "
            "that may collude with the hub without breaking it: {liars}. The round is charged in "
            "full, "
            "even if it is spoilt after it is closed."
        ).format(
            epsilon=exact(terms.epsilon),
            delta=exact(terms.delta),
            liars=terms.liars,
            most=number(terms.max_people),
        )
    )


def _show_round(round_: Round) -> None:
    console.print(
        _("{n} contributors: {names}. {needed} of them must stay to the end.").format(
            n=len(round_.names), names=escape(", ".join(round_.names)), needed=round_.threshold
        )
    )
    _show_noise(len(round_.names), round_.honest)
    console.print(_("Fingerprint of the round: {digits}").format(digits=round_.fingerprint()))


def _show_noise(contributors: int, honest: int) -> None:
    """What it costs that nobody is trusted with the exact sum."""
    console.print(
        _(
            "Each contributor adds noise; the noise of {honest} honest contributors is "
            "enough. If all {n} stay, the variance is {times} times that of a hub that is "
            "trusted with the exact sum."
        ).format(n=contributors, honest=honest, times=decimal(contributors / honest, "0.##"))
    )


def _next(*steps: str) -> None:
    console.print(_("Next:"))
    for step in steps:
        console.print(f"  {step}")
