"""Verb for one-off files: kanon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.options import table_help
from ctdhub.cli.output import bar, console
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, listed, number, share
from ctdhub.core.i18n import _, said
from ctdhub.kanon.table import SUPPRESSED

if TYPE_CHECKING:
    import pyarrow as pa

    from ctdhub.kanon.inference import Inference
    from ctdhub.kanon.risk import Risk

FORMS = (".csv", ".parquet")

LEAST_PUBLISHED = 5
"""The least k of a file about victims; see ``docs/how-to/publish-a-one-off-file.md``."""


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("kanon"))
    def kanon(
        table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
        k: Annotated[int, typer.Option(help=_("Minimum number of equal rows, 5 or more."))] = 11,
        columns: Annotated[
            str, typer.Option(help=_("Columns to publish, with commas; by default all."))
        ] = "",
        out: Annotated[
            Path | None,
            typer.Option(help=_("File to write, .csv or .parquet; by default next to the table.")),
        ] = None,
        suppressed: Annotated[
            str, typer.Option(help=_("What a suppressed cell says."))
        ] = SUPPRESSED,
        extra: Annotated[
            float,
            typer.Option(
                min=0,
                max=0.9,
                help=_(
                    "Chance that a column of a class is suppressed beyond need, so that a "
                    "suppressed cell says less; for example 0.1."
                ),
            ),
        ] = 0.0,
        force: Annotated[
            bool, typer.Option("--force", help=_("Replace an existing file."))
        ] = False,
    ) -> None:
        from ctdhub.kanon.table import anonymise
        from ctdhub.sensitive.ingest import formulas

        if k < LEAST_PUBLISHED:
            raise error("k/published")
        target = out or table.with_name(f"{table.stem}.k{k}{_form(table)}")
        _may_write(table, target, force)
        with bar() as progress:
            progress(_("Reading the file"), 0.0)
            given, notes = _read(table)
            chosen, left_out = _choose(given, columns)
            if target.suffix.lower() == ".csv":
                rows = range(2, chosen.num_rows + 2)
                formulas.refuse(chosen.column_names, chosen.columns, rows, table.name, 1)
            done = anonymise(
                chosen,
                k,
                suppressed=suppressed,
                extra=extra,
                report=lambda part: progress(_("Suppressing cells"), part),
            )
            _write(done.table, target)
        for note in notes:
            console.print(escape(note))
        if left_out:
            names = escape(printable(listed(left_out), 2000))
            console.print(
                _("Left out, because --columns does not name them: {names}.").format(names=names)
            )
        console.print(_figures(done.account))
        console.print(_by_column(done.account, done.inference))
        console.print(_told(done.inference, k, extra))
        _warn(suppressed)
        options.tell_written(target)


def _form(path: Path) -> str:
    return ".parquet" if path.suffix.lower() == ".parquet" else ".csv"


def _may_write(table: Path, target: Path, force: bool) -> None:
    """Refuse a name that cannot be written before anything is read."""
    options.require_suffix(target, *FORMS)
    if target.exists() and (not force or target.samefile(table)):
        raise error("no-overwrite/kanon", file=target)


def _read(path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    """The table as text columns, and what its reader decided on its own."""
    from ctdhub.core.tabular import ROW
    from ctdhub.sensitive.ingest.readers import read_table

    if path.suffix.lower() == ".parquet":
        return _read_parquet(path), ()
    raw = read_table(path).whole()
    return raw.table.drop_columns([ROW]), tuple(map(said, raw.notes))


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        return table.cast(pa.schema([pa.field(name, pa.string()) for name in table.column_names]))
    except (pa.ArrowException, UnicodeError) as cause:
        raise error("parquet/kanon", file=path) from cause


def _choose(table: pa.Table, columns: str) -> tuple[pa.Table, list[str]]:
    """The named columns in the table's order, and the names of the others."""
    named = {name.strip() for name in columns.split(",") if name.strip()}
    if strangers := sorted(named - set(table.column_names)):
        raise error("columns/unknown", column=", ".join(strangers))
    if not named:
        return table, []
    kept = [name for name in table.column_names if name in named]
    return table.select(kept), [name for name in table.column_names if name not in named]


def _write(table: pa.Table, target: Path) -> None:
    """Write beside the file and put it in place at the end, so that no half file is ever seen."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    from ctdhub.core.atomic import made_whole

    with made_whole(target) as part:
        if target.suffix.lower() == ".csv":
            if table.num_columns == 1:  # an empty line would be no row to many readers
                table = pa.table([pc.fill_null(table[0], "")], names=table.column_names)
            pa_csv.write_csv(table, part, pa_csv.WriteOptions(quoting_style="needed"))
        else:
            pq.write_table(table, part, compression="zstd")


def _figures(account: Risk) -> Table:
    from ctdhub.kanon.risk import RISK_GOAL

    table = Table(show_header=False)
    goal = share(RISK_GOAL)
    for label, value in (
        (_("rows read and written"), number(account.records)),
        (_("rows dropped"), number(account.dropped)),
        (_("rows without a suppressed cell"), number(account.whole)),
        (_("cells suppressed"), number(account.cells_lost)),
        (_("share of all cells"), share(account.share_lost, fine=True)),
        (_("classes of equal rows"), number(account.classes)),
        (_("smallest class"), number(account.smallest)),
        (_("global re-identification risk before"), share(account.risk_before, fine=True)),
        (_("the same now; HDX asks for less than {goal}").format(goal=goal),
         share(account.risk_after, fine=True)),
    ):  # fmt: skip
        table.add_row(label, value)
    return table


def _by_column(account: Risk, tells: Inference) -> Table:
    table = Table(_("column"), _("cells suppressed"), _("share"), _("lift"))
    for name, cells in account.lost.items():
        part = cells / account.records if account.records else 0.0
        lift = decimal(tells.lift[name]) if name in tells.lift else "–"
        table.add_row(escape(printable(name)), number(cells), share(part, fine=True), lift)
    return table


def _told(tells: Inference, k: int, extra: float) -> str:
    """What suppression tells, and what helps against it."""
    lines = [
        _(
            "Lift: how many times more often some value occurs in suppressed cells than "
            "elsewhere (values of {k} rows or more); 1 reveals nothing. In the worst class "
            "it is {worst}."
        ).format(k=k, worst=decimal(tells.worst)),
        _(
            "In {told} of {narrow} classes of exactly {k} rows with one suppressed column, that "
            "column holds different values: anyone who knows the method can conclude this."
        ).format(told=number(tells.told), narrow=number(tells.narrow), k=k),
    ]
    if not extra and tells.narrow:
        lines.append(_("--extra 0.1 suppresses more at random, so that suppression reveals less."))
    return escape("\n".join(lines))


def _warn(suppressed: str) -> None:
    label = _("Before you publish:")
    console.print(f"[bold yellow]{escape(label)}[/]")
    for sentence in (
        _(
            "k-anonymity does not compose: two such files about the same people can together "
            "reveal what neither reveals alone. Use it for one-off files; differential privacy is "
            "the default, and no entry of the ledger covers this file."
        ),
        _(
            "Which cells are suppressed depends on the data; the figures above say what somebody "
            "who knows the method concludes from it (minimality)."
        ),
        _("In the file, an empty cell means not recorded, and {text} means suppressed.").format(
            text=suppressed
        ),
    ):
        console.print(escape(f"- {sentence}"))
