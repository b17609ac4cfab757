"""The papers of a hub: agreements, notices and assessments, drafted from settings, never from
case data.
"""

import math
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Literal, get_args

from jinja2 import Environment

from ctdhub.core.errors import error, printable
from ctdhub.core.format import day, isolated, listed, number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.document import Block, Document, Items, Meta, Section, TextTable, Words
from ctdhub.report.wording import paragraphs, templates
from ctdhub.schema.labels import group_label, label
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# What the papers of a hub are made of: settings and agreements, never case data.


@dataclass(frozen=True)
class Contributing:
    """A contributor as its agreement describes it; every text may be empty.

    Attributes:
        id, name: as in its agreement.
        purpose, scope, legal_basis, consent_rule, retention, display_rule: the agreement's words.
        ends: its last day, None where it has none.
        budget_limit: the most epsilon in all that it allows, None where it sets no limit.
        rows_per_person: the most rows of one person, where it says so.
        show_counts: whether noisy counts may be released under its name.
        tokens: whether its mappings send tokens for record linkage.
    """

    id: str
    name: str
    purpose: str
    scope: str
    legal_basis: str
    consent_rule: str
    retention: str
    display_rule: str
    ends: date | None
    budget_limit: float | None
    rows_per_person: int | None
    show_counts: bool
    tokens: bool


@dataclass(frozen=True)
class PaperFacts:
    """A hub as its settings and its policy describe it.

    Attributes:
        hub: its name.
        contact: where it is reached; may be empty.
        invented: whether its data are fictitious.
        licence: of what it publishes.
        columns: variables of the schema that it releases, in the order of the schema.
        epsilon, delta: guarantee of one release.
        budget: the most epsilon of all releases together.
        reason: why they are above the usual; may be empty.
        max_people: the declared bound of people.
        approvers: whether the keys of the two people who approve a release are set.
        contributors: in the order of their ids.
    """

    hub: str
    contact: str
    invented: bool
    licence: str
    columns: tuple[str, ...]
    epsilon: float
    delta: float
    budget: float
    reason: str
    max_people: int
    approvers: bool
    contributors: tuple[Contributing, ...]

    @property
    def tokens(self) -> bool:
        """Whether any contributor sends tokens."""
        return any(c.tokens for c in self.contributors)


# --------------------------------------------------------------------------------------------------
# A paper out of its template: points that a person must decide are marked and counted.
#
# `templates/papers` holds the texts in Markdown of a few kinds: title, `## id title`, paragraphs,
# items, and tables with `### title` before and `: note` after.  Articles are those of Regulation
# (EU) 2016/679 (GDPR).  A hub under another law keeps the questions and replaces the articles.

Paper = Literal["agreement", "dpia", "record", "notice"]
PAPERS: tuple[Paper, ...] = get_args(Paper)

_SIGNS, _LETTERS = "\n#-|:", "\ue000\ue001\ue002\ue003\ue004"
_HIDE, _SHOW = str.maketrans(_SIGNS, _LETTERS), str.maketrans(_LETTERS, _SIGNS)
"""Signs that mean something in a template, and not in a value: see :func:`_templates`."""


def paper(
    kind: Paper, facts: PaperFacts, made: date, contributor: str = ""
) -> tuple[Document, tuple[str, ...]]:
    """The draft of a paper, and the points that a person must still decide.

    Args:
        kind: the data-sharing agreement of one contributor; the data protection impact assessment,
            the record of processing or the notice to data subjects of the hub.
        made: the day of the draft.
        contributor: id of the contributor of an agreement; "" for the other papers.

    Raises:
        DocumentError: the hub has no such contributor.
    """
    if kind == "agreement":
        chosen = tuple(c for c in facts.contributors if c.id == contributor)
        if not chosen:
            ids = ", ".join(c.id for c in facts.contributors) or "–"
            raise error("contributor/report", id=printable(contributor), ids=ids)
        facts = replace(facts, contributors=chosen)
    undecided: list[str] = []

    def decide(what: str) -> str:
        """A mark where a person must decide something."""
        undecided.append(what)
        return _("[to decide: {what}]").format(what=what)

    def setting(words: str, what: str) -> str:
        """The words of a setting as part of a sentence, a mark where it is empty."""
        text = words.strip().rstrip(".")
        return isolated(text) if text else decide(what)

    text = (
        _templates()
        .get_template(f"papers/{kind}.md")
        .render(
            facts=facts,
            hub=isolated(facts.hub),
            sure=share(1 / (1 + math.exp(-facts.epsilon))),
            variables=_variables(facts),
            decide=decide,
            setting=setting,
        )
    )
    return _document(text, facts, made, len(undecided)), tuple(undecided)


@cache
def _templates() -> Environment:
    return templates().overlay(finalize=lambda value: str(value).translate(_HIDE))


def _variables(facts: PaperFacts) -> list[tuple[str, str]]:
    """The released variables by group of the schema, in words; those of no group under ""."""
    schema, lang = load_schema(), current()
    grouped: dict[str, list[str]] = {}
    for name in facts.columns:
        group = next((g for g in schema.groups if name in schema.members(g)), "")
        grouped.setdefault(group, []).append(label(name, lang))
    return [(group and group_label(group, lang), listed(names)) for group, names in grouped.items()]


def _document(text: str, facts: PaperFacts, made: date, undecided: int) -> Document:
    """A filled template: its warning and the number of open points first, sections numbered."""
    lang, day_made = current(), day(made)
    head, *sections = text.strip().split("\n\n## ")
    title, purpose = (line.translate(_SHOW) for line in head.removeprefix("# ").split("\n"))
    draft = paragraphs("release.txt", "draft", isolated(facts.hub), day_made, undecided)
    invented = _("Practice data: fictitious.") if facts.invented else ""
    meta = Meta(
        lang,
        lang in RIGHT_TO_LEFT,
        facts.hub,
        mark=" · ".join(filter(None, (_("Draft"), invented))),
        foot=facts.hub,
        made=made,
        day=day_made,
        page=_("Page {page} of {pages}"),
    )
    numbered = (_section(n, *part.split("\n\n")) for n, part in enumerate(sections, 1))
    return Document(meta, title, (purpose, *draft), tuple(numbered))


def _section(n: int, heading: str, *blocks: str) -> Section:
    id, _space, title = heading.translate(_SHOW).partition(" ")
    return Section(id, f"{number(n)}. {title}", tuple(_block(b.split("\n")) for b in blocks))


def _block(lines: list[str]) -> Block:
    if lines[0].startswith("- "):
        return Items(tuple(line[2:].translate(_SHOW) for line in lines))
    if not lines[0].startswith(("### ", "| ")):
        return Words(tuple(line.translate(_SHOW) for line in lines))
    title, note = (
        "".join(line[len(sign) :] for line in lines if line.startswith(sign)).translate(_SHOW)
        for sign in ("### ", ": ")
    )
    head, *rows = (
        tuple(cell.strip(" ").translate(_SHOW) for cell in line[1:].split("|"))
        for line in lines
        if line.startswith("|")
    )
    return TextTable(title, "", head, tuple(rows), note, words=True)
