"""The record of processing activities (Article 30 (1) GDPR)."""

from __future__ import annotations

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
