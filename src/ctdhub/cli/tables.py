"""Verbs for tables without a hub: protect, domains, kanon; count; signals and estimate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import typer
from pyarrow import compute, csv, parquet
from rich.markup import escape
from rich.table import Table

from ctdhub.border import Protected
from ctdhub.cli import options
from ctdhub.cli.options import table_help
from ctdhub.cli.output import bar, console, errors, say, show_error, show_table
from ctdhub.core.errors import error, printable
from ctdhub.core.files import made_whole
from ctdhub.core.format import decimal, exact, listed, number, share, tiny
from ctdhub.core.i18n import _, ngettext, said, said_all
from ctdhub.core.tables import ROW, as_json, endings
from ctdhub.document import text
from ctdhub.document.document import Document
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.policy import usual_promise
from ctdhub.dp.secagg import masks, parties
from ctdhub.dp.secagg.messages import Round, Terms, Total, read_any, read_round
from ctdhub.dp.standalone import domains as scopes
from ctdhub.dp.standalone import table as standalone
from ctdhub.kanon.table import RISK_GOAL, Inference, Risk, anonymise
from ctdhub.release.open import Release
from ctdhub.release.standalone import check_ledger, check_out, write_alone
from ctdhub.report import mse as words
from ctdhub.report import signal_charts
from ctdhub.report.mse import chart_file, double_people, report, said_first, scope
from ctdhub.schema.model import LEVEL
from ctdhub.sensitive.ingest.delimited import refuse_formulas
from ctdhub.sensitive.ingest.identifiers import find_identifiers
from ctdhub.sensitive.ingest.raw import read_as_is, read_table
from ctdhub.stats.mse.estimate import QUESTIONS, REPLICATES, Label, Method, Result
from ctdhub.stats.mse.estimate import estimate as estimate_of
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.mse.of_release import links_in, list_names, lists_in, measured_strata, strata_in
from ctdhub.stats.mse.read import lists_of
from ctdhub.stats.signals import find as periods
from ctdhub.stats.signals.events import each_event_once, leads_of, with_totals
from ctdhub.stats.signals.find import MIN_COUNT, RATE, Search, Settings, find
from ctdhub.stats.signals.of_release import signals as signals_of
from ctdhub.stats.signals.panel import SeriesPanel, read_period
from ctdhub.stats.signals.read import SeriesFile, panel_of_table

# --------------------------------------------------------------------------------------------------
# Verbs for any table, without a hub: protect, domains (and rehearse, in its own module).

SUPPORT = {"complete": 0, "cautious": 4} | {str(n): n for n in range(5)}
FAULT = 1
"""Exit code where the answer is charged and written, and must not be published."""

Support = Annotated[str | None, typer.Option()]


def protect(
    domains: options.Needed,
    epsilon: Annotated[float, typer.Option(min=0.001, max=100)],
    delta: Annotated[float, typer.Option()],
    max_people: Annotated[int, typer.Option(min=1)],
    out: options.NeededPath,
    table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
    support: Support = None,
    imputations: Annotated[int, typer.Option(min=0, max=100)] = 0,
    ledger: Path | None = None,
    new_ledger: str = "",
    budget: Annotated[float | None, typer.Option(min=0.001, max=1000)] = None,
) -> None:
    """The verb ``protect``."""
    standalone.check_delta(delta, max_people)
    budget = budget or usual_promise(max_people)[1]
    support_level = support_of(support)
    charge = check_out(out)
    if ledger is not None:
        check_ledger(ledger, out)
    book = standalone.ledger_of_table(ledger, new_ledger)
    before = len(book.entries())
    with bar() as progress:
        progress(_("reading"), 0.0)
        raw = read_as_is(table)
        scope = scopes.scope_of(domains, raw.table.column_names, support_level, imputations)
        left_out, notes = scope.left_out(raw.table.column_names), raw.notes
        fitted, rows = standalone.fit_domains(raw, scope), scope.plan.rows
        show_kept(scopes.kept_from(scope.plan, epsilon, delta))
        del raw  # as large as all that follows
        progress(_("counting"), 0.05)
        answer = standalone.protect_alone(
            fitted,
            epsilon=epsilon,
            delta=delta,
            budget=budget,
            ledger=book,
            out=out,
            receipt=charge,
            progress=progress,
        )
        with book.exclusive(), standalone.writing(book, answer.guarantee.charge, out):
            write_alone(answer, out, rows, max_people)
    show_left_out(left_out)
    for note in notes:
        say(said(note), to=errors)
    if len(book.entries()) == before:
        say(_("This was answered before: nothing was charged."))
    show(answer, rows)
    show_spent(book, delta, budget)
    say(_("Files are in {folder}."), folder=out)
    if fault := standalone.too_many(answer, rows, max_people):
        show_error(fault)
        raise typer.Exit(FAULT)


def domains(
    table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
    out: Path = Path("domains.yaml"),
) -> None:
    """The verb ``domains``."""
    raw = read_as_is(table)
    text = scopes.draft(raw, {hit.column: said(hit.reason) for hit in find_identifiers(raw)})
    try:
        with out.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        raise error("draft-exists", file=out) from None
    say(_("Drafted {file}."), file=out)
    say(
        _(
            "Review this draft before use. Values were read from your data and may "
            "reveal individuals: compare each column with public documents, such as "
            "the code book of the form; add values that may occur, remove those known "
            "from the data alone; then set checked: true."
        )
    )


def support_of(text: str | None) -> int | None:
    """The number of a support setting, None where it is not given.

    Raises:
        PolicyError: it is none.
    """
    if text is not None and text not in SUPPORT:
        raise error("usage/support", name="--support")
    return None if text is None else SUPPORT[text]


def show_kept(pairs: Mapping[tuple[str, ...], int]) -> None:
    """From how many people on the records keep combinations of wide columns without a focus."""
    for names, people in pairs.items():
        say(
            _(
                "{columns}: no focus. The records keep combinations of these columns from "
                "about {n} people on; smaller ones are spread over what is likely. Name the "
                "pair that readers use most under focus in the domains file."
            ),
            to=errors,
            columns=" × ".join(map(printable, names)),
            n=number(people),
        )


def show_left_out(names: Sequence[str]) -> None:
    """Columns of the table that are not protected, hence not written."""
    if names:
        text = _("Left out, because no permitted values are given: {columns}")
        say(text, columns=", ".join(map(printable, names)))


def show(answer: Protected, rows: int) -> None:
    """The answer in two lines: how many, what was promised."""
    people, g = answer.people, answer.guarantee
    say(
        _("{n} people ({low} to {high}); epsilon {epsilon}, delta {delta}.")
        if rows == 1
        else _(
            "{n} rows ({low} to {high}), at most {rows} of one person; epsilon {epsilon}, "
            "delta {delta}."
        ),
        n=number(people.value),
        low=number(people.low),
        high=number(people.high),
        rows=number(rows),
        epsilon=exact(g.epsilon),
        delta=tiny(g.delta),
    )


def show_spent(book: Ledger, delta: float, budget: float) -> None:
    """How much of a budget a ledger has spent."""
    spent = decimal(book.guarantee(book.strictest(delta)), "#,##0.000")
    say(_("Ledger: epsilon {spent} of {budget} spent."), spent=spent, budget=exact(budget))


# --------------------------------------------------------------------------------------------------
# Verb for one-off files: kanon.

FORMS = (".csv", ".parquet")

LEAST_PUBLISHED = 5
"""The least k of a file about victims; see ``docs/how-to/publish-a-one-off-file.md``."""


def kanon(
    table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
    k: int = 11,
    columns: str = "",
    out: Path | None = None,
    suppressed: str = "suppressed",
    extra: Annotated[float, typer.Option(min=0, max=0.9)] = 0.0,
    force: Annotated[bool, typer.Option("--force")] = False,
) -> None:
    """The verb ``kanon``."""
    if k < LEAST_PUBLISHED:
        raise error("k/published")
    target = out or table.with_name(f"{table.stem}.k{k}{_form(table)}")
    _may_write(table, target, force)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        content, notes = _read(table)
        chosen, left_out = _choose(content, columns)
        if target.suffix.lower() == ".csv":
            rows = range(2, chosen.num_rows + 2)
            refuse_formulas(chosen.column_names, chosen.columns, rows, table.name, 1)
        done = anonymise(
            chosen,
            k,
            suppressed=suppressed,
            extra=extra,
            report=lambda part: progress(_("Suppressing cells"), part),
        )
        _write(done.table, target)
    for note in notes:
        say(note)
    if left_out:
        names = printable(listed(left_out), 2000)
        say(_("Left out, because --columns does not name them: {names}."), names=names)
    show_table("", ("", ""), _figures(done.account), fold=False)
    _show_columns(done.account, done.inference)
    say(_advice(done.inference, k, extra))
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
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path), ()
    raw = read_table(path).whole()
    return raw.table.drop_columns([ROW]), tuple(map(said, raw.notes))


def _read_parquet(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file:
            table = parquet.read_table(file)
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
    with made_whole(target) as part:
        if target.suffix.lower() == ".csv":
            if table.num_columns == 1:  # an empty line would be no row to many readers
                table = pa.table([compute.fill_null(table[0], "")], names=table.column_names)
            csv.write_csv(table, part, csv.WriteOptions(quoting_style="needed"))
        else:
            parquet.write_table(table, part, compression="zstd")


def _figures(account: Risk) -> tuple[tuple[str, str], ...]:
    return (
        (_("rows read and written"), number(account.records)),
        (_("rows dropped"), number(account.dropped)),
        (_("rows without a suppressed cell"), number(account.whole)),
        (_("cells suppressed"), number(account.cells_lost)),
        (_("share of all cells"), share(account.share_lost, fine=True)),
        (_("classes of equal rows"), number(account.classes)),
        (_("smallest class"), number(account.smallest)),
        (_("global re-identification risk before"), share(account.risk_before, fine=True)),
        (_("the same now; HDX asks for less than {goal}").format(goal=share(RISK_GOAL)),
         share(account.risk_after, fine=True)),
    )  # fmt: skip


def _show_columns(account: Risk, tells: Inference) -> None:
    rows = []
    for name, cells in account.lost.items():
        part = cells / account.records if account.records else 0.0
        lift = decimal(tells.lift[name]) if name in tells.lift else "–"
        rows.append((printable(name), number(cells), share(part, fine=True), lift))
    head = (_("column"), _("cells suppressed"), _("share"), _("lift"))
    show_table("", head, rows, fold=False)


def _advice(tells: Inference, k: int, extra: float) -> str:
    """What suppression tells, and what helps against it."""
    lines = [
        _(
            "Lift: how many times more often some value occurs in suppressed cells than "
            "elsewhere (values of {k} rows or more); 1 reveals nothing. In the worst class "
            "it is {worst}."
        ).format(k=number(k), worst=decimal(tells.worst)),
        _(
            "In {told} of {narrow} classes of exactly {k} rows with one suppressed column, that "
            "column holds different values: anyone who knows the method can conclude this."
        ).format(told=number(tells.disclosures), narrow=number(tells.narrow), k=number(k)),
    ]
    if not extra and tells.narrow:
        lines.append(_("--extra 0.1 suppresses more at random, so that suppression reveals less."))
    return "\n".join(lines)


def _warn(suppressed: str) -> None:
    label = _("Before you publish:")
    console.print(f"[bold yellow]{escape(label)}[/]")
    for sentence in said_all("ctdhub.cli", "notes")["kanon"]:
        say(f"- {sentence}", text=suppressed)


# --------------------------------------------------------------------------------------------------
# The verb ``count``: a round of counts without records, for the hub and for a contributor.

MOST_PEOPLE = 2**28
"""Tables hold 32 bits with a sign, and all that a contributor of false counts does must fit too."""


def count_show(file: Path) -> None:
    """The verb ``ctdhub count show``."""
    message, body = read_any(file)
    say(_("A file of kind {kind}, {n} bytes of numbers."), kind=message.kind, n=number(len(body)))
    who = getattr(message, "contributor", None)
    if who:
        say(_("It comes from {contributor}."), contributor=who)
    if isinstance(message, Terms):
        _show_terms(message)
    if isinstance(message, Total):
        say(_("In the sum: {names}."), names=", ".join(message.contributors))
        message = message.round
    if isinstance(message, Round):
        _show_terms(message.terms)
        _show_round(message)


def count_new(
    exchange: Path,
    keep: options.NeededPath,
    domains: options.Needed,
    contributor: Annotated[list[str], typer.Option()],
    epsilon: Annotated[float, typer.Option(min=0.001, max=100)],
    delta: Annotated[float, typer.Option()],
    max_people: Annotated[int, typer.Option(min=1, max=MOST_PEOPLE)],
    known_to: Annotated[int | None, typer.Option(min=1)] = None,
    liars: Annotated[int, typer.Option(min=1)] = 1,
    column: list[str] | None = None,
) -> None:
    """The verb ``ctdhub count new``."""
    if column and domains != scopes.SCHEMA:
        raise error("usage/goes-with", name="--column", other=f"--domains {scopes.SCHEMA}")
    domains_file = None if domains == scopes.SCHEMA else scopes.checked_domains(Path(domains))
    columns = scopes.public_columns(column or ()) if domains_file is None else ()
    terms = parties.new_round(
        exchange,
        keep,
        domains_file,
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
    _show_noise(n, masks.guarding(n, parties.usual_threshold(n, liars), liars))
    _next(
        _("Send plan.count to every contributor; each runs `ctdhub count join`."),
        _("When their files are back: `ctdhub count start`."),
    )


def count_start(
    exchange: Path,
    keep: options.NeededPath,
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
    keep: options.NeededPath,
    ledger: Path | None = None,
    new_ledger: str = "",
    budget: Annotated[float, typer.Option(min=0.001, max=1000)] = 6.0,
    without: list[str] | None = None,
) -> None:
    """The verb ``ctdhub count close``."""
    if ledger is not None:
        parties.refuse_seen(exchange, ledger)
    book = standalone.ledger_of_table(ledger, new_ledger)
    with bar() as progress:
        progress(_("checking masked counts"), 0.2)
        asked = parties.close_round(exchange, keep, without or (), ledger=book, budget=budget)
    say(_("In the sum: {names}."), names=", ".join(asked.bodies))
    show_spent(book, book.entries()[-1].delta, budget)
    _next(
        _("Send request.count to every contributor; each runs `ctdhub count reveal`."),
        _("When enough files are back: `ctdhub count sum`."),
    )


def count_sum(exchange: Path, keep: options.NeededPath) -> None:
    """The verb ``ctdhub count sum``."""
    with bar() as progress:
        progress(_("removing the masks"), 0.2)
        path, total = parties.total_of_round(exchange, keep)
    say(_("The sum of {names} is in {file}."), names=", ".join(total.contributors), file=path)
    text = _("Make the release: `ctdhub count release {file} --out protected`.")
    _next(text.format(file=path))


def count_release(file: Path, out: options.NeededPath, support: Support = None) -> None:
    """The verb ``ctdhub count release``."""
    level = support_of(support)
    check_out(out)
    with bar() as progress:
        progress(_("reading"), 0.0)
        result = parties.read_sum(file)
        answer = parties.protected(result, level, progress=progress)
        round_ = result.total.round
        write_alone(answer, out, round_.plan.rows, round_.terms.max_people)
    if strange := result.impossible():
        say(
            _(
                "Noisy cells that no correct sum can give, far below zero or above the "
                "number of all people: {n}. A contributor sent false counts or false "
                "noise. Do not publish this before you have spoken with all of them."
            ),
            to=errors,
            n=number(strange),
        )
    show(answer, round_.plan.rows)
    say(_("Files are in {folder}."), folder=out)


def count_join(exchange: Path, keep: options.NeededPath, name: options.Needed) -> None:
    """The verb ``ctdhub count join``."""
    path = parties.join_round(exchange, keep, name)
    say(_("Your secrets are in {folder}."), folder=keep)
    _next(
        _("Send {file} to the hub.").format(file=path.name),
        _("When round.count has come: `ctdhub count mask`."),
    )


def count_mask(
    table: Annotated[Path, typer.Argument(help=table_help(".parquet"))],
    exchange: Path,
    keep: options.NeededPath,
) -> None:
    """The verb ``ctdhub count mask``."""
    with bar() as progress:
        progress(_("reading"), 0.0)
        raw = read_as_is(table)
        path = parties.mask_counts(exchange, keep, raw, progress=progress)
    for note in raw.notes:
        say(said(note), to=errors)
    round_ = read_round(exchange)
    show_left_out(round_.terms.scope().left_out(raw.table.column_names))
    _show_terms(round_.terms)
    _show_round(round_)
    say(_("{file}: {n} bytes."), file=path.name, n=number(path.stat().st_size))
    _next(
        _("Read the fingerprint out to another contributor, by telephone, before you send."),
        _("If it is the same, send {file} to the hub.").format(file=path.name),
        _("When request.count has come: `ctdhub count reveal`."),
    )


def count_reveal(exchange: Path, keep: options.NeededPath) -> None:
    """The verb ``ctdhub count reveal``."""
    path, asked = parties.reveal_shares(exchange, keep)
    say(_("In the sum: {names}."), names=", ".join(asked.bodies))
    if parties.open_keep(keep).party not in asked.bodies:
        say(_("Your counts are not in it; your answer helps the others."))
    say(_("Your key of this round is destroyed."))
    _next(_("Send {file} to the hub.").format(file=path.name))


def _show_terms(terms: Terms) -> None:
    layout, domains = terms.layout(), terms.scope().plan.domains
    listed = (f"{printable(name)} ({number(len(values))})" for name, values in domains.items())
    say(_("Columns, with the number of values of each: {columns}."), columns=", ".join(listed))
    say(
        _("{tables} tables, {cells} cells; at most {known} contributors know one person."),
        tables=number(len(layout.tables)),
        cells=number(layout.cells),
        known=number(terms.known_to),
    )
    say(
        _(
            "Guarantee: epsilon {epsilon}, delta {delta}, for up to {most} people. Contributors "
            "that may collude with the hub without breaking it: {liars}. The round is charged in "
            "full, "
            "even if it is spoilt after it is closed."
        ),
        epsilon=exact(terms.epsilon),
        delta=exact(terms.delta),
        liars=number(terms.liars),
        most=number(terms.max_people),
    )


def _show_round(round_: Round) -> None:
    say(
        _("{n} contributors: {names}. {needed} of them must stay to the end."),
        n=number(len(round_.names)),
        names=", ".join(round_.names),
        needed=number(round_.threshold),
    )
    _show_noise(len(round_.names), round_.honest)
    say(_("Fingerprint of the round: {digits}"), digits=round_.fingerprint())


def _show_noise(contributors: int, honest: int) -> None:
    """What it costs that nobody is trusted with the exact sum."""
    say(
        _(
            "Each contributor adds noise; the noise of {honest} honest contributors is "
            "enough. If all {n} stay, the variance is {times} times that of a hub that is "
            "trusted with the exact sum."
        ),
        n=number(contributors),
        honest=number(honest),
        times=decimal(contributors / honest, "0.##"),
    )


def _next(*steps: str) -> None:
    say(_("Next:"))
    for step in steps:
        say(f"  {step}")


# --------------------------------------------------------------------------------------------------
# Verbs that read a table or a release: signals, estimate.


FORMATS = ("text", "json")


Gaps = Literal["missing", "zero"]
"""What a period without a row means."""


def signals(
    source: Annotated[
        Path,
        typer.Argument(
            help=_("A table ({formats}, …), a hub, or the folder of a release.").format(
                formats=endings()
            )
        ),
    ] = Path(),
    fdr: Annotated[float, typer.Option(min=0.001, max=0.5)] = RATE,
    window: Annotated[int | None, typer.Option(min=1)] = None,
    past: Annotated[int | None, typer.Option(min=3)] = None,
    noise_sd: Annotated[float | None, typer.Option(min=0.0, max=1e9)] = None,
    min_count: Annotated[int, typer.Option(min=0)] = MIN_COUNT,
    gaps: Gaps | None = None,
    until: str | None = None,
    lang: str = "",
    form: Annotated[str, options.form(FORMATS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``signals``."""
    settings = Settings(window, past, fdr, min_count)
    with options.answering(form, FORMATS, lang, out):
        if source.is_dir():
            _require_table_for({"--noise-sd": noise_sd, "--gaps": gaps, "--until": until})
            document, data = _of_release(source, settings)
        else:
            table = _table(source, noise_sd or 0.0, gaps_are_zero=gaps == "zero")
            document, data = _of_file(table, settings, until)
        answer = as_json(data) if form == "json" else text.write_plain(document)
        options.deliver(answer, out, private=source.is_file())


def _require_table_for(values: dict[str, object]) -> None:
    """A release knows its own noise and years.

    Raises:
        HubError: an option was given that only a table needs.
    """
    for name, value in values.items():
        if value is not None:
            raise error("usage/table-only", name=name)


def _table(path: Path, noise_sd: float, *, gaps_are_zero: bool) -> SeriesFile:
    """A table as text.

    Raises:
        HubError: it cannot be read, or a row of it.
    """
    raw = read_table(path).whole()
    columns = {name: raw.table[name].to_pylist() for name in raw.table.column_names if name != ROW}
    rows = raw.table[ROW].to_pylist()
    return SeriesFile(columns, rows, raw.file, noise_sd, gaps_are_zero)


def _of_file(
    table: SeriesFile, settings: Settings, until: str | None
) -> tuple[Document, dict[str, Any]]:
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        panel, notes = panel_of_table(table)
        warnings = [said(note) for note in notes]
        progress(_("Looking for signals"), 0.3)
        panel, left_out = _to_the_end(panel, until, table.file)
        warnings += left_out
        scan = each_event_once(find(with_totals(panel), settings, smallest=False), leads_of)
    _require_tests(scan, table.file)
    return signal_charts.file_document(scan, warnings), signal_charts.of_file(scan, warnings)


def _to_the_end(panel: SeriesPanel, until: str | None, file: str) -> tuple[SeriesPanel, list[str]]:
    """The panel up to the period that was asked for, or without the last ones on which reports
    are still to come, and what to say of them.

    Raises:
        HubError: the table has no such period.
    """
    if until is None:
        panel, late = periods.finished(panel)
        return panel, [] if not late else [
            ngettext(
                "The last {n} period ({first}) is left out, since reports on it still seem to "
                "come: all series together are far below what their past suggests. Add `--until "
                "{last}` to keep it.",
                "The last {n} periods ({first} to {last}) are left out, since reports on them "
                "still seem to come: all series together are lower the nearer to the end. A fall "
                "that goes on would look the same; add `--until {last}` to keep them.",
                len(late),
            ).format(n=number(len(late)), first=str(late[0]), last=str(late[-1]))
        ]
    asked = read_period(until)
    part = periods.until(panel, asked) if asked else None
    if part is None:
        raise error("usage/until", file=file, value=until, last=str(panel.periods[-1]))
    return part, []


def _require_tests(scan: Search, file: str) -> None:
    if not scan.tests:
        raise error("too-few-periods", file=file, column="period")


def _of_release(source: Path, settings: Settings) -> tuple[Document, dict[str, Any]]:
    with bar() as progress:
        progress(_("Opening the release"), 0.0)
        release = options.opened(source)
        progress(_("Looking for signals"), 0.3)
        result = signals_of(release, settings)
    if result.search is not None and (settings.window or settings.past):
        _require_tests(result.search, release.version)
    return signal_charts.release_document(result), signal_charts.of_release(result)


# --------------------------------------------------------------------------------------------------
# The verb ``estimate``: how many people are on no list.

REFUSED = 1
"""Exit code where the lists overlap too little for any number."""


def estimate(
    source: Annotated[Path, typer.Argument(metavar="LISTS|HUB|RELEASE")] = Path(),
    form: Annotated[str, options.form(FORMATS)] = "text",
    chart: Path | None = None,
    replicates: Annotated[int, typer.Option(min=100, max=100_000)] = REPLICATES,
    level: float | None = None,
    strata: str = "",
    same_place: Annotated[bool | None, typer.Option("--same-place/--other-places")] = None,
    refer: bool | None = None,
    one_register: Annotated[bool | None, typer.Option("--one-register/--own-registers")] = None,
    lang: str = "",
    out: Path | None = None,
) -> None:
    """The verb ``estimate``."""
    _check(chart, level)
    with options.answering(form, FORMATS, lang, out):
        lists, within, notes, release = _read_lists(source, strata)
        links = links_in(release) if release else None
        said_here = zip(QUESTIONS, (same_place, refer, one_register), strict=True)
        known = release.facts.list_answers if release else {}
        answers = {str(k): yes for k, yes in (*known.items(), *said_here) if yes is not None}
        names = list_names(release) if release else {}
        first = scope(release) if release else ""
        level = level or (release.protected.guarantee.level if release else LEVEL)
        with bar() as progress:
            result = estimate_of(
                lists,
                level,
                replicates,
                report=progress,
                strata=within,
                links=links,
                answers=answers,
            )
        if chart is not None:
            drawn = chart_file(result, names, printable(source.resolve().name), first)
            options.write(drawn, chart, private=release is None)
        if form == "json":
            content = report(result)
            content["warnings"] = [*notes, *content["warnings"]]
            if release:
                content |= said_first(release, content)
            options.deliver(as_json(content), out, private=release is None)
        else:
            usual = next(iter(measured_strata(release)), "") if release else ""
            variable = (strata.strip() or usual) if release else ""
            first_notes = (double_people(release) if release else "", *notes)

            def show() -> None:
                if first:
                    console.print(f"[bold yellow]{escape(first)}[/]")
                _print(result, first_notes, names, variable)

            options.deliver(show, out, private=release is None)
            if chart is not None:
                options.tell_written(chart)
    if result.gate.refused:
        raise typer.Exit(REFUSED)


def _check(chart: Path | None, level: float | None) -> None:
    """Refuse what cannot be done before anything is computed."""
    if level is not None and not 0.5 <= level <= 0.99:
        raise error("level")
    if chart is not None:
        options.require_suffix(chart, ".svg")
        options.require_new(chart, "--chart")


def _read_lists(
    source: Path, strata: str = ""
) -> tuple[Lists, dict[Label, Lists], tuple[str, ...], Release | None]:
    """The lists, the same within strata, warnings on the file, and the release that they are of, if
    any."""

    wanted = [name.strip() for name in strata.split(",") if name.strip()]
    if source.is_dir():
        release = options.opened(source)
        lists = lists_in(release)
        if lists is None:
            raise error("no-overlap", file=source)
        measured = measured_strata(release)
        if wanted and (len(wanted) > 1 or wanted[0] not in measured):
            raise error("strata-release", file=source, measured=", ".join(measured) or "-")
        return lists, dict(strata_in(release, *wanted)), (), release
    raw = read_as_is(source)
    names = [name for name in raw.table.column_names if name != ROW]
    columns = [raw.table[name].to_pylist() for name in names]
    rows = list(zip(raw.table[ROW].to_pylist(), zip(*columns, strict=True), strict=True))
    lists, within, notes = lists_of(names, rows, raw.file, wanted)
    return lists, within, tuple(map(said, (*raw.notes, *notes))), None


def _print(result: Result, notes: tuple[str, ...], names: Mapping[str, str], variable: str) -> None:
    if result.gate.refused:
        console.print(f"[bold yellow]{escape(words.refusal(result.gate, names))}[/]")
    else:
        console.print(f"[bold]{escape(words.spread(result, names))}[/]")
    say(words.seen(result))
    if result.methods:
        title = _("Estimated total, including people on no list, with {level} intervals").format(
            level=share(result.level)
        )
        console.print(_methods_table(title, result.methods))
        title = _("If the lists are not independent")
        console.print(_methods_table(title, words.depending(result)))
        if result.strata is not None:
            say(words.strata(result.strata, variable))
        for method in result.methods:
            if method.pairs:
                pairs = _("; ").join(" – ".join(names.get(n, n) for n in p) for p in method.pairs)
                text = _("{method}: lists that depend on each other: {pairs}.")
                say(text, method=words.method_name(method.name), pairs=printable(pairs, 500))
            if method.bootstrap is not None:
                say(words.bootstrap(method, result.level))
        _show_changes(result, names)
    warnings = [*filter(None, notes), *words.warnings(result, names)]
    if warnings:
        label = _("Before you use a number:")
        console.print(f"[bold yellow]{escape(label)}[/]")
        for sentence in warnings:
            say(f"- {sentence}")
    if result.methods:
        label = _("Assumed by all methods:")
        console.print(f"[bold]{escape(label)}[/]")
        for sentence in words.always():
            say(f"- {sentence}")


def _methods_table(title: str, methods: Iterable[Method]) -> Table:
    table = Table(title=title)
    table.add_column(_("method"), overflow="fold")
    for heading in (_("people"), _("Lower bound"), _("Upper bound")):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(_("what it assumes"), overflow="fold")
    for m in methods:
        assumes = words.assumption(m.name) if m.why is None else words.why_not(m.why)
        ends = [_people(x) for x in (m.value, m.low, m.high)]
        table.add_row(words.method_name(m.name), *ends, assumes)
    return table


def _show_changes(result: Result, names: Mapping[str, str]) -> None:
    methods = (words.method_name("stepwise"), words.method_name("independent"))
    rows = []
    for c in result.changes:
        ends = [_people(x) for x in (c.seen, c.stepwise, c.independent)]
        rows.append((printable(words.change(c, names), 200), *ends))
    title = _("If lists or links between records were different")
    show_table(title, (_("change"), _("people seen"), *methods), rows, right=1)


def _people(value: float | None) -> str:
    return "–" if value is None else number(value)
