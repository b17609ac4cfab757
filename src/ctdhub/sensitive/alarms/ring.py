"""All alarms of a contributor's deliveries, each decided by what the mapping accepts."""

from __future__ import annotations

from collections.abc import Sequence

from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits
from ctdhub.sensitive.alarms.delivered import ReadDelivery
from ctdhub.sensitive.alarms.drift import drifted
from ctdhub.sensitive.alarms.people import about_people
from ctdhub.sensitive.alarms.plausible import implausible

_DRIFT = frozenset(
    {"new-texts", "new-column", "recorded-fell", "ids-rewritten", "nobody-again", "most-left"}
)
"""Alarms that compare a delivery with an older one."""


def ring(
    deliveries: Sequence[ReadDelivery],
    limits: AlarmLimits,
    newest: bool = False,
    cumulative: bool = True,
) -> tuple[Alarm, ...]:
    """The alarms.

    A delivery is compared with the last one that was itself like those before it, or was accepted:
    what rang an alarm does not become usual by being sent once more.

    Args:
        deliveries: of one contributor, the oldest first.
        limits: when an alarm rings.
        newest: whether the newest delivery alone counts, so that no older one rings.
        cumulative: whether each delivery holds everybody anew; if not, nobody leaves.
    """
    found: list[Alarm] = []
    before: ReadDelivery | None = None
    known = frozenset[str]()
    for now in deliveries:
        rang = [
            *drifted(now, before, limits),
            *about_people(now, before, known, cumulative, limits),
        ]
        drift = [alarm.decided(now.accept) for alarm in rang]
        if not newest or now is deliveries[-1]:
            found += drift
            found += [alarm.decided(now.accept) for alarm in implausible(now, limits)]
        if not any(alarm.name in _DRIFT and not alarm.accepted for alarm in drift):
            before, known = now, known | now.people
    return tuple(found)
