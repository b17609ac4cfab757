"""Downloads, how to read them, and the same data in other standards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ctdhub.core.format import decimal, number
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, _, current, ngettext
from ctdhub.release.open import Release
from ctdhub.release.tables import set_names
from ctdhub.report.wording import state_words
from ctdhub.schema.crosswalk import NAMES, load_crosswalk
from ctdhub.schema.crosswalk_graph import CodeMatch, arrows
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.roles import SEX
from ctdhub.site.frame import Page
from ctdhub.site.kinds import DATA, MenuEntry, PageKind
from ctdhub.site.pages.about import about, codebook
from ctdhub.stats.table import NOT_RECORDED

PATH = "data.html"

KIND = PageKind(
    "data",
    lambda content: pages(content.release),
    menu=MenuEntry(DATA, PATH, Text("Downloads")),
)


def pages(release: Release) -> Iterator[Page]:
    """The page of downloads, and a page for each standard."""
    yield Page(
        path=PATH,
        title=_("Data"),
        description=_("Protected records and counts to download, in open formats."),
        template="data.html",
        values={
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
                "Open the CSV files with Data, From Text/CSV, and set every column to Text: "
                "otherwise age bands such as 9-17 become dates."
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


def _downloads(release: Release) -> list[Download]:
    books = {
        codebook(code): _("codebook in: {language}").format(language=NATIVE_NAMES[code])
        for code in LANGUAGES
    }
    own = codebook(current())
    what = {
        "records.parquet": _("protected records, one row per person, for programs"),
        "records.csv": _("protected records as text"),
        "counts.parquet": _("protected counts with intervals, for programs"),
        "counts.csv": _("protected counts as text"),
        "perpetrators.parquet": _("protected perpetrators, not linked to people, for programs"),
        "perpetrators.csv": _("protected perpetrators as text"),
        "perpetrator_counts.parquet": _(
            "protected counts of perpetrators with intervals, for programs"
        ),
        "perpetrator_counts.csv": _("protected counts of perpetrators as text"),
        "measurements.parquet": _("noisy counts by year, for statistics on series, for programs"),
        "measurements.csv": _("noisy counts by year as text, a row per group"),
        "sources.parquet": _(
            "noisy counts by contributor and year, and the overlap of lists, for programs"
        ),
        "sources.csv": _("noisy counts by contributor and year as text"),
        **dict.fromkeys(
            set_names(release.manifest.imputations),
            _("records for the standard errors of models: one of several sets, to be pooled"),
        ),
        own: books[own],
        "codebook.csv": _("every variable and code, in every language"),
        "README.md": _("how to read the files in Python, R and Excel"),
        "CHANGELOG.md": _("what changed since the last release"),
        "datapackage.json": _("Frictionless Data Package"),
        "dcat.jsonld": _("for data catalogues (DCAT)"),
        "croissant.json": _("for machine-learning tools (Croissant)"),
        "opendp-deployment.yaml": _("entry for the OpenDP deployments registry"),
        "manifest.json": _("exact parameters and the hash of every file"),
        "APPROVALS.json": _("who approved this release, signed"),
        "SHA256SUMS": _("hashes, to check the files"),
        **{name: text for name, text in books.items() if name != own},
    }
    first = list(what)
    names = sorted(
        (p.name for p in release.path.iterdir()),
        key=lambda n: (first.index(n) if n in first else len(first), n),
    )
    return [
        Download(n, what.get(n, ""), file_size((release.path / n).stat().st_size)) for n in names
    ]


def file_size(n: int) -> str:
    """Bytes in words, in units of 1000.

    >>> file_size(1_234_567), file_size(999)
    ('1.2 MB', '1 kB')
    """
    if n < 1_000_000:
        return _("{n} kB").format(n=number(max(1, round(n / 1000))))
    return _("{n} MB").format(n=decimal(n / 1e6))
