"""Verbs for any table, without a hub: protect, domains (and rehearse, in its own module)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.options import table_help
from ctdhub.cli.output import bar, console, errors, show_error
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, number, tiny
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.border import Protected
    from ctdhub.dp.ledger.book import Ledger
    from ctdhub.dp.mechanism import Progress
    from ctdhub.dp.price import Pay

SUPPORT = {"complete": 0, "cautious": 4}
FAULT = 1
"""Exit code where the answer is charged and written, and must not be published."""

Support = Annotated[
    str | None,
    typer.Option(
        help=_(
            "From 0 (complete) to 4 (cautious): how readily rare combinations are left out of the "
            "records."
        )
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("protect"))
    def protect(
        domains: Annotated[
            str, typer.Option(help=_("The domains file, or the word schema for the hub's own."))
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
                help=_("An upper limit for the number of people in the table, now and later."),
            ),
        ],
        out: Annotated[Path, typer.Option(help=_("A new or empty folder for the files."))],
        table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
        support: Support = None,
        imputations: Annotated[
            int,
            typer.Option(
                min=0,
                max=100,
                help=_(
                    "Sets of synthetic records for inference, for example 10. They cost no "
                    "epsilon; asking for them later is a new charge."
                ),
            ),
        ] = 0,
        ledger: Annotated[Path | None, options.ledger_folder()] = None,
        new_ledger: Annotated[str, options.new_ledger()] = "",
        budget: Annotated[
            float | None,
            typer.Option(
                min=0.001,
                max=1000,
                help=_(
                    "Total privacy budget (epsilon) for this ledger; default: 6, or 3 from "
                    "--max-people 100000 on."
                ),
            ),
        ] = None,
    ) -> None:
        from ctdhub.dp.policy import usual_promise
        from ctdhub.dp.standalone.ledger import ledger_of_table
        from ctdhub.dp.standalone.table import check_delta, too_many
        from ctdhub.dp.standalone.written import given, writing
        from ctdhub.release.standalone import check_ledger, check_out, refuse_other, write_alone

        check_delta(delta, max_people)
        budget = budget or usual_promise(max_people)[1]
        support_level = support_of(support)
        held = check_out(out)
        if ledger is not None:
            check_ledger(ledger, out)
        book = ledger_of_table(ledger, new_ledger)
        before, left_out, notes = len(book.entries()), list[str](), tuple[str, ...]()
        with bar() as progress:
            progress(_("reading"), 0.0)
            ask = ProtectOptions(
                domains,
                support_level,
                imputations,
                epsilon,
                delta,
                budget,
                book,
                progress,
                given(book, out, held),
                refuse_other(out) if held else None,
            )
            answer, rows, left_out, notes = ask.of_table(table)
            with book.exclusive(), writing(book, answer.guarantee.charge, out):
                write_alone(answer, out, rows, max_people)
        show_left_out(left_out)
        for note in notes:
            errors.print(escape(note))
        if len(book.entries()) == before:
            console.print(_("This was answered before: nothing was charged."))
        show(answer, rows)
        spent = book.guarantee(book.strictest(delta))
        console.print(
            _("Ledger: epsilon {spent} of {budget} spent.").format(
                spent=decimal(spent, "#,##0.000"), budget=exact(budget)
            )
        )
        console.print(_("Files are in {folder}.").format(folder=escape(str(out))))
        if fault := too_many(answer, rows, max_people):
            show_error(fault)
            raise typer.Exit(FAULT)

    @app.command(
        name="domains",
        help=about("domains"),
    )
    def draft_domains(
        table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
        out: Annotated[Path, typer.Option(help=_("The draft; must not exist yet."))] = Path(
            "domains.yaml"
        ),
    ) -> None:
        from ctdhub.dp.standalone.draft import draft
        from ctdhub.sensitive.ingest.identifiers import find_identifiers
        from ctdhub.sensitive.ingest.readers import read_as_is

        raw = read_as_is(table)
        text = draft(raw, {found.column: said(found.reason) for found in find_identifiers(raw)})
        try:
            with out.open("x", encoding="utf-8") as handle:
                handle.write(text)
        except FileExistsError:
            raise error("draft-exists", file=out) from None
        console.print(_("Drafted {file}.").format(file=escape(str(out))))
        console.print(
            _(
                "Review this draft before use. Values were read from your data and may "
                "reveal individuals: compare each column with public documents, such as "
                "the code book of the form; add values that may occur, remove those known "
                "from the data alone; then set checked: true."
            )
        )


@dataclass(frozen=True)
class ProtectOptions:
    """What is asked of a table, as the options say.

    Attributes:
        domains: path of the domains file, or the word "schema".
        imputations: how many sets of records for inference.
        given: charges whose answers are not given again.
        pay: told the price before anything is charged, and may refuse it.
    """

    domains: str
    support: int | None
    imputations: int
    epsilon: float
    delta: float
    budget: float
    ledger: Ledger
    progress: Progress
    given: frozenset[str] = frozenset()
    pay: Pay | None = None

    def of_table(self, table: Path) -> tuple[Protected, int, list[str], tuple[str, ...]]:
        """The answer, rows of one person, columns that are left out, notes of the reader."""
        from ctdhub.core.tabular import ROW
        from ctdhub.dp.secagg.answer import SCHEMA
        from ctdhub.dp.standalone.focus import kept_from
        from ctdhub.dp.standalone.scope import scope_of_file, scope_of_schema
        from ctdhub.dp.standalone.table import fit_domains, protect_alone
        from ctdhub.sensitive.ingest.readers import read_as_is

        raw = read_as_is(table)
        header = [name for name in raw.table.column_names if name != ROW]
        scope = (
            scope_of_schema(header, self.support)
            if self.domains == SCHEMA
            else scope_of_file(Path(self.domains), header, self.support)
        ).with_imputations(self.imputations)
        fitted, notes = fit_domains(raw, scope), tuple(map(said, raw.notes))
        show_kept(kept_from(scope.plan, self.epsilon, self.delta))
        del raw  # as large as all that follows
        answer = protect_alone(
            fitted,
            scope,
            epsilon=self.epsilon,
            delta=self.delta,
            budget=self.budget,
            ledger=self.ledger,
            progress=self.progress,
            given=self.given,
            pay=self.pay,
        )
        left_out = [n for n in header if n not in scope.plan.domains and n != scope.person]
        return answer, scope.plan.rows, left_out, notes


def support_of(text: str | None) -> int | None:
    """The number of a support setting, None where it is not given.

    Raises:
        PolicyError: it is none.
    """
    if text is None:
        return None
    if text in SUPPORT:
        return SUPPORT[text]
    if text in ("0", "1", "2", "3", "4"):
        return int(text)
    raise error("usage/support", name="--support")


def show_kept(pairs: Mapping[tuple[str, ...], int]) -> None:
    """From how many people on the records keep combinations of wide columns without a focus."""
    for names, people in pairs.items():
        errors.print(
            escape(
                _(
                    "{columns}: no focus. The records keep combinations of these columns from "
                    "about {n} people on; smaller ones are spread over what is likely. Name the "
                    "pair that readers use most under focus in the domains file."
                ).format(columns=" × ".join(map(printable, names)), n=people)
            )
        )


def show_left_out(names: list[str]) -> None:
    """Columns of the table that are not protected, hence not written."""
    if names:
        listed = ", ".join(printable(name) for name in names)
        console.print(
            _("Left out, because no permitted values are given: {columns}").format(
                columns=escape(listed)
            )
        )


def show(answer: Protected, rows: int) -> None:
    """The answer in two lines: how many, what was promised."""
    people, g = answer.people, answer.guarantee
    line = (
        _("{n} people ({low} to {high}); epsilon {epsilon}, delta {delta}.")
        if rows == 1
        else _(
            "{n} rows ({low} to {high}), at most {rows} of one person; epsilon {epsilon}, "
            "delta {delta}."
        )
    )
    console.print(
        line.format(
            n=number(people.value),
            low=number(people.low),
            high=number(people.high),
            rows=rows,
            epsilon=exact(g.epsilon),
            delta=tiny(g.delta),
        )
    )
