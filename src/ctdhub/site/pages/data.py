"""Downloads, how to read them, and the same data in other standards."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ctdhub.core.format import decimal, number
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, _, current, ngettext
from ctdhub.release.open import Release
from ctdhub.release.tables import set_names
from ctdhub.report.counts_sheets import write_counts
from ctdhub.report.wording import state_words
from ctdhub.schema.crosswalk import NAMES, CodeMatch, arrows, load_crosswalk
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import SEX
from ctdhub.site.edition import DATA, MenuEntry, PageKind
from ctdhub.site.frame import Page, about, codebook
from ctdhub.stats.cards import NOT_RECORDED

PATH, ZIP = "data.html", "release.zip"

KIND = PageKind(
    "data",
    lambda content: pages(content.release),
    menu=MenuEntry(DATA, PATH, Text("Downloads")),
    files=lambda folder, content: write_zip(folder, content.release),
    translated=lambda folder, content: _write_spreadsheet(folder, content.release),
)


def pages(release: Release) -> Iterator[Page]:
    """The page of downloads, and a page for each standard."""
    yield Page(
        path=PATH,
        title=_("Data"),
        description=_("Synthetic records and counts to download, in open formats."),
        template="data.html",
        values={
            "cards": _cards(release),
            "downloads": _downloads(release),
            "reading": _reading(),
            "programs": _programs(release),
            "standards": [
                {"path": _path(name), "name": load_crosswalk(name).title, "lossy": _lossy(name)}
                for name in NAMES
            ],
            **about(release),
        },
        menu=PATH,
        dataset=True,
    )
    for name in NAMES:
        yield _crosswalk(name)


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
        values={
            "intro": _(
                "Each line is one step between this data and the standard. A sign marks the steps "
                "that lose something, in one direction or the other."
            ),
            "rows": [_row(arrow) for arrow in arrows(name)],
        },
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


def _reading() -> list[tuple[str, str, str]]:
    return [
        (
            "Python",
            _("With pandas; empty cells are not recorded."),
            'import pandas as pd\n\nrecords = pd.read_parquet("records.parquet")\n'
            'counts = pd.read_parquet("counts.parquet")',
        ),
        (
            "R",
            _("With the package arrow."),
            'library(arrow)\n\nrecords <- read_parquet("records.parquet")\n'
            'counts <- read_parquet("counts.parquet")',
        ),
        (
            "Excel",
            _(
                "Open the spreadsheet of counts above. For the CSV files use Data, From Text/CSV, "
                "and set every column to Text: otherwise age bands such as 9-17 become dates."
            ),
            "",
        ),
    ]


def _programs(release: Release) -> list[tuple[str, str]]:
    """Tool and example; the template puts the site's address for ``{site}``."""
    measured = [key for key in release.protected.guarantee.sigma if key and key.count("*") < 2]
    names = min(measured, key=lambda key: (key != SEX, "*" in key), default=SEX).split("*")
    table = f"{{site}}r/{release.version}/api/tables/{'-'.join(names)}"
    asked = ", ".join(f'"{name}"' for name in names)
    return [
        (
            "Python",
            "from ctdhub.client import open_site\n\n"
            f'site = open_site("{{site}}", "{release.version}")\n'
            f"site.table({asked})\nsite.records()\nsite.citation",
        ),
        ("curl", f"curl {{site}}api/latest.json\ncurl {table}.json\ncurl {table}.csv"),
        ("R", f'library(jsonlite)\n\nfromJSON("{table}.json")$rows'),
    ]


@dataclass(frozen=True)
class Download:
    """A file that readers may take: its name, what it is, its size in words."""

    name: str
    what: str
    size: str


def _cards(release: Release) -> list[dict[str, Any]]:
    """The three downloads that most readers want."""
    sheet = spreadsheet(current())
    names = [
        (_("Counts"), _("Every published count with its interval, for a spreadsheet."), sheet),
        (
            _("Synthetic records"),
            _("One row for each person, for statistics: no row is a real person."),
            "records.csv",
        ),
        (_("All files"), _("The whole release with its documentation, as one ZIP file."), ZIP),
    ]
    return [{"title": title, "what": what, "name": name} for title, what, name in names]


def spreadsheet(code: str) -> str:
    """Name of the spreadsheet of counts in a language."""
    return f"spreadsheets/counts.{code}.xlsx"


def write_zip(folder: Path, release: Release) -> None:
    """Write the release's files as one ZIP; the same release gives the same bytes."""
    made = datetime.fromisoformat(release.manifest.created[:10]).timetuple()[:6]
    with zipfile.ZipFile(folder / ZIP, "w") as file:
        for path in sorted(release.path.iterdir()):
            entry = zipfile.ZipInfo(f"release-{release.version}/{path.name}", made)
            entry.external_attr = 0o644 << 16
            packed = path.suffix != ".parquet"
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            with path.open("rb") as source, file.open(entry, "w") as target:
                shutil.copyfileobj(source, target)


def _write_spreadsheet(folder: Path, release: Release) -> None:
    path = folder / spreadsheet(current())
    path.parent.mkdir(exist_ok=True)
    write_counts(path, release)


def _downloads(release: Release) -> list[dict[str, Any]]:
    """All files of a release by what they are for; the codebooks are links of one row."""
    groups = [
        (
            _("Counts"),
            {
                "counts.csv": _("counts with intervals, as text"),
                "counts.parquet": _("the same, for programs"),
                "measurements.csv": _("noisy counts by year as text, a row per group"),
                "measurements.parquet": _("the same, for programs"),
                "sources.csv": _("noisy counts by contributor and year as text"),
                "sources.parquet": _("the same, for programs"),
                "perpetrator_counts.csv": _("counts of alleged perpetrators with intervals"),
                "perpetrator_counts.parquet": _("the same, for programs"),
            },
        ),
        (
            _("Synthetic records"),
            {
                "records.csv": _("synthetic records as text"),
                "records.parquet": _("the same, for programs"),
                **dict.fromkeys(
                    set_names(release.manifest.imputations),
                    _("records for the standard errors of models: one of several sets"),
                ),
                "perpetrators.csv": _(
                    "synthetic records of alleged perpetrators, not linked to people"
                ),
                "perpetrators.parquet": _("the same, for programs"),
            },
        ),
        (
            _("Documentation"),
            {
                "codebook.csv": _("every variable and code, in every language"),
                "README.md": _("how to read the files in Python, R and Excel"),
                "CHANGELOG.md": _("what changed since the last release"),
            },
        ),
        (
            _("For catalogues"),
            {
                "datapackage.json": _("Frictionless Data Package"),
                "dcat.jsonld": _("for data catalogues (DCAT)"),
                "croissant.json": _("for machine-learning tools (Croissant)"),
            },
        ),
        (
            _("To check the files"),
            {
                "manifest.json": _("exact parameters and the hash of every file"),
                "attacks.json": _("what attacks on this method of protection achieved"),
                "APPROVALS.json": _("who approved this release, signed"),
                "SHA256SUMS": _("hashes, to check the files"),
            },
        ),
    ]
    held = {p.name: p.stat().st_size for p in release.path.iterdir()}
    books = {codebook(code): code for code in LANGUAGES}
    named = {name for _title, files in groups for name in files} | set(books)
    groups.append((_("Other files"), dict.fromkeys(sorted(held.keys() - named), "")))
    return [
        {
            "title": title,
            "files": [Download(n, w, file_size(held[n])) for n, w in files.items() if n in held],
            "books": [
                {"name": name, "lang": code, "language": NATIVE_NAMES[code]}
                for name, code in books.items()
                if name in held and "codebook.csv" in files
            ],
        }
        for title, files in groups
        if files.keys() & held.keys()
    ]


def file_size(n: int) -> str:
    """Bytes in words, in units of 1000.

    >>> file_size(1_234_567), file_size(999)
    ('1.2 MB', '1 kB')
    """
    if n < 1_000_000:
        return _("{n} kB").format(n=number(max(1, round(n / 1000))))
    return _("{n} MB").format(n=decimal(n / 1e6))
