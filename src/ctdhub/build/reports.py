"""What became of the rows of each contributed file, as the last build left it."""

from __future__ import annotations

import json
from typing import Any

from ctdhub.build.filenames import REPORT
from ctdhub.build.hub import Hub
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.withdrawn import accounted, withdrawn_ids


def reports(hub: Hub) -> list[dict[str, Any]]:
    """The harmonisation report of every contributed file that has been built.

    Records of people who withdrew are counted as excluded by the rule ``withdrawn``.
    """
    rules = policy(hub)
    steps = [harmonise_file(hub, c, rules.years) for c in hub.contributions()]
    built = [step for step in steps if (step.output / REPORT).is_file()]
    gone = withdrawn_ids(hub, built)
    found = []
    for step in built:
        report = json.loads((step.output / REPORT).read_text("utf-8"))
        report["conservation"] = accounted(report["conservation"], step, gone)
        found.append(report)
    return found
