"""The verb ``signals``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar
from ctdhub.core.errors import error
from ctdhub.core.format import number
from ctdhub.core.i18n import _, ngettext, said
from ctdhub.core.tables import as_json
from ctdhub.stats.signals.find import MIN_COUNT, RATE

if TYPE_CHECKING:
    from ctdhub.document.document import Document
    from ctdhub.stats.signals.find import Found, Settings
    from ctdhub.stats.signals.panel import SeriesPanel
    from ctdhub.stats.signals.read import Given

FORMATS = ("text", "json")


class Gaps(StrEnum):
    """What a period without a row means."""

    missing = "missing"
    zero = "zero"


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
    noise_sd: Annotated[float | None, typer.Option(min=0.0, max=1000000000.0)] = None,
    min_count: Annotated[int, typer.Option(min=0)] = MIN_COUNT,
    gaps: Gaps | None = None,
    until: str | None = None,
    lang: str = "",
    form: Annotated[str, options.form(FORMATS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``signals``."""
    from ctdhub.stats.signals.find import Settings

    options.one_of(form, FORMATS, "--format")
    options.require_new(out)
    settings = Settings(window, past, fdr, min_count)
    with options.speaking(lang):
        if source.is_dir():
            _require_table_for({"--noise-sd": noise_sd, "--gaps": gaps, "--until": until})
            told, data = _of_release(source, settings)
        else:
            given = _table(source, noise_sd or 0.0, gaps_are_zero=gaps is Gaps.zero)
            told, data = _of_file(given, settings, until)
        text = _text(told, data, form)
        options.deliver(text, out, private=source.is_file())


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
    from ctdhub.core.tables import ROW
    from ctdhub.sensitive.ingest.readers import read_table
    from ctdhub.stats.signals.read import Given

    raw = read_table(path).whole()
    columns = {name: raw.table[name].to_pylist() for name in raw.table.column_names if name != ROW}
    rows = raw.table[ROW].to_pylist()
    return Given(columns, rows, raw.file, noise_sd, gaps_are_zero)


def _of_file(
    given: Given, settings: Settings, until: str | None
) -> tuple[Document, dict[str, Any]]:
    from ctdhub.report import signal_charts
    from ctdhub.stats.signals.events import each_event_once, leads_of, with_totals
    from ctdhub.stats.signals.find import find
    from ctdhub.stats.signals.read import panel_of_table

    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        panel, notes = panel_of_table(given)
        warnings = [said(note) for note in notes]
        progress(_("Looking for signals"), 0.3)
        panel, left_out = _to_the_end(panel, until, given.file)
        warnings += left_out
        found = each_event_once(find(with_totals(panel), settings), leads_of)
    _require_tests(found, given.file)
    return signal_charts.file_document(found, warnings), signal_charts.of_file(found, warnings)


def _to_the_end(panel: SeriesPanel, until: str | None, file: str) -> tuple[SeriesPanel, list[str]]:
    """The panel up to the period that was asked for, or without the last ones on which reports
    are still to come, and what to say of them.

    Raises:
        HubError: the table has no such period.
    """
    from ctdhub.stats.signals import find
    from ctdhub.stats.signals.panel import read_period

    if until is None:
        panel, late = find.finished(panel)
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
    found = find.until(panel, asked) if asked else None
    if found is None:
        raise error("usage/until", file=file, value=until, last=str(panel.periods[-1]))
    return found, []


def _require_tests(found: Found, file: str) -> None:
    if not found.tests:
        raise error("too-few-periods", file=file, column="period")


def _of_release(source: Path, settings: Settings) -> tuple[Document, dict[str, Any]]:
    from ctdhub.report import signal_charts
    from ctdhub.stats.signals.of_release import signals

    with bar() as progress:
        progress(_("Opening the release"), 0.0)
        release = options.opened(source)
        progress(_("Looking for signals"), 0.3)
        result = signals(release, settings)
    if result.found is not None and (settings.window or settings.past):
        _require_tests(result.found, release.version)
    return signal_charts.release_document(result), signal_charts.of_release(result)


def _text(told: Document, data: dict[str, Any], form: str) -> str:
    from ctdhub.document import text

    return as_json(data) if form == "json" else text.write_plain(told)
