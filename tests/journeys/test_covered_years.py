"""Years are covered until that of the version; a new year alone charges nothing."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ctdhub.core.errors import WouldCharge
from ctdhub.dp.quote import up_to
from ctdhub.hub import pipeline
from ctdhub.hub.engine import Engine
from ctdhub.hub.folder import Hub, policy
from ctdhub.hub.paid import ledger
from ctdhub.hub.stages import protect
from ctdhub.release.bundle import next_version
from ctdhub.release.open import open_release
from ctdhub.schema.model import PERIOD
from tests.fixtures.hubs import set_policy
from tests.journeys.small_hub import join, new_hub, send

ROWS = [f"{n},{2018 + n % 9},F,25,1,NGA" for n in range(300)]
"""Of 2018 to 2026; the agreement names no years."""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    hub = new_hub(tmp_path / "hub")
    set_policy(hub, years=[2018, 2030], columns=[PERIOD, "gender"], epsilon=2.0,
               perpetrators={"share": 0.0}, sources={"share": 0.1})  # fmt: skip
    join(hub, "harbour")
    send(hub, "harbour", "2025-01-15", *ROWS)
    return Hub(hub.root)


def at(monkeypatch: pytest.MonkeyPatch, year: int) -> None:
    """It is that year, for what gives versions their numbers."""
    monkeypatch.setattr(next_version, "__defaults__", (date(year, 3, 1), None))


def built(hub: Hub, version: str = "", spend: float = 10) -> None:
    pipeline.build(hub, until="candidate", version=version, pay=up_to(spend), accept_alarms=True)


def charges(hub: Hub) -> int:
    return len(ledger(hub).entries())


def test_a_candidate_covers_no_year_after_that_of_its_version(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, 2025)
    built(hub, "2025.1")
    candidate = hub.candidates / "2025.1"
    held = open_release(candidate)
    assert held.facts.years == held.years == (2018, 2025)
    for name in ("records", "counts", "measurements"):
        told = pq.read_table(candidate / f"{name}.parquet").to_pylist()
        assert told
        assert not [row for row in told if any(f"{y}" in str(row) for y in range(2026, 2031))]
    header = (candidate / "measurements.csv").read_text("utf-8").splitlines()[0]
    assert "2025" in header
    assert "2026" not in header
    built(hub, "2025.1", spend=0)
    assert charges(hub) == 1, "nothing has changed"
    with pytest.raises(WouldCharge):
        built(hub, "2026.1", spend=0)
    built(hub, "2026.1")
    assert open_release(hub.candidates / "2026.1").facts.years == (2018, 2026)
    assert charges(hub) == 2


def test_a_year_that_begins_charges_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2025)
    built(hub)
    shutil.move(hub.candidates / "2025.1", hub.releases / "2025.1")
    at(monkeypatch, 2026)
    shutil.rmtree(hub.work / "protected")  # as other software would make it anew
    built(hub, spend=0)
    assert charges(hub) == 1
    rules, engine = policy(hub), Engine()
    assert protect.Protection(hub, rules, engine).price() is None
    send(hub, "harbour", "2026-02-15", *ROWS, "999,2026,F,25,1,NGA")
    built(hub)
    assert charges(hub) == 2
    assert open_release(hub.candidates / "2026.1").facts.years == (2018, 2026)
