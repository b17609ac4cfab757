"""Verbs for a contributor: suggest, harmonise."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console, errors
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import UnreadableFile
from ctdhub.core.format import listed, number
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    import pyarrow.csv
    import pyarrow.parquet

    from ctdhub.sensitive.mapping.mapping import Mapping
    from ctdhub.sensitive.mapping.result import Harmonised

LINEAGE = "lineage.csv"


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(
        name="suggest",
        help=about("suggest"),
    )
    def suggest_verb(
        file: Annotated[Path, typer.Argument(help=options.table_help())],
        out: Annotated[
            Path | None, typer.Option(help=_("Write the mapping here instead of showing it."))
        ] = None,
        sheet: Annotated[str | None, options.sheet(all_sheets=True)] = None,
        header_row: Annotated[int | None, options.header_row()] = None,
        delimiter: Annotated[str | None, options.delimiter()] = None,
        dates: Annotated[
            options.Order | None, options.dates(_("The order of day and month in dates."))
        ] = None,
        form: Annotated[
            Path | None,
            typer.Option(
                help=_("The XLSForm whose answers the file holds; it explains headers and codes.")
            ),
        ] = None,
        rows: Annotated[
            str | None,
            typer.Option(
                help=_(
                    "Where the records are in a JSON document, such as results or results.victims; "
                    "a dot for the document itself."
                )
            ),
        ] = None,
        names: Annotated[
            Path | None,
            typer.Option(
                help=_("A JSON list of ids and names, as DHIS2 gives it of its data elements.")
            ),
        ] = None,
    ) -> None:
        from ctdhub.sensitive.ingest.options import ReadOptions
        from ctdhub.sensitive.ingest.shape.name_list import read_names
        from ctdhub.sensitive.ingest.survey_form import read_form
        from ctdhub.sensitive.mapping.suggest import read_to_suggest, suggest

        options.require_new(out)
        stated = options.with_rows(
            options.reading(ReadOptions(), sheet, header_row, delimiter), rows
        )
        with errors.status(_("Reading the file")), _sheets_listed(file):
            asked = read_form(form) if form else None
            given = stated if stated.model_fields_set else None
            called = read_names(names) if names else None
            raw, reading = read_to_suggest(file, given, asked, called)
            options.refuse_unused(raw, sheet, header_row, delimiter, rows)
            found = suggest(raw, reading, dates.value if dates else None, asked)
        if out is None:
            console.print(found.yaml, markup=False, highlight=False, soft_wrap=True)
        else:
            with out.open("x", encoding="utf-8") as written:
                written.write(found.yaml)
            console.print(_("Wrote {file}: read every line of it.").format(file=escape(str(out))))
        if found.builtin:
            errors.print(
                _("A built-in mapping reads this file: --mapping {name}").format(name=found.builtin)
            )

    @app.command(
        name="harmonise",
        help=about("harmonise"),
    )
    def harmonise_verb(
        file: Annotated[Path, typer.Argument(help=options.table_help())],
        mapping: Annotated[
            str, typer.Option(help=_("A mapping file, or the name of a built-in mapping."))
        ],
        contributor: Annotated[
            str, typer.Option(help=_("Id of the contributor; part of record ids."))
        ] = "contributor",
        out: Annotated[
            Path | None, typer.Option(help=_("Folder for records, rejects and lineage."))
        ] = None,
        key: Annotated[
            Path | None,
            typer.Option(help=_("File with the secret for person keys; else a new one is used.")),
        ] = None,
        sheet: Annotated[str | None, options.sheet(all_sheets=True)] = None,
        header_row: Annotated[int | None, options.header_row()] = None,
        delimiter: Annotated[str | None, options.delimiter()] = None,
        dates: Annotated[
            options.Order | None,
            options.dates(_("The order of day and month in dates, instead of the mapping's.")),
        ] = None,
    ) -> None:
        from ctdhub.schema.model import YEARS
        from ctdhub.sensitive.ingest.isolated import read_isolated
        from ctdhub.sensitive.mapping.mapping_file import named_mapping
        from ctdhub.sensitive.mapping.run import harmonise

        if out is not None:
            options.require_private(out)
            options.require_own(out, LINEAGE)
        rules = named_mapping(mapping)
        if dates is not None:
            ordered = rules.dates.model_copy(update={"order": dates.value})
            rules = rules.model_copy(update={"dates": ordered})
        secret = key.read_bytes() if key else secrets.token_bytes(32)
        if len(secret) < 16:
            raise error("key-length", file=key)
        with bar() as progress:
            progress(_("Reading the file"), 0.0)
            reading = options.reading(rules.read, sheet, header_row, delimiter)
            raw = read_isolated(file, reading)
            options.refuse_unused(raw, sheet, header_row, delimiter)
            done = harmonise(raw, rules, contributor, YEARS, secret, progress)
        for note in raw.notes:
            console.print(escape(said(note)))
        _show(done)
        if rules.key_columns() is None and rules.rows != "person":
            console.print(
                _(
                    "Here each row counts as a person. A hub asks what a row is: write rows in the "
                    "mapping, and a person key where rows are reports or calls."
                )
            )
        _look(done, contributor, rules)
        if out is not None:
            _write(done, out)
            console.print(_("Wrote {folder}.").format(folder=escape(str(out))))
        if done.conservation.rejected:
            raise typer.Exit(1)


_SHOWN = 6
"""Column names of a sheet that are shown."""


@contextmanager
def _sheets_listed(file: Path) -> Iterator[None]:
    """Where a sheet must be chosen, the sheets are shown to whoever holds the file."""
    try:
        yield
    except UnreadableFile as fault:
        if fault.name == "sheets/several":
            from ctdhub.sensitive.ingest.layout import sheets

            table = Table(_("sheet"), _("rows"), _("columns"))
            for found in sheets(file):
                shown = listed([*found.header[:_SHOWN], *["…"] * (len(found.header) > _SHOWN)])
                table.add_row(escape(found.name), number(found.rows), escape(shown))
            console.print(table)
        raise


def _show(done: Harmonised) -> None:
    """The account of all rows, the faults by rule, the lineage."""
    account = done.conservation
    table = Table(_("rows"), _("number"), title=_("Every row read is accounted for"))
    table.add_row(_("read"), number(account.rows_read))
    table.add_row(_("records"), number(account.records))
    table.add_row(_("rejected"), number(account.rejected))
    for rule, count in account.excluded.items():
        table.add_row(_("excluded by {rule}").format(rule=rule), number(count))
    people, shared = people_in(done)
    table.add_row(_("people"), number(people))
    if shared:
        table.add_row(_("keys that contradict"), number(shared))
    console.print(table)
    if done.rejects.num_rows:
        from ctdhub.sensitive.ingest.rejects import reason_of

        faults = Table(_("column"), _("rule"), _("errors"), _("reason"), title=_("Errors"))
        counted = done.rejects.group_by(["column", "rule", "fields"]).aggregate([([], "count_all")])
        rows = sorted(counted.to_pylist(), key=lambda row: -int(row["count_all"]))
        for row in rows[:20]:
            reason = escape(said(reason_of(row["fields"])))
            column = escape(row["column"] or "")
            faults.add_row(column, row["rule"], number(row["count_all"]), reason)
        console.print(faults)
    lineage = Table(_("variable"), _("from"), _("rule"), _("recorded"), _("lost"))
    for names in lineage.columns[:2]:
        names.overflow = "fold"
    for entry in done.lineage:
        lineage.add_row(
            entry.column,
            escape(", ".join(entry.sources)),
            escape(said(entry.rule)),
            number(entry.mapped),
            escape(said(entry.note) if entry.note else ""),
        )
    console.print(lineage)


def people_in(done: Harmonised) -> tuple[int, int]:
    """How many people a file is about, and how many of their keys have rows that contradict."""
    import pyarrow.compute as pc

    from ctdhub.sensitive.linkage.merge import persons_of
    from ctdhub.sensitive.linkage.shared_keys import shared_in_one

    people = pc.count_distinct(persons_of(done.records)).as_py()
    return people, shared_in_one(done.records, done.births).num_rows


def _look(done: Harmonised, contributor: str, rules: Mapping) -> None:
    """Unknown texts, and the alarms that ring for this file by itself."""
    from datetime import UTC, datetime

    from ctdhub.cli.alarms import show_alarms, show_unknown
    from ctdhub.sensitive.alarms.alarm import AlarmLimits
    from ctdhub.sensitive.alarms.delivered import ReadDelivery
    from ctdhub.sensitive.alarms.ring import ring

    show_unknown(done.texts.unknown)
    account, today = done.conservation, datetime.now(UTC).date().isoformat()
    file = ReadDelivery(
        contributor,
        today,
        rules,
        (done.texts,),
        done.records,
        account.rows_read,
        account.rejected,
    )
    show_alarms(ring([file], AlarmLimits()))


def _write(done: Harmonised, out: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    from ctdhub.core.atomic import write_whole

    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    pyarrow.parquet.write_table(done.records, out / "records.parquet")
    pyarrow.parquet.write_table(done.perpetrators, out / "perpetrators.parquet")
    (out / "tokens.parquet").unlink(missing_ok=True)  # of an earlier run
    if done.tokens.num_rows:
        pyarrow.parquet.write_table(done.tokens, out / "tokens.parquet")
    pyarrow.csv.write_csv(done.rejects, out / "rejects.csv")
    write_whole(out / "unknown-texts.csv", done.texts.as_csv().encode())
    pyarrow.csv.write_csv(lineage_table(done), out / LINEAGE)


def lineage_table(done: Harmonised) -> pyarrow.Table:
    """The lineage as a table of texts and counts."""
    import pyarrow

    return pyarrow.Table.from_pylist(
        [
            {
                "column": entry.column,
                "sources": "; ".join(entry.sources),
                "rule": said(entry.rule),
                "lossy": entry.lossy,
                "note": said(entry.note) if entry.note else None,
                "mapped": entry.mapped,
                "empty": entry.empty,
                "ignored": entry.ignored,
            }
            for entry in done.lineage
        ]
    )
