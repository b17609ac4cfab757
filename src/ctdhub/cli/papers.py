"""The verbs ``papers`` and ``journal``."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.core.errors import error, printable
from ctdhub.core.format import number
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.document.document import Document
    from ctdhub.report.papers import Paper


# --------------------------------------------------------------------------------------------------
# The verb papers: drafts of the papers that a hub must have.

FORMATS = ("html", "md", "pdf")
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
    from ctdhub.build.papers import paper_facts
    from ctdhub.report.papers import PAPERS, paper

    options.one_of(form, FORMATS, "--format")
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
    table = Table(title=_("Drafts"))
    for heading in (_("File"), _("Paper"), _("Points to decide")):
        table.add_column(heading)
    for key, content in contents.items():
        targets[key].write_bytes(content)
        document, open_points = drafts[key]
        table.add_row(escape(targets[key].name), escape(document.title), number(len(open_points)))
    console.print(table)
    options.tell_written(folder)
    console.print(_("A lawyer or a data protection officer must read them before they are used."))


def _content(document: Document, form: str) -> bytes:
    from ctdhub.document import html, pdf, text

    if form == "pdf":
        return pdf.write(document)
    return (html.write(document) if form == "html" else text.write_markdown(document)).encode()


# --------------------------------------------------------------------------------------------------
# The verb journal: who ran or decided what.


def journal(
    folder: options.Folder = Path(),
    last: Annotated[int, typer.Option(min=1)] = 50,
    as_json: options.AsJson = False,
) -> None:
    """The verb ``journal``."""
    from ctdhub.build.hub import read_journal

    lines = read_journal(options.hub(folder))[-last:]
    if as_json:
        text = json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1)
        console.print(text, soft_wrap=True, markup=False, highlight=False)
        return
    if not lines:
        console.print(_("Nothing has been noted in this hub yet."))
        return
    table = Table(_("when"), _("user"), _("what"), _("outcome"), title=_("Journal"))
    for line in lines:
        asked = " ".join(f"{k}={v}" for k, v in line.details.items() if v not in ("", None))
        outcome = _("done") if line.outcome == "done" else line.outcome
        cells = (line.time.replace("T", " "), line.user, f"{line.what} {asked}", outcome)
        table.add_row(*(escape(printable(cell, 300)) for cell in cells))
    console.print(table)
