"""The verb audit: findings stay in the hub, and publication is paid for before anything is run."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from invented_people import people, small_policy
from typer.testing import CliRunner

from ctdhub.build import init
from ctdhub.build.hub import Hub
from ctdhub.cli import audit
from ctdhub.core.errors import HubError, HubFolderError, Overspend
from ctdhub.dp.audit.suite import price
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.reserve import BudgetSplit

COLUMNS = ("gender", "age_band", "means_threats")
SETTINGS = """\
columns: [gender, age_band, means_threats]
years: [2015, 2020]
epsilon: 1.0
budget: {epsilon: 2.0}
"""
POLICY = small_policy(columns=COLUMNS, epsilon=1.0, budget={"epsilon": 2.0})

run = CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    audit.register(app)
    return app


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub of 300 fictitious people, linked."""
    folder = tmp_path / "hub"
    init.new_hub(folder, "Hub")
    (folder / "policy.yaml").write_text(SETTINGS, "utf-8")
    (folder / "work" / "people").mkdir(parents=True)
    pq.write_table(people(300, POLICY), folder / "work" / "people" / "people.parquet")
    return folder


def call(app: typer.Typer, *words: str) -> str:
    result = run.invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_findings_are_internal_and_stay_in_the_hub(app: typer.Typer, hub: Path) -> None:
    told = json.loads(call(app, str(hub), "--kind", "canary", "--canaries", "20", "--json"))
    assert told["internal"]
    assert [a["key"] for a in told["attacks"]] == ["canary-release", "canary-tables"]
    folder = hub / "work" / "audit"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = sorted(folder.iterdir())
    assert [p.suffix for p in kept] == [".json", ".md"]
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in kept)
    assert json.loads(kept[0].read_text("utf-8")) == told
    assert Ledger(hub / "ledger").entries() == ()


def test_the_card_is_printed(app: typer.Typer, hub: Path) -> None:
    printed = call(app, str(hub), "--kind", "inference")
    assert "Internal: not for publication." in printed
    inner = hub / "work" / "audit" / "mine.md"
    call(app, str(hub), "--kind", "inference", "--out", str(inner))
    assert inner.read_text("utf-8").startswith("# ")


def test_internal_findings_are_written_nowhere_else(
    app: typer.Typer, hub: Path, tmp_path: Path
) -> None:
    with pytest.raises(HubError) as error:
        call(app, str(hub), "--kind", "canary", "--out", str(tmp_path / "card.md"))
    assert error.value.rule == "internal"
    assert not (tmp_path / "card.md").exists()
    assert not (hub / "work" / "audit").exists()


def test_publication_is_charged_and_marked(app: typer.Typer, hub: Path, tmp_path: Path) -> None:
    out = tmp_path / "card.json"
    call(app, str(hub), "--kind", "inference", "--publish", "--out", str(out))
    (entry,) = Ledger(hub / "ledger").entries()
    assert entry.kind == "evaluation"
    assert entry.rho == pytest.approx(price(POLICY, ["inference"]))
    told = json.loads(out.read_text("utf-8"))
    assert not told["internal"]
    assert told["charge"] == entry.id
    figures = told["attacks"][0]["figures"]
    assert figures["noise"] == 10
    assert figures["inside"]["distances"] is None


def test_publication_of_guesses_at_planted_people_does_not_use_what_is_known_of_others(
    app: typer.Typer, hub: Path
) -> None:
    words = (str(hub), "--kind", "canary", "--canaries", "20", "--publish", "--json")
    released, tables = json.loads(call(app, *words))["attacks"]
    assert not released["figures"]["knew_others"]
    assert tables["figures"]["knew_others"]


def test_no_attack_is_made_where_the_budget_does_not_reach(app: typer.Typer, hub: Path) -> None:
    policy = hub / "policy.yaml"
    words = (str(hub), "--kind", "canary", "--canaries", "5", "--publish")
    text = policy.read_text("utf-8").replace("{epsilon: 2.0}", "{epsilon: 1.0}")
    policy.write_text(text, "utf-8")
    with pytest.raises(Overspend, match="drafts"):  # findings are no draft, and take none's part
        call(app, *words)
    assert Ledger(hub / "ledger").entries() == ()
    policy.write_text(text.replace("epsilon: 1.0}", "epsilon: 1.0, drafts: 0}"), "utf-8")
    call(app, *words)
    kept = sorted((hub / "work" / "audit").iterdir())
    with pytest.raises(Overspend):
        call(app, *words)
    assert len(Ledger(hub / "ledger").entries()) == 1
    assert sorted((hub / "work" / "audit").iterdir()) == kept


def test_without_people_or_with_a_wrong_kind_it_says_what_to_do(
    app: typer.Typer, hub: Path
) -> None:
    with pytest.raises(HubError, match="kind"):
        call(app, str(hub), "--kind", "everything")
    (hub / "work" / "people" / "people.parquet").unlink()
    with pytest.raises(HubFolderError) as error:
        call(app, str(hub))
    assert "--until link" in error.value.fix


def test_what_is_left_is_looked_at_and_paid_from_under_one_lock(
    app: typer.Typer, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (str(hub), "--kind", "inference", "--publish")
    with Hub(hub).lock(), pytest.raises(HubFolderError, match="Another build"):
        call(app, *words)
    assert Ledger(hub / "ledger").entries() == ()
    seen = []
    check = BudgetSplit.check_room

    def looked(split: BudgetSplit, rho: float, epsilon: float) -> None:
        check(split, rho, epsilon)
        with pytest.raises(HubFolderError), Hub(hub).lock():
            pass
        seen.append(rho)

    monkeypatch.setattr(BudgetSplit, "check_room", looked)
    call(app, *words)
    assert len(seen) == len(Ledger(hub / "ledger").entries()) == 1
    with Hub(hub).lock():
        pass
