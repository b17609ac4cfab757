"""The verb ``brief``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctdhub.document.document import Document
    from ctdhub.document.pdf import Typesetter
    from ctdhub.stats.answers import Answers

    Maker = Callable[[Answers, bool], tuple[Document, str, str]]

FORMATS = {"pdf": ("pdf",), "html": ("html",), "json": ("json",), "both": ("pdf", "html")}
REPORTS = "reports"
"""Folder below ``work`` for private reports."""


def register(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""

    @app.command(help=about("brief"))
    def brief(
        source: Annotated[Path, options.source()] = Path(),
        country: Annotated[
            str | None, typer.Option(help=_("A country: its code or its name."))
        ] = None,
        region: Annotated[
            str | None, typer.Option(help=_("A region of the world, for example europe or eu."))
        ] = None,
        corridor: Annotated[
            str | None,
            typer.Option(help=_("Country of citizenship and of exploitation: CIV-ITA.")),
        ] = None,
        day: Annotated[
            str | None,
            typer.Option(help=_("An awareness day, or a day of events.yaml: 2026-10-18.")),
        ] = None,
        contributor: Annotated[
            str | None,
            typer.Option(help=_("A contributor's id: its private report, with exact counts.")),
        ] = None,
        poster: Annotated[
            bool, typer.Option("--poster", help=_("One large page (A3) instead of two pages."))
        ] = False,
        lang: Annotated[str, options.lang()] = "",
        form: Annotated[
            str,
            typer.Option(
                "--format", help=_("pdf, html, both, or json: the numbers with their questions.")
            ),
        ] = "both",
        out: Annotated[
            Path | None,
            typer.Option(
                help=_(
                    "File to write, which must not exist yet; with both formats its ending is "
                    "replaced. Default: a name of its own, here."
                )
            ),
        ] = None,
        fonts: Annotated[
            list[Path] | None, typer.Option(help=_("Folder with more fonts; may be repeated."))
        ] = None,
    ) -> None:
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
    from ctdhub.build.hub import Hub
    from ctdhub.document.numbers import as_json
    from ctdhub.report.brief import named as briefing
    from ctdhub.report.brief.make import brief as sheet_of
    from ctdhub.report.brief.make import poster as poster_of
    from ctdhub.report.helplines import read_help

    def make(answers: Answers, poster: bool) -> tuple[Document, str, str]:
        made = datetime.now(UTC).date()
        subject = (
            briefing.corridor(text)
            if kind == "--corridor"
            else briefing.day(text, hub)
            if kind == "--day"
            else briefing.place(text, is_region=kind == "--region")
        )
        help = read_help(hub, Hub(hub).settings.helpline) if hub else None
        found = (poster_of if poster else sheet_of)(answers, subject, made, help)
        document = found.document
        numbers = as_json(found.asked, document.title, document.meta.foot)
        return document, f"brief-{subject.slug}", numbers

    return make


def _private(source: Path, contributor: str, answers: Answers) -> Document:
    from ctdhub.build.hub import Hub
    from ctdhub.build.own_report import leaving_report, own_profile, own_report
    from ctdhub.build.stages.differencing import told_of
    from ctdhub.core.i18n import said

    hub, made = Hub(source), datetime.now(UTC).date()
    told = [one for one in told_of(hub) if one.id == contributor]
    compared = [said(one.words) for one in told]
    if told and contributor not in {c.contributor for c in hub.contributions()}:
        return leaving_report(told[0].name, compared, answers, made)
    agreement, own = own_profile(hub, contributor)
    return own_report(agreement, own, answers, made, compared)


def _outside(source: Path, out: Path | None) -> None:
    """Refuse to write a private report where the public looks: of a hub, all but ``work``."""
    from ctdhub.build.hub import Hub

    if out is None:
        return
    hub = Hub(source)
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
    from ctdhub.core.atomic import made_whole

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
