"""Verbs of what a release says: facts, trends, brief."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.core.errors import error
from ctdhub.core.i18n import _
from ctdhub.report.facts import FORMS
from ctdhub.report.trends import FORMS as TREND_FORMS

if TYPE_CHECKING:
    from ctdhub.release.open import Release


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
    from ctdhub.report.facts import headline_sheet, place_sheet, press_sheet
    from ctdhub.schema.countries import resolve
    from ctdhub.schema.places import find_place
    from ctdhub.stats.answers import Answers
    from ctdhub.stats.tables import place_facts

    write = FORMS[options.one_of(form, FORMS, "--format")]
    options.require_new(out)
    if name and region is None:
        raise error("usage/name-without-region")
    with options.speaking(lang):
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
        text = write(sheet)
        options.deliver(text, out)


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
    form: Annotated[str, options.form(TREND_FORMS)] = "text",
    out: Path | None = None,
) -> None:
    """The verb ``trends``."""
    from ctdhub.schema.countries import resolve
    from ctdhub.stats.answers import Answers
    from ctdhub.stats.decomposition import find_question, report

    write = TREND_FORMS[options.one_of(form, TREND_FORMS, "--format")]
    options.require_new(out)
    with options.speaking(lang), bar() as progress:
        progress(_("Opening the release"), 0.1)
        release = options.opened(source)
        answers = Answers(release)
        question = find_question(of, answers, lambda text: resolve(text).alpha3)
        years = _years(release, first, last)
        progress(_("Splitting the change"), 0.6)
        found = report(answers, question, years)
        if found is None:
            raise error("not-by-year")
    with options.speaking(lang):
        options.deliver(write(found, release), out)


def _years(release: Release, first: int | None, last: int | None) -> tuple[int, int] | None:
    """The years to compare, None for the default.

    Raises:
        QuestionError: the release does not cover them, or they are in the wrong order.
    """
    from ctdhub.stats.decomposition import last_whole_year

    if first is None and last is None:
        return None
    later = last_whole_year(release) if last is None else last
    earlier = later - 1 if first is None else first
    start, end = release.years
    if not start <= earlier < later <= end:
        raise error("years/compared", first=start, last=end)
    return earlier, later


# --------------------------------------------------------------------------------------------------
# The verb ``brief``.

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctdhub.document.document import Document
    from ctdhub.document.pdf import Typesetter
    from ctdhub.stats.answers import Answers

    Maker = Callable[[Answers, bool], tuple[Document, str, str]]

FORMATS = {"pdf": ("pdf",), "html": ("html",), "json": ("json",), "both": ("pdf", "html")}
REPORTS = "reports"
"""Folder below ``work`` for private reports."""


def brief(  # noqa: C901
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
    from ctdhub.document.pdf import Typesetter
    from ctdhub.stats.answers import Answers

    given = {
        "--country": country,
        "--region": region,
        "--corridor": corridor,
        "--day": day,
        "--contributor": contributor,
    }
    kind, text = _one(given)
    options.one_of(form, FORMATS, "--format")
    if contributor is not None and poster:
        raise error("poster")
    if contributor is not None and form == "json":
        raise error("format")
    if fonts and "pdf" not in FORMATS[form]:
        raise error("usage/goes-with-format", name="--fonts", other="--format pdf")
    if out is not None:
        if len(FORMATS[form]) == 1:
            options.require_suffix(out, f".{form}")
        for ending in FORMATS[form]:
            options.require_new(_ending(out, ending))
    with options.speaking(lang) as spoken, bar() as progress:
        progress(_("Reading the release"), 0.1)
        answers = Answers(options.opened(source))
        typesetter = Typesetter(fonts or ()) if "pdf" in FORMATS[form] else None
        progress(_("Writing"), 0.5)
        document: Document
        numbers = ""
        if contributor is not None:
            _outside(source, out)
            document = _private(source, contributor, answers)
            default = source / "work" / REPORTS / f"{contributor}.{spoken}"
        else:
            make = _maker(kind, text, source if (source / "hub.yaml").is_file() else None)
            document, name, numbers = make(answers, poster)
            default = Path(f"{name}{'-poster' if poster else ''}.{spoken}")
        if out is None and contributor is not None:
            default.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        elif out is None:
            for ending in FORMATS[form]:
                options.require_new(_ending(default, ending))
        written = _write(document, numbers, out or default, FORMATS[form], typesetter,
                         private=contributor is not None)  # fmt: skip
    for path in written:
        options.tell_written(path)
    if contributor is not None:
        console.print(
            _("It holds exact counts: send it to this contributor only, and do not publish it.")
        )


def _one(given: dict[str, str | None]) -> tuple[str, str]:
    """The one subject that was named."""
    named = [(name, text) for name, text in given.items() if text is not None]
    if len(named) == 1:
        return named[0]
    raise error("subject", n=len(named), values=", ".join(given))


def _maker(kind: str, text: str, hub: Path | None) -> Maker:
    """What makes the document of a subject, its file's name, and its numbers as JSON."""
    from ctdhub.document.document import as_json
    from ctdhub.report.brief import subjects as briefing
    from ctdhub.report.brief.make import brief as sheet_of
    from ctdhub.report.brief.make import make_poster as poster_of
    from ctdhub.report.helplines import read_help

    def make(answers: Answers, poster: bool) -> tuple[Document, str, str]:
        made = datetime.now(UTC).date()
        subject = (
            briefing.named_corridor(text)
            if kind == "--corridor"
            else briefing.named_day(text, hub)
            if kind == "--day"
            else briefing.named_place(text, is_region=kind == "--region")
        )
        help = read_help(hub, options.hub(hub).settings.helpline) if hub else None
        found = (poster_of if poster else sheet_of)(answers, subject, made, help)
        document = found.document
        numbers = as_json(found.asked, document.title, document.meta.foot)
        return document, f"brief-{subject.slug}", numbers

    return make


def _private(source: Path, contributor: str, answers: Answers) -> Document:
    from ctdhub.build.own_report import leaving_report, own_profile, own_report
    from ctdhub.build.stages.differencing import told_of
    from ctdhub.core.i18n import said

    hub, made = options.hub(source), datetime.now(UTC).date()
    told = [one for one in told_of(hub) if one.id == contributor]
    compared = [said(one.words) for one in told]
    if told and contributor not in {c.contributor for c in hub.contributions()}:
        return leaving_report(told[0].name, compared, answers, made)
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


def _write(
    document: Document,
    numbers: str,
    target: Path,
    formats: tuple[str, ...],
    typesetter: Typesetter | None,
    *,
    private: bool,
) -> list[Path]:
    """Write the files; all are made before the first is written."""
    from ctdhub.document import html, pdf

    made: dict[str, bytes] = {}
    for form in formats:
        if form == "pdf" and typesetter is not None:
            made[form] = pdf.write(document, typesetter)
        else:
            made[form] = (numbers if form == "json" else html.write(document)).encode()
    written = []
    for form, content in made.items():
        path = _ending(target, form)
        _fresh(path, content, 0o600 if private else 0o666)
        written.append(path)
    return written


def _fresh(path: Path, content: bytes, mode: int) -> None:
    """A new file in the place of what was there, whoever could read that."""
    from ctdhub.core.files import made_whole

    with made_whole(path) as fresh:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def _ending(target: Path, form: str) -> Path:
    """The file of a format: the ending pdf, html or json is replaced, any other is kept."""
    if target.suffix.lower() == f".{form}":
        return target
    known = target.suffix.lower() in (".pdf", ".html", ".json")
    return target.with_suffix(f".{form}") if known else target.with_name(f"{target.name}.{form}")
