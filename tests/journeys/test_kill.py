"""Law 10: after kill -9 at any point the last release opens and the next build succeeds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctdhub import pipeline, stages
from ctdhub.hub import Hub
from ctdhub.protect import Ledger
from ctdhub.release import verify
from tests.journeys.conftest import set_policy

KILLER = Path(__file__).with_name("killer.py")
POINTS = (*range(1, 40, 3), *range(40, 200, 8))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_many_points(built: Hub, tmp_path: Path) -> None:
    template = Hub(Path(shutil.copytree(built.root, tmp_path / "template")))
    first = str(stages.released_version(template))
    shutil.rmtree(template.work)
    set_policy(template, epsilon=3.5)
    run = subprocess.run(
        [sys.executable, str(KILLER), str(template.root), *map(str, POINTS)],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    outcomes = dict(line.split(" ", 1) for line in run.stdout.splitlines())
    killed = [int(p) for p, outcome in outcomes.items() if outcome == "killed"]
    assert len(killed) >= 15, outcomes
    assert all(outcome in ("killed", "done 0") for outcome in outcomes.values()), outcomes
    before = len(Ledger(template.ledger).entries())
    for point in killed:
        hub = Hub(tmp_path / f"killed-{point}")
        assert verify(hub.releases / first) == [], point
        for release in hub.releases.glob("[!.]*"):
            assert verify(release) == [], (point, release.name)
    for point in killed[:: max(1, len(killed) // 8)]:  # the next build succeeds
        hub = Hub(tmp_path / f"killed-{point}")
        pipeline.build(hub)
        assert verify(hub.releases / str(stages.released_version(hub))) == []
        assert len(Ledger(hub.ledger).entries()) in (before + 1, before + 2), point
        leftovers = [p for p in hub.root.rglob(".*-*") if p.name.startswith((".new-", ".old-"))]
        assert not leftovers, point
