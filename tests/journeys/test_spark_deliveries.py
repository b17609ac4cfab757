"""Deliveries are the same versions on a cluster."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from ctdhub.hub import find_person, pipeline, withdrawals
from tests.journeys.small_hub import KEYLESS, join, new_hub, people, send
from tests.journeys.test_deliveries import ONE, OTHER, OUR, THREE, TWO
from tests.journeys.test_person_rows import THIRD
from tests.journeys.test_spark import master, on_spark, pytestmark

__all__ = ["master", "pytestmark"]


def test_three_deliveries_give_the_same_people(tmp_path: Path, master: str) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, OUR, rows_per_person=2)  # 0 is no number: two rows without a key, in two deliveries
    join(hub, OTHER, deliveries="cumulative")
    for contributor in (OUR, OTHER):
        send(hub, contributor, ONE, *(f"{i},2020,F,25,1,NGA" for i in range(40)))
        send(hub, contributor, TWO, *(f"{i},2020,M,16,0,GHA" for i in range(20, 60)))
        send(
            hub, contributor, THREE, *(f"{i},2021,F,35,1,ALB" for i in range(10, 30)), ",2021,F,,1,"
        )
    join(hub, THIRD, KEYLESS, rows_per_person=2)
    send(hub, THIRD, ONE, *(f"{i % 4 + 1},2020,F,{20 + i},1,NGA" for i in range(12)))
    found = find_person.look_up(hub, OUR, ["25"], "case", "person", "asked")
    withdrawals.withdraw(hub, found.entries)
    one = people(hub)
    assert len(one) == 60 - 1 + 1 + 20 + 1 + 4 * 2
    cluster = on_spark(hub, tmp_path / "cluster", master, parts=3)
    pipeline.build(cluster, until="link")
    shutil.rmtree(hub.root / "work" / "people" / "parts", ignore_errors=True)
    for name in ("people.parquet", "conflicts.parquet"):
        both = [pq.read_table(h.work / "people" / name).to_pylist() for h in (hub, cluster)]
        assert sorted(map(str, both[0])) == sorted(map(str, both[1])), name
    for name in ("deliveries.json", "report.json", "linkage.json"):
        both_bytes = [(h.work / "people" / name).read_bytes() for h in (hub, cluster)]
        assert both_bytes[0] == both_bytes[1], name
