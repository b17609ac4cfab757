"""Each attack in sentences: what was tried, what was found, how to read it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ctdhub.core.format import decimal, exact
from ctdhub.core.i18n import _, formula, ngettext
from ctdhub.dp.audit.canary import CanaryAudit
from ctdhub.dp.audit.membership import InferenceAudit
from ctdhub.dp.audit.suite import RISK
from ctdhub.dp.audit.two_worlds import WorldsAudit

State = Literal["below", "above"]


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        key: which one, for programs.
        state: whether what it proved lies below or above what is promised.
        claimed, measured: epsilon promised and lower bound proved; or, for guesses about people,
            the greatest advantage that the promise allows and the lower end of the one measured.
        title, tried, found, reading: sentences.
        figures: the counts behind it.
    """

    key: str
    state: State
    claimed: float
    measured: float
    title: str
    tried: str
    found: str
    reading: str
    figures: dict[str, Any]


def greatest_advantage(epsilon: float, delta: float) -> float:
    """Most that guesses about people in the answer can be right oftener than about people out.

    p <= e^epsilon q + delta and 1 - q <= e^epsilon (1 - p) + delta give
    p - q <= (e^epsilon - 1 + 2 delta) / (e^epsilon + 1).

    >>> round(greatest_advantage(1.0, 0.0), 3)
    0.462
    """
    return min(1.0, (math.exp(epsilon) - 1 + 2 * delta) / (math.exp(epsilon) + 1))


def _bound(key: str, claimed: float, audit: CanaryAudit | WorldsAudit, **words: str) -> Attack:
    """An attack that bounds epsilon from below."""
    state: State = "above" if audit.epsilon > claimed else "below"
    if state == "above":
        reading = _(
            "It proves an epsilon of at least {measured} ({level} % sure) where {claimed} "
            "is guaranteed. Release nothing, and have the engine examined."
        )
    elif audit.epsilon > 0:
        reading = _(
            "It proves an epsilon of at least {measured} ({level} % sure), below the "
            "guaranteed {claimed}, as it must be."
        )
    else:
        reading = _("The attack did no better than guessing; {claimed} is guaranteed.")
    reading = reading.format(
        measured=decimal(audit.epsilon, "#,##0.00"),
        claimed=exact(claimed),
        level=exact(100 * (1 - RISK)),
    )
    return Attack(
        key, state, claimed, audit.epsilon, reading=reading, figures=asdict(audit), **words
    )


def of_canary(audit: CanaryAudit, claimed: float, released: bool) -> Attack:
    planted = ngettext(
        "{n} fictitious person (canary) was added to the data or left out at random.",
        "{n} fictitious people (canaries) were each added to the data or left out at random.",
        audit.canaries,
    ).format(n=audit.canaries)
    if released:
        title = _("Canaries (fictitious people put into the data), seen from the release")
        how = _(
            "The attacker tried to guess each random draw from the published records and counts."
        )
    else:
        title = _("Canaries (fictitious people put into the data), seen from inside the engine")
        how = _(
            "The attacker tried to guess each random draw from the noisy tables "
            "themselves, which nobody outside ever sees."
        )
    if audit.knew_others:
        how += " " + _("It knew everybody else in the data.")
    found = ngettext(
        "Of the guess it was surest of, {right} of {n} was right; chance gives half.",
        "Of the guesses it was surest of, {right} of {n} were right; chance gives half.",
        audit.guesses,
    ).format(right=audit.right, n=audit.guesses)
    key = "canary-release" if released else "canary-tables"
    return _bound(key, claimed, audit, title=title, tried=planted + " " + how, found=found)


def of_worlds(audit: WorldsAudit, claimed: float, released: bool) -> Attack:
    runs = ngettext(
        "{n} answer of few columns was made with one conspicuous fictitious person among "
        "the data, and as many without.",
        "{n} answers of few columns were made with one conspicuous fictitious person among "
        "the data, and as many without.",
        audit.runs,
    ).format(n=audit.runs)
    if released:
        title = _("Two neighbouring datasets, seen from the release")
        how = _("The attacker tried to distinguish the two from the published records and counts.")
    else:
        title = _("Two neighbouring datasets, seen from inside the engine")
        how = _("The attacker tried to distinguish the two from the noisy tables themselves.")
    found = _(
        "It raised the alarm in {right} of {n} with the person, and in {wrong} of {n} without."
    ).format(right=audit.right, wrong=audit.wrong, n=audit.runs)
    key = "worlds-release" if released else "worlds-tables"
    return _bound(key, claimed, audit, title=title, tried=runs + " " + how, found=found)


def of_inference(audit: InferenceAudit, epsilon: float, delta: float) -> Attack:
    allowed, seen, copies = greatest_advantage(epsilon, delta), audit.advantage, audit.copies
    state: State = "above" if max(seen.low, copies.low) > allowed else "below"
    tried = _(
        "People were left out of an answer at random. For people in and out of it, the "
        "attacker took the most similar synthetic records and guessed one sensitive column "
        "from the others (attribute inference); what can be guessed about people who were "
        "never in is knowledge about groups."
    )
    found = _(
        "Right guesses: {right} of {n} people in the answer, {other_right} of {other_n} "
        "who were held out. Exact copies among the synthetic records: {copies} and "
        "{other_copies}."
    ).format(
        right=audit.inside.right,
        n=audit.inside.targets,
        other_right=audit.outside.right,
        other_n=audit.outside.targets,
        copies=audit.inside.copies,
        other_copies=audit.outside.copies,
    )
    if audit.noise:
        found += " " + _(
            "Noise with a standard deviation of {noise} was added to each of these numbers."
        ).format(noise=exact(audit.noise))
    reading = _(
        "Being included changed the share of right guesses by {value} percentage points (95 % "
        "interval {low} to {high}); the guarantee allows up to {allowed}."
    ).format(
        value=formula(f"{100 * seen.value:+.1f}"),
        low=formula(f"{100 * seen.low:+.1f}"),
        high=formula(f"{100 * seen.high:+.1f}"),
        allowed=decimal(100 * allowed),
    )
    figures = asdict(audit) | {"advantage": asdict(seen), "copies": asdict(copies)}
    title = _("Attribute inference: people in the data compared with people held out")
    measured = max(0.0, seen.low)
    return Attack("inference", state, allowed, measured, title, tried, found, reading, figures)
