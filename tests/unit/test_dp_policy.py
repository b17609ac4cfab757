"""policy.yaml: the default is what the model says, and every fault names its place."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import get_args

import pytest
import yaml

from ctdhub.cli.verbs import about_option
from ctdhub.client import pool
from ctdhub.core.errors import PolicyError
from ctdhub.dp.plan import Kind
from ctdhub.dp.policy import AUTO_DOUBLES, Budget, Policy, Weights, default_policy, load_policy
from ctdhub.schema.model import LEVEL, load_schema


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, "utf-8")
    return path


def test_default_text_is_the_default_policy(tmp_path: Path) -> None:
    assert load_policy(written(tmp_path, default_policy())) == Policy()
    assert load_policy(written(tmp_path, "")) == Policy()


def test_texts_and_the_client_state_the_default_level() -> None:
    assert f"default: {LEVEL}," in about_option("estimate", "level")
    assert signature(pool).parameters["level"].default == LEVEL


def test_default_text_explains_every_setting() -> None:
    found = yaml.safe_load(default_policy())
    assert list(found) == list(Policy.model_fields)
    assert list(found["weights"]) == list(Weights.model_fields)
    assert list(found["budget"]) == list(Budget.model_fields)
    before = ""
    for line in default_policy().splitlines():
        if line.startswith("  "):
            assert len(line.partition("#")[2].strip()) > 10, line
        elif line and line[0].isalpha():
            assert before.startswith("# "), line  # words for the steward stand above it
        before = line or before


def test_each_kind_of_table_has_a_weight() -> None:
    assert list(get_args(Kind)) == list(Weights.model_fields)


def test_domains_are_public_columns_in_the_order_of_the_schema() -> None:
    schema = load_schema()
    public = [v.name for v in schema.table("people") if v.public and not v.on_request]
    assert list(Policy().domains(schema)) == public
    some = Policy(columns=("gender", "year_of_registration"), years=(2019, 2021)).domains(schema)
    assert list(some) == ["year_of_registration", "gender"]
    assert some["year_of_registration"] == ("2019", "2020", "2021")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("epsilonn: 1", "epsilonn"),
        ("weights: {pears: 3}", "weights.pears"),
        ("epsilon: many", "epsilon"),
        ("epsilon: -1", "epsilon"),
        ("epsilon: .nan", "epsilon"),
        ("delta: 1.0e-5", "delta"),
        ("max_people: 10000000", "max_people"),
        ("epsilon: 13", "budget"),
        ("years: [2020, 2010]", "years"),
        ("years: [1900, 2100]", "years"),
        ("columns: [gender, gender]", "twice"),
        ("columns: []", "column"),
        ("false_share: 0.2", "false_share"),
        ("support: 5", "support"),
        ("support: 0.5", "support"),
        ("weights: {corridor: 0}", "weights.corridor"),
        ("weights: {pairs: -1}", "weights.pairs"),
        ("version: 2", "version"),
        ("- 1", "settings"),
        ("level: [", "YAML"),
    ],
)
def test_faults_name_their_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(PolicyError, match=r"policy\.yaml") as caught:
        load_policy(written(tmp_path, text))
    assert place in str(caught.value)
    assert caught.value.fix


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(written(tmp_path, "epsilon: x\nlevel: 2"))
    assert "epsilon" in str(caught.value)
    assert "level" in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no policy file"):
        load_policy(tmp_path / "policy.yaml")


@pytest.mark.parametrize("name", ["reporting_entity", "citizenship_region", "no_such_column"])
def test_columns_that_are_not_public_are_refused(name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(columns=("gender", name)).domains(load_schema())
    assert caught.value.column == name


@pytest.mark.parametrize("line", ["found: 0.9322", "merged: 0.0013", "found: 0", "merged: 0"])
def test_a_figure_of_a_review_cannot_be_stated_in_public(tmp_path: Path, line: str) -> None:
    with pytest.raises(PolicyError, match="chosen before a review"):
        load_policy(written(tmp_path, f"linking: {{{line}}}"))


def test_a_round_bound_may_be_stated_whoever_reviews_it(tmp_path: Path) -> None:
    stated = "linking: {doubles: 0.03, found: 0.95, merged: 0.001}"
    linking = load_policy(written(tmp_path, stated)).linking
    assert (linking.found, linking.merged) == (0.95, 0.001)


def test_the_estimate_of_doubles_is_the_default_where_all_of_several_send_tokens(
    tmp_path: Path,
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(default_policy(1_000_000), "utf-8")
    assert load_policy(file).linking.doubles == 0
    assert load_policy(file, tokens=True).linking.doubles == 0
    assert load_policy(file, tokens=True, compared=True).linking.doubles == AUTO_DOUBLES
