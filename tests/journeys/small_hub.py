"""Hubs of a few fictitious rows, to try what deliveries do to people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from ctdhub.hub import init, pipeline, review
from ctdhub.hub.folder import Hub

AGREEMENT = {
    "kind": "case_management", "scope": "invented", "legal_basis": "invented",
    "consent_rule": "invented", "retention": "invented", "display_rule": "invented",
}  # fmt: skip
HEADER = "case,year,sex,age,sexual,nationality"
MAPPING = """
version: 1
identifiers: {case: hash}
exclude: [{rule: no-consent, when: {sexual: [never]}}]
columns:
  year_of_registration: {from: year, year: true}
  gender: {from: sex, map: {F: female, M: male}}
  age_band: {from: age, band: true}
  exploitation_sexual: {from: sexual, map: {"1": "yes", "0": "no"}}
  citizenship: {from: nationality, country: true}
"""
KEYLESS = MAPPING.replace("identifiers: {case: hash}", "rows: person\nidentifiers: {case: case}")


def new_hub(folder: Path) -> Hub:
    """A hub without contributors."""
    return init.new_hub(folder, "invented")


def join(hub: Hub, contributor: str, mapping: str = MAPPING, **agreement: object) -> None:
    """Let a contributor take part, or change its agreement and its mapping."""
    said = AGREEMENT | {"id": contributor, "name": contributor, "show_counts": True}
    rules = yaml.safe_load(mapping)
    kept = rules.get("identifiers", {}).values()
    if "key" not in rules and not {"hash", "token"} & {one for one in kept if isinstance(one, str)}:
        said |= {"person_key": False}
    said |= agreement
    (hub.root / "contributors" / f"{contributor}.yaml").write_text(yaml.safe_dump(said), "utf-8")
    hub.mapping(contributor).write_text(mapping, "utf-8")


def send(
    hub: Hub, contributor: str, day: str, *rows: str, header: str = HEADER, name: str = "a.csv"
) -> Path:
    """Put a file of these rows into the folder of a day."""
    file = hub.root / "contributions" / contributor / day / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return file


def people(hub: Hub) -> list[tuple[Any, ...]]:
    """Year, gender, age band, sexual exploitation, citizenship of everybody, in order."""
    pipeline.build(hub, until="link")
    columns = ["year_of_registration", "gender", "age_band", "exploitation_sexual", "citizenship"]
    path = hub.work / "people" / "people.parquet"
    table = pq.read_table(path, columns=columns)
    return sorted(map(tuple, (row.values() for row in table.to_pylist())), key=str)


def accounts(hub: Hub) -> dict[tuple[str, str], Counter[str]]:
    """What became of the rows of each delivery; all accounts add up."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for report in review.reports(hub):
        c = report["conservation"]
        assert c["rows_read"] == c["records"] + c["rejected"] + sum(c["excluded"].values())
        count = found.setdefault((report["contributor"], report["date"]), Counter())
        count.update(c["excluded"])
        count.update(records=c["records"], rejected=c["rejected"])
    return found
