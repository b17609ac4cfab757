"""What stands behind a promise: the privacy that a hub spent, and what attacks achieved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctdhub.core.error_catalogue import error
from ctdhub.release.manifest import ATTACKS


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


class Attack(BaseModel):
    """What one attack on fictitious people achieved.

    Attributes:
        attack, seen: what was guessed, and from what.
        people, columns: of the data that were attacked.
        epsilon, delta: the guarantee.
        trials, right: guesses, and how many of them were right.
        others: number of people held out, with whom those in the data are compared.
        chance: share of right guesses without the person.
        gain, low, high: share of right guesses less ``chance``, with its interval.
        allowed: the most that the guarantee allows ``gain`` to be.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    attack: Literal["canary", "worlds", "inference", "copies"]
    seen: Literal["release", "tables"]
    people: int
    columns: int
    epsilon: float
    delta: float
    trials: int = Field(ge=1)
    right: int
    others: int | None
    chance: float
    gain: float
    low: float
    high: float
    allowed: float = Field(gt=0)


class AttackCard(BaseModel):
    """What attacks achieved on a METHOD of protection; ``level`` is that of the intervals."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: int
    made: date
    level: float = Field(gt=0, lt=1)
    attacks: tuple[Attack, ...] = Field(min_length=1)

    @property
    def nearest(self) -> list[Attack]:
        """Of each kind of attack the one that came nearest to its limit."""
        found: dict[tuple[str, str], Attack] = {}
        for one in sorted(self.attacks, key=lambda a: a.gain / a.allowed):
            found[one.attack, one.seen] = one
        return [found[key] for key in dict.fromkeys((a.attack, a.seen) for a in self.attacks)]


def read_attacks(release: Path) -> AttackCard | None:
    """The figures that are signed with a release; None where there are none.

    Args:
        release: folder of a verified release.

    Raises:
        ReleaseError: they are none that this software can read.
    """
    file = release / ATTACKS
    if not file.is_file():
        return None
    try:
        return AttackCard.model_validate_json(file.read_bytes())
    except ValidationError as cause:
        raise error("attack-card", file=file) from cause
