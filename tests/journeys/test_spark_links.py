"""People whom tokens join are the same people on a cluster."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from ctdhub.dp.sources import Overlap
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub
from ctdhub.practice.naming import LISTS
from tests.journeys.test_spark import master, on_spark, pytestmark
from tests.journeys.test_tokens import AGREEMENT, linked

__all__ = ["linked", "master", "pytestmark"]


def rows(path: Path) -> Counter[str]:
    return Counter(str(row) for row in pq.read_table(path).to_pylist())


@pytest.mark.parametrize("linking", [{"people": 1, "lists": 3}])
def test_tokens_join_the_same_people(
    linked: Hub,
    tmp_path: Path,
    master: str,
    linking: dict[str, int],
) -> None:
    policy = yaml.safe_load((linked.root / "policy.yaml").read_text("utf-8"))
    policy |= {"linking": linking, "sources": {"lists": list(LISTS), "strata": ["gender"]}}
    (linked.root / "policy.yaml").write_text(yaml.safe_dump(policy), "utf-8")
    for office in LISTS:
        text = yaml.safe_dump(AGREEMENT | {"id": office, "name": office, "show_counts": True})
        (linked.root / "contributors" / f"{office}.yaml").write_text(text, "utf-8")
    shutil.rmtree(linked.root / "practice", ignore_errors=True)
    pipeline.build(linked, until="link")
    cluster = on_spark(linked, tmp_path / "cluster", master, parts=3)
    pipeline.build(cluster, until="link")
    one, other = (hub.work / "people" for hub in (linked, cluster))
    assert len(list((other / "people.parquet").iterdir())) == 3
    for name in ("people.parquet", "perpetrators.parquet", "conflicts.parquet"):
        assert rows(one / name) == rows(other / name), name
    for name in ("overlap.json", "linkage.json", "review.csv", "report.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    overlap = Overlap.read(one / "overlap.json")
    assert overlap.doubles > 0
    assert {"female", "male"} <= {value for _name, value, _on in overlap.strata}
