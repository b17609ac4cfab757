"""The explorer: one large chart of a release under any filters, and all its charts without.

Python draws every chart without filters, for readers without scripts; ``static/explore.js`` puts
one large chart in their place once the data are there, with the same numbers.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from babel import Locale
from markupsafe import Markup

from ctdhub.core.format import share, signs
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current, formula
from ctdhub.document.charts.bars import draw_bars
from ctdhub.document.html import embedded
from ctdhub.document.svg import colours
from ctdhub.report.figures import Figure, figure_of
from ctdhub.report.wording import called, caveat, citation, shown, sized, state_words
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import ORIGIN, PERIOD, load_schema
from ctdhub.site.edition import EXPLORE, Content, MenuEntry, PageKind, WholePage
from ctdhub.site.explorer.pack import (
    DATA,
    ENGINE,
    FOLDER,
    LEVEL,
    WORKER,
    ChartQuestion,
    Explorer,
    data_file,
    explorer,
    write_data,
    write_file,
)
from ctdhub.site.frame import Links, Page, about, address, environment, inlined
from ctdhub.stats.cards import NOT_RECORDED, YES, Row, Table
from ctdhub.stats.explore import BOUNDS
from ctdhub.stats.query import Query
from ctdhub.stats.tables import distribution, flag_group

# --------------------------------------------------------------------------------------------------
# The explorer's words that its script puts together, in the language in force.


def sources() -> dict[str, str]:
    """Labels of a number: where it is from."""
    return {
        "published": _("Published count"),
        "sum": _("Sum of published counts"),
        "bound": _("Upper bound, not measured"),
    }


def words() -> dict[str, Any]:
    """Texts by their use; {…} are filled by the script."""
    return {**_numbers(), **_choices(), **_sharing(), **messages()}


def _numbers() -> dict[str, Any]:
    return {
        "blank": state_words("not_recorded"),
        "few": state_words("protected"),
        "silent": state_words("nobody_reports"),
        "unmeasured": state_words("not_measured"),
        "states": {
            "shown": _("shown"),
            "imprecise": state_words("imprecise"),
            "protected": state_words("protected"),
            "not_measured": _unmeasured(),
        },
        "reason": _unmeasured(),
        "sources": sources(),
        "sized": formula("{value} ± {half}"),
        "ranged": _("{people} ({low} to {high})"),
        "most": _("at most {n}"),
        "between": _("between {low} and {high}"),
        "people": _("{people} people"),
        "largest": _("Largest: {label}, {people} people"),
        "known": _("n = {n} people whose answer is recorded ({low} to {high})."),
        "missing": _("Not recorded for {share} of people."),
        "shares": _("Shares are of the people whose answer is recorded."),
        "listed": _("Not shown (not zero): {list}."),
        "uncovered": _("Nobody reports here: {list}."),
        "outside": _("{label}: {people}"),
        "more": _("more in A"),
        "fewer": _("more in B"),
        "same": _("no difference beyond the noise"),
        "compared": _(
            "A and B differ where their intervals have no point in common; the intervals are made "
            "wider because {n} pairs are compared at once."
        ),
        "differing": _("A and B differ in {n} of {all} answers."),
    }


def _choices() -> dict[str, Any]:
    return {
        "pair": _("{question}: {answers}"),
        "comma": _(", "),
        "filters": _("Filters: {filters}"),
        "nofilter": _("No filter: all people."),
        "any": _("Any of the ticked answers"),
        "every": _("All of the ticked answers together"),
        "search": _("Search a country"),
        "find": _("Find filters, with commas between them"),
        "remove": _("Remove the filter {filter}"),
        "all": _("all people"),
        "group": _("Group {letter}"),
        "letters": [_("A"), _("B")],
        "none": _("nothing"),
        "compare": _("Compare two groups"),
        "stop": _("Stop comparing"),
        "offer": _("Without the filter {filters}: {chart} can be shown."),
        "wider": _("Without the filter {filters}"),
        "nearest": _("This was not measured. The nearest questions that were:"),
        "unshown": _(
            "No number can be shown here: each is below the reporting threshold, which is not "
            "zero. With fewer filters:"
        ),
        "ignored": _(
            "The address names filters or values that this release does not have: {names}. They "
            "were left out."
        ),
        "unsplit": _("Without splitting: {chart} can be shown."),
        "measurable": _("{chart} (not measured under these filters)"),
    }


def _sharing() -> dict[str, Any]:
    return {
        "sentence": _(
            "{label}: {people} people ({low} to {high}). {what}. {filters} {base} {source}"
        ),
        "most_sentence": _("{label}: {people}. {what}. {filters} {source}"),
        "source": _("{hub}, release {version}, licence: {licence}. {url}"),
        "accessed": _("Accessed on {date}."),
        "practice": _("Practice data: fictitious."),
        "copied": _("Copied."),
        "byhand": _("Copy this text:"),
        "coded": _("The numbers of this chart with their intervals."),
        "counted": _(
            "No single table holds this chart. The code counts the synthetic records; it gives the "
            "numbers but no intervals, and a number without an interval must not be quoted."
        ),
    }


def messages() -> dict[str, Any]:
    """What to say if there can be no filters."""
    return {
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


def _unmeasured() -> str:
    """Why a number is only bounded."""
    return _(
        "These answers were not measured together. Nobody who meets all conditions fails one of "
        "them, so the number is at most the smallest of those that were measured."
    )


HELPLINES = 2
"""Helplines below the chart in a frame on another site."""
PATH, EMBED = "explore.html", "embed/explore.html"
CSS = "explorer.css"
SCRIPTS = ("save.js", "say.js", "plot.js", "files.js", "choice.js", "explore.js")
TOP = 12
"""Rows of a chart of countries."""
DRAWN, WRITTEN = 6, 8
"""Charts that readers without scripts see as pictures; as tables; the page links to all others."""


@dataclass(frozen=True)
class ExplorerChart:
    """A chart without filters: its figure, and what the script needs of it."""

    figure: Figure
    spec: dict[str, Any]


def page(content: Content) -> Page:
    """The page of a release."""
    answers, lang = content.answers, current()
    held, release, offline = explorer(answers), answers.release, content.edition.offline
    charts = [_chart(held, question) for question in held.questions[:WRITTEN]]
    everybody = _("{people} people").format(people=sized(answers.card(Query())))
    return Page(
        path=PATH,
        title=_("Explore"),
        description=_("Filter the synthetic records and see every chart change with them."),
        template="explore.html",
        values={
            "total": everybody,
            "charts": [
                (
                    c,
                    draw_bars(c.figure.bars, c.figure.id, rtl=lang in RIGHT_TO_LEFT)
                    if k < DRAWN
                    else "",
                )
                for k, c in enumerate(charts)
            ],
            "payload": payload(content, PATH),
            "level": share(release.protected.guarantee.level),
            "caveat": caveat(),
            "source": sources()["published"],
            "contributor_names": [called(c) for c in release.facts.contributors],
            **about(release),
        },
        menu=PATH,
        scripts=(*(ENGINE if offline else ()), *SCRIPTS),
        sources=() if offline else ("connect-src 'self'", "worker-src 'self'"),
        script_sources=("'self'", "file:") if offline else (),
        css=CSS,
    )


def embed(content: Content) -> WholePage:
    """The chart alone, for a frame on another site; what it shows is in the address after "#"."""
    return WholePage(EMBED, _("Explore"), lambda: _embedded(content))


def _embedded(content: Content) -> str:
    lang, edition = current(), content.edition
    release = content.release
    css, css_hash = inlined(CSS)
    names = (*(ENGINE if edition.offline else ()), *SCRIPTS)
    scripts = [inlined(name) for name in names]
    hashes = " ".join(f"'{digest}'" for _script, digest in scripts)
    policy = (
        f"default-src 'none'; style-src '{css_hash}'; script-src {hashes}"
        + (" 'self' file:" if edition.offline else "; connect-src 'self'; worker-src 'self'")
        + "; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        environment()
        .get_template("explore_embed.html")
        .render(
            lang=lang,
            rtl=lang in RIGHT_TO_LEFT,
            title=_("Explore"),
            css=css,
            policy=policy,
            scripts=[text for text, _digest in scripts],
            payload=payload(content, EMBED),
            links=Links(EMBED, lang, release.version),
            full=PATH,
            release=release,
            facts=release.facts,
            notices=shown(release),
            contacts=edition.help_of(release).contacts()[:HELPLINES],
            caveat=caveat(),
            level=share(release.protected.guarantee.level),
            contributor_names=[called(c) for c in release.facts.contributors],
            citation=citation(release),
        )
    )


def _chart(held: Explorer, question: ChartQuestion) -> ExplorerChart:
    """A variable, or the flags of a group."""
    lang, answers = current(), held.exploration.answers
    column = held.columns.index(question.column)
    if question.flags:
        title, meaning = group_label(question.name, lang), group_definition(question.name, lang)
        subtitle = _("People identified, by: {variable}; a person may have several").format(
            variable=title
        )
        table, variable = flag_group(answers, question.name), ""
        order = {flag: k for k, flag in enumerate(question.flags)}
        *rows, unknown = table.rows
        rows.sort(key=lambda row: order[row.codes[0]])
        table = replace(table, rows=(*rows, unknown))
        spec: dict[str, Any] = {"flags": [held.columns.index(flag) for flag in question.flags]}
    else:
        title, meaning = label(question.name, lang), definition(question.name, lang)
        subtitle = _("People identified, by: {variable}").format(variable=title)
        table, variable = distribution(answers, question.name), question.name
        table = _covered(table)
        spec = _codes(held, question.name, table)
    if ranked := bool(spec.get("ranked")):
        table = _largest_rows(table)

    def named(codes: tuple[str, ...]) -> str:
        return code_label(variable, codes[0], lang) if variable else label(codes[0], lang)

    figure = figure_of(f"explore-{question.name}", subtitle, table, named, meaning, shares=False)
    largest, headline = table.largest, title
    if largest is not None:
        headline = words()["largest"].format(
            label=named(largest.codes), people=sized(largest.people)
        )
    figure = replace(figure, headline=headline)
    return ExplorerChart(
        figure,
        {
            "name": question.name,
            "column": column,
            "title": title,
            "subtitle": subtitle,
            "meaning": meaning,
            "ranked": ranked,
            "years": question.name == PERIOD,
            **spec,
        },
    )


def _codes(held: Explorer, name: str, table: Table) -> dict[str, Any]:
    """Places in the domain of the values that have a row, of all that are recorded, and of those
    nobody reports; a number stands for all from 1 up to it."""
    domain = held.exploration.domains[name]

    def places(rows: list[Row]) -> list[int]:
        return [domain.index(row.codes[0]) for row in rows]

    rows = [row for row in table.rows if row.codes != (NOT_RECORDED,)]
    every, ranked = len(domain) - 1, load_schema().variable(name).kind == "country"
    return {
        "codes": every if ranked else sorted(places(rows)),
        "recorded": every,
        "silent": places([row for row in rows if row.kind == "nobody_reports"]),
        "ranked": ranked,
    }


def _covered(table: Table) -> Table:
    """Without the rows after the last one that somebody reports."""
    *rows, unknown = table.rows
    while rows and rows[-1].kind == "nobody_reports":
        rows.pop()
    return replace(table, rows=(*rows, unknown))


def _largest_rows(table: Table) -> Table:
    """The largest rows that are shown, and "not recorded"."""
    return replace(table.top(TOP), query=table.query)


def payload(content: Content, path: str) -> Markup:
    """What the script of a page reads first, as JSON that may stand in the page: where files lie,
    and what to say if they cannot be read.

    Args:
        path: of the page, in the folder of its language.
    """
    lang, offline = current(), content.edition.offline
    links = Links(path, lang, content.release.version)
    return embedded(
        {
            "offline": offline,
            "files": {
                "words": links.file(data_file(_stem(lang), offline=offline)),
                "data": links.file(data_file(DATA, offline=offline)),
                "tables": links.file(data_file(f"{FOLDER}/{{name}}", offline=offline)),
                "worker": links.file(f"{FOLDER}/{WORKER}"),
                "page": links.page(PATH),
            },
            "lang": lang,
            "words": messages(),
        }
    )


def _stem(lang: str) -> str:
    return f"{FOLDER}/words-{lang}"


def write_words(folder: Path, content: Content) -> None:
    """Write labels, texts and charts in the language in force into the folder of the release."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    held = explorer(content.answers)
    charts = [_chart(held, question) for question in held.questions]
    found = json.dumps(_described(held, charts, content), separators=(",", ":"), ensure_ascii=False)
    data = gzip.compress(found.encode(), LEVEL, mtime=0)
    write_file(folder, _stem(current()), data, offline=content.edition.offline)


def _described(held: Explorer, charts: list[ExplorerChart], content: Content) -> dict[str, Any]:
    """The columns and charts of a release in the words of the language in force."""
    packed, lang, edition = held.packed, current(), content.edition
    release = content.release
    columns, domains = held.columns, held.exploration.domains
    labels: dict[str, list[str]] = {}
    codes: dict[str, list[str]] = {}
    keys = []
    for name in columns:
        flag = domains[name] == (NOT_RECORDED, YES, "no")
        country = load_schema().variable(name).kind == "country"
        key = "country" if country else "flag" if flag else name
        keys.append(key)
        codes[key] = list(domains[name])
        labels[key] = [c and code_label(name, c, lang) for c in domains[name]]
    people, facts = release.protected.people, release.facts
    return {
        "version": release.version,
        "public": edition.sharing.public(address(lang, release.version, PATH)),
        "site": edition.sharing.public(""),
        "layout": {
            "rows": packed.rows,
            "weight": packed.weight,
            "size": packed.size,
            "more": packed.more,
            "bits": list(packed.bits),
            "sizes": [len(domains[name]) for name in columns],
        },
        "people": [people.value, people.low, people.high],
        "period": columns.index(PERIOD) if PERIOD in columns else -1,
        "names": columns,
        "keys": keys,
        "codes": codes,
        "labels": labels,
        "titles": [label(name, lang) for name in columns],
        "yes": [domains[n].index(YES) if YES in domains[n] else 0 for n in columns],
        "questions": [c.spec for c in charts],
        "bounds": BOUNDS,
        "top": TOP,
        "twice": _twice(held),
        "signs": signs(),
        "digits": Locale.parse(lang).default_numbering_system,
        "colours": colours(),
        "hub": called(facts),
        "licence": facts.licence,
        "invented": facts.invented,
        "credit": f"{caveat()} {citation(release)}",
        "words": words(),
    }


def _twice(held: Explorer) -> dict[str, Any] | None:
    """The most doubles, of all and by citizenship, and the most people who share a row."""
    errors = held.exploration.answers.release.link_errors
    if errors is None:
        return None
    people = held.exploration.answers.release.protected.people.high
    found: dict[str, Any] = {
        "most": errors.most(people),
        "merged": errors.merged,
        "column": -1,
        "by": [],
    }
    if ORIGIN in held.columns:
        codes = held.exploration.domains[ORIGIN]
        found["column"] = held.columns.index(ORIGIN)
        found["by"] = [errors.most(people, [code]) for code in codes]
    return found


KIND = PageKind(
    "explorer",
    lambda content: [page(content), embed(content)],
    menu=MenuEntry(EXPLORE, PATH, Text("Data explorer")),
    files=lambda folder, content: write_data(
        content.answers, folder, offline=content.edition.offline
    ),
    translated=write_words,
)
