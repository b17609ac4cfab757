"""A ledger in trouble: never an overspend, always a clear message, exit code 2, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ctdhub.dp.ledger.book import Ledger
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub
from tests.fixtures.hubs import set_limits, set_policy
from tests.forked import Child, needs_fork
from tests.journeys.forked import begin

PAGE = os.sysconf("SC_PAGE_SIZE")
BUILD = ("build", "--until", "release")
"""Where the ledger is what a test is about, no site is drawn."""
pytestmark = [needs_fork, pytest.mark.usefixtures("warm")]


def start(hub: Hub, verb: str = "build", *more: str) -> Child:
    return begin(verb, hub.root, *more)


def run(hub: Hub, verb: str = "build", *more: str) -> tuple[int, str, str]:
    code, out, err = start(hub, verb, *more).communicate()
    assert "Traceback" not in err
    return code, out, err


@pytest.fixture
def disk(hub: Hub) -> Iterator[Path]:
    """The hub's ledger on a small disk of its own."""
    kept = hub.root / "kept"
    hub.ledger.rename(kept)
    hub.ledger.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(hub.ledger)]
    try:
        mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a disk is not allowed: run as the superuser")
    try:
        shutil.copytree(kept, hub.ledger, dirs_exist_ok=True)
        yield hub.ledger
    finally:
        subprocess.run(["umount", str(hub.ledger)], check=True)


def fill(disk: Path, pages: int) -> Path:
    """Fill a disk but for some pages; gives the file to delete."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * PAGE)
        except OSError:
            pass
    os.truncate(filler, filler.stat().st_size - pages * PAGE)
    return filler


@pytest.mark.parametrize("pages", [0, 3])
def test_a_full_disk_is_met_before_the_charge(hub: Hub, disk: Path, pages: int) -> None:
    """Room for the answer is taken first: nothing is charged until there is some, then once."""
    before = len(Ledger(hub.ledger).entries())
    set_policy(hub, epsilon=3.0)
    filler = fill(disk, pages)
    code, _out, err = run(hub, *BUILD)
    assert code == 2
    assert "The disk is full" in err
    assert "do not delete work/" in err
    assert "file " in err
    assert len(Ledger(hub.ledger).entries()) == before
    filler.unlink()
    code, _out, err = run(hub, *BUILD)
    assert code == 0, err
    assert len(Ledger(hub.ledger).entries()) == before + 1


def test_a_disk_that_may_only_be_read(hub: Hub, disk: Path) -> None:
    set_policy(hub, epsilon=3.0)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    code, _out, err = run(hub)
    assert code == 2
    assert "the ledger cannot be read or written" in err
    assert run(hub, "ledger")[0] == 0


def test_two_builds_at_once_charge_once(hub: Hub) -> None:
    before = len(Ledger(hub.ledger).entries())
    set_policy(hub, epsilon=3.0)
    running = [start(hub, *BUILD), start(hub, *BUILD)]
    told = [p.communicate() for p in running]
    assert sorted(code for code, _out, _err in told) in ([0, 2], [0, 0])
    for code, _out, err in told:
        assert "Traceback" not in err
        assert code == 0 or "Another build is at work" in err
    assert len(Ledger(hub.ledger).entries()) == before + 1


def test_a_tampered_line_stops_every_verb(hub: Hub) -> None:
    path = hub.ledger / "ledger.jsonl"
    line = json.loads(path.read_text("utf-8").splitlines()[0])
    line["rho"] /= 100
    path.write_text(json.dumps(line, sort_keys=True) + "\n", "utf-8")
    set_policy(hub, epsilon=3.0)
    for verb in ("build", "ledger"):
        code, _out, err = run(hub, verb)
        assert code == 2
        assert "The privacy ledger was changed" in err
        assert "row 1" in err
        assert "Bring the ledger folder back" in err


def test_an_agreement_refuses_what_the_budget_would_allow(hub: Hub) -> None:
    before = len(Ledger(hub.ledger).entries())
    set_limits(hub, 61.0)
    set_policy(hub, epsilon=30.0)
    code, _out, err = run(hub)
    assert code == 2
    assert "Limit of the agreement with beacon-hotline exceeded" in err
    assert "beacon-hotline.yaml" in err
    assert len(Ledger(hub.ledger).entries()) == before
    code, out, _err = run(hub, "ledger", "--json")
    assert code == 0
    account = json.loads(out)
    assert account["budget"] == 900
    assert [s["name"] for s in account["kinds"]] == ["release"]
    assert {c["limit"] for c in account["contributors"]} == {61.0}
    assert "question" not in account["entries"][0]
    left = min(c["left"] for c in account["contributors"])
    set_policy(hub, epsilon=left * 0.99)
    assert run(hub, *BUILD)[0] == 0
    code, out, _err = run(hub, "ledger")
    assert code == 0
    for word in ("Spent by purpose", "beacon-hotline", "Spent: epsilon", "limit"):
        assert word in out


def test_a_contributor_without_files_takes_no_part(hub: Hub) -> None:
    agreement = yaml.safe_load((hub.root / "contributors" / "rivage-refuge.yaml").read_text())
    (hub.root / "contributors" / "new.yaml").write_text(yaml.safe_dump(agreement | {"id": "new"}))
    years = (2002, 2030)
    assert "new" not in [c["id"] for c in hub.facts(years)["contributors"]]
    assert hub.limits()["new"] == agreement["budget_limit"]
    assert not any(d.reason for d in pipeline.build(hub))
