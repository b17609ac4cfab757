"""Verbs of what a release says: facts, trends, equity, tables, brief; papers; own reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.padding import Padding

from ctdhub.cli import options
from ctdhub.cli.output import bar, console, errors, say, show_table
from ctdhub.core.errors import error
from ctdhub.core.files import made_whole, write_whole
from ctdhub.core.format import number, share
from ctdhub.core.i18n import _, current, said
from ctdhub.core.tables import as_csv, as_json
from ctdhub.document import html, pdf, text
from ctdhub.document.document import Document
from ctdhub.release.open import Release
from ctdhub.report import equity as equity_rows
from ctdhub.report import mandated
from ctdhub.report import trends as series
from ctdhub.report.brief import subjects
from ctdhub.report.brief import subjects as briefing
from ctdhub.report.brief.make import brief as sheet_of
from ctdhub.report.brief.make import make_poster as poster_of
from ctdhub.report.equity import assistance_caveat, gap_sentence, group_name, not_compared_sentence
from ctdhub.report.facts import FORMS, headline_sheet, place_sheet, press_sheet
from ctdhub.report.helplines import read_help
from ctdhub.report.papers import PAPERS, Paper, paper
from ctdhub.report.wording import citation, ranged, sized
from ctdhub.schema.countries import find_place, resolve
from ctdhub.schema.labels import code_label, label
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import find_question, last_whole_year, report
from ctdhub.stats.equity import Assistance, By, assistance, clear_gaps, groupings, not_compared
from ctdhub.stats.mandated import tables as shapes
from ctdhub.stats.mandated.tables import load_population
from ctdhub.stats.tables import place_facts

if TYPE_CHECKING:
    from ctdhub.sensitive.returns.fill import ReturnMapping, SheetAccount


# --------------------------------------------------------------------------------------------------
# The verb ``brief``: two pages, or a poster, on a place, a corridor or a day; a private report.

FORMATS = {"pdf": ("pdf",), "html": ("html",), "json": ("json",), "both": ("pdf", "html")}
REPORTS = "reports"
"""Folder below ``work`` for private reports."""


def brief(
    source: options.Folder = Path(),
    country: str | None = None,
    region: str | None = None,
    corridor: str | None = None,
    day: str | None = None,
    contributor: str | None = None,
    poster: Annotated[bool, typer.Option("--poster")] = False,
    lang: str = "",
    form: Annotated[str, typer.Option("--format")] = "both",
    out: Path | None = None,
    fonts: list[Path] | None = None,
) -> None:
    """The verb ``brief``."""
    choices = {
        "--country": country,
        "--region": region,
        "--corridor": corridor,
        "--day": day,
        "--contributor": contributor,
    }
    named = [(name, subject) for name, subject in choices.items() if subject is not None]
    if len(named) != 1:
        raise error("subject", n=len(named), values=", ".join(choices))
    formats = FORMATS[options.one_of(form, FORMATS, "--format")]
    if contributor is not None:
        _refuse_private(poster, form)
    if fonts and "pdf" not in formats:
        raise error("usage/goes-with-format", name="--fonts", other="--format pdf")
    if out is not None:
        if len(formats) == 1:
            options.require_suffix(out, f".{form}")
        _require_new(out, formats)
    with options.speaking(lang) as spoken, bar() as progress:
        progress(_("Reading the release"), 0.1)
        answers = Answers(options.opened(source))
        typesetter = pdf.Typesetter(fonts or ()) if "pdf" in formats else None
        progress(_("Writing"), 0.5)
        if contributor is not None:
            _outside(source, out)
            document, numbers = _private(source, contributor, answers), ""
            target = out or source / "work" / REPORTS / f"{contributor}.{spoken}"
            if out is None:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            document, name, numbers = _public(*named[0], source, answers, poster)
            target = out or Path(f"{name}{'-poster' if poster else ''}.{spoken}")
            _require_new(target, formats)
        contents = {f: _content(document, f, numbers, typesetter) for f in formats}
        for ending, content in contents.items():
            _put(_ending(target, ending), content, private=contributor is not None)
    for ending in formats:
        options.tell_written(_ending(target, ending))
    if contributor is not None:
        say(_("It holds exact counts: send it to this contributor only, and do not publish it."))


def _refuse_private(poster: bool, form: str) -> None:
    """A contributor's own report has no poster and no numbers as JSON."""
    if poster:
        raise error("poster")
    if form == "json":
        raise error("format")


def _require_new(target: Path, formats: tuple[str, ...]) -> None:
    for form in formats:
        options.require_new(_ending(target, form))


def _public(
    kind: str, name: str, source: Path, answers: Answers, poster: bool
) -> tuple[Document, str, str]:
    """The document of a subject, its file's name, and its numbers as JSON."""
    hub = source if (source / "hub.yaml").is_file() else None
    subject = (
        subjects.named_corridor(name)
        if kind == "--corridor"
        else subjects.named_day(name, hub)
        if kind == "--day"
        else subjects.named_place(name, is_region=kind == "--region")
    )
    help = read_help(hub, options.hub(hub).settings.helpline) if hub else None
    sheet = (poster_of if poster else sheet_of)(answers, subject, datetime.now(UTC).date(), help)
    return sheet.document, f"brief-{subject.slug}", sheet.as_json()


def _private(source: Path, contributor: str, answers: Answers) -> Document:
    from ctdhub.hub.private.pages import leaving_report, own_profile, own_report
    from ctdhub.hub.stages.differencing import disclosures_of

    hub, made = options.hub(source), datetime.now(UTC).date()
    disclosures = [one for one in disclosures_of(hub) if one.id == contributor]
    compared = [said(one.words) for one in disclosures]
    if disclosures and contributor not in {c.contributor for c in hub.contributions()}:
        return leaving_report(disclosures[0].name, compared, answers, made)
    agreement, own = own_profile(hub, contributor)
    return own_report(agreement, own, answers, made, compared)


def _outside(source: Path, out: Path | None) -> None:
    """Refuse to write a private report where the public looks: of a hub, all but ``work``."""
    if out is None:
        return
    hub = options.hub(source)
    target = out.resolve()
    if target.is_relative_to(hub.root.resolve()) and not target.is_relative_to(hub.work.resolve()):
        raise error("private", file=out)


def _content(
    document: Document, form: str, numbers: str = "", typesetter: pdf.Typesetter | None = None
) -> bytes:
    if form == "pdf":
        return pdf.write(document, typesetter)
    if form == "json":
        return numbers.encode()
    return (html.write(document) if form == "html" else text.write_markdown(document)).encode()


def _put(path: Path, content: bytes, *, private: bool) -> None:
    """A new file in the place of what was there, whoever could read that."""
    if private:
        write_whole(path, content)
        return
    with made_whole(path) as fresh:
        fresh.write_bytes(content)


def _ending(target: Path, form: str) -> Path:
    """The file of a format: the ending pdf, html or json is replaced, any other is kept."""
    if target.suffix.lower() == f".{form}":
        return target
    known = target.suffix.lower() in (".pdf", ".html", ".json")
    return target.with_suffix(f".{form}") if known else target.with_name(f"{target.name}.{form}")


# --------------------------------------------------------------------------------------------------
# The verb papers: drafts of the papers that a hub must have.

PAPER_FORMATS = ("html", "md", "pdf")
FOLDER = "papers"


def papers(
    hub: options.Folder = Path(),
    kind: Annotated[list[str] | None, typer.Option("--paper")] = None,
    contributor: str = "",
    lang: str = "",
    form: Annotated[str, typer.Option("--format")] = "html",
    out: Path | None = None,
) -> None:
    """The verb ``papers``."""
    from ctdhub.hub.agreements import paper_facts

    options.one_of(form, PAPER_FORMATS, "--format")
    for name in kind or ():
        options.one_of(name, PAPERS, "--paper")
    if contributor and kind and "agreement" not in kind:
        raise error("usage/goes-with-format", name="--contributor", other="--paper agreement")
    wanted: tuple[Paper, ...] = tuple(
        p for p in PAPERS if p in (kind or (("agreement",) if contributor else PAPERS))
    )
    folder = out or hub / FOLDER
    with options.speaking(lang) as spoken, bar() as progress:
        progress(_("Reading the settings"), 0.1)
        facts, made = paper_facts(options.hub(hub)), datetime.now(UTC).date()
        asked: list[tuple[Paper, str]] = []
        for name in wanted:
            ids = [contributor] if contributor else [c.id for c in facts.contributors]
            asked += [(name, id) for id in ids] if name == "agreement" else [(name, "")]
        targets = {
            (name, id): folder / f"{name}{f'-{id}' if id else ''}.{spoken}.{form}"
            for name, id in asked
        }
        for target in targets.values() if folder.is_dir() else ():
            options.require_new(target)
        drafts = {key: paper(key[0], facts, made, key[1]) for key in asked}
        progress(_("Writing"), 0.5)
        contents = {key: _content(document, form) for key, (document, _o) in drafts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for key, content in contents.items():
        targets[key].write_bytes(content)
        document, open_points = drafts[key]
        rows.append((targets[key].name, document.title, number(len(open_points))))
    show_table(_("Drafts"), (_("File"), _("Paper"), _("Points to decide")), rows, fold=False)
    options.tell_written(folder)
    say(_("A lawyer or a data protection officer must read them before they are used."))


# --------------------------------------------------------------------------------------------------
# Verbs of what a release says: facts, trends, equity, tables; a contributor's own report.


# --------------------------------------------------------------------------------------------------
# The verb ``facts``: sentences and number cards of a release.


def facts(
    source: options.Folder = Path(),
    region: str | None = None,
    name: str = "",
    years: str = "",
    press: Annotated[bool, typer.Option("--press")] = False,
    lang: str = "",
    form: Annotated[str, options.form(FORMS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``facts``."""
    if name and region is None:
        raise error("usage/name-without-region")
    with options.answering(form, FORMS, lang, out):
        release = options.opened(source)
        span = parse_years(years, release) if years else None
        answers = Answers(release)
        place = None
        if region is not None:
            place = find_place(region, lambda text: resolve(text).alpha3, name)
        if press:
            sheet = press_sheet(answers, place, span)
        elif place is None:
            sheet = headline_sheet(answers, span)
        else:
            sheet = place_sheet(place_facts(answers, place, span), release)
        options.deliver(FORMS[form](sheet), out)


def parse_years(text: str, release: Release) -> tuple[int, int]:
    """The first and the last year that a text names.

    Raises:
        QuestionError: it names no years, or years that the release does not cover.
    """
    first, last = release.years
    asked = options.years_of(text)
    if asked is None:
        raise error("years", first=first, last=last)
    if asked[0] > asked[1]:
        raise error("years/order", first=first, last=last)
    if asked[0] < first or asked[1] > last:
        raise error("years/uncovered", first=first, last=last)
    return asked


# --------------------------------------------------------------------------------------------------
# The verb ``trends``: a series by year and whether its change is in the world or in the data.


def trends(
    source: options.Folder = Path(),
    of: str = "",
    first: Annotated[int | None, typer.Option("--from")] = None,
    last: Annotated[int | None, typer.Option("--to")] = None,
    lang: str = "",
    form: Annotated[str, options.form(series.FORMS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``trends``."""
    with options.answering(form, series.FORMS, lang, out):
        with bar() as progress:
            progress(_("Opening the release"), 0.1)
            release = options.opened(source)
            answers = Answers(release)
            question = find_question(of, answers, lambda text: resolve(text).alpha3)
            years = _years(release, first, last)
            progress(_("Splitting the change"), 0.6)
            trend = report(answers, question, years)
        if trend is None:
            raise error("not-by-year")
        options.deliver(series.written(trend, release, form), out)


def _years(release: Release, first: int | None, last: int | None) -> tuple[int, int] | None:
    """The years to compare, None for the default.

    Raises:
        QuestionError: the release does not cover them, or they are in the wrong order.
    """
    if first is None and last is None:
        return None
    later = last_whole_year(release) if last is None else last
    earlier = later - 1 if first is None else first
    start, end = release.years
    if not start <= earlier < later <= end:
        raise error("years/compared", first=start, last=end)
    return earlier, later


# --------------------------------------------------------------------------------------------------
# The verbs ``equity`` and ``tables``.

EQUITY_FORMS = ("text", "json", "csv")
TABLE_FORMS = (*mandated.FORMATS, mandated.SDMX_FORM)
WITH_RATES = ("sdg-16.2.2",)
"""Tables that have rates and so use a population."""

PRIVATE = ("otip",)
"""Reports that a contributor fills from its own file, and that no release answers."""


def equity(
    source: options.Folder = Path(),
    kind: str | None = None,
    by: str | None = None,
    lang: str = "",
    form: Annotated[str, options.form(EQUITY_FORMS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``equity``."""
    with options.answering(form, EQUITY_FORMS, lang, out):
        answers = Answers(options.opened(source))
        kinds = assistance(answers, _grouping(answers, by))
        if kind is not None:
            names = {a.kind.removeprefix("assistance_"): a.kind for a in kinds}
            chosen = options.one_of(kind.removeprefix("assistance_"), names, "--kind")
            kinds = tuple(a for a in kinds if a.kind == names[chosen])
        if form == "json":
            data = equity_rows.as_data(kinds, answers.release)
            options.deliver(as_json(data), out)
        elif form == "csv":
            options.deliver(equity_rows.as_csv(kinds, answers.release), out)
        else:
            options.deliver(lambda: _show(answers, kinds), out)


def tables(
    shape: Annotated[str, typer.Option("--for", help="sdg-16.2.2, eurostat, greta, unodc, otip.")],
    source: options.Folder = Path(),
    country: str | None = None,
    year: int | None = None,
    years: str | None = None,
    population: Path | None = None,
    high_rates: Annotated[bool, typer.Option("--high-rates")] = False,
    file: Annotated[Path | None, typer.Option("--from")] = None,
    mapping: Path | None = None,
    workbook: Path | None = None,
    lang: str = "",
    form: Annotated[str, options.form(TABLE_FORMS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``tables``."""
    private = {"--from": file, "--mapping": mapping, "--workbook": workbook}
    if shape in PRIVATE:
        public = {
            "--country": country, "--year": year, "--years": years, "--population": population,
            "--high-rates": high_rates, "--format": form != "text", "source": source != Path(),
        }  # fmt: skip
        options.refuse_beside(f"--for {shape}", public, "tables")
        _own_report({**private, "--out": out}, lang)
        return
    for name, path in private.items():
        _goes_with(name, path is not None, "--for", PRIVATE, shape)
    options.one_of(shape, (*shapes.SHAPES, *PRIVATE), "--for")
    options.one_of(form, TABLE_FORMS, "--format")
    sdmx = form == mandated.SDMX_FORM
    _goes_with(f"--format {form}", sdmx, "--for", mandated.SDMX_SHAPES, shape)
    options.require_new(out)
    _goes_with("--population", population is not None, "--for", WITH_RATES, shape)
    if high_rates and population is None:
        raise error("usage/goes-with", name="--high-rates", other="--population")
    people = load_population(population, high_rates=high_rates) if population else None
    answers = Answers(options.opened(source))
    with options.speaking(lang), bar() as progress:
        progress(_("Filling the table"), 0.0)
        place = briefing.named_country(country) if country else None
        scope = shapes.scope(answers, place, _span(year, years), people)
        sheet = shapes.SHAPES[shape](answers, scope)
        if sdmx:
            text = mandated.sdmx(sheet, answers.release)
        else:
            text = mandated.written(sheet, answers.release, form)
        notes = mandated.notes(sheet, answers.release)
    with options.speaking(lang):
        options.deliver(text, out)
    if sdmx:
        uncoded, hidden = mandated.left_out_of_sdmx(sheet)
        warning = _(
            "Not in the file: lines for which the SDG dataflow has no code ({uncoded}), and "
            "lines that the release does not show ({hidden})."
        )
        say(warning, to=errors, uncoded=number(uncoded), hidden=number(hidden))
    if sdmx or form == "csv":  # a CSV has no room for them
        for note in notes:
            errors.print(escape(note), soft_wrap=True)


def _goes_with(name: str, present: bool, option: str, values: Sequence[str], value: str) -> None:
    """Refuse an option that some values of another one alone have a use for."""
    if present and value not in values:
        other = " / ".join(f"{option} {value}" for value in values)
        raise error("usage/goes-with", name=name, other=other)


def _own_report(paths: Mapping[str, Path | None], lang: str) -> None:
    """A contributor's own report, once all that it is made of is named."""
    options.require_new(paths["--out"])
    if missing := [name for name, path in paths.items() if path is None]:
        raise error("usage/missing", name=", ".join(missing), command="ctdhub tables")
    with options.speaking(lang):
        fill(*filter(None, paths.values()))


def _grouping(answers: Answers, choice: str | None) -> By:
    measured = {",".join(by): by for by in groupings(answers)}
    if not measured:
        raise error("not-measured")
    return measured[options.one_of(choice or next(iter(measured)), tuple(measured), "--by")]


def _span(year: int | None, years: str | None) -> tuple[int, int] | None:
    if year is not None and years is not None:
        raise error("usage/year-or-years")
    if years is None:
        return None if year is None else (year, year)
    span = options.years_of(years)
    if span is None:
        raise error("usage/years", name="--years")
    return span


def _show(answers: Answers, kinds: tuple[Assistance, ...]) -> None:
    """Gaps first; then for each kind and group a few short lines, which fit any screen."""
    for gap in clear_gaps(kinds):
        console.print(f"[bold]{escape(gap_sentence(gap))}[/]")
    if left_out := not_compared_sentence(not_compared(kinds)):
        say(left_out)
    for a in kinds:
        console.print(f"\n[bold underline]{escape(label(a.kind, current()))}[/]")
        for group in (a.everybody, *a.groups):
            name = group_name(a.by, group.codes) if group.codes else _("All people")
            known = _("status recorded: {people}; not recorded for {share} of the group").format(
                people=sized(group.recorded), share=ranged(group.unknown)
            )
            parts = [
                f"{code_label(a.kind, status, current())} {ranged(part)}"
                for status, part in group.shares.items()
            ]
            parts.append(
                _("received, of those who needed it: {share}").format(share=ranged(group.of_need))
            )
            console.print(f"[bold]{escape(name)}[/]")
            shares = _("; ").join(parts)
            console.print(Padding(escape(f"{known}\n{shares}"), (0, 0, 0, 2)))
    level = share(answers.release.protected.guarantee.level)
    console.print(f"\n{assistance_caveat()}")
    text = _(
        "Shares refer to the people whose status is recorded; intervals hold with "
        "{level} confidence. “Of those who needed it” leaves out those who declined. A "
        "gap is reported only where it is larger than noise and chance explain, over "
        "all pairs of groups at once."
    )
    say(text, level=level)
    console.print(citation(answers.release))


# --------------------------------------------------------------------------------------------------
# ``ctdhub tables --for otip``: a contributor's own report, private from end to end.

ROWS_SHOWN = 10
SOURCES = ("sheet", "column", "from", "filled", "not_recorded", "not_understood", "not_in_list",
           "formula_kept")  # fmt: skip


def fill(file: Path, mapping: Path, workbook: Path, out: Path) -> None:
    """Fill a publisher's workbook from a file, then say where each cell comes from.

    Raises:
        HubError: something cannot be read or filled; nothing is written.
    """
    from ctdhub.sensitive.returns.fill import fill as fill_workbook
    from ctdhub.sensitive.returns.fill import load_return_mapping

    sources = out.with_name(f"{out.stem}.sources.csv")
    options.require_new(sources)
    rules = load_return_mapping(mapping)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        raw = read_isolated(file, rules.read)
        progress(_("Filling the workbook"), 0.5)
        sheets = fill_workbook(raw, rules, workbook, out)
    options.write(as_csv(SOURCES, _sources(sheets, rules)), sources, private=True)
    for sheet in sheets:
        _returns_show(sheet)
    if raw.rejects.num_rows:
        text = _("Rows of the file that could not be read and are in no sheet: {n}.")
        say(text, n=number(raw.rejects.num_rows))
    options.tell_written(out)
    options.tell_written(sources)
    text = _(
        "Both files are as private as the file of records: they describe individual people, "
        "and nothing in them is protected. Check the workbook before you send it."
    )
    say(text)


def _sources(sheets: list[SheetAccount], rules: ReturnMapping) -> list[list[object]]:
    """Where the cells of each column come from; "not held" for those that stay empty."""
    rows: list[list[object]] = []
    for sheet in sheets:
        for name, account in sheet.columns.items():
            rule = rules.sheets[sheet.name].columns[name]
            origin = f"always: {rule.value}" if rule.value is not None else "; ".join(rule.source)
            counts = (account.filled, account.empty, len(account.unread), account.unlisted)
            rows.append([sheet.name, name, origin, *counts, account.kept])
        rows += [[sheet.name, name, "not held", 0, sheet.rows, 0, 0, 0] for name in sheet.unfilled]
    return rows


def _returns_show(sheet: SheetAccount) -> None:
    heads = (_("column"), _("filled"), _("not recorded"), _("not understood"), _("not in its list"))
    rows = [
        (name, *map(number, (a.filled, a.empty, len(a.unread), a.unlisted)))
        for name, a in sheet.columns.items()
    ]
    show_table(f"{sheet.name}: {number(sheet.rows)}", heads, rows, right=1, fold=False)
    for name, account in sheet.columns.items():
        if account.unread:
            text = _("{column}: not understood in the rows {rows} of the file; left empty.")
            say(text, column=name, rows=_rows(account.unread))
    if sheet.outside:
        text = _("Rows of the file that belong to another period or group, not in this sheet: {n}.")
        say(text, n=number(sheet.outside))
    if sheet.undated:
        text = _("Left out, because their date is not understood: rows {rows} of the file.")
        say(text, rows=_rows(sheet.undated))
    if sheet.unfilled:
        text = _("Not held, so these columns stay empty: {columns}.")
        say(text, columns=", ".join(sheet.unfilled))
    if sheet.unchecked:
        text = _("The workbook's list of choices could not be read for: {columns}.")
        say(text, columns=", ".join(sheet.unchecked))


def _rows(rows: list[int] | tuple[int, ...]) -> str:
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    return f"{shown}, …" if len(rows) > ROWS_SHOWN else shown
