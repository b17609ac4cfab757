"""The verb ``estimate``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.core.errors import error, printable
from ctdhub.core.format import number, share
from ctdhub.core.i18n import _, said
from ctdhub.core.tables import as_json
from ctdhub.stats.mse.estimate import REPLICATES

if TYPE_CHECKING:
    from ctdhub.release.open import Release
    from ctdhub.stats.mse.bootstrap import Method
    from ctdhub.stats.mse.estimate import Label, Result
    from ctdhub.stats.mse.lists import Lists

REFUSED = 1
"""Exit code where the lists overlap too little for any number."""
FORMATS = ("text", "json")


def estimate(
    source: Annotated[Path, typer.Argument(metavar="LISTS|HUB|RELEASE")] = Path(),
    form: Annotated[str, options.form(FORMATS)] = "text",
    chart: Path | None = None,
    replicates: Annotated[int, typer.Option(min=100, max=100000)] = REPLICATES,
    level: float | None = None,
    strata: str = "",
    same_place: Annotated[bool | None, typer.Option("--same-place/--other-places")] = None,
    refer: bool | None = None,
    one_register: Annotated[bool | None, typer.Option("--one-register/--own-registers")] = None,
    lang: str = "",
    out: Path | None = None,
) -> None:
    """The verb ``estimate``."""
    from ctdhub.report.mse import chart_file, double_people, report, said_first, scope
    from ctdhub.stats.mse.estimate import LEVEL, QUESTIONS, estimate
    from ctdhub.stats.mse.of_release import links_in, list_names

    options.one_of(form, FORMATS, "--format")
    options.require_new(out)
    _check(chart, level)
    with options.speaking(lang):
        lists, within, notes, release = _read(source, strata)
        links = links_in(release) if release else None
        said_here = zip(QUESTIONS, (same_place, refer, one_register), strict=True)
        known = release.facts.list_answers if release else {}
        answers = {str(k): yes for k, yes in (*known.items(), *said_here) if yes is not None}
        names = list_names(release) if release else {}
        first = scope(release) if release else ""
        level = level or (release.protected.guarantee.level if release else LEVEL)
        with bar() as progress:
            result = estimate(
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
            first_notes = (double_people(release) if release else "", *notes)

            def show() -> None:
                if first:
                    console.print(f"[bold yellow]{escape(first)}[/]")
                _print(result, first_notes, names, _variable(release, strata))

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
    from ctdhub.core.tables import ROW
    from ctdhub.sensitive.ingest.readers import read_as_is
    from ctdhub.stats.mse.of_release import lists_in, measured_strata, strata_in
    from ctdhub.stats.mse.read import lists_of

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


def _variable(release: Release | None, strata: str) -> str:
    """The variable of a release's strata; "" of a file."""
    from ctdhub.stats.mse.of_release import measured_strata

    return (strata.strip() or next(iter(measured_strata(release)), "")) if release else ""


def _print(result: Result, notes: tuple[str, ...], names: Mapping[str, str], variable: str) -> None:
    from ctdhub.report import mse as words

    if result.gate.refused:
        console.print(f"[bold yellow]{escape(words.refusal(result.gate, names))}[/]")
    else:
        console.print(f"[bold]{escape(words.spread(result, names))}[/]")
    console.print(escape(words.seen(result)))
    if result.methods:
        title = _("Estimated total, including people on no list, with {level} intervals").format(
            level=share(result.level)
        )
        console.print(_table(title, result.methods))
        title = _("If the lists are not independent")
        console.print(_table(title, words.depending(result)))
        if result.strata is not None:
            console.print(escape(words.strata(result.strata, variable)))
        for method in result.methods:
            if method.pairs:
                pairs = _("; ").join(" – ".join(names.get(n, n) for n in p) for p in method.pairs)
                console.print(
                    escape(
                        _("{method}: lists that depend on each other: {pairs}.").format(
                            method=words.method_name(method.name), pairs=printable(pairs, 500)
                        )
                    )
                )
            if method.bootstrap is not None:
                console.print(escape(words.bootstrap(method, result.level)))
        console.print(_changes(result, names))
    found = [*filter(None, notes), *words.warnings(result, names)]
    if found:
        label = _("Before you use a number:")
        console.print(f"[bold yellow]{escape(label)}[/]")
        for sentence in found:
            console.print(escape(f"- {sentence}"))
    if result.methods:
        label = _("Assumed by all methods:")
        console.print(f"[bold]{escape(label)}[/]")
        for sentence in words.always():
            console.print(escape(f"- {sentence}"))


def _table(title: str, methods: Iterable[Method]) -> Table:
    from ctdhub.report import mse as words

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


def _changes(result: Result, names: Mapping[str, str]) -> Table:
    from ctdhub.report import mse as words

    table = Table(title=_("If lists or links between records were different"))
    table.add_column(_("change"), overflow="fold")
    for heading in (
        _("people seen"),
        words.method_name("stepwise"),
        words.method_name("independent"),
    ):
        table.add_column(heading, justify="right")
    for c in result.changes:
        ends = [_people(x) for x in (c.seen, c.stepwise, c.independent)]
        table.add_row(escape(printable(words.change(c, names), 200)), *ends)
    return table


def _people(value: float | None) -> str:
    return "–" if value is None else number(value)
