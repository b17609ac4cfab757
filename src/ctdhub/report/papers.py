"""The papers of a hub: agreements, notices and assessments, drafted from settings, never from
case data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from ctdhub.core.errors import error, printable
from ctdhub.core.format import day, decimal, exact, isolated, listed, number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, ngettext
from ctdhub.document.document import Document, Items, Meta, Section, TextTable, Words
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
# What all papers share: points that a person must decide, and paragraphs that hold for the hub.
#
# Articles are those of Regulation (EU) 2016/679 (GDPR).  A hub under another law keeps the
# questions and replaces the articles; each paper says so.


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


# --------------------------------------------------------------------------------------------------
# The data protection impact assessment of the hub (Article 35 GDPR).


def impact_assessment(draft: PaperDraft) -> Document:
    """The draft of the assessment, in the parts that Article 35 (7) asks for."""
    return draft.document(
        _("Data protection impact assessment: {hub}").format(hub=draft.hub),
        _(
            "An assessment is required because the hub processes data of vulnerable people in "
            "special categories on a large scale (Article 35 (3) (b))."
        ),
        list(_sections(draft)),
    )


def _sections(draft: PaperDraft) -> Iterator[Section]:
    facts = draft.facts
    names = listed([isolated(c.name) for c in facts.contributors]) or draft.decide(
        _("which organisations contribute")
    )
    yield Section("description", _("Description of the processing"), (
        words(
            _("Organisations that assist victims of trafficking or answer hotlines send case "
              "records to the hub. The hub harmonises them, links records of the same person where "
              "contributors send tokens, adds noise, and publishes statistics and synthetic "
              "records. No record of a person is published."),
            _("Contributors: {names}.").format(names=names),
            people(facts),
            special_categories(),
        ),
        variables(facts),
        retention(draft),
    ))  # fmt: skip
    yield Section("necessity", _("Necessity and proportionality"), (
        words(
            _("Purpose: {purpose}.").format(
                purpose=draft.decide(_("the purpose of the hub, in the words of its agreements"))
            ),
            _("Statistics of one organisation cannot show people who are known to several, and "
              "small organisations cannot publish safely alone. Case records are needed because "
              "combinations of variables cannot be computed from totals."),
            _("Variables that no published table needs are not collected: {answer}.").format(
                answer=draft.decide(_("whether each variable is needed, and who checked it"))
            ),
        ),
        legal_bases(draft),
    ))  # fmt: skip
    yield Section("risks", _("Risks to people, measures, and what remains"), (_risks(draft),))
    yield Section("measures", _("Measures"), (measures(draft), words(_reason(draft))))
    yield Section("views", _("Consultation"), (words(
        _(
            "Views of the people concerned or of their representatives (Article 35 (9)): {views}."
        ).format(
            views=draft.decide(_("who was asked, when, and what they said"))
        ),
        _("Advice of the data protection officer (Article 35 (2)): {advice}.").format(
            advice=draft.decide(_("the advice, its day, and whether it was followed"))
        ),
        _("Prior consultation of the supervisory authority (Article 36): {answer}.").format(
            answer=draft.decide(_("needed where a high risk remains; yes or no, and why"))
        ),
    ),))  # fmt: skip
    yield Section("decision", _("Decision and review"), (words(
        _("Decision: {decision}.").format(
            decision=draft.decide(_("go ahead, go ahead with conditions, or stop; by whom, when"))
        ),
        _("The assessment is reviewed when a contributor joins, when the policy or the software's "
          "method changes, after an incident, and at the latest on {day}.").format(
            day=draft.decide(_("a day within two years"))
        ),
    ),))  # fmt: skip


def _reason(draft: PaperDraft) -> str:
    if not draft.facts.reason.strip():
        return ""
    return _("The guarantee is weaker than the usual one, for this reason: {reason}.").format(
        reason=isolated(draft.facts.reason.strip().rstrip("."))
    )


def _risks(draft: PaperDraft) -> TextTable:
    """Risks with their source, what stands against them, and a mark for what remains."""
    remains = _("how severe and how likely this remains")
    risks = (
        (
            _("A trafficker, an authority or a family member recognises a person in what is "
              "published: reprisals, stigma, detention, removal."),
            _("Noise with a stated guarantee; no record of a person is published; two people look "
              "at each release."),
        ),
        (
            _("Somebody compares releases, or the figures of several contributors, to find out "
              "about one person."),
            _("Every release is charged to one budget; a contributor that may not be shown joins "
              "and leaves in groups."),
        ),
        (
            _("The hub's computer is seized, stolen or broken into: case records without names are "
              "read and matched with other knowledge."),
            _("No direct identifiers; retention limits; encryption of storage as described below."),
        ),
        (
            _("A member of the consortium cheats: it sends forged records, or asks for counts of "
              "others."),
            _("Contributors see their own records and published figures only; refusals do not "
              "depend on the data of others."),
        ),
        (
            _("A wrong number leads to help in the wrong place, or stigmatises a nationality."),
            _("Every number carries its interval, its base and what is not recorded; unknown texts "
              "are rejected, never guessed."),
        ),
        (
            _("Data are used for migration control or for prosecuting victims."),
            _("Purpose limits of the agreements; nothing that identifies a person is passed on."),
        ),
        (
            _("A person's withdrawal is not carried out, or is carried out so that others notice."),
            _("Withdrawals hold from the next build on, are logged by keyed hash, and are not "
              "shown to others."),
        ),
    )  # fmt: skip
    return TextTable(
        "", "", (_("Risk"), _("Measure"), _("Remaining risk")),
        tuple((risk, measure, draft.decide(remains)) for risk, measure in risks), words=True,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------
# The record of processing activities (Article 30 (1) GDPR).


def processing_record(draft: PaperDraft) -> Document:
    """The draft of the record, a section for each point of Article 30 (1)."""
    facts = draft.facts
    controllers = TextTable(
        "", "", (_("Point"), _("Entry")),
        (
            (_("Controller"), f"{draft.hub}, {draft.contact}"),
            (_("Operator of the hub"), draft.decide(_("legal entity that operates the hub"))),
            (_("Joint controllers"), listed([isolated(c.name) for c in facts.contributors])
             or draft.decide(_("which organisations contribute"))),
            (_("Representative in the Union"), draft.decide(_("needed only outside the Union"))),
            (_("Data protection officer"), draft.decide(_("name and address"))),
        ), words=True,
    )  # fmt: skip
    sections = [
        Section("controller", _("Controller (a)"), (controllers,)),
        Section("purposes", _("Purposes (b)"), (
            words(
                _("Statistics and research on trafficking in persons, published with a privacy "
                  "guarantee; private reports to each contributor on its own records.")
            ),
            legal_bases(draft),
        )),
        Section("categories", _("Data subjects and data (c)"), (
            words(
                _("People identified as victims of trafficking, presumed victims included; where "
                  "contributors record them, alleged perpetrators."),
                people(facts),
                special_categories(),
            ),
            variables(facts),
        )),
        Section("recipients", _("Recipients (d)"), (words(
            _("No recipient receives records of people. The public receives statistics and "
              "synthetic records under the licence {licence}. Each contributor receives reports on "
              "its own records.").format(licence=isolated(facts.licence)),
            _("Processors, for example a hosting provider: {names}.").format(
                names=draft.decide(_("names, and the day of each contract under Article 28"))
            ),
        ),)),
        Section("transfers", _("Transfers to third countries (e)"), (words(
            _("Contributors outside the Union, or a computer there: {answer}.").format(
                answer=draft.decide(_("which countries, and the safeguard under Chapter V"))
            ),
        ),)),
        Section("retention", _("Time limits (f)"), (retention(draft),)),
        Section("security", _("Security measures (g)"), (measures(draft),)),
    ]  # fmt: skip
    return draft.document(
        _("Record of processing activities: {hub}").format(hub=draft.hub),
        _("The record that a controller keeps and shows to the supervisory authority on request."),
        sections,
    )


# --------------------------------------------------------------------------------------------------
# The data-sharing agreement of a contributor and the hub.


def sharing_agreement(draft: PaperDraft, contributor: Contributing) -> Document:
    """The draft of an agreement with one contributor."""
    draft.facts = replace(draft.facts, contributors=(contributor,))
    name = isolated(contributor.name)
    sections = list(_sharing_agreement_sections(draft, contributor))
    return draft.document(
        _("Data-sharing agreement: {contributor} and {hub}").format(
            contributor=name, hub=draft.hub
        ),
        _(
            "{contributor} shares case records with {hub}, which publishes statistics and "
            "synthetic records with a privacy guarantee. This agreement says what is shared, "
            "for what, under which limits, and how it ends."
        ).format(contributor=name, hub=draft.hub),
        sections,
    )


def _sharing_agreement_sections(draft: PaperDraft, by: Contributing) -> Iterator[Section]:
    name = isolated(by.name)
    yield Section("parties", _("Parties and their roles"), (words(
        _("Contributor: {name}, {address}, represented by {person}.").format(
            name=name,
            address=draft.decide(_("registered address of the contributor")),
            person=draft.decide(_("who signs for the contributor")),
        ),
        _("Hub: {name}, {contact}, operated by {operator}, represented by {person}.").format(
            name=draft.hub,
            contact=draft.contact,
            operator=draft.decide(_("legal entity that operates the hub")),
            person=draft.decide(_("who signs for the hub")),
        ),
        _("Under data protection law the parties are {roles}.").format(
            roles=draft.decide(
                _("joint controllers (Article 26), two controllers, or controller and processor "
                  "(Article 28)")
            )
        ),
    ),))  # fmt: skip
    yield Section("purpose", _("Purpose"), (words(
        _("The data are used for this purpose only: {purpose}.").format(
            purpose=draft.given(by.purpose, _("what the data may be used for"))
        ),
        _("They are never used to find, contact or decide about an individual person, and never "
          "for migration control or prosecution of victims."),
    ),))  # fmt: skip
    yield Section("data", _("Data that are shared"), (
        words(
            _("Scope: {scope}.").format(
                scope=draft.given(by.scope, _("whose records are shared, from which years"))
            ),
            special_categories(),
            _("Names, addresses, telephone numbers, document numbers and free text are not shared.")
            if not by.tokens
            else _("Names, addresses, telephone numbers, document numbers and free text are not "
                   "shared. The contributor replaces names and dates of birth with tokens before "
                   "a file leaves it; the key of the tokens is not given to the hub."),
            _rows_per_person(by),
        ),
        variables(draft.facts),
    ))  # fmt: skip
    yield Section("basis", _("Legal basis and consent"), (words(
        _("Legal basis: {basis}.").format(
            basis=draft.given(by.legal_basis, _("a legal basis under Articles 6 and 9"))
        ),
        _("Consent: {rule}.").format(
            rule=draft.given(by.consent_rule, _("how consent or objection is respected"))
        ),
        _("The contributor informs people as Articles 13 and 14 require; the notice to data "
          "subjects of the hub may be used for it."),
    ),))  # fmt: skip
    yield Section("publication", _("Publication"), (
        words(
            guarantee(draft.facts),
            _limit(by),
            _("How the contributor is shown: {rule}.").format(
                rule=draft.given(by.display_rule, _("whether and how the contributor is named"))
            ),
            _("Noisy counts are released under the contributor's name.")
            if by.show_counts
            else _("No counts are released under the contributor's name."),
            _("Statistics and synthetic records are published under the licence {licence}.").format(
                licence=isolated(draft.facts.licence)
            ),
        ),
    ))  # fmt: skip
    yield Section("protection", _("Protection"), (measures(draft),))
    yield Section("returns", _("What the contributor receives"), (Items((
        _("a private report on its own records after each delivery, which nobody else receives;"),
        _("its own tables for donors and authorities, made from its own records;"),
        _("notice of each release before it is signed, where the release follows a withdrawal by "
          "the contributor alone."),
    )),))  # fmt: skip
    yield Section("withdrawal", _("Withdrawal"), (words(
        _("A person may withdraw through the contributor at any time, without a reason. The hub "
          "leaves the person's records out of everything that it makes afterwards."),
        _("The contributor may withdraw all its data at any time. Published releases cannot be "
          "called back: they hold no records of people, and copies exist outside the hub."),
        _("Requests of people under Articles 15 to 22 are answered by {who}.").format(
            who=draft.decide(_("which party answers them, and within which time"))
        ),
    ),))  # fmt: skip
    yield Section("duration", _("Duration, retention and end"), (words(
        _("This agreement ends on {day}.").format(day=day(by.ends))
        if by.ends
        else _("This agreement ends on {day}.").format(
            day=draft.decide(_("the last day, after which no build reads the files"))
        ),
        _("Retention: {rule}.").format(
            rule=draft.given(by.retention, _("how long contributed files are kept"))
        ),
        _("At the end the hub deletes the contributed files and what was derived from them, except "
          "published releases, and confirms it in writing."),
        _("When data are lost or seen by others, the party that learns of it tells the other "
          "within {time}.").format(time=draft.decide(_("a time, for example 24 hours"))),
        _("Liability, applicable law and disputes: {rule}.").format(
            rule=draft.decide(_("a rule that both legal departments accept"))
        ),
    ),))  # fmt: skip
    yield Section("signatures", _("Signatures"), (TextTable(
        "", "", (_("Party"), _("Name and role"), _("Place and day"), _("Signature")),
        ((name, "", "", ""), (draft.hub, "", "", "")), words=True,
    ),))  # fmt: skip


def _rows_per_person(by: Contributing) -> str:
    if by.rows_per_person is None:
        return ""
    return ngettext(
        "One person has at most one record in these files; the privacy guarantee counts on it.",
        "One person has at most {n} records in these files; the privacy guarantee counts on it.",
        by.rows_per_person,
    ).format(n=number(by.rows_per_person))


def _limit(by: Contributing) -> str:
    if by.budget_limit is None:
        return _("The contributor sets no limit of its own to the privacy budget.")
    return _("All releases with these data together may cost at most epsilon {limit}.").format(
        limit=decimal(by.budget_limit, "#,##0.##")
    )


# --------------------------------------------------------------------------------------------------
# The notice to data subjects (Articles 13 and 14 GDPR), in plain words.


def subject_notice(draft: PaperDraft) -> Document:
    """The draft of a notice that contributors give to the people whom they assist."""
    facts = draft.facts
    names = listed([isolated(c.name) for c in facts.contributors]) or draft.decide(
        _("which organisations contribute")
    )
    received = _(
        "You receive help whether or not your record is used. You can say no, now or later."
    )
    sections = [
        Section("who", _("Who uses your data"), (words(
            _("{hub} collects records from these organisations: {names}.").format(
                hub=draft.hub, names=names
            ),
            _("You can reach the hub here: {contact}. Its data protection officer: "
              "{officer}.").format(
                contact=draft.contact, officer=draft.decide(_("name and address"))
            ),
        ),)),
        Section("what", _("Which data"), (words(
            _("The organisation that assisted you sends answers from your record: for example a "
              "year, an age group, countries, what happened, and which help you received."),
            _("It does not send your name, your address, your telephone number or your documents.")
            if not facts.tokens
            else _("It does not send your name, your address, your telephone number or your "
                   "documents. From name and date of birth it makes a code that the hub cannot "
                   "turn back. The code only shows that two records are about the same person."),
        ),)),
        Section("why", _("Why, and on which legal basis"), (
            words(
                _("The data are used to count and to describe trafficking, so that help reaches "
                  "people. They are not used to decide about you, and no decision about you is "
                  "made by a computer."),
                _("The hub does not pass them on to the police, to migration authorities or to "
                  "anybody else: {answer}.").format(
                    answer=draft.decide(_("whether a law of the country can oblige the hub to"))
                ),
            ),
            legal_bases(draft),
        )),
        Section("published", _("What is published"), (words(
            _("Only statistics and synthetic records: records that a computer makes so that their "
              "totals resemble the real ones. No published record is yours."),
            guarantee(facts),
        ),)),
        Section("how-long", _("How long data are kept"), (retention(draft),)),
        Section("rights", _("Your rights"), (
            Items((
                _("You can ask which data about you are held, and have them corrected or deleted."),
                _("You can object, or withdraw your consent, at any time and without a reason. "
                  "Your record is then left out of everything that is made afterwards."),
                _("What is already published cannot be called back. It does not contain your "
                  "record."),
                _("You can complain to the data protection authority: {authority}.").format(
                    authority=draft.decide(_("name and address of the authority"))
                ),
            )),
            words(
                _("Ask the organisation that assisted you, in your language: {way}.").format(
                    way=draft.decide(_("a telephone number or a person whom people can reach"))
                ),
                _("The hub cannot find you by name; the organisation passes your request on with a "
                  "case number."),
            ),
        )),
        Section("outside", _("Other countries"), (words(
            _("Data are sent to these countries outside the European Union: {answer}.").format(
                answer=draft.decide(_("which countries, and how data are protected there"))
            ),
        ),)),
    ]  # fmt: skip
    return draft.document(
        _("Your data and {hub}").format(hub=draft.hub),
        received,
        sections,
    )


# --------------------------------------------------------------------------------------------------
# The papers by name, and how one of them is drafted.

Paper = Literal["agreement", "dpia", "record", "notice"]
PAPERS: tuple[Paper, ...] = get_args(Paper)


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
    draft = PaperDraft(facts, made)
    if kind == "agreement":
        found = [c for c in facts.contributors if c.id == contributor]
        if not found:
            ids = ", ".join(c.id for c in facts.contributors) or "–"
            raise error("contributor/report", id=printable(contributor), ids=ids)
        document = sharing_agreement(draft, found[0])
    elif kind == "dpia":
        document = impact_assessment(draft)
    elif kind == "record":
        document = processing_record(draft)
    else:
        document = subject_notice(draft)
    return document, tuple(draft.open)
