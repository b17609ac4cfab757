"""Verbs that read a table or a release: signals, estimate."""

from __future__ import annotations  # help is said in the language that is known by then

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console, say, show_table
from ctdhub.core.errors import error, printable
from ctdhub.core.format import number, share
from ctdhub.core.i18n import _, ngettext, said
from ctdhub.core.tables import ROW, as_json
from ctdhub.document import text
from ctdhub.document.document import Document
from ctdhub.release.open import Release
from ctdhub.report import mse as words
from ctdhub.report import signal_charts
from ctdhub.report.mse import chart_file, double_people, report, said_first, scope
from ctdhub.sensitive.ingest.readers import read_as_is, read_table
from ctdhub.stats.mse.bootstrap import Method
from ctdhub.stats.mse.estimate import LEVEL, QUESTIONS, REPLICATES, Label, Result
from ctdhub.stats.mse.estimate import estimate as estimate_of
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.mse.of_release import links_in, list_names, lists_in, measured_strata, strata_in
from ctdhub.stats.mse.read import lists_of
from ctdhub.stats.signals import find as periods
from ctdhub.stats.signals.events import each_event_once, leads_of, with_totals
from ctdhub.stats.signals.find import MIN_COUNT, RATE, Found, Settings, find
from ctdhub.stats.signals.of_release import signals as signals_of
from ctdhub.stats.signals.panel import SeriesPanel, read_period
from ctdhub.stats.signals.read import Given, panel_of_table

FORMATS = ("text", "json")


Gaps = Literal["missing", "zero"]
"""What a period without a row means."""


def signals(
    source: Annotated[
        Path,
        typer.Argument(
            help=_("A table ({formats}, …), a hub, or the folder of a release.").format(
                formats=options.formats()
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
            told, data = _of_release(source, settings)
        else:
            given = _table(source, noise_sd or 0.0, gaps_are_zero=gaps == "zero")
            told, data = _of_file(given, settings, until)
        answer = as_json(data) if form == "json" else text.write_plain(told)
        options.deliver(answer, out, private=source.is_file())


def _require_table_for(given: dict[str, object]) -> None:
    """A release knows its own noise and years.

    Raises:
        HubError: an option was given that only a table needs.
    """
    for name, value in given.items():
        if value is not None:
            raise error("usage/table-only", name=name)


def _table(path: Path, noise_sd: float, *, gaps_are_zero: bool) -> Given:
    """A table as text.

    Raises:
        HubError: it cannot be read, or a row of it.
    """
    raw = read_table(path).whole()
    columns = {name: raw.table[name].to_pylist() for name in raw.table.column_names if name != ROW}
    rows = raw.table[ROW].to_pylist()
    return Given(columns, rows, raw.file, noise_sd, gaps_are_zero)


def _of_file(
    given: Given, settings: Settings, until: str | None
) -> tuple[Document, dict[str, Any]]:
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        panel, notes = panel_of_table(given)
        warnings = [said(note) for note in notes]
        progress(_("Looking for signals"), 0.3)
        panel, left_out = _to_the_end(panel, until, given.file)
        warnings += left_out
        found = each_event_once(find(with_totals(panel), settings, smallest=False), leads_of)
    _require_tests(found, given.file)
    return signal_charts.file_document(found, warnings), signal_charts.of_file(found, warnings)


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
    found = periods.until(panel, asked) if asked else None
    if found is None:
        raise error("usage/until", file=file, value=until, last=str(panel.periods[-1]))
    return found, []


def _require_tests(found: Found, file: str) -> None:
    if not found.tests:
        raise error("too-few-periods", file=file, column="period")


def _of_release(source: Path, settings: Settings) -> tuple[Document, dict[str, Any]]:
    with bar() as progress:
        progress(_("Opening the release"), 0.0)
        release = options.opened(source)
        progress(_("Looking for signals"), 0.3)
        result = signals_of(release, settings)
    if result.found is not None and (settings.window or settings.past):
        _require_tests(result.found, release.version)
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
        lists, within, notes, release = _read(source, strata)
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
            found = report(result)
            found["warnings"] = [*notes, *found["warnings"]]
            if release:
                found |= said_first(release, found)
            options.deliver(as_json(found), out, private=release is None)
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


def _read(
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
    found, within, notes = lists_of(names, rows, raw.file, wanted)
    return found, within, tuple(map(said, (*raw.notes, *notes))), None


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
    found = [*filter(None, notes), *words.warnings(result, names)]
    if found:
        label = _("Before you use a number:")
        console.print(f"[bold yellow]{escape(label)}[/]")
        for sentence in found:
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
