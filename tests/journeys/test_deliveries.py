"""Deliveries are versions: a corrected file corrects, and who left a cumulative one is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctdhub.core.errors import HubError
from ctdhub.hub import find_person, pipeline, withdrawals
from ctdhub.hub.folder import Hub
from ctdhub.hub.private.pages import own_profile
from ctdhub.hub.stages.link import DeliveryLine, deliveries
from tests.journeys.small_hub import HEADER, KEYLESS, MAPPING, accounts, join, new_hub, people, send

OUR, OTHER = "our-ngo", "other-ngo"
ONE, TWO, THREE = "2026-01-15", "2026-06-15", "2026-09-01"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub to which one contributor delivers."""
    made = new_hub(tmp_path / "hub")
    join(made, OUR)
    return made


def refused(hub: Hub) -> str:
    """The rule by which a build as far as people stops."""
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert met.value.fix
    return str(met.value.name)


def brought(hub: Hub) -> list[tuple[int, ...]]:
    """People, changed, left, new of each delivery of our contributor."""
    return [(d.people, d.changed, d.left, d.new) for d in deliveries(hub) if d.contributor == OUR]


def withdrawn(hub: Hub, *numbers: str) -> int:
    found = find_person.look_up(hub, OUR, numbers, "case", "person", "asked")
    assert not found.unknown
    return withdrawals.withdraw(hub, found.entries)


FOUR = (
    ("1,2020,F,25,1,NGA", "1,2020,M,16,0,ALB", (2020, "male", "9-17", "no", "ALB")),
    ("2,2020,M,25,0,GHA", "2,2020,F,16,1,ALB", (2020, "female", "9-17", "yes", "ALB")),
    ("3,2020,F,35,1,ALB", "3,2021,M,16,0,ZWE", (2021, "male", "9-17", "no", "ZWE")),
    ("4,2019,F,35,1,ALB", "4,2018,M,16,0,ZWE", (2018, "male", "9-17", "no", "ZWE")),
)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.spine("a corrected delivery")
def test_the_newest_record_counts_whole(hub: Hub, order: int) -> None:
    """Also where the older delivery arrives late."""
    sent = [(ONE, [old for old, _new, _row in FOUR]), (TWO, [new for _old, new, _row in FOUR])]
    for day, rows in sent[::order]:
        send(hub, OUR, day, *rows)
        people(hub)
    assert people(hub) == sorted((row for _old, _new, row in FOUR), key=str)
    assert brought(hub) == [(4, 0, 0, 4), (4, 4, 0, 0)]
    assert accounts(hub)[OUR, ONE] == {"replaced": 4, "no-consent": 0, "records": 0, "rejected": 0}


def test_additions_keep_what_is_not_repeated_and_cumulative_does_not(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA", "3,2020,F,35,1,ALB")
    send(hub, OUR, TWO, "1,2020,F,25,1,NGA", "2,2020,M,30,0,GHA", "4,2021,F,16,1,ALB")
    assert len(people(hub)) == 4
    assert brought(hub) == [(3, 0, 0, 3), (3, 1, 0, 1)]
    join(hub, OUR, deliveries="cumulative")
    found = people(hub)
    assert len(found) == 3
    assert (2020, "female", "30-38", "yes", "ALB") not in found
    assert brought(hub) == [(3, 0, 0, 3), (3, 1, 1, 1)]
    assert accounts(hub)[OUR, ONE]["left"] == 1
    assert own_profile(hub, OUR)[1].people == 3
    join(hub, OUR, deliveries="additions")
    assert len(people(hub)) == 4


def test_two_contributors_merge_as_before(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    token = MAPPING.replace("case: hash", "case: token")
    for contributor in (OUR, OTHER):
        join(hub, contributor, token)
    key = "a-token-of-sixteen-letters"
    send(hub, OUR, ONE, f"{key},2020,F,25,1,NGA")
    send(hub, OTHER, ONE, f"{key},2019,,16,0,ALB")
    assert people(hub) == [(2019, "female", "9-17", "yes", "ALB")]
    send(hub, OUR, TWO, f"{key},2018,F,16,0,GHA")
    assert people(hub) == [(2018, "female", "9-17", "no", "GHA")], "her flag is no at both now"


def test_several_rows_of_one_delivery_are_one_account(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "1,2019,F,24,0,NGA")
    assert people(hub) == [(2019, "female", "24-26", "yes", "NGA")]
    send(hub, OUR, TWO, "1,2021,F,26,0,NGA", name="a.csv")
    send(hub, OUR, TWO, "1,2020,F,25,0,NGA", name="b.csv")
    assert people(hub) == [(2020, "female", "24-26", "no", "NGA")], (
        "files of a day are one delivery"
    )


def test_a_delivery_resent_under_another_date_changes_nothing(hub: Hub) -> None:
    rows = ("1,2020,F,25,1,NGA", "1,2020,F,25,1,NGA", ",2020,M,25,0,GHA")
    send(hub, OUR, ONE, *rows)
    before = people(hub)
    send(hub, OUR, TWO, *rows)
    assert people(hub) == before
    assert brought(hub) == [(2, 0, 0, 1), (2, 0, 0, 0)]


def test_who_is_excluded_now_is_gone_and_who_cannot_be_read_stays(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    send(hub, OUR, TWO, "1,2020,F,25,never,NGA", "2,2020,M,25,0,Atlantis")
    for mode in ("additions", "cumulative"):
        join(hub, OUR, deliveries=mode)
        assert people(hub) == [(2020, "male", "24-26", "no", "GHA")], mode
        assert brought(hub) == [(2, 0, 0, 2), (0, 0, 1, 0)]


def test_a_corrected_number_needs_a_cumulative_delivery(hub: Hub) -> None:
    send(hub, OUR, ONE, "7,2020,F,25,1,NGA")
    send(hub, OUR, TWO, "8,2020,F,25,1,NGA")
    assert len(people(hub)) == 2
    join(hub, OUR, deliveries="cumulative")
    assert len(people(hub)) == 1
    found = find_person.look_up(hub, OUR, ["7", "8"], "case", "person", "asked")
    assert found.unknown == (0 + 1,), "the old number finds nobody"


def test_who_left_is_asked_about(hub: Hub) -> None:
    join(hub, OUR, deliveries="cumulative", left="ask")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    send(hub, OUR, TWO, "1,2020,F,25,1,NGA")
    assert refused(hub) == "missing-people"
    join(hub, OUR, deliveries="cumulative", left={TWO: "kept"})
    assert len(people(hub)) == 2
    send(hub, OUR, THREE, "3,2022,F,25,1,NGA")
    assert refused(hub) == "missing-people"
    join(hub, OUR, deliveries="cumulative", left={TWO: "kept", THREE: "gone"})
    assert len(people(hub)) == 2
    send(hub, OUR, THREE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    join(hub, OUR, deliveries="cumulative", left="ask")
    assert len(people(hub)) == 2, "who came back is not missing"


@pytest.mark.parametrize("wrong", ["juin", "20260615", "2026-06-31", "2026-06"])
def test_a_folder_that_is_no_date_is_refused(hub: Hub, ctdhub, wrong: str) -> None:  # type: ignore[no-untyped-def]
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    send(hub, OUR, wrong, "1,2020,F,25,1,NGA")
    assert refused(hub) == "delivery-date"
    code, _out, err = ctdhub("check", hub.root)
    assert (code, "delivery-date" in err) == (2, True)


def test_a_file_outside_the_folder_of_a_day_is_refused(hub: Hub) -> None:
    file = send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    file.rename(file.parents[1] / "a.csv")
    file.parent.rmdir()
    assert refused(hub) == "delivery-date"


def test_rows_without_a_key(hub: Hub) -> None:
    """Nobody can say whom two deliveries both have."""
    join(hub, OUR, KEYLESS)
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    assert len(people(hub)) == 2
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA")
    assert refused(hub) == "deliveries"
    join(hub, OUR, KEYLESS, deliveries="additions")
    assert refused(hub) == "deliveries/no-key"
    join(hub, OUR, KEYLESS, deliveries="cumulative")
    assert people(hub) == [(2020, "female", "30-38", "yes", "NGA")]
    join(hub, OUR, KEYLESS.replace("rows: person\n", ""), deliveries="cumulative")
    assert refused(hub) == "row-unit"


def test_a_row_without_its_number_in_a_keyed_file(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", ",2020,M,25,0,GHA")
    send(hub, OUR, TWO, "1,2020,F,25,1,NGA")
    assert len(people(hub)) == 2, "what is not repeated stays"
    join(hub, OUR, deliveries="cumulative")
    assert len(people(hub)) == 1
    assert accounts(hub)[OUR, ONE]["left"] == 1


def test_settings_that_contradict_themselves(hub: Hub) -> None:
    for wrong in ({"left": "ask"}, {"left": {TWO: "gone"}, "deliveries": "additions"}):
        join(hub, OUR, **wrong)
        assert refused(hub) == "settings"


def test_a_withdrawal_holds_for_older_and_newer_deliveries(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    assert len(people(hub)) == 2
    assert withdrawn(hub, "1") == 1
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA")
    assert len(people(hub)) == 1
    assert accounts(hub)[OUR, ONE]["replaced"] == accounts(hub)[OUR, TWO]["withdrawn"] == 1
    assert brought(hub) == [(1, 0, 0, 1), (0, 0, 0, 0)], "nothing is counted of her"
    (hub.root / "contributions" / OUR / TWO / "a.csv").unlink()
    assert len(people(hub)) == 1
    assert accounts(hub)[OUR, ONE]["withdrawn"] == 1


def test_tokens_and_cases_of_replaced_records_are_not_compared(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    rules = MAPPING.replace("{case: hash}", "{case: case, link: token}\ntokens: [tokens]")
    header = "link,tokens,case,year,sex,age,sexual,nationality"
    for contributor in (OUR, OTHER):
        join(hub, contributor, rules)
    wrong, right = "n-000000000000000a", "n-000000000000000b"
    keys = ("our-own-token-0001", "other-own-token-01")
    send(hub, OUR, ONE, f"{keys[0]},{wrong},1,2020,F,25,1,NGA", header=header)
    send(hub, OTHER, ONE, f"{keys[1]},{wrong},9,2020,F,25,1,NGA", header=header)
    people(hub)
    assert withdrawn(hub, "1") == 1
    before = len(people(hub))
    withdrawals.take_back(hub, OUR, ["1"], "case", "asked")
    send(hub, OUR, TWO, f"{keys[0]},{right},2,2020,F,25,1,NGA", header=header)
    assert (before, len(people(hub))) == (1, 2)
    tokens = (hub.work / "people" / "clusters.parquet").read_bytes()
    assert wrong.encode() not in tokens
    assert find_person.look_up(hub, OUR, ["1"], "case", "person", "asked").unknown == (1,)
    assert find_person.look_up(hub, OUR, ["2"], "case", "person", "asked").people == 1


def test_tokens_of_two_releases_do_not_make_two_people_of_one(hub: Hub) -> None:
    join(hub, OUR, MAPPING.replace("{case: hash}", "{link: token}\ntokens: [tokens]"))
    header = "link,tokens,year,sex,age,sexual,nationality"
    send(hub, OUR, ONE, "token-of-a-release-1,z-000000000000000a,2020,F,25,1,NGA", header=header)
    send(hub, OUR, TWO, "token-of-a-release-2,z-000000000000000b,2020,F,25,1,NGA", header=header)
    assert refused(hub) == "deliveries/tokens"
    rules = hub.mapping(OUR).read_text("utf-8")
    join(hub, OUR, rules, deliveries="cumulative")
    assert len(people(hub)) == 1


def test_a_mapping_by_date_reads_both_forms(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    send(
        hub,
        OUR,
        TWO,
        "1,2020,F,26,1,NGA",
        "3,2021,F,16,1,ALB",
        header="dossier,year,genre,age,sexual,nationality",
    )
    assert refused(hub) == "missing-columns"
    newer = MAPPING.replace("{case: hash}", "{dossier: hash}").replace("from: sex,", "from: genre,")
    folder = hub.mapping(OUR).with_suffix("")
    folder.mkdir()
    (folder / f"{TWO}.yaml").write_text(newer, "utf-8")
    found = people(hub)
    assert [row[1] for row in found] == ["female", "male", "female"]
    assert brought(hub)[1] == (2, 0, 0, 1), "the number of a case is the same key in both forms"
    (folder / f"{TWO}.yaml").write_text(newer.replace("dossier: hash", "dossier: token"), "utf-8")
    assert refused(hub) == "deliveries/keys"
    (folder / f"{TWO}.yaml").rename(folder / "juin.yaml")
    assert refused(hub) == "mapping-date"
    (folder / "juin.yaml").rename(folder / f"{TWO}.yaml")
    (folder / f"{TWO}.yaml").write_text(newer, "utf-8")
    hub.mapping(OUR).unlink()
    assert refused(hub) == "no-mapping/date"


def test_the_build_says_what_a_delivery_changed(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, OUR, deliveries="cumulative")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA", "3,2020,M,25,0,GHA")
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA", "4,2021,F,16,1,ALB", "5,2021,F,16,1,ALB")
    code, out, _err = ctdhub("build", hub.root, "--until", "link")
    assert code == 0
    said = f"{OUR}: 1 person changed, 2 people left, 2 new people by the delivery of {TWO}."
    assert said in " ".join(out.split())
    code, out, _err = ctdhub("build", hub.root, "--until", "link")
    assert said in " ".join(out.split()), "also where nothing was to be done"


def test_an_empty_newest_delivery_leaves_nobody(hub: Hub) -> None:
    join(hub, OUR, deliveries="cumulative")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    send(hub, OUR, TWO, "2,2020,F,25,1,Atlantis")
    send(hub, OTHER, ONE, "1,2020,F,25,1,NGA")
    join(hub, OTHER)
    assert len(people(hub)) == 1
    assert deliveries(hub)[0] == DeliveryLine(OTHER, ONE, 1, 1, 1, 0, 0, 0, 1, 0)
    assert brought(hub) == [(1, 0, 0, 1), (0, 0, 1, 0)]


def test_a_killed_link_is_done_again(hub: Hub) -> None:
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    people(hub)
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA")
    pipeline.build(hub, until="harmonise")
    (hub.work / ".new-people-dead").mkdir()
    os.truncate(hub.work / "people" / ".step.json", 3)
    assert people(hub) == [(2020, "female", "30-38", "yes", "NGA")]
    assert not list(hub.work.glob(".new-*"))


def test_a_file_that_lost_its_numbers_is_refused(hub: Hub) -> None:
    """Rows without a key would all be counted again."""
    hub.mapping(OUR).write_text(MAPPING.replace("exclude", "optional: [case]\nexclude"), "utf-8")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    send(hub, OUR, TWO, "2020,F,25,1,NGA", "2020,M,25,1,NGA", header=HEADER.partition(",")[2])
    assert refused(hub) == "deliveries/no-key"
    join(hub, OUR, hub.mapping(OUR).read_text("utf-8"), deliveries="cumulative")
    assert len(people(hub)) == 2


def test_numbers_that_are_written_in_another_way_are_noticed(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, OUR, deliveries="cumulative")
    send(hub, OUR, ONE, "001,2020,F,25,1,NGA", "002,2020,M,25,0,GHA")
    send(hub, OUR, TWO, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    said = f"none of the people in earlier deliveries of {OUR} is in that of {TWO}"
    assert said in " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())
    send(hub, OUR, TWO, "1,2020,F,25,1,NGA", "002,2020,M,25,0,GHA")
    assert said not in " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())


def test_additions_under_other_numbers_may_count_twice(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, OUR, deliveries="additions")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA", "2,2020,M,25,0,GHA")
    send(hub, OUR, TWO, "001,2020,F,25,1,NGA", "002,2020,M,25,0,GHA")
    assert "they count twice" in " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())
    send(hub, OUR, TWO, "1,2020,F,25,1,NGA", "003,2020,M,25,0,GHA")
    out = " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())
    assert "they count twice" not in out
    assert "and left" not in out


def test_changes_alone_in_place_of_a_whole_file_are_noticed(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, OUR, deliveries="cumulative")
    old = [f"{n},2020,F,25,1,NGA" for n in range(1, 6)]
    send(hub, OUR, ONE, *old)
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA", "2,2020,F,30,1,NGA")
    said = "its agreement must say deliveries: additions"
    assert said in " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())
    send(hub, OUR, TWO, *old[:3])
    assert said not in " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())


def test_rows_without_a_key_are_not_said_to_be_unchanged(hub: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    join(hub, OUR, KEYLESS, deliveries="cumulative")
    send(hub, OUR, ONE, "1,2020,F,25,1,NGA")
    send(hub, OUR, TWO, "1,2020,F,30,1,NGA")
    out = " ".join(ctdhub("build", hub.root, "--until", "link")[1].split())
    assert "its deliveries cannot be compared" in out
    assert "0 people changed" not in out
    assert ONE in out, "the date stands whole"


def test_an_older_delivery_that_counts_still_rings(hub: Hub) -> None:
    passed_over = MAPPING.replace('"0": "no"}', '"0": "no"}, unknown: null')
    send(hub, OUR, ONE, *(f"{n},2020,F,25,strange,NGA" for n in range(60)))
    send(hub, OUR, TWO, "99,2020,F,25,1,NGA")
    join(hub, OUR, passed_over, deliveries="cumulative", left={TWO: "kept"})
    assert refused(hub) == "unknown-texts"
    join(hub, OUR, passed_over, deliveries="cumulative")
    assert len(people(hub)) == 1, "nobody is read from the older one"
