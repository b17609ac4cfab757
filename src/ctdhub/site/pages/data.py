"""Downloads, how to read them, and the same data in other standards."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.border import SHOWN
from ctdhub.core import i18n
from ctdhub.core.format import decimal, number
from ctdhub.core.i18n import Text, _, current, ngettext
from ctdhub.document.spreadsheet import Cell, PlainSheet, write_spreadsheet
from ctdhub.release.open import Release
from ctdhub.release.tables import set_names
from ctdhub.report.wording import caveat, citation, state_words
from ctdhub.schema.crosswalk import NAMES, CodeMatch, arrows, load_crosswalk
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import SEX
from ctdhub.site.edition import DATA, MenuEntry, PageKind
from ctdhub.site.frame import Page, codebook
from ctdhub.stats.cards import NOT_RECORDED

PATH, ZIP = "data.html", "release.zip"
PACKED = (".parquet", ".zip", ".xlsx", ".bin")
"""Endings of files that are compressed in themselves."""

KIND = PageKind(
    "data",
    lambda content: pages(content.release),
    menu=MenuEntry(DATA, PATH, Text("Downloads")),
    translated=lambda folder, content: _write_spreadsheet(folder, content.release),
)
STANDARDS_KIND = PageKind("standards", lambda _content: map(_crosswalk, NAMES), common=True)


def pages(release: Release) -> Iterator[Page]:
    """The page of downloads."""
    yield Page(
        path=PATH,
        title=_("Data"),
        description=_("Synthetic records and counts to download, in open formats."),
        values={
            "spreadsheet": spreadsheet(current()),
            "zip": ZIP,
            "downloads": _downloads(release),
            "example": _example(release),
            "standards": [
                {"path": _path(name), "name": load_crosswalk(name).title, "lossy": _lossy(name)}
                for name in NAMES
            ],
        },
        dataset=True,
    )


def _path(name: str) -> str:
    return f"standards/{name}.html"


def _lossy(name: str) -> str:
    n = sum(1 for arrow in arrows(name) if _lost(arrow))
    return ngettext("{n} lossy step", "{n} lossy steps", n).format(n=number(n))


def _lost(arrow: CodeMatch) -> str:
    notes = [n for n in (arrow.lossy_read, arrow.lossy_write) if n]
    return " ".join(dict.fromkeys(_(note) for note in notes))


def _crosswalk(name: str) -> Page:
    title = load_crosswalk(name).title
    return Page(
        path=_path(name),
        title=title,
        description=_("How each variable maps to this standard, and what is lost."),
        template="crosswalk.html",
        values={"rows": [_row(arrow) for arrow in arrows(name)]},
        menu=PATH,
    )


def _row(arrow: CodeMatch) -> dict[str, Any]:
    lang = current()
    variable = "" if arrow.variable is None else label(arrow.variable, lang)
    code = state_words("not_recorded") if arrow.code == NOT_RECORDED else ""
    if arrow.variable is not None and arrow.code:
        code = code_label(arrow.variable, arrow.code, lang)
    return {
        "variable": variable or _("no counterpart"),
        "code": code,
        "column": arrow.column or _("no counterpart"),
        "value": arrow.value or "",
        "lost": _lost(arrow),
    }


def _example(release: Release) -> list[str]:
    """The variables of the measured table that stands as an example."""
    measured = [key for key in release.protected.guarantee.sigma if key and key.count("*") < 2]
    return min(measured, key=lambda key: (key != SEX, "*" in key), default=SEX).split("*")


def spreadsheet(code: str) -> str:
    """Name of the spreadsheet of counts in a language."""
    return f"spreadsheets/counts.{code}.xlsx"


def write_zip(folder: Path, release: Release) -> None:
    """Write the release's files as one ZIP.

    Its folder has the version's name, as whoever verifies what was unpacked asks for.
    """
    names = {f"{release.version}/{path.name}": path for path in release.path.iterdir()}
    pack(folder / ZIP, names, release)


def pack(target: Path | BytesIO, files: Mapping[str, Path], release: Release) -> None:
    """Write files of a release by their names as one ZIP; the same files give the same bytes."""
    made = datetime.fromisoformat(release.manifest.created[:10]).timetuple()[:6]
    with zipfile.ZipFile(target, "w") as file:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, made)
            entry.external_attr = 0o644 << 16
            loose = path.suffix not in PACKED
            entry.compress_type = zipfile.ZIP_DEFLATED if loose else zipfile.ZIP_STORED
            with path.open("rb") as source, file.open(entry, "w") as copy:
                shutil.copyfileobj(source, copy)


def _write_spreadsheet(folder: Path, release: Release) -> None:
    path = folder / spreadsheet(current())
    path.parent.mkdir(exist_ok=True)
    write_counts(path, release)


def _downloads(release: Release) -> list[dict[str, Any]]:
    """All files of a release by what they are for; the codebooks are links of one row."""
    groups = [
        (group["title"], dict(_each_set(group["files"], release)))
        for group in i18n.said_all("ctdhub.site.pages", "downloads")
    ]
    sizes = {p.name: p.stat().st_size for p in release.path.iterdir()}
    books = {codebook(code): code for code in i18n.LANGUAGES}
    named = {name for _title, files in groups for name in files} | set(books)
    groups.append((_("Other files"), dict.fromkeys(sorted(sizes.keys() - named), "")))
    return [
        {
            "title": title,
            "files": [(n, w, file_size(sizes[n])) for n, w in files.items() if n in sizes],
            "books": [b for b in books.items() if b[0] in sizes and "codebook.csv" in files],
        }
        for title, files in groups
        if files.keys() & sizes.keys()
    ]


def _each_set(files: dict[str, str], release: Release) -> Iterator[tuple[str, str]]:
    """Files of a group, each set of records for inference by its own name."""
    for name, what in files.items():
        names = set_names(release.manifest.imputations) if name == "imputation" else (name,)
        yield from ((each, what) for each in names)


def file_size(n: int) -> str:
    """Bytes in words, in units of 1000.

    >>> file_size(1_234_567), file_size(999)
    ('1.2 MB', '1 kB')
    """
    if n < 1_000_000:
        return _("{n} kB").format(n=number(max(1, round(n / 1000))))
    return _("{n} MB").format(n=decimal(n / 1e6))


# --------------------------------------------------------------------------------------------------
# The published counts as a spreadsheet for people: labels first, in one language.


def write_counts(path: Path, release: Release) -> None:
    """Write all published counts of a release in the language in force.

    Args:
        path: of the file, which ends with ``.xlsx``.
    """
    counts = release.protected.counts
    counts = counts.filter(pc.equal(counts["state"], SHOWN))
    sizes = pc.list_value_length(counts["columns"])
    sheets = [PlainSheet(_("About"), (24, 100), _about(release), heading=False)]
    for n in sorted(set(sizes.to_pylist()) - {0}):
        name = ngettext("{n} variable", "{n} variables", n).format(n=n)
        rows = _rows(n, counts.filter(pc.equal(sizes, n)))
        sheets.append(PlainSheet(name[:31], (*(28, 34) * n, 12, 14, 14), rows))
    write_spreadsheet(path, sheets, rtl=current() in i18n.RIGHT_TO_LEFT)


def _about(release: Release) -> Iterator[tuple[Cell, ...]]:
    people, facts = release.manifest.people_once or release.manifest.people, release.facts
    if facts.invented:
        yield (
            _("Practice data"),
            _("Practice data: fictitious. No number on this page is about real people."),
        )
    yield _("People identified"), people.value
    yield _("Lower bound"), people.low
    yield _("Upper bound"), people.high
    yield _("How to read it"), caveat()
    yield (
        _("Not shown"),
        _(
            "A group that has no row here is not shown (below the reporting threshold); it "
            "is not zero."
        ),
    )
    yield _("Cite"), citation(release)
    yield _("Licence"), " ".join(x for x in (facts.licence, facts.licence_url) if x)


def _rows(n: int, counts: pa.Table) -> Iterator[tuple[Cell, ...]]:
    heads = (_("Variable"), _("Value"))
    yield (*heads * n, _("People"), _("Lower bound"), _("Upper bound"))
    lang, unknown = current(), state_words("not_recorded")

    @cache
    def words(name: str, code: str) -> tuple[str, str]:
        return label(name, lang), code_label(name, code, lang) if code else unknown

    parts = (counts[name].to_pylist() for name in ("columns", "values", "count", "low", "high"))
    for names, codes, *numbers in zip(*parts, strict=True):
        yield (*chain.from_iterable(map(words, names, codes)), *numbers)
