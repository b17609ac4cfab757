"""What the next release would cost, asked before anybody says yes to it; nothing is charged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ctdhub.build import engine as engine_of
from ctdhub.build import pipeline
from ctdhub.build.filenames import PEOPLE
from ctdhub.build.hub import Hub
from ctdhub.build.paid import budget_split
from ctdhub.build.rules import policy
from ctdhub.build.stages import protect
from ctdhub.build.stages.alarms import open_alarms
from ctdhub.build.steps import Progress, hash_path
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.price import Cause


@dataclass(frozen=True)
class NextPrice:
    """What a version would cost now.  Sensitive: the reasons follow from exact counts.

    Attributes:
        version: that is planned.
        epsilon, delta: of the charge; epsilon is 0 where an answer that was paid for is given.
        left: the most epsilon that one more version may have, before this charge.
        left_by_contributor: the same by contributor whose agreement sets a limit.
        because: why a new answer has to be paid for.
        more: how many versions of this price fit into the budget after this one.
        alarms: open alarms; while there is any nothing is charged.
        people: key of the step that made people, by which the price is known to be old.
    """

    version: str
    epsilon: float
    delta: float
    left: float
    left_by_contributor: dict[str, float]
    because: tuple[Cause, ...]
    more: int
    alarms: int
    people: str

    def as_json(self) -> dict[str, Any]:
        """As values that JSON knows."""
        return asdict(self)


def price_of(hub: Hub, version: str, progress: Progress | None = None) -> NextPrice:
    """Link people, which costs nothing, and ask for the price of a version.

    Raises:
        Overspend: the budget does not reach.
        HubError: a file cannot be read, an alarm stops the build, or another build is at work.
    """
    pipeline.build(hub, until="link", progress=progress)
    rules = policy(hub)
    with hub.lock(), engine_of.engine(hub) as engine:
        found = protect.price(hub, rules, engine, version)
    split = budget_split(hub, rules)
    return NextPrice(
        version=version,
        epsilon=found.epsilon if found else 0.0,
        delta=found.delta if found else rules.delta,
        left=split.left,
        left_by_contributor=dict(found.left_by_contributor) if found else {},
        because=tuple(found.because) if found else (),
        more=max(0, split.more(rho_of(found.epsilon if found else rules.epsilon, rules.delta)) - 1),
        alarms=len(open_alarms(hub)),
        people=people_key(hub),
    )


def people_key(hub: Hub) -> str:
    """What tells one table of people from another; empty where there is none."""
    path = hub.work / "people" / PEOPLE
    return hash_path(path) if path.exists() else ""
