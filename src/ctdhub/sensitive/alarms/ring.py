"""All alarms of a contributor's deliveries, each decided by what the mapping accepts."""

from __future__ import annotations

from collections.abc import Sequence

from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits
from ctdhub.sensitive.alarms.delivered import ReadDelivery
from ctdhub.sensitive.alarms.drift import drifted
from ctdhub.sensitive.alarms.plausible import implausible


def ring(
    deliveries: Sequence[ReadDelivery], limits: AlarmLimits, newest: bool = False
) -> tuple[Alarm, ...]:
    """The alarms.

    Args:
        deliveries: of one contributor, the oldest first.
        limits: when an alarm rings.
        newest: whether the newest delivery alone counts, so that no older one rings.
    """
    found: list[Alarm] = []
    before: ReadDelivery | None = None
    for now in deliveries:
        if newest and now is not deliveries[-1]:
            before = now
            continue
        rung = (*drifted(now, before, limits), *implausible(now, limits))
        found += [alarm.decided(now.accept) for alarm in rung]
        before = now
    return tuple(found)
