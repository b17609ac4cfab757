"""Millions of rows x 63 columns on one machine: harmonise, link and count, in flat memory and time.

    python benchmarks/scale.py [--rows 1000000] [--base 500000] [--file-rows 500000]
    python benchmarks/scale.py --rows 10000000 --base 1000000     ten minutes or more, 10 GB of disk

A hub of four fictitious contributors gets files of 63 columns shaped like CTDC's (those of
``harmonise.py``) and a column of codes: one record in ten is of the person of the record before it,
one in ten of a person whom the file of the contributor before knows too.  All files are one file
with other codes, so that records and persons differ and making them is cheap.

Each stage is a process of its own; CPU seconds and peak memory are its own, start and imports
included.  Counting reads people for every table that a release of all columns measures.  Beside it:
DuckDB alone reads the same files and groups them by code, and looks for no faults or identifiers.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from harmonise import make_file, mapping_text

PEAK_GB, FLAT = 1.5, 1.3
"""Most memory of any stage; the most that a million of many rows may cost of a million of few."""

OF_DUCKDB = {"harmonise": 2.0, "link": 1.2}
"""Most CPU of a stage, as a multiple of what DuckDB alone needs to read and group the same rows."""

DUCKDB_GB = 5.6
"""Memory that DuckDB alone may use before it spills."""

CONTRIBUTORS = ("north", "east", "south", "west")
AGREEMENT = {
    "kind": "case_management",
    "scope": "invented",
    "legal_basis": "invented",
    "consent_rule": "invented",
    "retention": "invented",
    "display_rule": "invented",
    "show_counts": True,
    "invented": True,
}
OWN, OTHER = b"@@own@@", b"@@bef@@"
MAPPING = "identifiers:\n  linkCode: token\n"
YEARS = (2002, 2021)


def make_hub(root: Path, rows: int, file_rows: int) -> None:
    """A hub whose files have ``rows`` rows in all."""
    from ctdhub.hub.init import new_hub

    new_hub(root, "Scale (fictitious data)", invented=True)
    policy = root / "policy.yaml"
    settings = yaml.safe_load(policy.read_text("utf-8")) | {"years": list(YEARS)}
    policy.write_text(yaml.safe_dump(settings), "utf-8")
    for name in CONTRIBUTORS:
        text = yaml.safe_dump({"id": name, "name": name, **AGREEMENT})
        (root / "contributors" / f"{name}.yaml").write_text(text, "utf-8")
        (root / "mappings" / f"{name}.yaml").write_text(MAPPING + mapping_text(), "utf-8")
    for number, first in enumerate(range(0, rows, file_rows)):
        size = min(file_rows, rows - first)
        if not number or size < file_rows:
            template = _with_codes(root / "template.csv", size)
        own, other = f"{number:07d}".encode(), f"{max(number - 1, 0):07d}".encode()
        named = template.replace(OWN, own).replace(OTHER, other)
        name = CONTRIBUTORS[number % len(CONTRIBUTORS)]
        day = root / "contributions" / name / f"2026-01-{1 + number // len(CONTRIBUTORS):02d}"
        day.mkdir(parents=True)
        (day / "cases.csv").write_bytes(named)
    (root / "template.csv").unlink()


def _with_codes(path: Path, rows: int) -> bytes:
    """The file of ``harmonise.py`` with a column of codes in front."""
    make_file(path, rows)
    head, *lines = path.read_bytes().splitlines()
    out = [b'"linkCode",' + head]
    for i, line in enumerate(lines):
        code = i - 1 if i % 10 == 9 else i  # its neighbour again
        out.append(b"p-%s%011d," % (OTHER if i % 10 == 4 else OWN, code) + line)
    return b"\n".join(out) + b"\n"


def harmonise(root: Path) -> dict[str, int]:
    """Every file."""
    from ctdhub.hub.folder import Hub, policy
    from ctdhub.hub.stages.harmonise import harmonise_file

    hub = Hub(root)
    years = policy(hub).years
    for given in hub.contributions():
        harmonise_file(hub, given, years).refresh()
    return {"bytes": _size(hub.work / "harmonised")}


def link(root: Path) -> dict[str, int]:
    """All records to people."""
    from ctdhub.hub.contributions import REPORT
    from ctdhub.hub.engine import engine
    from ctdhub.hub.folder import Hub, policy
    from ctdhub.hub.stages.harmonise import harmonise_file
    from ctdhub.hub.stages.link import link_people

    hub = Hub(root)
    rules = policy(hub)
    steps = [harmonise_file(hub, given, rules.years) for given in hub.contributions()]
    with engine(hub) as here:
        link_people(hub, rules, steps, here).refresh()
    report = json.loads((hub.work / "people" / REPORT).read_text("utf-8"))
    return {"bytes": _size(hub.work / "people"), "people": report["people"]}


def count(root: Path) -> dict[str, int]:
    """All tables of a release."""
    from ctdhub.dp.count import InParquet, Tally
    from ctdhub.dp.plan import plan_of
    from ctdhub.hub.contributions import PEOPLE
    from ctdhub.hub.folder import Hub, policy
    from ctdhub.schema.model import load_schema

    hub = Hub(root)
    plan = plan_of(policy(hub), load_schema())
    people = InParquet(hub.work / "people" / PEOPLE)
    [counts] = people.counts([Tally(plan.domains, tuple(plan.tables))])
    return {"tables": len(counts), "cells": sum(c.size for c in counts.values()),
            "people": int(counts[()])}  # fmt: skip


def protect(root: Path) -> dict[str, int]:
    """Count again, pay, draw noise and make the records of a release."""
    from ctdhub.hub.engine import engine
    from ctdhub.hub.folder import Hub, policy
    from ctdhub.hub.stages.protect import Protection

    hub = Hub(root)
    with engine(hub) as here:
        found = Protection(hub, policy(hub), here).answer()
    return {"people": found.records.num_rows}


def duckdb_alone(root: Path) -> dict[str, int]:
    """Read all files, one row a code with the greatest value of each column, counts by column."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = '{DUCKDB_GB}GB'")
    connection.execute(f"SET temp_directory = '{root / 'spill'}'")
    files, people = f"{root}/contributions/*/*/*.csv", root / "duckdb.parquet"
    read = f"read_csv('{files}', all_varchar = true)"
    names = [row[0] for row in connection.sql(f"DESCRIBE FROM {read}").fetchall()]
    columns = ", ".join(f'max("{n}") AS "{n}"' for n in names if n != "linkCode")
    connection.sql(f"COPY (SELECT {columns} FROM {read} GROUP BY linkCode) TO '{people}'")
    for name in names:
        if name != "linkCode":
            connection.sql(f"SELECT \"{name}\", count(*) FROM '{people}' GROUP BY 1").fetchall()
    [found] = connection.sql(f"SELECT count(*) FROM '{people}'").fetchall()
    people.unlink()
    return {"people": found[0]}


STAGES: dict[str, Callable[[Path], dict[str, int]]] = {
    "harmonise": harmonise,
    "link": link,
    "count": count,
    "protect": protect,
    "duckdb": duckdb_alone,
}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def child(stage: str, root: Path) -> None:
    """Run one stage in this process and print what it took."""
    begun = time.perf_counter()
    found = STAGES[stage](root)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    took = {
        "wall": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_gb": usage.ru_maxrss / 1e6,
    }
    print(json.dumps(took | found))


def measured(
    rows: int, file_rows: int, folder: Path, chosen: Sequence[str]
) -> dict[str, dict[str, float]]:
    """The stages on so many rows, printed as they end."""
    root = folder / f"hub-{rows}"
    make_hub(root, rows, file_rows)
    raw = _size(root / "contributions") / rows
    print(f"\n{rows:,} rows in files of {file_rows:,}, {raw:.0f} bytes a row")
    heads = ("wall s", "CPU s", "CPU s/M", "peak GB", "bytes/row")
    print(f"{'':12}" + "".join(f"{head:>11}" for head in heads), flush=True)
    found = {}
    for stage in chosen:
        command = [sys.executable, __file__, "--child", stage, "--hub", str(root)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            print(f"{stage:12}not run: {run.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        took = found[stage] = json.loads(run.stdout)
        figures = (took["wall"], took["cpu"], took["cpu"] / rows * 1e6, took["peak_gb"])
        written = f"{took['bytes'] / rows:11.0f}" if "bytes" in took else ""
        rest = ", ".join(f"{took[n]:,} {n}" for n in ("people", "tables", "cells") if n in took)
        line = "".join(f"{figure:11.2f}" for figure in figures)
        print(f"{stage:12}{line}{written:>11}  {rest}", flush=True)
    return found


def main() -> int:
    """Measure few and many rows; the exit code counts the targets that were missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--base", type=int, default=500_000)
    parser.add_argument("--file-rows", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, help="where the hubs lie for a while")
    parser.add_argument("--protect", action="store_true", help="make the records of a release too")
    parser.add_argument("--child", choices=list(STAGES))
    parser.add_argument("--hub", type=Path)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, asked.hub)
        return 0
    chosen = [stage for stage in STAGES if stage != "protect" or asked.protect]
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        few = measured(asked.base, min(asked.file_rows, asked.base), Path(folder), chosen)
        many = measured(asked.rows, asked.file_rows, Path(folder), chosen)
    ours = ["harmonise", "link", "count"]
    if not all(stage in few and stage in many for stage in ours):
        return 1
    missed = 0
    print(f"\n{'a million of many / of few':30}{'CPU':>8}{'wall':>8}   (target {FLAT})")
    for stage in (*ours, "together"):
        parts = ours if stage == "together" else [stage]
        ratios = [
            sum(many[p][kind] for p in parts) / sum(few[p][kind] for p in parts)
            * asked.base / asked.rows
            for kind in ("cpu", "wall")
        ]  # fmt: skip
        missed += stage == "together" and ratios[0] > FLAT
        print(f"{stage:30}{ratios[0]:8.2f}{ratios[1]:8.2f}")
    peak = max(many[stage]["peak_gb"] for stage in ours)
    print(f"{'peak memory, GB':30}{peak:8.2f}   (target {PEAK_GB:g})")
    missed += peak > PEAK_GB
    if "duckdb" in many:
        print("\nCPU / CPU of DuckDB alone, which reads and groups the same rows")
        for stage, most in OF_DUCKDB.items():
            ratio = many[stage]["cpu"] / many["duckdb"]["cpu"]
            missed += ratio > most
            print(f"{stage:30}{ratio:8.2f}   (target {most:g})")
    return missed


if __name__ == "__main__":
    sys.exit(main())
