"""The data protection impact assessment of the hub (Article 35 GDPR)."""

from __future__ import annotations

from collections.abc import Iterator

from ctdhub.core.format import isolated, listed
from ctdhub.core.i18n import _
from ctdhub.document.document import Document, Section, TextTable
from ctdhub.report.papers.draft import (
    PaperDraft,
    legal_bases,
    measures,
    people,
    retention,
    special_categories,
    variables,
    words,
)


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
