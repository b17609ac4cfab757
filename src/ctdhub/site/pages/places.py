"""Countries and regions: a page each, as origin and as place of exploitation, and their list.

A place of which many charts can be drawn has a second page, so that none is too heavy for a slow
line.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ctdhub.core.format import number
from ctdhub.core.i18n import Text, _, current
from ctdhub.document import html
from ctdhub.report.brief.make import brief
from ctdhub.report.brief.subjects import BriefPlace, words_of
from ctdhub.report.figures import SIDES, Figure, figures, listed_places, path, sides
from ctdhub.report.figures import path as place_path
from ctdhub.report.release_changes import earlier
from ctdhub.report.sentences import children_sentence, place_sentences, side_sentences
from ctdhub.schema import countries
from ctdhub.schema.countries import place_of
from ctdhub.site.chart_files import write_figures
from ctdhub.site.edition import PLACES, PLAIN, Content, Edition, MenuEntry, PageKind, WholePage
from ctdhub.site.frame import FIGURES, SCRIPT, Page, card, exit_address, inlined
from ctdhub.site.pages import changes
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated.tables import reported_places
from ctdhub.stats.query import Query
from ctdhub.stats.tables import PlaceFacts, SideName, children_share, place_facts

# --------------------------------------------------------------------------------------------------
# Briefs: the list of those that the site holds, and how to make the others.
#
# A brief on the site is the day of its release: the same release gives the same site.

PATH, FOLDER = "briefs.html", "briefs"
MOST_BRIEFS = 20
"""Countries with a brief on the site, those with most people; any other is a command away."""

BRIEFS_KIND = PageKind(
    "briefs",
    lambda content: [page(content.answers), *documents(content.answers, content.edition)],
    menu=MenuEntry(PLACES, PATH, Text("Briefs")),
    reads=("help",),
)


def briefed(answers: Answers) -> tuple[BriefPlace, ...]:
    """Places with a brief on the site: regions, then countries with most people first."""
    codes = listed_places(answers)
    most = {
        code: max(answers.count({variable: [code]}).value or 0 for variable in SIDES.values())
        for code in codes
    }
    largest = sorted(codes, key=lambda code: (-most[code], code))[:MOST_BRIEFS]
    return tuple(BriefPlace(key) for key in (*countries.regions(), *largest))


def brief_path(place: BriefPlace) -> str:
    """Where the brief of a place lies."""
    return f"{FOLDER}/{place.slug}.html"


def page(answers: Answers) -> Page:
    """The list of briefs."""
    return Page(
        path=PATH,
        title=_("Briefs"),
        description=_("A brief to print on a region or a country."),
        values={"places": briefed(answers), "brief_path": brief_path},
    )


def documents(answers: Answers, edition: Edition = PLAIN) -> Iterator[WholePage]:
    """Each brief in the language in force."""
    help = edition.help_of(answers.release)
    made = date.fromisoformat(answers.release.manifest.created[:10])

    def text(place: BriefPlace) -> str:
        links = [
            (f"../{place_path(place.key)}", _("This place on the site")),
            (f"../{PATH}", _("All briefs")),
        ]
        exit_ = (exit_address(edition.exits), _("Exit this page"))
        leaving = html.Leaving(exit_, inlined(SCRIPT))
        return html.write(brief(answers, place, made, help).document, links, leaving)

    for place in briefed(answers):
        yield WholePage(brief_path(place), place.name, partial(text, place))


LIST = "countries/index.html"
ORDER: tuple[SideName, ...] = ("exploited", "citizens")
"""The sides of a place on its page."""
MOST = 4
"""Charts of a side on the page of a place; the others have a page of their own."""
SILENT = 0.05
"""Questions that are not recorded for a smaller share of people are not listed as such."""

KIND = PageKind(
    "places",
    lambda content: pages(
        content.answers, compared=bool(earlier(content.release, content.edition.series))
    ),
    menu=MenuEntry(PLACES, LIST, Text("Countries and regions, A–Z")),
    cards=lambda content: _cards(content.answers),
    files=lambda folder, content: _write_files(folder, content),
)


def pages(answers: Answers, *, compared: bool = False) -> Iterator[Page]:
    """The list, a page for each region, a page for each country that is listed.

    Args:
        compared: whether the site has an earlier release; then each country leads to its row of
            "What changed".
    """
    codes = listed_places(answers)
    printed = {place.key: brief_path(place) for place in briefed(answers)}
    yield _list(answers, codes)
    for key in (*countries.regions(), *sorted(codes)):
        page = _page(answers, key, codes, printed.get(key, ""), compared=compared)
        yield page
        yield from _more(page)


def _cards(answers: Answers) -> Iterator[Page]:
    """The charts of each place, on both sides, where it has any."""
    for key in (*countries.regions(), *countries.by_name(listed_places(answers), current())):
        charts = [{"figure": f} for among in sides(key).values() for f in figures(answers, among)]
        if charts:
            page = card(path(key), charts, title=place_of(key).name(current()))
            yield replace(page, country=key if key in countries.ALPHA3 else "")


def _write_files(folder: Path, content: Content) -> None:
    """Write the figures of all places, a file for each subject, into the folder of the release."""
    keys = (*countries.regions(), *sorted(listed_places(content.answers)))
    among = [each for key in keys for each in sides(key).values()]
    write_figures(folder, [f for each in among for f in figures(content.answers, each)], content)


def _list(answers: Answers, codes: frozenset[str]) -> Page:
    regions = [row(answers, key) | {"rest": _rest(key, codes)} for key in countries.regions()]
    letters: dict[str, list[dict[str, Any]]] = {}
    for code in countries.by_name(codes, current()):
        region = countries.region_name(countries.region(code), current())
        place = row(answers, code) | {"region": region}
        letters.setdefault(countries.sort_key(place["name"])[0].upper(), []).append(place)
    return Page(
        path=LIST,
        title=_("Countries and regions, A–Z"),
        description=_("People identified by citizenship and by country of exploitation."),
        template="countries.html",
        values={"regions": regions, "letters": letters},
        scripts=("order.js",),
    )


def row(answers: Answers, key: str) -> dict[str, Any]:
    """A place in a table: its key, its name, the path of its page, the people of both sides."""
    place = place_of(key)
    entry: dict[str, Any] = {"key": key, "name": place.name(current()), "path": path(key)}
    for side, variable in SIDES.items():
        entry[side] = answers.card(Query({variable: list(place.members)}))
    return entry


def _page(answers: Answers, key: str, codes: frozenset[str], brief: str, *, compared: bool) -> Page:
    is_country, name = key in countries.ALPHA3, place_of(key).name(current())
    above = countries.region(key) if is_country else ""
    facts = place_facts(answers, key)
    halves = [_side(answers, facts, side) for side in ORDER]
    overflow = any(len(half["figures"]) > MOST for half in halves)
    inside = [] if is_country else countries.by_name(codes & {*countries.members(key)}, current())
    return Page(
        path=path(key),
        country=key if is_country else "",
        title=name,
        description=" ".join(place_sentences(facts)[:1]) or _("Identified people, not prevalence."),
        template="place.html",
        values={
            "name": name,
            "in_sentence": place_of(key).inside(current()),
            "code": key,
            "changed": f"{changes.PATH}#{key.lower()}" if is_country and compared else "",
            "held": codes,
            "region": above,
            "note": note(key),
            "sides": halves,
            "most": MOST,
            "silent": SILENT,
            "more": _more_path(path(key)) if overflow else "",
            "reports": key.lower() if key in reported_places(answers) else "",
            "brief": brief,
            "inside": [row(answers, code) for code in inside],
        },
        menu=LIST,
        scripts=FIGURES,
    )


def _more(page: Page) -> Iterator[Page]:
    """The page of the charts that have no room on that of a place."""
    if page.values["more"]:
        name, more = page.values["name"], _("More charts")
        yield replace(
            page,
            path=page.values["more"],
            title=f"{name} · {more}",
            template="more_charts.html",
            values={**page.values, "place": page.path},
        )


def _more_path(place: str) -> str:
    return place.replace(".html", "-charts.html")


def _drawn(answers: Answers, facts: PlaceFacts, name: SideName) -> tuple[Figure, ...]:
    """The figures that the page shows of a side: none where too few people are."""
    shown = facts.side(name).people.has_range
    return figures(answers, sides(facts.place)[name]) if shown else ()


def _side(answers: Answers, facts: PlaceFacts, name: SideName) -> dict[str, Any]:
    side, among, is_country = facts.side(name), sides(facts.place)[name], facts.is_country
    sentences, shown = side_sentences(facts, name), side.people.has_range
    if shown and (children := children_sentence(children_share(answers, among.where))):
        sentences = (*sentences, children)
    return {
        "id": name,
        "variable": SIDES[name],
        "title": words_of("side", name, is_country),
        "tab": _tab(name, is_country=is_country),
        "people": side.people,
        "corridors": side.corridors,
        "all": figures(answers, among),
        "compare": f"explore.html#{SIDES[name]}={facts.place}",
        "sentences": sentences,
        "shown": shown,
        "figures": _drawn(answers, facts, name),
    }


def _tab(name: SideName, *, is_country: bool) -> str:
    if name == "citizens":
        return (
            _("Its citizens, exploited anywhere") if is_country else _("Citizens of its countries")
        )
    return _("Identified victims exploited here")


def _rest(key: str, codes: frozenset[str]) -> str:
    rest = sum(1 for code in countries.members(key) if code not in codes)
    if not rest:
        return ""
    return _(
        "Other countries and territories of this region: {n}; not shown (below the "
        "reporting threshold)."
    ).format(n=number(rest))


def note(key: str) -> str:
    """Which countries a region has, as far as it is one."""
    if key in countries.ALPHA3:
        return ""
    return _(
        "{region}: the {n} countries and territories of that region in the list of the United "
        "Nations (M49)."
    ).format(region=countries.region_name(key, current()), n=number(len(countries.members(key))))
