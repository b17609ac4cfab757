"""Arguments that verbs share: a hub or release, a language, a format, a file to write."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from ctdhub.cli.output import console
from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.core.tables import endings

if TYPE_CHECKING:
    from ctdhub.hub.folder import Hub
    from ctdhub.release.open import Release
    from ctdhub.sensitive.ingest.options import ReadOptions
    from ctdhub.sensitive.ingest.raw import RawTable


Folder = Annotated[Path, typer.Argument()]
"""A hub, a release or another folder; where none is named, often that of the shell."""
NeededPath = Annotated[Path, typer.Option()]
Needed = Annotated[str, typer.Option()]
"""Options that a verb cannot do without."""
Yes = Annotated[bool, typer.Option("--yes")]
AsJson = Annotated[bool, typer.Option("--json")]


def table_help(*more: str) -> str:
    """What a verb says of the table that it reads: the endings of all formats.

    Args:
        more: endings that the verb reads besides those of contributed files.
    """
    return _("A table: {formats}, …").format(formats=endings(*more))


Order = Literal["dmy", "mdy"]
"""The order of day and month in dates."""


def reading(
    base: ReadOptions,
    sheet: str | None,
    header_row: int | None,
    delimiter: str | None,
    rows: str | None = None,
    encoding: str | None = None,
) -> ReadOptions:
    """How a file is read, with what the command line states over what a mapping states.

    Args:
        rows: where the records are in a JSON document.

    Raises:
        FileError: the delimiter is no single character that may separate cells
            (``option/delimiter``), ``rows`` is no path (``option/rows``), or the encoding is
            unknown (``option/encoding``).
    """
    from pydantic import ValidationError

    from ctdhub.sensitive.ingest.options import ReadOptions

    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    stated = {
        "header_row": header_row, "delimiter": delimiter, "rows": rows, "encoding": encoding
    }  # fmt: skip
    settings: dict[str, Any] = {name: said for name, said in stated.items() if said is not None}
    if sheet is not None:
        settings |= {"sheet": None, "sheets": "all"} if sheet == "*" else {"sheet": sheet}
        settings.setdefault("sheets", None)
    try:
        return ReadOptions.model_validate(base.model_dump(exclude_unset=True) | settings)
    except ValidationError as cause:
        places = {place for fault in cause.errors() for place in fault["loc"]}
        if "encoding" in places:
            raise error("option/encoding") from None
        raise error("option/rows" if "rows" in places else "option/delimiter") from None


def refuse_unused(
    raw: RawTable,
    sheet: str | None,
    header_row: int | None,
    delimiter: str | None,
    rows: str | None = None,
    encoding: str | None = None,
) -> None:
    """Refuse an option that the file has no use for: another file may be meant.

    Raises:
        FileError: rule ``option``.
    """
    text, book = raw.delimiter is not None, raw.sheet is not None
    for option, value, used in (
        ("--sheet", sheet, book),
        ("--header-row", header_row, text or book),
        ("--delimiter", delimiter, text),
        ("--rows", rows, not (text or book)),
        ("--encoding", encoding, not book),
    ):
        if value is not None and not used:
            raise error("option/unused", file=raw.file, option=option)


def refuse_beside(option: str, others: Mapping[str, object], verb: str) -> None:
    """Refuse options that would be passed over, as another one stands.

    Raises:
        HubError: one was given (rule "usage").
    """
    if names := [name for name, value in others.items() if value]:
        raise error("usage/apart", name=option, names=", ".join(names), command=f"ctdhub {verb}")


def form(known: Iterable[str]) -> Any:
    """The option of verbs that write in several formats."""
    return typer.Option("--format", help=_("One of: {names}.").format(names=", ".join(known)))


def one_of(choice: str, known: Iterable[str], option: str) -> str:
    """A choice, if it is known.

    Raises:
        HubError: it is not (rule "usage").
    """
    names = tuple(known)
    if choice not in names:
        raise error("usage/value", name=option, values=", ".join(names))
    return choice


def years_of(text: str) -> tuple[int, int] | None:
    """The first and the last year that a text such as "2018-2020" or "2018" names, if it does."""
    match = re.fullmatch(r"\s*(\d{4})\s*(?:[-–]\s*(\d{4})\s*)?", text)
    return (int(match[1]), int(match[2] or match[1])) if match else None


@contextmanager
def speaking(chosen: str) -> Iterator[str]:
    """Speak a language within; "" is the user's own.

    Raises:
        HubError: it is not offered (rule "usage").
    """
    spoken = one_of(chosen or current(), LANGUAGES, "--lang")
    with language(spoken):
        yield spoken


@contextmanager
def answering(form: str, forms: Iterable[str], lang: str, out: Path | None) -> Iterator[None]:
    """Refuse what an answer cannot be before it is computed, and speak its language within.

    Raises:
        HubError: the format or the language is not offered (rule "usage").
        FileError: the file that it shall be written to exists already.
    """
    one_of(form, forms, "--format")
    require_new(out)
    with speaking(lang):
        yield


def hub(folder: Path) -> Hub:
    """The hub of a folder.

    Raises:
        HubFolderError: the folder is none.
    """
    from ctdhub.hub.folder import Hub

    return Hub(folder)


def hub_near(release: Path) -> Hub | None:
    """The hub that a release or candidate lies in, None outside a hub."""
    root = release.resolve().parent.parent
    return hub(root) if (root / "hub.yaml").is_file() else None


def release_folder(source: Path) -> Path:
    """The release that is meant: the folder itself, or the last of a hub that stands.

    Raises:
        ReleaseError: there is none.
    """
    from ctdhub.release.bundle import latest_standing

    if not source.is_dir():
        if not source.exists():
            raise error("no-release/absent", file=source)
        raise error("no-release/no-folder", file=source)
    if (source / "manifest.json").is_file():
        return source
    folder = latest_standing(source / "releases")
    if folder is None:
        raise error("no-release/not-built", file=source)
    return folder


def opened(source: Path) -> Release:
    """The release that is meant, whole.

    Raises:
        ReleaseError: there is none, or it is not what was published.
    """
    from ctdhub.cli.approve import approvers_near
    from ctdhub.release.open import open_release

    folder = release_folder(source)
    return open_release(folder, approvers_near(folder))


def require_new(file: Path | None, option: str = "--out") -> None:
    """Refuse to write over a file, or where no folder is, before anything is computed.

    Raises:
        FileError: it exists already.
        OSError: its folder does not exist.
    """
    if file is not None and (file.exists() or file.is_symlink()):
        raise error("no-overwrite", file=file, option=option)
    if file is not None:
        file.parent.stat()


_PUBLIC = ("site", "releases", "candidates", "exhibit", "stories")
"""Folders of a hub that others read, or that go to them."""


def require_private(out: Path) -> None:
    """Refuse to write what is seen of case records among the files of a hub that others read.

    Raises:
        DocumentError: it would lie there.
    """
    target = out.resolve()
    for folder in target.parents:
        if (folder / "hub.yaml").is_file() and target.relative_to(folder).parts[0] in _PUBLIC:
            raise error("private/hub", file=out)


def require_suffix(file: Path, *endings: str) -> None:
    """Refuse a name that says something else than the file will hold.

    Raises:
        FileError: the name has none of the endings, such as ".svg".
    """
    if file.suffix.lower() not in endings:
        raise error("format-suffix", file=file, endings=" / ".join(endings))


def require_own(folder: Path, mark: str) -> None:
    """Refuse a folder with files in it, unless an earlier run of this command made it.

    Args:
        mark: a file that the command leaves in each folder that it makes.

    Raises:
        FileError: it holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
        raise error("no-overwrite/folder", file=folder)


def require_yes(question: str, refused: str, *, yes: bool) -> None:
    """Ask before something is done, unless that was said already; a no ends the command.

    Args:
        refused: what is said after a no.
    """
    if not yes and not typer.confirm(question):
        console.print(refused)
        raise typer.Exit(1)


def captured(show: Callable[[], None]) -> str:
    """What would stand on the screen, as plain text."""
    with console.capture() as capture:
        show()
    lines = Text.from_ansi(capture.get()).plain.splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def deliver(answer: str | Callable[[], None], file: Path | None, *, private: bool = False) -> None:
    """Print a document as it is, or write it into a new file.

    Args:
        answer: its text, or what shows it on the screen.
        private: only its owner may read the file, for it tells of a table that is not protected.
    """
    if file is None and not isinstance(answer, str):
        answer()
        return
    text = answer if isinstance(answer, str) else captured(answer)
    if file is None:
        console.out(text, end="", highlight=False)
        return
    write(text, file, private=private)
    tell_written(file)


def write(text: str, file: Path, *, private: bool) -> None:
    """Write a new file, whole or not at all.

    Raises:
        FileExistsError: there is one already.
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
    except OSError:
        file.unlink(missing_ok=True)
        raise


def tell_written(file: Path) -> None:
    """Name a file that was written, on one line that can be copied."""
    console.print(_("Wrote {file}.").format(file=file), markup=False, soft_wrap=True)
