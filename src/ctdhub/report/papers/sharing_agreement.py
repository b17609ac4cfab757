"""The data-sharing agreement of a contributor and the hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ctdhub.core.format import day, decimal, isolated, number
from ctdhub.core.i18n import _, ngettext
from ctdhub.document.document import Document, Items, Section, TextTable
from ctdhub.report.papers.draft import (
    PaperDraft,
    guarantee,
    measures,
    special_categories,
    variables,
    words,
)
from ctdhub.report.papers.paper_facts import Contributing


def sharing_agreement(draft: PaperDraft, contributor: Contributing) -> Document:
    """The draft of an agreement with one contributor."""
    draft.facts = replace(draft.facts, contributors=(contributor,))
    name = isolated(contributor.name)
    sections = list(_sections(draft, contributor))
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


def _sections(draft: PaperDraft, by: Contributing) -> Iterator[Section]:
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
