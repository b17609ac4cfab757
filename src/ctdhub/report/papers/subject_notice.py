"""The notice to data subjects (Articles 13 and 14 GDPR), in plain words."""

from __future__ import annotations

from ctdhub.core.format import isolated, listed
from ctdhub.core.i18n import _
from ctdhub.document.document import Document, Items, Section
from ctdhub.report.papers.draft import PaperDraft, guarantee, legal_bases, retention, words


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
