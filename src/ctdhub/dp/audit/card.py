"""The card for the privacy officer: the guarantee compared with what attacks achieved."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ctdhub.core.format import exact, tiny
from ctdhub.core.i18n import _, current
from ctdhub.dp.audit.sentences import Attack, State, of_canary, of_inference, of_worlds
from ctdhub.dp.audit.suite import Findings


@dataclass(frozen=True)
class AuditCard:
    """What the privacy officer reads.

    Attributes:
        internal: whether it must stay in the hub.
        charge: ledger entry that paid for its publication, "" where there is none.
        epsilon, delta: the guarantee of one release; ``unit`` is whom it is about.
        language: of its sentences.
        sure_percent: what somebody who was 50 % sure can become at most sure, in percent.
    """

    internal: bool
    charge: str
    epsilon: float
    delta: float
    unit: str
    language: str
    sure_percent: float
    title: str
    mark: str
    promise: tuple[str, ...]
    attacks: tuple[Attack, ...]
    limits: str

    @property
    def state(self) -> State:
        """Above where any attack proved more than is promised."""
        return "above" if any(a.state == "above" for a in self.attacks) else "below"

    def json(self) -> dict[str, Any]:
        """The card for programs; no markup in any of its texts."""
        return {"state": self.state, **asdict(self)}

    def text(self) -> str:
        """The card for a terminal or a printer."""
        lines = [self.title, self.mark, "", *self.promise]
        for a in self.attacks:
            lines += ["", f"[{_sign(a.state)}] {a.title}", a.tried, a.found, a.reading]
        return "\n".join([*lines, "", self.limits, ""])

    def markdown(self) -> str:
        """The card for a document."""
        lines = [f"# {self.title}", f"**{self.mark}**", *self.promise]
        for a in self.attacks:
            lines += [f"## {a.title}", a.tried, a.found, f"**{_sign(a.state)}.** {a.reading}"]
        return "\n\n".join([*lines, f"*{self.limits}*"]) + "\n"


def surest(epsilon: float) -> float:
    """Percent, rounded up: how sure somebody who was 50 % sure can become.

    By Bayes' rule odds grow by at most e^epsilon, delta apart: 1 : 1 becomes e^epsilon : 1.

    >>> surest(1.0)
    73.2
    """
    return math.ceil(1000 / (1 + math.exp(-epsilon))) / 10


def card(found: Findings) -> AuditCard:
    """Put findings into words, in the language in force."""
    sure, delta = surest(found.epsilon), tiny(found.delta)
    attacks = []
    for audit, released in ((found.canary_released, True), (found.canary_tables, False)):
        if audit:
            attacks.append(of_canary(audit, found.epsilon, released))
    for told, released in ((found.worlds_released, True), (found.worlds_tables, False)):
        if told:
            attacks.append(of_worlds(told, found.world_epsilon, released))
    if found.inference:
        attacks.append(of_inference(found.inference, found.epsilon, found.delta))
    promise = (
        _("Guarantee of one release: epsilon {epsilon}, delta {delta}, for each person.").format(
            epsilon=exact(found.epsilon), delta=delta
        ),
        _(
            "Someone who was 50 % sure that a person is in the data can become at most "
            "{sure} % sure, whatever else they know; apart from a chance of {delta} that "
            "the guarantee does not hold as stated."
        ).format(sure=exact(sure), delta=delta),
    )
    return AuditCard(
        internal=found.charge is None,
        charge=found.charge or "",
        epsilon=found.epsilon,
        delta=found.delta,
        unit="person",
        language=current(),
        sure_percent=sure,
        title=_("Privacy audit: the guarantee, and what attacks achieved"),
        mark=_mark(found.charge),
        promise=promise,
        attacks=tuple(attacks),
        limits=_(
            "An audit can find a flaw; it cannot prove that there is none, since another "
            "attack may do better. The guarantee rests on its mathematical proof, not on "
            "this card."
        ),
    )


def _mark(charge: str | None) -> str:
    if charge is None:
        return _("Internal: not for publication. These figures were computed on case records.")
    if not charge:
        return _("May be published: these figures hold nothing of any person.")
    return _("May be published: charge {id} of the ledger paid for it.").format(id=charge)


def _sign(state: State) -> str:
    return _("below the guaranteed limit") if state == "below" else _("ABOVE THE GUARANTEED LIMIT")
