"""Where a chart card leads on: its files, its frame, the explorer, the nearest question."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from markupsafe import escape

from ctdhub.core.format import inline
from ctdhub.core.i18n import _, current
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure
from ctdhub.schema import countries
from ctdhub.schema.labels import label
from ctdhub.schema.model import load_schema
from ctdhub.site.frame import Links
from ctdhub.site.sharing import EMBED
from ctdhub.stats.nearest import nearest
from ctdhub.stats.query import Where

EXPLORER = "explore.html"
MOSTLY = 0.5
"""Above this part of rows that are not shown a card offers a nearer question."""


class ChartWithFiles(Protocol):
    """A chart whose numbers are files."""

    @property
    def id(self) -> str: ...
    @property
    def file(self) -> str: ...


def figure_files(figure: Figure, links: Links, lang: str) -> list[tuple[str, str]]:
    """What can be downloaded of a figure: name and address of each file."""
    picture = [("SVG", links.file(f"charts/{lang}/{figure.file}.svg"))] if figure.picture else []
    return [*picture, *chart_files(figure, links)]


def chart_files(figure: ChartWithFiles, links: Links) -> list[tuple[str, str]]:
    """What can be downloaded of any chart that has files: name and address of each."""
    stem = f"charts/{figure.file}"
    return [
        ("CSV", links.file(f"{stem}.csv")),
        (_("Metadata"), links.file(f"{stem}.metadata.json")),
        ("CSVW", links.file(f"{stem}.csv-metadata.json")),
    ]


def embed_path(file: str) -> str:
    """The page for frames that holds the figures of a file, in the folder of its language."""
    return f"{EMBED}/{file}.html"


def embed_code(title: str, address: str) -> str:
    """The element that shows a page for frames on a page of somebody else."""
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}" width="600" height="640" '
        'loading="lazy" referrerpolicy="no-referrer"></iframe>'
    )


def onward(figure: Figure, links: Links, release: Release) -> Iterator[tuple[str, str]]:
    """Links of a card to the explorer: words and address of each."""
    if not figure.subject or figure.subject == "corridors":
        return
    yield _("Split or compare"), explorer(links, figure.where, figure.subject)
    for key, variable in _places(figure.where):
        other = {f"vs.{variable}": countries.members(key), **figure.where}
        name = countries.region_name(key, current())
        text = _("Compare with {place}").format(place=name)
        yield text, explorer(links, other, figure.subject)
    yield from _nearer(figure, links, release)


def explorer(links: Links, where: Where, chart: str) -> str:
    """The address of a state of the explorer: filters, second filters (``vs.``), large chart."""
    parts = [f"{name}={','.join(codes)}" for name, codes in where.items()]
    return f"{links.page(EXPLORER)}#{'&'.join((*parts, f'show={chart}'))}"


def _places(where: Where) -> Iterator[tuple[str, str]]:
    """The region around a single country that the figure is about, and its variable."""
    for name, codes in where.items():
        if load_schema().variable(name).kind == "country" and len(codes) == 1:
            region = countries.region(next(iter(codes)))
            if region is not None:
                yield region, name


@lru_cache(maxsize=4)
def _tables(keys: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """The variables of each measured table."""
    return tuple(frozenset(key.split("*")) for key in keys if key)


@lru_cache(maxsize=1024)
def _nearest(
    keys: tuple[str, ...], asked: tuple[str, ...], *, beyond: bool
) -> Sequence[Sequence[str]]:
    """The nearest questions; where there is none and ``beyond``, those next to the question's own
    table.  Asked for each figure of each place in each language."""
    tables = _tables(keys)
    found = nearest(tables, asked)
    if not found and beyond:
        return nearest([t for t in tables if t != set(asked)], asked)
    return found


def _nearer(figure: Figure, links: Links, release: Release) -> Iterator[tuple[str, str]]:
    values = [bar for bar in figure.bars if not bar.missing]
    silent = [bar for bar in values if bar.kind in ("protected", "not_measured")]
    if len(silent) <= MOSTLY * len(values):
        return
    keys = tuple(release.protected.guarantee.sigma)
    asked = (*figure.table.variables, *figure.where)
    found = _nearest(keys, asked, beyond=bool(figure.where))
    for names in (names for names in found if set(figure.table.variables) <= set(names)):
        dropped = [name for name in asked if name not in names]
        kept: Mapping[str, Collection[str]] = {n: c for n, c in figure.where.items() if n in names}
        words = ", ".join(inline(label(name, current())) for name in dropped)
        text = _("Nearest question: without {what}").format(what=words)
        yield text, explorer(links, kept, figure.subject)
