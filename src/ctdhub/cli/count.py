"""The verb ``count``: a round of counts without records, for the hub and for a contributor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.options import table_help
from ctdhub.cli.output import bar, console, errors
from ctdhub.cli.protect import Support, show, show_left_out, support_of
from ctdhub.cli.verbs import about
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, number
from ctdhub.core.i18n import _, said

MOST_PEOPLE = 2**28
"""Tables hold 32 bits with a sign, and all that a contributor of false counts does must fit too."""

if TYPE_CHECKING:
    from ctdhub.dp.secagg.messages import Round, Terms

Exchange = Annotated[
    Path, typer.Argument(help=_("Folder of the files that all sides see: shared, or attachments."))
]
Kept = Annotated[
    Path, typer.Option(help=_("Folder of your own secrets in this round; never share it."))
]
Without = Annotated[
    list[str] | None,
    typer.Option(help=_("A contributor that is left out; may be given several times.")),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    counts = typer.Typer(
        help=about("count"),
        no_args_is_help=True,
    )
    app.add_typer(counts, name="count")
    _hub(counts)
    _contributor(counts)

    @counts.command(
        help=_(
            "Show what a file of a round is, and its fingerprint.\n\nExample: ctdhub count "
            "show exchange/round.count"
        )
    )
    def show(
        file: Annotated[Path, typer.Argument(help=_("A file whose name ends with .count."))],
    ) -> None:
        from ctdhub.dp.secagg.messages import Round, Terms, Total, read_any

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


def _hub(counts: typer.Typer) -> None:
    @counts.command(
        help=_(
            "Hub: begin a round. Writes the plan that every contributor gets."
            "\n\nExample: ctdhub count new exchange --keep hub-secret --domains domains.yaml "
            "--epsilon 1 --delta 1e-6 --max-people 10000 "
            "--contributor refuge --contributor hotline --contributor casework"
        )
    )
    def new(
        exchange: Exchange,
        keep: Kept,
        domains: Annotated[
            str, typer.Option(help=_("The domains file, or the word schema for the hub's own."))
        ],
        contributor: Annotated[
            list[str], typer.Option(help=_("Name of a contributor; given once for each."))
        ],
        epsilon: Annotated[
            float,
            typer.Option(
                min=0.001,
                max=100,
                help=_("Privacy-loss parameter epsilon; smaller values protect better."),
            ),
        ],
        delta: Annotated[
            float, typer.Option(help=_("At most 1e-6, and at most 1 / (100 × people)."))
        ],
        max_people: Annotated[
            int,
            typer.Option(
                min=1,
                max=MOST_PEOPLE,
                help=_(
                    "An upper limit for the number of people in all tables together, now and later."
                ),
            ),
        ],
        known_to: Annotated[
            int | None,
            typer.Option(
                min=1,
                help=_(
                    "Maximum number of contributors that may know one person; noise grows with "
                    "it. Default: all."
                ),
            ),
        ] = None,
        liars: Annotated[
            int,
            typer.Option(
                min=1,
                help=_(
                    "Number of contributors that may collude with the hub, or add wrong noise or "
                    "none, without breaking the guarantee; noise grows with it."
                ),
            ),
        ] = 1,
        column: Annotated[
            list[str] | None,
            typer.Option(help=_("With --domains schema: a column; default: all public ones.")),
        ] = None,
    ) -> None:
        from ctdhub.dp.secagg import parties
        from ctdhub.dp.secagg.answer import SCHEMA
        from ctdhub.dp.secagg.masks import guarding
        from ctdhub.dp.standalone.domains import load_domains, public_columns, unchecked

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

    @counts.command(
        help=_(
            "Hub: settle who takes part. Writes the round that every contributor gets.\n\n"
            "Example: ctdhub count start exchange --keep hub-secret"
        )
    )
    def start(
        exchange: Exchange,
        keep: Kept,
        without: Without = None,
        threshold: Annotated[
            int | None,
            typer.Option(
                min=1,
                help=_(
                    "Minimum number of contributors that must complete the round. A higher "
                    "number protects better against collusion, a lower one against loss. "
                    "Default: two thirds, at least three: of three contributors none may "
                    "be lost, of four one."
                ),
            ),
        ] = None,
    ) -> None:
        from ctdhub.dp.secagg import parties

        _show_round(parties.start_round(exchange, keep, without or (), threshold))
        _next(
            _("Send round.count to every contributor; each runs `ctdhub count mask`."),
            _("When their files are back: `ctdhub count close`."),
        )

    @counts.command(
        help=_(
            "Hub: close the round. Says whose counts are in the sum, once and for all, and "
            "charges the ledger: from now on the round is charged, whatever its outcome.\n\n"
            "Example: ctdhub count close exchange --keep hub-secret --ledger ledger "
            "--new-ledger 'the people of our clinics'"
        )
    )
    def close(
        exchange: Exchange,
        keep: Kept,
        ledger: Annotated[Path | None, options.ledger_folder()] = None,
        new_ledger: Annotated[str, options.new_ledger()] = "",
        budget: Annotated[
            float,
            typer.Option(
                min=0.001, max=1000, help=_("Total privacy budget (epsilon) for this ledger.")
            ),
        ] = 6.0,
        without: Without = None,
    ) -> None:
        from ctdhub.dp.secagg import parties
        from ctdhub.dp.standalone.table import ledger_of_table

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

    @counts.command(
        name="sum",
        help=_(
            "Hub: remove the masks from the sum. The result contains the noise of all "
            "contributors.\n\nExample: ctdhub count sum exchange --keep hub-secret"
        ),
    )
    def total(exchange: Exchange, keep: Kept) -> None:
        from ctdhub.dp.secagg import parties

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

    @counts.command(
        help=_(
            "Hub: make records and counts of a noisy sum. This costs nothing more."
            "\n\nExample: ctdhub count release hub-secret/sum.count --out protected"
        )
    )
    def release(
        file: Annotated[Path, typer.Argument(help=_("The sum that `ctdhub count sum` made."))],
        out: Annotated[Path, typer.Option(help=_("A new or empty folder for the files."))],
        support: Support = None,
    ) -> None:
        from ctdhub.dp.secagg.answer import protected, read_sum
        from ctdhub.release.standalone import check_out, write_alone

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


def _contributor(counts: typer.Typer) -> None:
    @counts.command(
        help=_(
            "Contributor: take part in a round. Makes your key for it."
            "\n\nExample: ctdhub count join exchange --keep my-secret --name refuge"
        )
    )
    def join(
        exchange: Exchange,
        keep: Kept,
        name: Annotated[str, typer.Option(help=_("Your name in the plan."))],
    ) -> None:
        from ctdhub.dp.secagg import parties as side

        path = side.join_round(exchange, keep, name)
        console.print(_("Your secrets are in {folder}.").format(folder=escape(str(keep))))
        _next(
            _("Send {file} to the hub.").format(file=escape(path.name)),
            _("When round.count has come: `ctdhub count mask`."),
        )

    @counts.command(
        help=_(
            "Contributor: count your own table, add noise, mask the result. No record leaves the "
            "machine."
            "\n\nExample: ctdhub count mask cases.csv exchange --keep my-secret"
        )
    )
    def mask(
        table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
        exchange: Exchange,
        keep: Kept,
    ) -> None:
        from ctdhub.core.tables import ROW
        from ctdhub.dp.secagg import parties as side
        from ctdhub.dp.secagg.messages import read_round
        from ctdhub.sensitive.ingest.readers import read_as_is

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

    @counts.command(
        help=_(
            "Contributor: answer the hub's request, once. This removes the masks from the sum; "
            "your own mask alone is never removed.\n\nExample: ctdhub count reveal exchange "
            "--keep my-secret"
        )
    )
    def reveal(exchange: Exchange, keep: Kept) -> None:
        from ctdhub.dp.secagg import parties as side
        from ctdhub.dp.secagg.parties import open_keep

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
