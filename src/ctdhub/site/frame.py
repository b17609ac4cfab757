"""What every page shares: where it lies, how it links to others, its frame in one language.

<site>/index.html                          leads to the first page
<site>/<language>/<page>                   a page, as the release that leads the site has it
<site>/r/<version>/<language>/<card>       charts of a release, there for good: see ``cards``
<site>/r/<version>/<file>                  the release's own files, the charts' files
<site>/a/<hash>.js                         scripts of pages
"""

import hashlib
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from ctdhub.core import format as format_
from ctdhub.core import i18n
from ctdhub.core.errors import error
from ctdhub.core.format import inline, listed, share, span
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, _, current, language, read_shipped
from ctdhub.document.charts.years import key as legend_key
from ctdhub.document.html import bidi, embedded
from ctdhub.document.html import inlined as in_page
from ctdhub.document.svg import element
from ctdhub.release import catalogue
from ctdhub.release.catalogue import description, title
from ctdhub.release.manifest import SITE_ADDRESS
from ctdhub.release.open import Release
from ctdhub.report import citing
from ctdhub.report.figures import STORIES, Chart, Figure, numbers_place
from ctdhub.report.figures import path as path_of
from ctdhub.report.wording import called, comparison_note, notices, sized
from ctdhub.report.wording import citation as citation_wording
from ctdhub.schema import countries
from ctdhub.schema.countries import place_of
from ctdhub.schema.labels import label
from ctdhub.schema.model import load_schema
from ctdhub.stats.query import Where, nearest

FIGURES = ("save.js", "copy.js", "people.js", "figure.js")
"""Scripts of a page with figures: they add cards, and the downloads that a browser must make."""
SEARCH = "search.js"
"""Script of every page: the search of places, variables and pages."""
GET_HELP_PAGE = "get-help.html"
HOME, FEED = "index.html", "feed.xml"


@dataclass(frozen=True)
class Page:
    """One page in one language.

    Attributes:
        path: where it lies in the folder of its language, for example "countries/civ.html".
        title: of the window and of search results, without the hub's name.
        description: one sentence for search results.
        template: the file in ``templates`` that draws it; by default the one of its path.
        values: what the template needs beside the frame and :func:`about`.
        menu: path of the entry of the menu that it belongs to, by default its own.
        scripts: files in ``static`` that run on it, in this order.
        sources: more directives of its Content-Security-Policy, for example "connect-src 'self'".
        dataset: it carries the schema.org Dataset.
        framed: it is a card of a release, which also stands in frames of others: no menu, no
            search, no script.
        country: alpha-3 code of the country that it is about; its helplines come first.
        css: the file in ``static`` of its style.
    """

    path: str
    title: str
    description: str
    template: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    menu: str = ""
    scripts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    dataset: bool = False
    framed: bool = False
    country: str = ""
    css: str = "site.css"

    def __post_init__(self) -> None:
        object.__setattr__(self, "template", self.template or self.path.replace("-", "_"))
        object.__setattr__(self, "menu", self.menu or self.path)


@dataclass(frozen=True)
class Links:
    """Addresses as they are seen from one page; they work from ``file://``."""

    path: str
    lang: str
    version: str
    framed: bool = False
    """The page is a card of the release."""

    def page(self, path: str) -> str:
        """A page of the same language."""
        return self.root(address(self.lang, path)) if self.framed else self._up + path

    def card(self, path: str) -> str:
        """A card of the release in the same language."""
        own = card_address(self.lang, self.version, path)
        return self._up + path if self.framed else self.root(own)

    def language(self, code: str) -> str:
        """The same page in another language."""
        return f"{self._up}../{code}/{self.path}"

    def file(self, name: str) -> str:
        """A file of the release, or of the charts."""
        return f"{self._up}../{name}" if self.framed else self.root(f"r/{self.version}/{name}")

    def root(self, path: str) -> str:
        """A file of the site, of no release."""
        return f"{self._up}{'../../../' if self.framed else '../'}{path}"

    @property
    def _up(self) -> str:
        return "../" * self.path.count("/")


def address(code: str, path: str = HOME) -> str:
    """Where a page lies, from the root of the site."""
    return f"{code}/{path}"


def card_address(code: str, version: str, path: str = HOME) -> str:
    """Where a card of a release lies, from the root of the site: the address that is cited."""
    return f"r/{version}/{code}/{path}"


def stub(target: str, code: str, title: str, *, hidden: bool) -> str:
    """A page that leads to another one at once; a script, where there is one, keeps what stands
    behind the ``#``, such as the filters of the explorer.

    Args:
        target: relative address.
        code: language.
        hidden: ask search engines not to list it.
    """
    return written(
        "stub.html",
        target=target,
        script_target=embedded(target),
        lang=code,
        rtl=code in RIGHT_TO_LEFT,
        title=title,
        hidden=hidden,
    )


def inlined(name: str) -> tuple[Markup, str]:
    """A file of ``static`` to stand in a page, and its hash as a Content-Security-Policy has it."""
    return in_page("ctdhub.site/static", name)


ASSETS = "a"
"""Folder of the scripts of pages, in that of the site; pages for frames hold theirs."""


@cache
def script(name: str) -> str:
    """Where a script of ``static`` lies in the site: its name tells what it says, so that a page
    never runs that of another."""
    text, _policy = inlined(name)
    return f"{ASSETS}/{hashlib.sha256(text.encode()).hexdigest()[:16]}.js"


def write_scripts(site: Path) -> None:
    """Write all scripts that a page of the site may name."""
    (site / ASSETS).mkdir()
    for file in (resources.files("ctdhub.site") / "static").iterdir():
        if file.name.endswith((".js", ".mjs")):
            (site / script(file.name)).write_text(inlined(file.name)[0], "utf-8")


def policy(
    styles: Iterable[str],
    scripts: Sequence[str],
    files: Iterable[str] = (),
    data: Iterable[str] = (),
    more: Iterable[str] = (),
) -> str:
    """The Content-Security-Policy of a page: nothing may run or be asked for but what is named.

    Args:
        styles, scripts: hashes of what stands in the page.
        files: from where else scripts may come.
        data, more: further directives, before those on pictures and behind.
    """
    run = [*(f"'{digest}'" for digest in scripts), *files]
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("style-src", *(f"'{digest}'" for digest in styles))),
            *([" ".join(("script-src", *run))] if scripts else []),
            *data,
            "img-src data:",
            *more,
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def scroll(name: str) -> Markup:
    """Opens the ``<div>`` of a table, which the keyboard can scroll: a region with a name."""
    tag = '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
    return Markup(tag).format(name)  # noqa: S704  (the name is escaped)


def place_name(key: str) -> str:
    """A country or region in the language in force."""
    return place_of(key).name(current())


def to_place(links: Links, places: Container[str], code: str, mark: str = "") -> Markup | str:
    """The name of a country, as a link where it has a page.

    Args:
        places: countries with a page.
        mark: stands behind the address, such as "#citizens".
    """
    name = place_name(code)
    return element("a", name, href=links.page(path_of(code)) + mark) if code in places else name


def slot(kind: str, what: str) -> Markup:
    """Where ``cards`` writes into a card what must be said today."""
    return Markup("<!--{}:{}--><!--/-->").format(kind, what)


FORMATS = ("number", "decimal", "share", "signed", "tiny", "day")
"""Functions of ``core.format`` by which templates write numbers and days."""


class Colons(Extension):
    """A colon after a value, or after what holds one, has the space that its language asks for."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"(?<=[}>]): (?=[{<])", "{{ colon() }} ", source)


def colon() -> str:
    """A colon, in French after a space that does not break."""
    return "\u00a0:" if current() == "fr" else ":"


@cache
def environment() -> Environment:
    """The templates, every value escaped."""
    templates = Environment(
        loader=PackageLoader("ctdhub.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        auto_reload=False,
        extensions=[Colons],
    )
    templates.globals |= {
        "colon": colon,
        "_": _,
        "ngettext": i18n.ngettext,
        "native": i18n.NATIVE_NAMES,
        "right_to_left": RIGHT_TO_LEFT,
        "key": legend_key,
        "scroll": scroll,
        "slot": slot,
        "path_of": path_of,
        "place_name": place_name,
        "to_place": to_place,
    }
    templates.filters |= {
        "base": citing.base,
        "missing": citing.missing,
        "bidi": bidi,
        "called": called,
        "sized": sized,
        **{name: getattr(format_, name) for name in FORMATS},
    }
    return templates


def written(template: str, **values: Any) -> str:
    """A template with its values, by default in the language in force."""
    lang = current()
    own = {"lang": lang, "rtl": lang in RIGHT_TO_LEFT, **values}
    return environment().get_template(template).render(own)


def write(path: Path, text: str) -> None:
    """Write a page; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def said_of(release: Release) -> dict[str, Any]:
    """What the head of every page says of its release."""
    return {"release": release, "facts": release.facts, "notices": notices(release)}


# --------------------------------------------------------------------------------------------------
# What search engines and other sites read of a page: canonical address, previews, Dataset.
#
# Addresses begin with ``https://`` only where the hub's own public address is known; else none is
# written, so a copy on a memory stick does not claim to be somewhere.  Pages with fictitious data
# ask not to be found.

EXAMPLE = "https://data.example.org/"
"""Stands in examples where the address is not known."""


@dataclass(frozen=True)
class Sharing:
    """Where a site will be found.

    Attributes:
        url: public address of its root; empty where nobody knows it.
        doi: the DOI of each version that has one.

    Raises:
        HubError: the address is no plain https address.
    """

    url: str = ""
    doi: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(SITE_ADDRESS, self.url):
            raise error("site-address/published")

    def public(self, path: str) -> str:
        """Public address of a file of the site, empty where it is not known.

        >>> Sharing("https://example.org/data").public("r/2026.1/en/index.html")
        'https://example.org/data/r/2026.1/en/index.html'
        """
        return self.url and f"{self.url.rstrip('/')}/{path}"

    def place(self, path: str) -> str:
        """Where a file is: its public address, or, where none is known, its path in the site."""
        return self.public(path) or path

    def head(
        self, places: Mapping[str, str], lang: str, release: Release, *, dataset: bool
    ) -> dict[str, Any]:
        """Values of the template ``head.html``.

        Args:
            places: where the page lies in each language, from the root of the site.
            lang: language of the page.
            dataset: whether it carries the schema.org Dataset.
        """
        canonical = self.public(places[lang])
        return {
            "site": self.public("") or EXAMPLE,
            "canonical": canonical,
            "alternates": {code: self.public(place) for code, place in places.items()},
            "locale": i18n.OPEN_GRAPH[lang],
            "hidden": release.facts.invented,
            "doi": self.doi.get(release.version, ""),
            "dataset": self._dataset(canonical, release) if dataset else "",
        }

    def _dataset(self, canonical: str, release: Release) -> Markup:
        """The release as a schema.org Dataset, as JSON that cannot end its ``<script>``."""
        facts, manifest = release.facts, release.manifest
        base = self.public(f"r/{release.version}/") or f"../r/{release.version}/"
        dataset = {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": title(manifest, facts),
            "description": description(facts),
            "@id": catalogue.identifier(manifest, self.url),
            "identifier": [
                catalogue.identifier(manifest, self.url),
                *(f"https://doi.org/{doi}" for doi in [self.doi.get(release.version)] if doi),
            ],
            "url": canonical,
            "version": release.version,
            "datePublished": manifest.created[:10],
            "temporalCoverage": "/".join(str(year) for year in release.years),
            "license": facts.licence_url or facts.licence,
            "isAccessibleForFree": True,
            "keywords": list(catalogue.KEYWORDS),
            "creditText": catalogue.citation(
                release.version, release.year, facts, _changed(release)
            ),
            "creativeWorkStatus": "withdrawn" if release.withdrawn else "",
            "correction": [
                {
                    "@type": "CorrectionComment",
                    "datePublished": e.notice.date,
                    "text": e.notice.text("en")[0],
                    "inLanguage": e.notice.text("en")[1],
                }
                for e in release.errata
            ]
            or "",
            "creator": {"@type": "Organization", "name": facts.hub, "url": facts.homepage},
            "contributor": [{"@type": "Organization", "name": c.name} for c in facts.contributors],
            "distribution": []
            if release.withdrawn
            else [
                {
                    "@type": "DataDownload",
                    "name": name,
                    "encodingFormat": catalogue.media(name),
                    "contentUrl": base + name,
                    "contentSize": f"{entry.bytes} B",
                    "sha256": entry.sha256,
                }
                for name, entry in manifest.files.items()
            ],
        }
        return embedded(_present(dataset))


def _changed(release: Release) -> str:
    """What became of a release, in the words of its citation."""
    if not release.errata:
        return ""
    if release.withdrawn:
        first = next(e for e in release.errata if e.notice.sort == "withdrawn")
        return f"withdrawn {first.notice.date}"
    return f"corrected {release.errata[-1].notice.date}"


def _present(value: object) -> object:
    """The value without keys whose text is empty."""
    if isinstance(value, dict):
        return {key: _present(part) for key, part in value.items() if part != ""}
    return [_present(part) for part in value] if isinstance(value, list) else value


def write_catalogue(site: Path, releases: Sequence[Release], sharing: Sharing) -> None:
    """Write catalog.jsonld, which catalogues of public data harvest, where the address is known.

    Args:
        site: the folder of the site.
        releases: all that it shows, the leading one first; withdrawn ones are left out.
    """
    entries = [(r.manifest, r.facts) for r in releases if not r.withdrawn]
    if sharing.url and entries:
        write(site / "catalog.jsonld", catalogue.catalogue(entries, releases[0].facts, sharing.url))


def write_for_robots(
    site: Path, release: Release, sharing: Sharing, languages: Sequence[str]
) -> None:
    """Write llms.txt and, where the site's address is known, robots.txt and sitemap.xml.

    The first has the words of the pages for programs that read and quote them, in the first
    language.  The sitemap names every page with its other languages, and no card.  Fictitious data
    have none: their pages ask not to be found, and robots.txt must let that be read.

    Args:
        site: the folder of the site, its pages written.
        languages: of the site.
    """
    with language(languages[0]):
        own = {**said_of(release), **about(release), "cited_as": citation_wording(release)}
        write(site / "llms.txt", written("llms.txt", **own, sharing=sharing))
    if not sharing.url:
        return
    lines = ["User-agent: *", "Allow: /"]
    if not release.facts.invented:
        lines.append(f"Sitemap: {sharing.public('sitemap.xml')}")
        write(site / "sitemap.xml", _sitemap(site, release, sharing, languages))
    (site / "robots.txt").write_text("\n".join(lines) + "\n", "utf-8")


def _sitemap(site: Path, release: Release, sharing: Sharing, languages: Sequence[str]) -> str:
    top = site / languages[0]
    paths = sorted(page.relative_to(top).as_posix() for page in top.rglob("*.html"))
    pages = [{code: sharing.public(address(code, path)) for code in languages} for path in paths]
    return written("sitemap.xml", pages=pages, day=release.manifest.created[:10]) + "\n"


# --------------------------------------------------------------------------------------------------
# Where a chart card leads on: its files, its frame, the explorer, the nearest question.

EXPLORER = "explore.html"
MOSTLY = 0.5
"""Above this part of rows that are not shown a card offers a nearer question."""


def figure_files(figure: Figure, links: Links, lang: str) -> list[tuple[str, str]]:
    """What can be downloaded of a figure: name and address of each file."""
    picture = [("SVG", links.file(f"charts/{lang}/{figure.file}.svg"))] if figure.picture else []
    return [*chart_files(figure, links), *picture]


def chart_files(figure: Chart, links: Links) -> list[tuple[str, str]]:
    """What can be downloaded of any chart that has files: name and address of each.

    Where a file holds more, the address names the rows behind its ``#``; a script cuts them out.
    """
    name, rows = figure.numbers
    anchor = "&".join(f"{column}={value}" for column, value in rows.items())
    file = links.root(numbers_place(name, links.version))
    return [("CSV", f"{file}{anchor and '#' + anchor}"), (_("Metadata"), f"{file}-metadata.json")]


def card_path(file: str) -> str:
    """The card that holds the figures of a file, in the folder of its language."""
    return f"{file}.html"


def card(
    home: str,
    charts: Sequence[Mapping[str, Any]],
    part: str = "figure.html",
    title: str = "",
    css: str = "embed.css",
    after: Sequence[str] = (),
    **values: Any,
) -> Page:
    """A card in the language in force: charts alone, with licence, source and helplines, to be
    cited and to stand in frames.

    It holds the charts of one file of numbers; ``#`` and the id of a chart shows that one alone,
    which needs no script.  Its policy says nothing of who may frame it; a server's must not either.

    Args:
        home: path of the page that shows them.
        charts: each with its :class:`Chart`, "figure", and what else its template needs.
        part: template of a chart, the same as on that page.
        title: of the card, by default what the first chart counts.
        after: templates of what must be said of all of them.
        values: what these templates need besides.
    """
    first: Chart = charts[0]["figure"]
    return Page(
        path=card_path(first.file),
        title=title or first.caption,
        description=_("Identified people, not prevalence."),
        template="embed.html",
        values={"charts": charts, "part": part, "after": after, "own_page": home, **values},
        framed=True,
        css=css,
    )


def cited(figure: Chart, lang: str, version: str) -> str:
    """Where a figure stands for good, from the root of the site: on a card of the release.  A story
    is told anew with each release; its figures are cited from the explorer of the one they are of.
    """
    if not figure.file.startswith(STORIES):
        return f"{card_address(lang, version, card_path(figure.file))}#{figure.id}"
    if not isinstance(figure, Figure) or figure.subject == "corridors":
        return card_address(lang, version)
    return card_address(lang, version, EXPLORER) + state(figure.where, figure.subject)


def embed_code(figure: Chart, address: str) -> str:
    """The element that shows a card on a page of somebody else: so high that source, licence and
    helplines are in sight."""
    rows = () if not isinstance(figure, Figure) or figure.by_year else figure.drawn
    height = _AROUND + (_BAR * len(rows) or _LINES)
    return (
        f'<iframe src="{escape(address)}" title="{escape(figure.caption)}" width="600" '
        f'height="{height}" loading="lazy" referrerpolicy="no-referrer"></iframe>'
    )


_AROUND, _BAR, _LINES = 670, 52, 410
"""Pixels of a card 600 wide: words around a chart, a row of bars, years with who joined or left."""


def onward(figure: Figure, links: Links, release: Release) -> Iterator[tuple[str, str]]:
    """Links of a card to the explorer: words and address of each."""
    if not figure.subject or figure.subject == "corridors":
        return
    yield _("Split or compare"), explorer(links, figure.where, figure.subject)
    for key, variable in _places(figure.where):
        other = {f"vs.{variable}": countries.members(key), **figure.where}
        text = _("Compare with {place}").format(place=place_of(key).inside(current()))
        yield text, explorer(links, other, figure.subject)
    yield from _nearer(figure, links, release)


def explorer(links: Links, where: Where, chart: str) -> str:
    """The address of a state of the explorer: filters, second filters (``vs.``), large chart."""
    return links.page(EXPLORER) + state(where, chart)


def state(where: Where, chart: str) -> str:
    """What stands behind the address of the explorer; "~" is "not recorded"."""
    parts = [f"{name}={','.join(c or '~' for c in codes)}" for name, codes in where.items()]
    return f"#{'&'.join((*parts, f'show={chart}'))}"


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
    questions = nearest(tables, asked)
    if not questions and beyond:
        return nearest([t for t in tables if t != set(asked)], asked)
    return questions


def _nearer(figure: Figure, links: Links, release: Release) -> Iterator[tuple[str, str]]:
    values = [bar for bar in figure.bars if not bar.missing]
    silent = [bar for bar in values if bar.kind in ("protected", "not_measured")]
    if len(silent) <= MOSTLY * len(values):
        return
    keys = tuple(release.protected.guarantee.sigma)
    asked = (*figure.table.variables, *figure.where)
    questions = _nearest(keys, asked, beyond=bool(figure.where))
    for names in (names for names in questions if set(figure.table.variables) <= set(names)):
        dropped = [name for name in asked if name not in names]
        kept: Mapping[str, Collection[str]] = {n: c for n, c in figure.where.items() if n in names}
        words = listed([inline(label(name, current())) for name in dropped])
        text = _("Nearest question: without {what}").format(what=words)
        yield text, explorer(links, kept, figure.subject)


# --------------------------------------------------------------------------------------------------
# Quick exit: where a reader is sent who must leave at once, and what the page needs for it.

DEFAULT = "https://{lang}.wikipedia.org/"
"""A site that many people read, in the language of the page."""
SCRIPT = "leave.js"
"""Stands in the head of every page with an exit; needs ``<meta name="exit">`` before it."""


def exit_address(chosen: Mapping[str, str]) -> str:
    """Where "Exit this page" leads in the language in force.

    Args:
        chosen: ``exit`` of hub.yaml, https addresses by language.
    """
    return chosen.get(current()) or DEFAULT.format(lang=current())


# --------------------------------------------------------------------------------------------------
# Whether native readers have signed the public texts of a language, and which texts they read.

ROLES = ("protection officer", "statistician")
"""Who reads the texts of each language."""

NOT_YET = "not yet reviewed"
_TEXT = re.compile(r"""_\((?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)')\)""")


@dataclass(frozen=True)
class NativeReview:
    """What is known of the public texts of one language.

    Attributes:
        code: of the language.
        texts: sixteen hexadecimal digits of the hash of what they say today.
        missing: roles that have read none of them.
        stale: roles that have read other ones.
    """

    code: str
    texts: str
    missing: tuple[str, ...]
    stale: tuple[str, ...]


def public_texts() -> tuple[str, ...]:
    """The English texts of the templates of the site, which every reader sees, in order."""
    texts = set()
    for template in (resources.files("ctdhub.site") / "templates").iterdir():
        if template.name.endswith(".html"):
            for pair in _TEXT.findall(template.read_text("utf-8")):
                texts.add("".join(pair).replace('\\"', '"').replace("\\'", "'"))
    return tuple(sorted(texts))


def reviews(
    codes: Collection[str], signed: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[NativeReview, ...]:
    """What native readers have signed of each of these languages.

    Args:
        codes: languages.
        signed: the content of ``locale/REVIEW.yaml``; None reads it.
    """
    if signed is None:
        file = resources.files("ctdhub") / "locale" / "REVIEW.yaml"
        signed = read_shipped(file)
    texts, entries = public_texts(), []
    for code in codes:
        with language(code):
            words = "\n".join(_(text) for text in texts)
        today = hashlib.sha256(words.encode()).hexdigest()[:16]
        own = signed.get(code, {})
        states = {role: own.get(role, NOT_YET) for role in ROLES}
        missing = tuple(role for role, state in states.items() if not isinstance(state, dict))
        stale = tuple(
            role
            for role, state in states.items()
            if isinstance(state, dict) and str(state.get("texts")) != today
        )
        entries.append(NativeReview(code, today, missing, stale))
    return tuple(entries)


# --------------------------------------------------------------------------------------------------
# What stands at the foot of a page about the data: contributors, citation, level of intervals.


def about(release: Release) -> dict[str, Any]:
    """Values of the template ``about.html``, and the note on the level of intervals."""
    own = codebook(current())
    level = share(release.protected.guarantee.level)
    return {
        "codebook": own if (release.path / own).exists() else "",
        "contributors": [
            (called(c), span(c.years or release.years)) for c in release.facts.contributors
        ],
        "citation": _citation(release),
        "comparisons": comparison_note(release),
        "level": level,
        "note_level": _("Intervals hold with {level} confidence.").format(level=level),
    }


def codebook(code: str) -> str:
    """Name of the codebook in a language."""
    return "codebook.html" if code == LANGUAGES[0] else f"codebook.{code}.html"


def _citation(release: Release) -> Markup:
    """How to cite the release; the hub's name keeps its own direction."""
    hub = escape(called(release.facts))
    return escape(citation_wording(release)).replace(hub, Markup("<bdi>{}</bdi>").format(hub), 1)
