"""The codebook as one HTML page in each language, for screens, telephones and paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ctdhub.core.i18n import NATIVE_NAMES, RIGHT_TO_LEFT
from ctdhub.schema import codebook, countries, labels
from ctdhub.schema.model import TableName, Variable, load_schema


@dataclass(frozen=True)
class CodebookLine:
    """A code, a country or the like: its code and what is said of it."""

    code: str
    label: str
    definition: str


@dataclass(frozen=True)
class CodebookCard:
    """What the page says of one variable.  ``codes`` is empty where its section shows them."""

    name: str
    label: str
    definition: str
    kind: str
    denominator: CodebookLine | None
    source: str
    public: bool
    country: bool
    codes: tuple[CodebookLine, ...]


@dataclass(frozen=True)
class CodebookSection:
    """A run of variables of a table under one heading; a group's says what the group is."""

    anchor: str
    label: str
    definition: str
    source: str
    codes: tuple[CodebookLine, ...]
    cards: tuple[CodebookCard, ...]


@dataclass(frozen=True)
class Chapter:
    """A table of the schema."""

    name: str
    label: str
    definition: str
    sections: tuple[CodebookSection, ...]


def codebook_html(lang: str, links: Mapping[str, str] | None = None) -> str:
    """The whole codebook as one self-contained page: no script, no request to anywhere.

    Args:
        lang: one of the offered languages; Arabic runs from right to left.
        links: addresses of the page in other languages, by language; none are shown without.

    Raises:
        KeyError: the language is not offered.
    """
    shown = {code: (NATIVE_NAMES[code], href) for code, href in (links or {}).items()}
    return _template().render(
        lang=lang,
        direction="rtl" if lang in RIGHT_TO_LEFT else "ltr",
        words=labels.load_labels(lang).page,
        version=load_schema().version,
        chapters=[_chapter(table, lang) for table in codebook.TABLES],
        countries=_countries(lang),
        links=shown,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ctdhub.schema", "data"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("codebook.html.jinja")


def _chapter(table: TableName, lang: str) -> Chapter:
    own = codebook.own_variables(table)
    runs = [(group, tuple(run)) for group, run in groupby(own, key=codebook.section)]
    return Chapter(
        name=table,
        label=labels.table_label(table, lang),
        definition=labels.table_definition(table, lang),
        sections=tuple(_section(table, group, run, lang) for group, run in runs),
    )


def _section(
    table: str, group: str | None, run: tuple[Variable, ...], lang: str
) -> CodebookSection:
    """A group has its codes shown once, since its variables share one code list."""
    if group is None:
        cards = tuple(_card(v, codebook.codes(v), lang) for v in run)
        words = labels.load_labels(lang).page["variables"]
        return CodebookSection(f"variables-{run[0].name}", words, "", "", (), cards)
    return CodebookSection(
        anchor=f"group-{group}",
        label=labels.group_label(group, lang),
        definition=labels.group_definition(group, lang),
        source=labels.source(group),
        codes=_lines(run[0], codebook.codes(run[0]), lang),
        cards=tuple(_card(v, (), lang) for v in run),
    )


def _card(v: Variable, codes: tuple[str, ...], lang: str) -> CodebookCard:
    whole = codebook.denominator(v)
    return CodebookCard(
        name=v.name,
        label=labels.label(v.name, lang),
        definition=labels.definition(v.name, lang),
        kind=labels.load_labels(lang).kinds[v.kind],
        denominator=_denominator(v, whole, lang) if whole else None,
        source=labels.source(v.name),
        public=v.public,
        country=v.kind == "country",
        codes=() if v.kind == "country" else _lines(v, codes, lang),
    )


def _denominator(v: Variable, whole: str, lang: str) -> CodebookLine:
    own = labels.load_labels(lang).page["own_denominator"]
    return CodebookLine(whole, own if whole == v.name else labels.label(whole, lang), "")


def _lines(v: Variable, codes: tuple[str, ...], lang: str) -> tuple[CodebookLine, ...]:
    return tuple(
        CodebookLine(c, labels.code_label(v.name, c, lang), labels.code_definition(v.name, c, lang))
        for c in codes
    )


def _countries(lang: str) -> list[CodebookLine]:
    return [
        CodebookLine(
            c, countries.name(c, lang), countries.region_name(countries.subregion(c), lang)
        )
        for c in countries.ALPHA3
    ]
