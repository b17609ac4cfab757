"""The verb look: what contributors sent, before privacy is spent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.cli import options
from ctdhub.cli.output import bar, say, show_document
from ctdhub.core.errors import error
from ctdhub.core.i18n import _, said

if TYPE_CHECKING:
    from ctdhub.hub.folder import Hub

FOLDER = "look"
"""Where what is seen lies below ``work/``."""


def look(
    folder: options.Folder = Path(),
    contributor: str | None = None,
    delivery: str | None = None,
    lang: str = "",
    html: Path | None = None,
    xlsx: Path | None = None,
    report: Path | None = None,
) -> None:
    """The verb ``look``."""
    from ctdhub.document import html as as_html
    from ctdhub.hub.private.look import look
    from ctdhub.hub.private.pages import page, workbook
    from ctdhub.hub.stages.differencing import disclosures_of

    hub = options.hub(folder)
    if report is not None and contributor is None:
        raise error("usage/missing", name="--contributor", command="ctdhub look --report")
    targets = {
        "--html": _place(hub, html, ".html"),
        "--xlsx": _place(hub, xlsx, ".xlsx"),
        "--report": _place(hub, report, ".html", ".xlsx"),
    }
    with options.speaking(lang):
        with bar() as progress:
            progress(_("Reading the files"), 0.1)
            found = look(hub, contributor, delivery)
        today = datetime.now(UTC).date()
        compared = [said(one.words) for one in disclosures_of(hub)]
        document = page(hub.settings.name, found, today, compared)
        if target := targets["--html"]:
            _keep(target, as_html.write(document).encode())
        if target := targets["--xlsx"]:
            _keep(target, workbook(found))
        if target := targets["--report"]:
            from ctdhub.hub.private.look import own_rows
            from ctdhub.hub.private.pages import own_page, own_workbook

            (one,) = found
            rows = own_rows(hub, one.agreement.id, one.now.date)
            if target.suffix.lower() == ".xlsx":
                _keep(target, own_workbook(one, rows))
            else:
                own = [said(t.words) for t in disclosures_of(hub) if t.id == one.agreement.id]
                text = as_html.write(own_page(hub.settings.name, one, rows, today, own))
                _keep(target, text.encode())
            say(_("It holds rows of this contributor alone: send it to nobody else."))
        if not any(targets.values()):
            show_document(document)


def _place(hub: Hub, asked: Path | None, *endings: str) -> Path | None:
    """Where a file is written: below ``work/look`` of the hub, or outside the hub.

    Raises:
        FileError: it would lie among the files of the hub that others read, or has another ending.
    """
    if asked is None:
        return None
    options.require_suffix(asked, *endings)
    if asked.parent == Path():
        return hub.work / FOLDER / asked
    target, root = asked.resolve(), hub.root.resolve()
    if target.is_relative_to(root) and not target.is_relative_to(root / hub.work.name):
        raise error("private/look", file=asked)
    return asked


def _keep(target: Path, content: bytes) -> None:
    """Write a private file, or replace one."""
    from ctdhub.core.files import write_whole

    if target.parent.name == FOLDER:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(target, content)
    options.tell_written(target)
