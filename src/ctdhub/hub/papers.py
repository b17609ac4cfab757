"""What the papers of a hub are made of, read from its folder; no contributed file is opened."""

from dataclasses import fields

from ctdhub.hub.folder import Agreement, Hub, policy, takes_tokens, variables
from ctdhub.report.papers import Contributing, PaperFacts
from ctdhub.report.wording import attributes


def paper_facts(hub: Hub) -> PaperFacts:
    """A hub as its settings, policy and agreements describe it.

    Raises:
        PolicyError: one of these files is missing or wrong.
    """
    settings, rules = hub.settings, policy(hub)
    return PaperFacts(
        hub=settings.name,
        contact=settings.contact or settings.homepage,
        invented=settings.invented,
        licence=settings.licence,
        columns=tuple(rules.domains(variables(hub, rules))),
        epsilon=rules.epsilon,
        delta=rules.delta,
        budget=rules.budget.epsilon,
        reason=rules.reason,
        max_people=rules.max_people,
        approvers=settings.approvers is not None,
        contributors=tuple(_contributing(a, hub) for a in hub.agreements()),
    )


_AGREED = {one.name for one in fields(Contributing)} - {"tokens"}
"""What of an agreement stands in the papers."""


def _contributing(agreement: Agreement, hub: Hub) -> Contributing:
    tokens = takes_tokens(hub, agreement.id)
    return Contributing(**attributes(agreement, *_AGREED), tokens=tokens)
