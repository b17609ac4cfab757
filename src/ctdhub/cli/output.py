"""What the command puts on the screen: two consoles, progress, errors and their remedies."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import _wrap
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text, _, language, said

if TYPE_CHECKING:
    from ctdhub.document.document import Block, Document

Report = Callable[[str | Text, float], None]
"""Is told what is being done, and how much of it is done, from 0 to 1."""

_wrap.re_word = re.compile(r"[ \t]*[^ \t]+[ \t]*")
"""Rich breaks a line at any white space, also at one that must not break, as inside « »."""

console = Console()
errors = Console(stderr=True)
"""Errors and progress, so that what a command prints can go into a file."""


@contextmanager
def bar() -> Iterator[Report]:
    """A progress bar that a library function can feed with (message, fraction)."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=not errors.is_terminal
    ) as progress:
        task = progress.add_task("", total=1.0)

        def report(message: str | Text, fraction: float) -> None:
            words = message if isinstance(message, str) else said(message)
            progress.update(task, description=escape(words), completed=fraction)

        yield report


def say(text: str, /, *, to: Console = console, **fields: object) -> None:
    """Print a sentence, whose fields are plain texts; without fields, as it is."""
    to.print(escape(text.format(**fields) if fields else text))


def show_table(
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: int | None = None,
    fold: bool = True,
    caption: str = "",
) -> None:
    """Print a table of plain texts.

    Args:
        head: titles of the columns; where all are empty, none is shown.
        right: the first of the columns whose cells stand at the right, such as numbers.
        fold: whether a word that is too long for its column is broken, not cut.
    """
    table = Table(title=escape(title), caption=escape(caption), show_header=any(head))
    for place, heading in enumerate(head):
        if right is not None and place >= right:
            table.add_column(escape(heading), justify="right")
        else:
            table.add_column(escape(heading), overflow="fold" if fold else "ellipsis")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def show_document(document: Document) -> None:
    """Print a page of a hub: its mark or title, what leads, then its sections."""
    if head := document.meta.mark or document.title:
        console.print(f"[bold]{escape(head)}[/]")
    for text in document.lead:
        say(text)
    for section in document.sections:
        show_section(section.title, section.blocks)


def show_section(title: str, blocks: Iterable[Block]) -> None:
    """Print a part of a page under its title."""
    if title:
        console.rule(escape(title))
    for block in blocks:
        _show_block(block)


def _show_block(block: Block) -> None:
    if block.kind == "words":
        for text in (*filter(None, (block.title,)), *block.paragraphs):
            say(text)
    elif block.kind == "items":
        for item in block.items:
            say(f"* {item}")
    elif block.kind == "table":
        right = None if block.words else 1
        show_table(block.title, block.head, block.rows, right=right, caption=block.note)
    elif block.kind == "bars":
        rows = [(bar.label, bar.text) for bar in block.bars]
        show_table(block.title, ("", ""), rows, caption=block.subtitle)


def show_exactly(text: str) -> None:
    """Print a text as it is, on lines that can be copied."""
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def show_error(met: HubError) -> None:
    """Print an error with its place and remedy, in its own language, never a traceback."""
    with language(met.spoken):
        label, remedy = _("Error:"), _("What to do:")
        errors.print(f"[bold red]{escape(label)}[/] {escape(met.what)}")
        if place := met.where():
            errors.print(f"  {escape(place)}")
        errors.print(f"  [bold]{escape(remedy)}[/] {escape(met.fix)}")


_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}
_KIND = {errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY}
_FULL = {errno.ENOSPC, errno.EDQUOT}


def refused(met: OSError) -> HubError:
    """The system would not read or write; names the file, never more of its path.

    >>> refused(OSError(errno.ENOSPC, "", "a.csv")).what
    'The disk is full.'
    """
    code = met.errno or 0
    file = met.filename if isinstance(met.filename, str) else None
    rule = errno.errorcode.get(code, "system").lower()
    if code in _ABSENT:
        return error("system/absent", file=file, rule=rule)
    if code in _RIGHTS:
        return error("system/rights", file=file, rule=rule)
    if code in _KIND:
        return error("system/kind", file=file, rule=rule)
    if code in _FULL:
        return error("system/full", file=file, rule=rule)
    return error("system", file=file, rule=rule)
