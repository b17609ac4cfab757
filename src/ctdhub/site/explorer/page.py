"""The explorer: linked charts of the protected records with filters.

Python draws the charts without filters; ``static/explore.js`` replaces the drawings once the data
are there, with the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from babel import Locale
from markupsafe import Markup

from ctdhub.core.format import number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current, formula
from ctdhub.document.charts.bars import draw
from ctdhub.document.embedded import embedded
from ctdhub.report.figures import Figure, figure_of
from ctdhub.report.wording import caveat, citation, sized, state_words
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import ORIGIN
from ctdhub.site.explorer.pack import (
    DATA,
    SCRIPT,
    Explorer,
    explorer,
    write_data,
)
from ctdhub.site.frame import Links, Page
from ctdhub.site.kinds import EXPLORE, MenuEntry, PageKind
from ctdhub.site.pages.about import about
from ctdhub.stats.answers import Answers
from ctdhub.stats.explore import grouped
from ctdhub.stats.table import Table

PATH = "explore.html"

KIND = PageKind(
    "explorer",
    lambda content: [page(content.answers, offline=content.edition.offline)],
    menu=MenuEntry(EXPLORE, PATH, Text("Data explorer")),
    files=lambda folder, content: write_data(
        content.answers, folder, offline=content.edition.offline
    ),
)

TOP = 12
"""Rows of a ranked chart; its table has all that can be shown."""
AROUND = 11
"""Rows that a chart's title, actions and note are as high as."""


@dataclass(frozen=True)
class _Chart:
    """A chart: its figure with all rows, the part that is drawn, and what the script needs."""

    figure: Figure
    drawn: Figure
    title: str
    spec: dict[str, Any]


def page(answers: Answers, *, offline: bool) -> Page:
    """The page; ``offline`` where its data lie in a script instead of a file to fetch."""
    held, release, lang = explorer(answers), answers.release, current()
    charts = _charts(held)
    people = release.protected.people
    total = _("{people} people").format(
        people=formula(f"{number(people.value)} ± {number(people.high - people.value)}")
    )
    facts = about(release)
    return Page(
        path=PATH,
        title=_("Explore"),
        description=_("Filter the synthetic records and see every chart change with them."),
        template="explore.html",
        values={
            "total": total,
            "columns": [
                [(c, draw(c.drawn.bars, c.drawn.id, rtl=lang in RIGHT_TO_LEFT)) for c in column]
                for column in _halves(charts)
            ],
            "payload": _payload(held, charts, offline=offline),
            "level": share(release.protected.guarantee.level),
            "caveat": caveat(),
            "intro": _intro(answers),
            "source": _sources()["published" if answers.reconciled else "records"],
            "contributor_names": [c.name for c in release.facts.contributors],
            **facts,
        },
        menu=PATH,
        scripts=("engine.js", "interval.js", "save.js", "explore.js"),
        sources=() if offline else ("connect-src 'self'",),
        script_sources=("'self'", "file:") if offline else (),
    )


def _charts(held: Explorer) -> list[_Chart]:
    schema, columns, found = load_schema(), held.columns, []
    for name in schema.explorer:
        if name not in schema.groups:
            if name in columns:
                found.append(_single(held, name))
            continue
        indicator = schema.groups[name].indicator or ""
        if indicator in columns and grouped(held.exploration.codes, name):
            found.append(_flags(held, name, indicator))
    return found


def _halves(charts: list[_Chart]) -> tuple[list[_Chart], list[_Chart]]:
    """The charts in their order, split where the first half of their rows ends."""
    rows = [len(c.drawn.bars) + AROUND for c in charts]
    ends = [abs(2 * sum(rows[:k]) - sum(rows)) for k in range(len(rows) + 1)]
    half = ends.index(min(ends))
    return charts[:half], charts[half:]


def _single(held: Explorer, name: str) -> _Chart:
    lang, domain = current(), held.exploration.domains[name]
    table = held.exploration.table(name)
    title = label(name, lang)
    subtitle = _("People identified, by: {variable}").format(variable=title)
    if ranked := load_schema().variable(name).kind == "country":
        table = _sorted(table)
    figure = _figure(name, subtitle, table, definition(name, lang), name)
    values = sorted(domain.index(r.codes[0]) for r in table.rows[:-1])
    spec = {
        "name": name,
        "column": held.columns.index(name),
        "codes": list(range(1, len(domain))) if ranked else values,
        "ranked": ranked,
        "silent": [domain.index(r.codes[0]) for r in table.rows if r.kind == "nobody_reports"],
    }
    return _chart(figure, title, spec)


def _flags(held: Explorer, group: str, indicator: str) -> _Chart:
    lang, flags = current(), grouped(held.exploration.codes, group)
    title = group_label(group, lang)
    subtitle = _("People identified, by: {variable}; a person may have several").format(
        variable=title
    )
    table = held.exploration.flag_table(indicator, flags)
    figure = _figure(group, subtitle, table, group_definition(group, lang), "")
    spec = {
        "name": group,
        "column": held.columns.index(indicator),
        "flags": [held.columns.index(flag) for flag in flags],
        "ranked": False,
        "silent": [],
    }
    return _chart(figure, title, spec)


def _chart(figure: Figure, title: str, spec: dict[str, Any]) -> _Chart:
    largest = figure.table.largest
    headline = title
    if largest is not None:
        headline = _largest().format(
            label=figure.bars[figure.table.rows.index(largest)].label, people=sized(largest.people)
        )
    figure = replace(figure, headline=headline)
    drawn = figure
    if spec["ranked"]:
        drawn = replace(figure, bars=(*figure.bars[:-1][:TOP], figure.bars[-1]))
    return _Chart(
        figure,
        drawn,
        title,
        {"id": figure.id, "title": title, "subtitle": figure.subtitle, **spec},
    )


def _figure(name: str, subtitle: str, table: Table, meaning: str, variable: str) -> Figure:
    lang = current()

    def words(codes: tuple[str, ...]) -> str:
        return code_label(variable, codes[0], lang) if variable else label(codes[0], lang)

    return figure_of(f"explore-{name}", subtitle, table, words, meaning, shares=False)


def _sorted(table: Table) -> Table:
    """Rows that can be shown, largest first; "not recorded" stays last."""
    shown = [r for r in table.rows[:-1] if r.people.value is not None]
    shown.sort(key=lambda r: -(r.people.value or 0))
    return replace(table, rows=(*shown, table.rows[-1]))


def _largest() -> str:
    return _("Largest: {label}, {people} people")


def _payload(held: Explorer, charts: list[_Chart], *, offline: bool) -> Markup:
    """What the script reads, as JSON that may stand in a page."""
    release, packed, lang = held.exploration.answers.release, held.packed, current()
    columns, links = held.columns, Links(PATH, lang, release.version)
    place = {name: k for k, name in enumerate(columns)}
    labels: dict[str, list[str]] = {}
    described = []
    for name, bits in zip(columns, packed.bits, strict=True):
        codes = held.exploration.domains[name]
        key = "country" if load_schema().variable(name).kind == "country" else name
        labels[key] = [c and code_label(name, c, lang) for c in codes]
        described.append({"name": name, "bits": bits, "codes": codes, "labels": key})
    people = release.protected.people
    return embedded(
        {
            "version": release.version,
            "file": links.file(DATA),
            "script": links.file(SCRIPT) if offline else None,
            "rows": packed.rows,
            "weight": packed.weight,
            "size": packed.size,
            "more": packed.more,
            "filters": held.filters,
            "columns": described,
            "labels": labels,
            "names": {name: label(name, lang) for name in columns},
            "charts": [c.spec for c in charts],
            "top": TOP,
            "people": [people.value, people.low, people.high],
            "quantiles": held.exploration.quantiles(),
            **_twice(held),
            "errors": {
                ",".join(str(k) for k in sorted(place[v] for v in names)): error
                for names, error in held.exploration.errors.items()
            },
            "digits": Locale.parse(lang).default_numbering_system,
            "credit": f"{caveat()} {citation(release)}",
            "words": _words(),
        }
    )


def _words() -> dict[str, Any]:
    return {
        "blank": state_words("not_recorded"),
        "few": state_words("protected"),
        "silent": state_words("nobody_reports"),
        "unmeasured": state_words("not_measured"),
        "states": {
            "shown": _("shown"),
            "protected": state_words("protected"),
            "not_measured": _unmeasured(),
        },
        "reason": _unmeasured(),
        "sources": _sources(),
        "sized": formula("{value} ± {half}"),
        "ranged": _("{people} ({low} to {high})"),
        "percent": share(0.05).replace(number(5), "{n}"),
        "most": _("at most {n}"),
        "between": _("between {low} and {high}"),
        "people": _("{people} people"),
        "largest": _largest(),
        "known": _("n = {n} people whose answer is recorded ({low} to {high})."),
        "missing": _("Not recorded for {share} of people."),
        "pair": _("{question}: {answers}"),
        "comma": _(", "),
        "filters": _("Filters: {filters}"),
        "nofilter": _("No filter: all people."),
        "any": _("Any of the ticked answers"),
        "every": _("All of the ticked answers together"),
        "search": _("Search a country"),
        "copied": _("Link copied."),
        "byhand": _("Copy this link:"),
        "old": _("This browser is too old to filter. The charts show all people."),
        "server": _(
            "Filters need a site that is served over HTTP, or one made for disks with "
            "`ctdhub site HUB --offline`. The charts show all people."
        ),
        "failed": _(
            "The data for the filters could not be loaded. Load the page again; the charts show "
            "all people."
        ),
    }


def _intro(answers: Answers) -> str:
    """What the numbers of the page are."""
    if answers.reconciled:
        return _(
            "Each chart says whether its numbers are published counts or come from the synthetic "
            "records. Published counts are counts of the same records, so the two agree."
        )
    return _(
        "Numbers on this page are counted in the synthetic records, so that they can be filtered; "
        "the published counts of the other pages are more exact."
    )


def _sources() -> dict[str, str]:
    """Labels of a number: where it is from."""
    return {"published": _("Published count"), "records": _("From synthetic records")}


def _twice(held: Explorer) -> dict[str, Any]:
    """The most doubles, of all and by citizenship, and the most people who share a row."""
    errors = held.exploration.answers.release.link_errors
    if errors is None:
        return {}
    found: dict[str, Any] = {"most": errors.doubles, "merged": errors.merged}
    if ORIGIN in held.columns:
        codes = held.exploration.domains[ORIGIN]
        by = {code: errors.most([code]) for code in codes}
        found |= {"column": held.columns.index(ORIGIN), "by": by}
    return {"twice": found}


def _unmeasured() -> str:
    """Why a number is only bounded."""
    return _(
        "These answers were not measured together. Nobody who meets all conditions fails one of "
        "them, so the number is at most the smallest of those that were measured."
    )
