"""Who is found to be no victim is left out by name; only authorities say more than alleged."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from test_linkage import table
from test_mapping_rules import run

from ctdhub.core.errors import MappingError
from ctdhub.hub.contributions import Contribution
from ctdhub.hub.stages.harmonise import HarmoniseFile
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.people import link

STATUS = """
columns:
  gender: {from: g, map: {F: female}}
  victim_status: {from: s, map: {poss: presumed, act: identified, "no": not_a_victim}}
"""


def test_records_of_people_who_are_no_victims_are_left_out_and_counted() -> None:
    rows = [{"g": "F", "s": s} for s in ("poss", "act", "no", "", "no")]
    done = run(STATUS, *rows)
    assert done.records["victim_status"].to_pylist() == ["presumed", "identified", None]
    assert done.conservation.excluded == {"not-a-victim": 2}
    assert done.conservation.records == 3


def test_whoever_is_left_out_is_no_reject() -> None:
    done = run(STATUS, {"g": "unheard-of", "s": "no"}, {"g": "unheard-of", "s": "act"})
    assert (done.conservation.rejected, done.conservation.excluded) == (1, {"not-a-victim": 1})


def test_a_rule_of_the_mapping_with_the_same_name_is_counted_with_it() -> None:
    named = 'exclude:\n  - {rule: not-a-victim, when: {g: ["X"]}}\n'
    done = run(
        named + STATUS, {"g": "X", "s": "act"}, {"g": "F", "s": "no"}, {"g": "F", "s": "act"}
    )
    assert done.conservation.excluded == {"not-a-victim": 2}


def test_identified_holds_against_presumed_and_who_decided_belongs_to_it() -> None:
    decided = [
        {"victim_status": "presumed", "status_decided_by": "ngo", "year_of_registration": 2019},
        {
            "victim_status": "identified",
            "status_decided_by": "police",
            "year_of_registration": 2021,
        },
        {"status_decided_by": "other", "year_of_registration": 2018},
    ]
    people = link(table([{"person_key": "a", **row} for row in decided]), load_schema()).people
    [person] = people.to_pylist()
    assert (person["victim_status"], person["status_decided_by"]) == ("identified", "police")
    decided[1].pop("status_decided_by")
    [person] = link(
        table([{"person_key": "a", **row} for row in decided]), load_schema()
    ).people.to_pylist()
    assert (person["victim_status"], person["status_decided_by"]) == ("identified", None)


ACCUSED = {
    "version": 1,
    "rows": "person",
    "columns": {"gender": {"from": "g", "map": {"F": "female"}}},
    "perpetrators": {
        "split": ";",
        "columns": {
            "perpetrator_status": {"from": "p", "map": {"said": "alleged", "jailed": "convicted"}}
        },
    },
}


@pytest.mark.parametrize(
    ("kind", "cell", "refused"),
    [
        ("case_management", "said", False),
        ("case_management", "said;jailed", True),
        ("hotline", "jailed", True),
        ("other", "jailed", True),
        ("", "jailed", True),
        ("government", "jailed", False),
    ],
)
def test_only_authorities_say_more_than_alleged(
    tmp_path: Path, kind: str, cell: str, refused: bool
) -> None:
    file, mapping, key = tmp_path / "f.csv", tmp_path / "m.yaml", tmp_path / "key"
    file.write_text(f"g,p\nF,{cell}\n", "utf-8")
    mapping.write_text(yaml.safe_dump(ACCUSED), "utf-8")
    key.write_bytes(bytes(range(32)))
    out = tmp_path / "out"
    out.mkdir()
    given = Contribution("ngo", "2026-01-01", file)
    work = HarmoniseFile(given, mapping, (2002, 2030), key, kind)
    if not refused:
        work(out)
        return
    with pytest.raises(MappingError) as caught:
        work(out)
    assert caught.value.rule == "allegation"
    assert "government" in str(caught.value)
    assert "jailed" not in str(caught.value)
    assert not list(out.iterdir())
