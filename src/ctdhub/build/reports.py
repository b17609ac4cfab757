"""What became of the rows of each contributed file, as the last build left it."""

from __future__ import annotations

from typing import Any

from ctdhub.build.deliveries import sent
from ctdhub.build.filenames import REPORT
from ctdhub.build.harmonised import report_of
from ctdhub.build.hub import Hub
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.withdrawn import accounted, out_of_force


def reports(hub: Hub) -> list[dict[str, Any]]:
    """The harmonisation report of every contributed file that has been built.

    Records that count no more are counted as excluded by the rules ``replaced`` (by a newer
    delivery), ``left`` (a newer cumulative delivery lacks the person) and ``withdrawn``.
    """
    rules = policy(hub)
    steps = [harmonise_file(hub, c, rules.years) for c in hub.contributions()]
    built = [step for step in steps if (step.output / REPORT).is_file()]
    out = out_of_force(hub, sent(hub, built))
    found = []
    for step in built:
        report = report_of(step)
        report["conservation"] = accounted(report["conservation"], step, out)
        found.append(report)
    return found
