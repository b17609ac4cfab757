"""What the papers of a hub are made of: settings and agreements, never case data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
