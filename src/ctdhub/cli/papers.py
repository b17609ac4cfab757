"""Verbs that write documents: brief, papers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar, say, show_table
from ctdhub.core.errors import error
from ctdhub.core.files import made_whole, write_whole
from ctdhub.core.format import number
from ctdhub.core.i18n import _, said
from ctdhub.document import html, pdf, text
from ctdhub.document.document import Document
from ctdhub.report.brief import subjects
from ctdhub.report.brief.make import brief as sheet_of
from ctdhub.report.brief.make import make_poster as poster_of
from ctdhub.report.helplines import read_help
from ctdhub.report.papers import PAPERS, Paper, paper
from ctdhub.stats.answers import Answers

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
    given = {
        "--country": country,
        "--region": region,
        "--corridor": corridor,
        "--day": day,
        "--contributor": contributor,
    }
    named = [(name, subject) for name, subject in given.items() if subject is not None]
    if len(named) != 1:
        raise error("subject", n=len(named), values=", ".join(given))
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
    found = (poster_of if poster else sheet_of)(answers, subject, datetime.now(UTC).date(), help)
    return found.document, f"brief-{subject.slug}", found.as_json()


def _private(source: Path, contributor: str, answers: Answers) -> Document:
    from ctdhub.hub.private.pages import leaving_report, own_profile, own_report
    from ctdhub.hub.stages.differencing import disclosures_of

    hub, made = options.hub(source), datetime.now(UTC).date()
    told = [one for one in disclosures_of(hub) if one.id == contributor]
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
