"""One page in the language in force: everything a template needs, then the text of the page.

Belongs here: what stands on the page and in which order.
Does not belong here: figures (``figures``), files and folders (``site``).
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ctdhub.i18n import LANGUAGES, NATIVE_NAMES, RIGHT_TO_LEFT, _, current
from ctdhub.insight import Answers, NumberCard, headline, region_facts
from ctdhub.insight.cards import citation
from ctdhub.insight.words import decimal, number, share, tiny, year
from ctdhub.portal.draw import draw
from ctdhub.portal.figures import figures, state_words
from ctdhub.release import Release
from ctdhub.schema import countries

EXIT_URL = "https://www.wikipedia.org/"
REGION = "europe"


@dataclass(frozen=True)
class Download:
    """A file that readers may take: its address, name, what it is, its size in words."""

    href: str
    name: str
    what: str
    size: str


@dataclass(frozen=True)
class _Card:
    what: str
    value: str
    interval: str


def render(release: Release, languages: Sequence[str]) -> str:
    """The page as HTML in the language in force.

    Args:
        release: an opened release.
        languages: languages of the site; the page links to each.

    Raises:
        TypeError: not a Release.
    """
    answers = Answers(release)
    lang = current()
    rtl = lang in RIGHT_TO_LEFT
    root = "" if lang == LANGUAGES[0] else "../"
    data = f"{root}r/{release.version}/"
    css, css_hash = style()
    level = share(release.protected.guarantee.level)
    return (
        _environment()
        .get_template("page.html")
        .render(
            lang=lang,
            rtl=rtl,
            release=release,
            facts=release.facts,
            css=css,
            css_hash=css_hash,
            languages=[
                {"code": code, "name": NATIVE_NAMES[code], "href": root + address(code)}
                for code in languages
            ],
            headline=headline(release),
            cards=_cards(release),
            region=countries.region_name(REGION, lang),
            region_paragraphs=region_facts(release, REGION).paragraphs(),
            region_note=_(
                "{region}: the {n} countries and territories of that region in the list of the "
                "United Nations (M49)."
            ).format(
                region=countries.region_name(REGION, lang), n=number(len(countries.members(REGION)))
            ),
            contributors=[
                (c.name, " – ".join(year(y) for y in c.years or release.years))
                for c in release.facts.contributors
            ],
            note_level=_("Intervals hold with {level} confidence.").format(level=level),
            figures=[(f, draw(f, rtl=rtl)) for f in figures(answers)],
            data=data,
            downloads=_downloads(release, data),
            codebook=data + _codebook(lang) if (release.path / _codebook(lang)).exists() else "",
            privacy=_privacy(release),
            citation=_citation(release),
            exit_url=EXIT_URL,
        )
    )


def address(code: str) -> str:
    """Where the page of a language lies, from the root of the site; works from ``file://``."""
    return "index.html" if code == LANGUAGES[0] else f"{code}/index.html"


@cache
def style() -> tuple[Markup, str]:
    """The style sheet and its SHA-256 as a Content-Security-Policy names it."""
    css = (resources.files("ctdhub.portal") / "static" / "site.css").read_text("utf-8").strip()
    return Markup(css), base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()  # noqa: S704


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ctdhub.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.globals["_"] = _
    return environment


def _cards(release: Release) -> list[_Card]:
    first = headline(release)
    records = release.protected.case_records
    return [
        _card(_("People identified"), first.people),
        _Card(
            _("Case records received (a person may have several)"),
            number(records.value),
            _between(records.low, records.high),
        ),
        _card(_("Nationalities"), first.nationalities, at_least=True),
        _card(_("Countries and territories of exploitation"), first.countries, at_least=True),
        _Card(
            _("Organisations that contributed"),
            number(first.contributors.value or 0),
            _("exact, public"),
        ),
    ]


def _card(what: str, card: NumberCard, *, at_least: bool = False) -> _Card:
    if card.value is None:
        return _Card(what, state_words("protected" if card.low is not None else "not_measured"), "")
    if at_least:
        value = _("at least {n}").format(n=number(card.value))
        return _Card(what, value, _("with enough people to show reliably"))
    return _Card(what, number(card.value), _between(card.low or 0, card.high or 0))


def _between(low: float, high: float) -> str:
    return _("between {low} and {high}").format(low=number(low), high=number(high))


def _citation(release: Release) -> Markup:
    """How to cite the release; the hub's name keeps its own direction."""
    hub = escape(release.facts.hub)
    return escape(citation(release)).replace(hub, Markup("<bdi>{}</bdi>").format(hub), 1)


def _privacy(release: Release) -> list[str]:
    g = release.protected.guarantee
    return [
        _(
            "Every number and every record here is made from counts with random noise "
            "(differential privacy; {mechanism}). The records behind them never left the hub."
        ).format(mechanism=_mechanism(g.mechanism)),
        _(
            "Epsilon is {epsilon} and delta is {delta}; the unit is one {unit} with all case "
            "records that belong to it."
        ).format(epsilon=decimal(g.epsilon, "0.####"), delta=tiny(g.delta), unit=_unit(g.unit)),
        _(
            "In plain words: whether or not any one person is in the data, the chance of seeing "
            "this release changes by a factor of {factor} at most, apart from one chance in {n}. "
            "The smaller the factor, the less anybody can learn about one person."
        ).format(factor=_factor(g.epsilon), n=number(1 / g.delta)),
        _("The exact parameters of every table are in manifest.json."),
    ]


def _mechanism(name: str) -> str:
    return {"discrete Gaussian": _("discrete Gaussian noise")}.get(name, name)


def _factor(epsilon: float) -> str:
    return decimal(math.exp(epsilon)) if epsilon < 10 else number(math.exp(min(epsilon, 50)))


def _unit(unit: str) -> str:
    return _("person") if unit == "person" else unit


def _codebook(code: str) -> str:
    """Name of the codebook in a language."""
    return "codebook.html" if code == LANGUAGES[0] else f"codebook.{code}.html"


def _downloads(release: Release, data: str) -> list[Download]:
    books = {
        _codebook(code): _("codebook in: {language}").format(language=NATIVE_NAMES[code])
        for code in LANGUAGES
    }
    own = _codebook(current())
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
        own: books[own],
        "codebook.csv": _("every variable and code, in every language"),
        "README.md": _("how to read the files in Python, R and Excel"),
        "CHANGELOG.md": _("what changed since the last release"),
        "datapackage.json": _("Frictionless Data Package"),
        "dcat.jsonld": _("for data catalogues (DCAT)"),
        "croissant.json": _("for machine-learning tools (Croissant)"),
        "opendp-deployment.yaml": _("entry for the OpenDP deployments registry"),
        "manifest.json": _("exact parameters and the hash of every file"),
        "SHA256SUMS": _("hashes, to check the files"),
        **{name: text for name, text in books.items() if name != own},
    }
    first = list(what)
    names = sorted(
        (p.name for p in release.path.iterdir()),
        key=lambda n: (first.index(n) if n in first else len(first), n),
    )
    return [
        Download(data + n, n, what.get(n, ""), file_size((release.path / n).stat().st_size))
        for n in names
    ]


def file_size(n: int) -> str:
    """Bytes in words, in units of 1000.

    >>> file_size(1_234_567), file_size(999)
    ('1.2 MB', '1 kB')
    """
    if n < 1_000_000:
        return _("{n} kB").format(n=number(max(1, round(n / 1000))))
    return _("{n} MB").format(n=decimal(n / 1e6))
