"""A small practice hub, built once per run of tests, to copy and to change."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from ctdhub.build import init, pipeline
from ctdhub.build.hub import Hub
from ctdhub.build.stages import approve
from ctdhub.cli import main
from ctdhub.core.keys.signing import read_key
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.custody import Custody, key_of
from ctdhub.dp.ledger.file import LedgerFile
from ctdhub.dp.ledger.population import new_population
from ctdhub.dp.ledger.witness import witness_of
from ctdhub.dp.price import up_to
from ctdhub.release.approvers import Role
from ctdhub.release.bundle import next_version
from ctdhub.site.pages import mandated_files
from tests.conftest import Once

COLUMNS = [
    "year_of_registration", "gender", "citizenship", "country_of_exploitation",
    "exploitation_forced_labour", "exploitation_sexual", "exploitation_other", "any_exploitation",
    "records_per_person",
]  # fmt: skip
REPORTED = "mirador-observatory"
"""The contributor whose private report lies in the hub."""


def set_policy(hub: Hub, **changes: object) -> None:
    """Change settings of a hub's policy."""
    policy = yaml.safe_load(hub.policy_file.read_text("utf-8")) | changes
    hub.policy_file.write_text(yaml.safe_dump(policy), "utf-8")


def set_limits(hub: Hub, limit: float) -> None:
    """What every agreement of a hub allows."""
    for path in (hub.root / "contributors").glob("*.yaml"):
        agreement = yaml.safe_load(path.read_text("utf-8")) | {"budget_limit": limit}
        path.write_text(yaml.safe_dump(agreement, allow_unicode=True), "utf-8")


def set_languages(hub: Hub, *codes: str) -> None:
    """The languages of a hub; each takes a site of its own to draw."""
    file = hub.root / "hub.yaml"
    settings = yaml.safe_load(file.read_text("utf-8")) | {"languages": list(codes)}
    file.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")


def make_real(hub: Hub) -> None:
    """Let a practice hub pass for one whose releases two people must approve."""
    file = hub.root / "hub.yaml"
    file.write_text(file.read_text("utf-8").replace("invented: true", "invented: false"), "utf-8")


def drafted(hub: Hub) -> Path:
    """The next version of a hub whose releases two people must approve, which waits for them."""
    version = next_version(hub.releases)
    pipeline.build(hub, version=version, pay=up_to(100))
    return hub.candidates / version


def sign(hub: Hub, role: Role, candidate: Path | None = None) -> Path | None:
    """Approve the candidate that waits, with the key of that role."""
    meant = candidate or approve.waiting(hub)
    given, _manifest = approve.statement(hub, meant, role)
    return approve.approve(hub, meant, given, read_key(hub.practice_key(role)))


@pytest.fixture(scope="session")
def built(once: Once) -> Hub:
    """A built practice hub of 1,000 people with few released columns; do not change it.

    Its site speaks English alone (``test_languages`` draws one in all).  When it is written, a
    private report of one contributor lies in the hub.
    """

    def make(folder: Path) -> None:
        hub = init.practice_hub(folder, people=1_000)
        set_languages(hub, "en")
        set_policy(hub, columns=COLUMNS, epsilon=60.0, budget={"epsilon": 900.0})
        set_limits(hub, 900.0)
        pipeline.build(hub, until="release")
        report(hub, REPORTED)
        pipeline.build(hub)

    return Hub(once("built-hub", make))


@pytest.fixture(scope="session")
def warm(built: Hub, tmp_path_factory: pytest.TempPathFactory) -> None:
    """This process has built a hub up to its release and loaded what draws a site, so that children
    forked from it need not load all that takes."""
    folder = tmp_path_factory.mktemp("warm") / "hub"
    hub = copied(built, folder, "work")
    set_policy(hub, epsilon=3.5)
    pipeline.build(hub, until="release")
    import_module("ctdhub.site.build")
    shutil.rmtree(folder)


def copied(hub: Hub, folder: Path, *without: str) -> Hub:
    """A copy of a hub, with a population of its own: neither is a copy of the other to the ledger.

    Args:
        without: what is left out.
    """
    left_out = shutil.ignore_patterns(*without)
    shutil.copytree(hub.root, folder, symlinks=True, ignore=left_out, dirs_exist_ok=True)
    copy = Hub(folder)
    population, key = new_population("copy", "hub"), key_of(copy.ledger_key)
    assert key is not None
    custody = Custody(population.sealed(key), key, folder.resolve(), witness_of(population.id))
    entries = [replace(entry, mac="") for entry in Ledger(copy.ledger).entries()]
    lines = tuple(map(custody.sealed, entries))
    copy.ledger.mkdir(exist_ok=True)
    LedgerFile(copy.ledger).replace(lines)
    custody.take_over(lines)
    custody.population.write(copy.ledger)
    return copy


def report(hub: Hub, contributor: str) -> None:
    """A contributor's private report where the command puts it, as PDF too where typst is there."""
    form = "both" if find_spec("typst") else "html"
    command = ["brief", str(hub.root), "--contributor", contributor]
    command += ["--format", form, "--lang", "en"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["ctdhub", *command])
        with pytest.raises(SystemExit) as ended:
            main.main()
    assert not ended.value.code


@pytest.fixture
def hub(built: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A copy of the built hub to change.

    Where its site is drawn anew, the mandated tables, a third of the work, are of one year;
    ``built`` has them whole.
    """
    monkeypatch.setattr(mandated_files, "YEARS", 1)
    return copied(built, tmp_path / "hub")


@pytest.fixture(scope="session")
def waits(built: Hub, once: Once) -> Hub:
    """The built hub as one whose releases two people must approve, with a candidate that waits."""

    def make(folder: Path) -> None:
        hub = copied(built, folder)
        make_real(hub)
        drafted(hub)

    return Hub(once("waiting-hub", make))
