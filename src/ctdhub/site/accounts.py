"""What a hub tells of its own care: the privacy spent, and the audit that it published."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.i18n import Language

AUDIT = "audit.json"
"""In the hub's folder: what ``ctdhub audit HUB --publish --out HUB/audit.json`` writes."""


@dataclass(frozen=True)
class PublishedSpending:
    """What a hub spent, as far as readers may know: nothing of answers that were not published.

    Attributes:
        charges: kind, number of charges, and epsilon of these together, for each kind; of releases
            those that were published.
        reserve: epsilon that the policy keeps for drafts, used or not.
        epsilon: of all these together; of what waits to be published it tells nothing.
        budget: the epsilon that the hub may spend in all.
        delta: at which each epsilon holds.
    """

    charges: tuple[tuple[str, int, float], ...]
    reserve: float
    epsilon: float
    budget: float
    delta: float


FREE = "worlds-"
"""Begins the keys of attacks on fictitious people."""
LONGEST = 2_000
"""Letters of a sentence of the card; what is longer is cut."""
Sentence = Annotated[str, AfterValidator(lambda text: printable(text, LONGEST))]


class PublishedAttack(BaseModel):
    """One attack in sentences."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    title: Sentence
    tried: Sentence
    found: Sentence
    reading: Sentence


class Audit(BaseModel):
    """The audit card, in the language that it was made in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    internal: bool
    charge: str
    epsilon: float
    delta: float
    language: Language
    promise: tuple[Sentence, ...]
    attacks: tuple[PublishedAttack, ...] = Field(min_length=1)
    limits: Sentence

    @property
    def free(self) -> bool:
        """Whether its attacks were on fictitious people alone, which costs nothing to publish."""
        return all(attack.key.startswith(FREE) for attack in self.attacks)


def read_audit(hub: Path, paid: Collection[str]) -> Audit | None:
    """The audit card that a hub shows; None where it shows none.

    Args:
        hub: root of the hub's folder.
        paid: ids of the charges for evaluations in the hub's ledger.

    Raises:
        HubError: the file is no audit card, or nobody paid for its publication.
    """
    file = hub / AUDIT
    if not file.is_file():
        return None
    try:
        found = Audit.model_validate_json(file.read_text("utf-8"))
    except (ValidationError, UnicodeDecodeError) as cause:
        raise error("audit-card", file=file) from cause
    if found.internal or not (found.free or found.charge in paid):
        raise error("internal/published", file=file)
    return found
