"""A dry run: figures that follow from the settings are those of the engine; nothing is charged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import typer
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError, PolicyError
from ctdhub.dp.accounting import rho_of, split
from ctdhub.dp.ledger.book import drafts_bought, versions_bought
from ctdhub.dp.mechanism import answer
from ctdhub.dp.plan import Kind, plan_of
from ctdhub.dp.policy import Policy, load_policy
from ctdhub.dp.published import cell_variances
from ctdhub.dp.simulate import rehearse, stand_in
from ctdhub.dp.sources import public_sources
from ctdhub.dp.standalone.domains import DomainsFile
from ctdhub.dp.workload import workload
from ctdhub.hub import init
from ctdhub.practice.people import invented_people
from ctdhub.report.wording import kind_name
from ctdhub.schema.model import load_schema

DELTA = 1e-6
PLAN = DomainsFile.model_validate(
    {
        "version": 1,
        "columns": {
            "a": ["x", "y"],
            "b": ["1", "2", "3", "4"],
            "c": [str(i) for i in range(30)],
            "d": ["yes", "no"],
        },
        "core": ["a", "b", "c"],
        "groups": [["a", "b", "d"]],
    }
).plan()


@pytest.fixture
def app() -> typer.Typer:
    return command("rehearse")


@pytest.mark.parametrize("people", [0, 1, 50, 5000])
def test_a_stand_in_stays_in_the_public_domains(people: int) -> None:
    codes = stand_in(PLAN, people)
    assert codes.people == people
    assert list(codes.columns) == list(PLAN.domains)
    assert codes.sizes == PLAN.sizes
    if people == 5000:
        shares = np.bincount(codes.columns["c"], minlength=31)[1:] / people
        assert shares.max() > 5 * np.median(shares), "some values are far more common than others"


def test_a_stand_in_of_the_schema_never_contradicts_itself() -> None:
    plan = plan_of(Policy(), load_schema())
    codes = stand_in(plan, 500, invented_people(500))
    assert plan.indicators.flags
    yes, no = plan.indicators.yes, plan.indicators.no
    for indicator, flags in plan.indicators.flags.items():
        some = np.any([codes.columns[f] == yes for f in flags], axis=0)
        assert (codes.columns[indicator] == np.where(some, yes, no)).all()
    home = codes.columns["citizenship"]
    assert len(np.unique(home)) > 20


def test_figures_from_settings_are_those_of_the_engine() -> None:
    codes = stand_in(PLAN, 4000)
    done = rehearse(PLAN, 2.0, DELTA, codes)
    questions = {q.columns: q for q in workload(PLAN, rho_of(2.0, DELTA))}
    variance = cell_variances(tuple(questions.values()))
    named = {f.columns: f for f in done.named}
    assert named.keys() == questions.keys() - {("d",), ("a", "d"), ("b", "d"), ("c", "d")}
    kinds = {f.kind: f for f in done.kinds}
    assert kinds["core_pairs"].tables == 3
    assert kinds["pairs"].tables == 3
    assert sum(f.tables for f in done.kinds) == len(questions)
    for columns, figures in named.items():
        if columns:
            assert figures.sigma == variance[columns] ** 0.5 <= questions[columns].sigma + 1e-9
            assert figures.cells == questions[columns].cells
        assert 0 <= figures.tv <= 1
    # What the engine then publishes keeps to them, table by table.
    for row in answer(codes, PLAN, rho_of(2.0, DELTA)).counts.to_pylist():
        figures = named.get(tuple(row["columns"]))
        if figures is None or not row["columns"]:
            continue
        assert row["low"] > 0
        # An interval is made wider where the count lies outside it, and narrower by other tables.
        assert row["high"] - row["low"] <= 2.5 * figures.half_width.lone


def test_a_lone_cell_is_shown_from_the_second_figure_on() -> None:
    """One crowded cell among empty ones: shown at about that count, never below the first."""
    wide = DomainsFile.model_validate(
        {"version": 1, "columns": {"c": [str(i) for i in range(200)]}}
    ).plan()
    done = rehearse(wide, 1.0, DELTA, stand_in(wide, 0))
    one = next(f for f in done.named if f.columns == ("c",))
    assert one.shown_from.all < one.shown_from.lone
    assert one.half_width.lone < one.shown_from.lone, "shown means that the interval is above zero"
    assert one.shown is None, "without people there is no cell to show"


def test_more_budget_less_error_and_fewer_cells_hidden() -> None:
    codes = stand_in(PLAN, 4000)
    tight, loose = (rehearse(PLAN, e, DELTA, codes) for e in (0.5, 8.0))
    for a, b in zip(tight.kinds, loose.kinds, strict=True):
        assert a.sigma > b.sigma
        assert a.half_width.all > b.half_width.all
        assert a.shown_from.lone > b.shown_from.lone
        assert (a.shown or 0) <= (b.shown or 0) + 0.05
    triples = [next(f for f in r.kinds if f.kind == "core_triples") for r in (tight, loose)]
    assert triples[0].tv > triples[1].tv


def test_too_small_an_epsilon_is_told() -> None:
    with pytest.raises(PolicyError):
        rehearse(PLAN, 1e-5, DELTA, stand_in(PLAN, 10))


def domains(folder: Path) -> Path:
    path = folder / "d.yaml"
    path.write_text("version: 1\nchecked: false\ncolumns: {a: [x, y], b: [p, q]}\n", "utf-8")
    return path


def test_the_verb_shows_several_epsilons_side_by_side(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctdhub.cli.output.console.width", 160)
    path = domains(tmp_path)
    words = f"rehearse --domains {path} --people 500 --epsilon 1 --epsilon 8".split()
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "epsilon 1" in result.stdout
    assert "epsilon 8" in result.stdout
    assert "a" in result.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["d.yaml"], "no ledger, no file"


def test_every_kind_of_table_has_a_name() -> None:
    plan = plan_of(Policy(), load_schema())
    found = rehearse(plan, 4.0, 1e-8, stand_in(plan, 50))
    kinds = {f.kind for f in found.kinds}
    assert kinds == {*get_args(Kind)} - {"groups", "regions"}
    assert len({kind_name(f.kind) for f in found.kinds}) == len(kinds)


def test_the_verb_prints_json(app: typer.Typer, tmp_path: Path) -> None:
    words = f"rehearse --domains {domains(tmp_path)} --people 100 --epsilon 2 --json".split()
    found = json.loads(CliRunner().invoke(app, words).stdout)
    assert found["people"] == 100
    (one,) = found["rehearsals"]
    assert (one["epsilon"], one["delta"]) == (2.0, 1e-6)
    assert {f["kind"] for f in one["kinds"]} == {"people", "one_way", "core_pairs"}
    assert all(f["half_width"]["all"] <= f["half_width"]["lone"] for f in one["named"])


def test_a_hub_is_rehearsed_by_its_policy_and_left_alone(app: typer.Typer, tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    init.new_hub(hub, "A hub")
    policy = hub / "policy.yaml"
    few = "columns: [gender, age_band, citizenship, country_of_exploitation]"
    policy.write_text(policy.read_text("utf-8").replace("columns: all", few), "utf-8")
    before = sorted(p.relative_to(hub) for p in hub.rglob("*"))
    words = ["rehearse", str(hub), "--people", "1000", "--epsilon", "4", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    budget = load_policy(policy).budget.epsilon
    bought = versions_bought(4.0, budget, 0.25, 1e-8)
    drafts = drafts_bought(4.0, budget, 0.25, 1e-8)
    assert found["bought"] == [{"epsilon": 4.0, "versions": bought, "drafts": drafts}]
    (one,) = found["rehearsals"]
    assert one["delta"] == 1e-8
    assert {"corridor", "corridor_by"} <= {f["kind"] for f in one["kinds"]}
    assert sorted(p.relative_to(hub) for p in hub.rglob("*")) == before


def test_what_else_the_budget_pays_for_leaves_less_to_people() -> None:
    codes = stand_in(PLAN, 500)
    public = public_sources(Policy(), load_schema(), {"contributors": [{"id": "one"}]})
    assert public is not None
    whole = rehearse(PLAN, 4.0, DELTA, codes)
    less = rehearse(PLAN, 4.0, DELTA, codes, perpetrators=0.05, sources=public)
    own, _perpetrators, rest = split(rho_of(4.0, DELTA), (0.05, public.share))
    assert public.share == 0.05
    for a, b in zip(whole.named, less.named, strict=True):
        assert b.sigma / a.sigma == pytest.approx(0.9**-0.5, rel=0.01)
    questions = workload(PLAN, own)
    assert [f.sigma for f in less.named if f.columns == ("a",)] == [
        cell_variances(questions)[("a",)] ** 0.5
    ]
    assert whole.sources == {}
    assert less.sources == public.sigma(rest)


def test_a_hub_of_countries_is_shown_with_its_sources(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of table has a name, and so have measurements by contributor."""
    monkeypatch.setattr("ctdhub.cli.output.console.width", 160)
    hub = tmp_path / "hub"
    init.new_hub(hub, "A hub")
    policy = hub / "policy.yaml"
    few = "columns: [year_of_registration, gender, age_band, citizenship, means_threats]"
    text = policy.read_text("utf-8").replace("columns: all", few)
    policy.write_text(text.replace("lists: []", "lists: [one, two]"), "utf-8")
    result = CliRunner().invoke(app, ["rehearse", str(hub), "--people", "1000", "--epsilon", "4"])
    assert result.exit_code == 0, result.output
    for words in ("a country by a core column", "a country by two core columns",
                  "reporting_entity × year_of_registration × gender", "lists",
                  "What a budget of epsilon", "drawn anew and paid for",
                  "A paragraph at epsilon 4: Between"):  # fmt: skip
        assert words in result.stdout, words


@pytest.mark.parametrize(
    ("doubles", "told"),
    [
        (0, "What pages will say: “How many of those recorded are the same person"),
        (0.03, "counted more than once takes 3% of a release's budget"),
    ],
)
def test_what_a_hub_pays_to_know_who_is_counted_twice_or_says_without_it(
    app: typer.Typer, tmp_path: Path, doubles: float, told: str
) -> None:
    hub = tmp_path / "hub"
    init.new_hub(hub, "A hub")
    policy = hub / "policy.yaml"
    text = policy.read_text("utf-8").replace("columns: all", "columns: [gender, citizenship]")
    policy.write_text(text.replace("doubles: auto", f"doubles: {doubles}"), "utf-8")
    words = ["rehearse", str(hub), "--people", "500", "--epsilon", "4"]
    printed = " ".join(CliRunner().invoke(app, words).stdout.split())
    assert told in printed
    assert ("makes the number of people less certain by at least" in printed) == (doubles > 0)
    numbers = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert numbers.get("doubles", {}).get("share", 0) == doubles


@pytest.mark.parametrize("arguments", [[], ["hub", "--domains", "d.yaml"]])
def test_a_hub_or_a_domains_file(app: typer.Typer, arguments: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["rehearse", *arguments]).exception, HubError)


def test_invented_people_are_in_the_schema() -> None:
    schema, table = load_schema(), invented_people(300)
    assert table.num_rows == 300
    for name in ("gender", "citizenship", "age_band"):
        values = pc.unique(table[name]).drop_null()
        assert set(values.to_pylist()) <= set(schema.domain(name))
    assert table["year_of_registration"].type == pa.int16()
