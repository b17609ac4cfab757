"""What all papers share: points that a person must decide, and paragraphs that hold for the hub.

Articles are those of Regulation (EU) 2016/679 (GDPR).  A hub under another law keeps the questions
and replaces the articles; each paper says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

from ctdhub.core.format import day, decimal, exact, isolated, listed, number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, ngettext
from ctdhub.document.document import Document, Items, Meta, Section, TextTable, Words
from ctdhub.report.papers.paper_facts import PaperFacts
from ctdhub.schema.labels import group_label, label
from ctdhub.schema.model import load_schema


class PaperDraft:
    """A paper that is being written; it counts what a person must still decide.

    Attributes:
        facts: of the hub.
        made: the day of the draft.
        open: what is still to be decided, in the order of the paper.
    """

    def __init__(self, facts: PaperFacts, made: date) -> None:
        self.facts, self.made = facts, made
        self.open: list[str] = []

    def decide(self, what: str) -> str:
        """A mark where a person must decide something."""
        self.open.append(what)
        return _("[to decide: {what}]").format(what=what)

    def given(self, words: str, what: str) -> str:
        """The words of a setting as part of a sentence, a mark where it is empty."""
        found = words.strip().rstrip(".")
        return isolated(found) if found else self.decide(what)

    @property
    def hub(self) -> str:
        """The hub's name, set apart in a text of the other direction."""
        return isolated(self.facts.hub)

    @property
    def contact(self) -> str:
        """Where the hub is reached."""
        return self.given(self.facts.contact, _("an address at which the hub is reached"))

    def document(self, title: str, purpose: str, sections: Iterable[Section]) -> Document:
        """The paper: its warning and the number of open points first, sections numbered."""
        parts = [
            Section(s.id, f"{number(n)}. {s.title}", s.blocks) for n, s in enumerate(sections, 1)
        ]
        count = len(self.open)
        waits = ngettext(
            "One point in this draft is marked “to decide”: a person must fill it in.",
            "{n} points in this draft are marked “to decide”: a person must fill them in.",
            count,
        ).format(n=number(count))
        lead = (
            purpose,
            _(
                "This is a draft made from the settings of {hub} on {day}. It is not legal advice: "
                "a lawyer or a data protection officer must read it before it is signed or "
                "published. Articles are those of the General Data Protection Regulation (GDPR); "
                "where another law applies, the questions stay and the articles change."
            ).format(hub=self.hub, day=day(self.made)),
            waits,
        )
        lang = current()
        invented = _("Practice data: fictitious.") if self.facts.invented else ""
        mark = " · ".join(filter(None, (_("Draft"), invented)))
        meta = Meta(lang, lang in RIGHT_TO_LEFT, self.facts.hub, mark=mark, foot=self.facts.hub,
                    made=self.made, day=day(self.made),
                    page=_("Page {page} of {pages}"))  # fmt: skip
        return Document(meta, title, lead, tuple(parts))


def variables(facts: PaperFacts) -> TextTable:
    """The released variables by group of the schema, in words."""
    schema, lang = load_schema(), current()
    grouped: dict[str, list[str]] = {}
    for name in facts.columns:
        group = next((g for g in schema.groups if name in schema.members(g)), "")
        grouped.setdefault(group, []).append(label(name, lang))
    rows = tuple(
        (group_label(group, lang) if group else _("Other variables"), listed(labels))
        for group, labels in grouped.items()
    )
    return TextTable(
        _("Variables of the hub's dataset"),
        "",
        (_("Group"), _("Variables")),
        rows,
        words=True,
    )


def special_categories() -> str:
    """Why the strictest rules apply to the data."""
    return _(
        "The records describe people who were identified as victims of trafficking. They concern "
        "health, sexual exploitation, origin and criminal offences, so that they fall under "
        "Articles 9 and 10 of the GDPR even where no name is held. Many of the people are children."
    )


def guarantee(facts: PaperFacts) -> str:
    """What the privacy guarantee says about one person, in words and numbers."""
    sure = 1 / (1 + math.exp(-facts.epsilon))
    return _(
        "What is published carries differential privacy: random noise of a known size, epsilon "
        "{epsilon} and delta {delta} for one release, at most epsilon {budget} for all releases "
        "together. Somebody who thought it as likely as not that a person is in the data becomes "
        "at most {sure} sure of it by reading one release, whatever else that reader knows."
    ).format(
        epsilon=decimal(facts.epsilon, "#,##0.##"),
        delta=exact(facts.delta),
        budget=decimal(facts.budget, "#,##0.##"),
        sure=share(sure),
    )


def measures(draft: PaperDraft) -> Items:
    """Technical and organisational measures that the software enforces, and those it cannot."""
    facts = draft.facts
    items = [
        _(
            "Names, addresses, telephone numbers and other direct identifiers are not needed by "
            "the hub. The contributor leaves them out or replaces them with keyed codes before a "
            "file leaves it; columns that look like direct identifiers stop a build until "
            "somebody has decided."
        ),
        guarantee(facts),
        _(
            "The privacy-budget ledger records the cost of a release before its noise is drawn. A "
            "release that would exceed the budget of the hub or of a contributor is refused."
        ),
        _(
            "Two people, a steward and a privacy officer, sign each release with keys of their "
            "own. Nothing is published with one signature."
        ),
        _(
            "People and contributors that withdraw are left out of everything that is made "
            "afterwards; releases that are already published stay and say so."
        ),
        _("A journal records who ran and who decided what, without values of records."),
    ]
    if facts.tokens:
        items.append(
            _(
                "Tokens for record linkage are keyed codes that contributors make with a key which "
                "the hub does not hold; names never reach the hub."
            )
        )
    if not facts.approvers:
        items.append(draft.decide(_("who approves releases; no keys of approvers are set yet")))
    items += [
        draft.decide(_("who has access to the hub's computer, and how they sign in")),
        draft.decide(_("how the storage of contributed files and its backups are encrypted")),
        draft.decide(_("who is informed, and when, if data are lost or seen by others")),
    ]
    return Items(tuple(items))


def retention(draft: PaperDraft) -> TextTable:
    """How long the files of each contributor are kept."""
    rows = tuple(
        (isolated(c.name), draft.given(c.retention, _("how long these files are kept")))
        for c in draft.facts.contributors
    )
    return TextTable(
        _("How long contributed files are kept"),
        "",
        (_("Contributor"), _("Retention")),
        rows,
        _("Published releases are kept without an end: they hold no records of people."),
        words=True,
    )


def legal_bases(draft: PaperDraft) -> TextTable:
    """The legal basis and the consent rule that each agreement names."""
    rows = tuple(
        (
            isolated(c.name),
            draft.given(c.legal_basis, _("a legal basis under Articles 6 and 9")),
            draft.given(c.consent_rule, _("how consent or objection is respected")),
        )
        for c in draft.facts.contributors
    )
    return TextTable(
        _("Legal basis by contributor"),
        "",
        (_("Contributor"), _("Legal basis"), _("Consent or objection")),
        rows,
        words=True,
    )


def words(*paragraphs: str) -> Words:
    """Paragraphs without a title."""
    return Words(tuple(p for p in paragraphs if p))


def people(facts: PaperFacts) -> str:
    """How many people the hub may hold, as it declares in public."""
    return _("The hub declares that it will never hold more than {n} people.").format(
        n=number(facts.max_people)
    )
