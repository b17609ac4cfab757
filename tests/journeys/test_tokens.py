"""One person, many contributors: from lists with names to a report, and no name at the hub."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from ctdhub.border import DOUBLES, LIST_JOIN, Sources
from ctdhub.border import LISTS as OVERLAP
from ctdhub.core.errors import HubFolderError
from ctdhub.core.i18n import said
from ctdhub.core.keys.linkage import new_key, split_files, write_linkage_key
from ctdhub.dp.quote import up_to
from ctdhub.hub import init, pipeline
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages import link
from ctdhub.practice.naming import LISTS, write_names
from ctdhub.release.open import Release, open_release
from tests.conftest import Once
from tests.fixtures.hubs import copied

AGREEMENT = {
    "kind": "case_management", "scope": "invented", "legal_basis": "invented",
    "consent_rule": "invented", "retention": "invented", "display_rule": "invented",
}  # fmt: skip

KEEP = ("--keep", "sex,year,citizenship")
"""The columns of the practice lists that stay."""


def receive(hub: Hub, office: str, made: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    """Take a contributor's file with tokens into the hub, with its agreement and a mapping."""
    folder = hub.root / "contributions" / office / "2026-01-15"
    folder.mkdir(parents=True)
    made.rename(folder / made.name)
    agreement = AGREEMENT | {"id": office, "name": office}
    (hub.root / "contributors" / f"{office}.yaml").write_text(yaml.safe_dump(agreement), "utf-8")
    assert ctdhub("suggest", folder / made.name, "--out", hub.mapping(office))[0] == 0


@pytest.fixture
def linked(tmp_path: Path, ctdhub, once: Once) -> Hub:  # type: ignore[no-untyped-def]
    """A hub of five offices whose lists came as tokens; built as far as people, by the commands.

    Beside it lie the lists with ``names`` and the key ``link.key``.
    """

    def make(folder: Path) -> None:
        names, key = folder / "names", folder / "link.key"
        folder.mkdir()
        write_names(names, 700, 4)
        assert ctdhub("key", "new", "--for", "linkage", "--out", key)[0] == 0
        hub = init.new_hub(folder / "hub", "invented")
        for office in LISTS:
            made = folder / f"{office}.csv"
            args = ("--key", key, "--release", "2026.1", *KEEP, "--out", made, "--yes")
            code, out, _err = ctdhub("tokens", names / f"{office}.csv", *args)
            assert code == 0
            assert "converted to tokens, then removed" in out
            receive(hub, office, made, ctdhub)
        assert ctdhub("check", hub.root)[0] == 0
        assert ctdhub("build", hub.root, "--until", "link")[0] == 0

    made = once("linked-hub", make)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return copied(Hub(made / "hub"), tmp_path / "hub")


def test_from_names_to_a_report(linked: Hub, tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    code, out, _err = ctdhub("linkage", linked.root, "--json")
    assert code == 0
    report = json.loads(out)
    assert report["persons_with_tokens"] > report["people"] > report["clusters"]
    assert len(report["made_apart"]) == 1
    with (tmp_path / "names" / "truth.csv").open(encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    people = len({row["person"] for row in truth})
    assert abs(report["clusters"] - people) < 0.1 * people, "clusters are near the truth"
    assert report["people"] > 1.3 * people, "equal keys alone count many people twice"
    assert sum(report["overlap"].values()) == report["clusters"]
    shown = ctdhub("linkage", linked.root)[1]
    assert "not to be published" in shown
    review = (linked.work / "people" / "review.csv").read_text("utf-8")
    assert review.count("\n") == report["to_review"] + 1


def test_no_name_reaches_the_hub(linked: Hub, tmp_path: Path) -> None:
    identifying: set[bytes] = set()
    for office in LISTS:
        with (tmp_path / "names" / f"{office}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                cells = (
                    row["given_name"],
                    row["family_name"],
                    row["birth_date"],
                    row["case_number"],
                )
                identifying |= {cell.encode() for cell in cells if len(cell) > 5}
    for path in linked.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content = repr(pq.read_table(path).to_pydict()).encode()
            words = set(content.replace(b'"', b",").replace(b"\n", b",").split(b","))
            assert not identifying & words, path.name


def test_the_report_changes_no_row_of_people(linked: Hub) -> None:
    people = pq.read_table(linked.work / "people" / "people.parquet")
    before = link.linkage(linked)
    settings = yaml.safe_load((linked.root / "hub.yaml").read_text("utf-8"))
    settings["linkage"] = {"cut": 0.999, "look": 0.9}
    (linked.root / "hub.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    done = pipeline.build(linked, until="link")
    assert "linkage" in said(done[-1].reason)
    after = link.linkage(linked)
    assert after["clusters"] > before["clusters"]
    assert pq.read_table(linked.work / "people" / "people.parquet").equals(people)


def test_another_release_or_key_is_noticed(linked: Hub, tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    again = linked.root / "contributions" / "mayak" / "2026-01-15" / "mayak.csv"
    again.unlink()
    args = ("--key", tmp_path / "link.key", "--release", "2026.2", *KEEP, "--out", again)
    assert ctdhub("tokens", tmp_path / "names" / "mayak.csv", *args, "--yes")[0] == 0
    pipeline.build(linked, until="link")
    report = link.linkage(linked)
    assert ["mayak"] in report["made_apart"]
    assert not any("mayak" in names and "+" in names for names in report["overlap"])
    assert "mayak" in ctdhub("linkage", linked.root)[1].split("cannot agree:")[1]


def test_a_column_of_names_is_no_column_of_tokens(linked: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    file = linked.root / "contributions" / "mayak" / "2026-01-15" / "mayak.csv"
    text = file.read_text("utf-8").splitlines()
    text[3] = text[3].rsplit('"', 2)[0] + '"Ordinary Words"'
    file.write_text("\n".join(text) + "\n", "utf-8")
    code, _out, err = ctdhub("build", linked.root, "--until", "link")
    assert code == 2
    assert "weak-token" in err
    assert "row 4" in err
    assert "Ordinary" not in err


@pytest.mark.parametrize("kind", ["open", "locked", "share"])
@pytest.mark.parametrize("place", ["link.key", "keys/x", "contributions/a/b/cases.csv"])
def test_a_hub_that_holds_the_key_is_not_built(
    tmp_path: Path, kind: str, place: str, ctdhub
) -> None:  # type: ignore[no-untyped-def]
    hub = init.new_hub(tmp_path / "hub", "invented")
    path = hub.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "share":
        split_files(new_key(), 2, 2, tmp_path / "s")[0].rename(path)
    else:
        write_linkage_key(path, new_key(), "word" if kind == "locked" else "")
    with pytest.raises(HubFolderError) as error:
        pipeline.build(hub)
    assert error.value.rule == "linkage-key"
    for verb in ("build", "check"):
        code, _out, err = ctdhub(verb, hub.root)
        assert code == 2
        assert path.name in err
    path.unlink()
    with pytest.raises(HubFolderError) as error:
        pipeline.build(hub)
    assert error.value.rule == "no-contributions"


def test_keys_by_command(tmp_path: Path, ctdhub, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    shown = ctdhub("key", "new", "--for", "linkage", "--out", "link.key")[1]
    assert ctdhub("key", "show", "link.key")[1] == shown
    public = ctdhub("key", "new", "--for", "receiving", "--out", "own.pem")[1].strip()
    assert ctdhub("key", "show", "own.pem")[1].strip() == public
    assert ctdhub("key", "new", "--out", "steward.pem")[1].startswith("ed25519:")
    assert ctdhub("key", "show", "steward.pem")[1].startswith("ed25519:")
    assert ctdhub("key", "wrap", "link.key", "--to", public, "--out", "env.key")[1] == shown
    assert ctdhub("key", "unwrap", "env.key", "--with", "own.pem", "--out", "b.key")[1] == shown
    assert (tmp_path / "b.key").read_bytes() == (tmp_path / "link.key").read_bytes()
    args = ("key", "split", "link.key", "--need", 2, "--shares", 3, "--out", "s")
    assert "share-3-of-3.key" in ctdhub(*args)[1]
    shares = ("s/share-1-of-3.key", "s/share-3-of-3.key")
    assert ctdhub("key", "join", *shares, "--out", "c.key")[1] == shown
    assert ctdhub("key", "join", shares[0], "--out", "d.key")[0] == 2
    assert "generation 2" in ctdhub("key", "rotate", "link.key", "--out", "next.key")[1]
    assert ctdhub("key", "rotate", "steward.pem", "--out", "no.key")[0] == 2
    assert not (tmp_path / "no.key").exists()


def test_tokens_asks_before_it_writes(
    tmp_path: Path, ctdhub, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    ctdhub("practice", "names", "--names", "--people", 1000)
    ctdhub("key", "new", "--for", "linkage", "--out", "link.key")
    monkeypatch.setattr("typer.confirm", lambda _question: False)
    args = ["tokens", "names/pharos.csv", "--key", "link.key", "--out", "out.csv"]
    code, out, _err = ctdhub(*args, "--release", "2026.1")
    assert code == 1
    assert "Nothing was written" in out
    assert not (tmp_path / "out.csv").exists()
    for more, rule in [
        (["--release", "soon"], "release"),
        (["--release", "2026.1", "--columns", "given"], "roles"),
        (["--release", "2026.1", "--columns", "whose=x"], "roles"),
        (["--release", "2026.1", "--columns", "given=a,given=b"], "roles"),
        (["--release", "2026.1", "--columns", "given=nobody"], "columns"),
        (["--release", "2026.1", "--strip", "nobody"], "columns"),
        (["--release", "2026.1", "--age-at", "nobody"], "age-at"),
        (["--release", "2026.1", "--age-at", "year"], "age-at"),
    ]:
        code, _out, err = ctdhub(*args, *more, "--yes")
        assert (code, f"rule {rule}" in err) == (2, True), (more, err)
        assert not (tmp_path / "out.csv").exists()


READS = """
version: 1
read: {header_row: 2}
identifiers: {case_no: hash}
columns:
  gender: {from: sex, map: {F: female, M: male}}
"""


def test_what_the_mapping_reads_stays_and_how_it_reads_holds(tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    file, key, out = (tmp_path / name for name in ("in.csv", "link.key", "out.csv"))
    head = "first_name,family_name,dob,case_no,sex,remarks,year"
    file.write_text(f"made in 2026,,,,,,\n{head}\nMarta,Cruz,1990-05-03,K-1,F,ask Oleg,2020\n")
    (tmp_path / "m.yaml").write_text(READS, "utf-8")
    assert ctdhub("key", "new", "--for", "linkage", "--out", key)[0] == 0
    given = ("--key", key, "--release", "2026.1", "--mapping", tmp_path / "m.yaml", "--yes")
    assert ctdhub("tokens", file, *given, "--out", out)[0] == 0
    assert out.read_text("utf-8").splitlines()[0] == '"case_no","sex","link_token","link_tokens"'
    assert not [cell for cell in ("K-1", "Oleg", "Marta") if cell in out.read_text("utf-8")]
    again = tmp_path / "again.csv"
    assert (
        ctdhub("tokens", file, *given, "--out", again, "--strip", "sex", "--keep", "year")[0] == 0
    )
    assert again.read_text("utf-8").startswith('"case_no","year","link_token"')


def estimated(hub: Hub, linking: dict[str, float]) -> tuple[Release, Sources]:
    """The candidate of a hub that names its five lists, joined by so many tokens."""
    policy = yaml.safe_load((hub.root / "policy.yaml").read_text("utf-8"))
    policy |= {"linking": linking, "epsilon": 20, "budget": {"epsilon": 300, "drafts": 0.8}}
    policy["reason"] = "Little noise, so that a test sees what links do."
    policy["sources"] = {"share": 0.3, "lists": list(LISTS)}
    policy["columns"] = ["year_of_registration", "gender", "citizenship"]
    (hub.root / "policy.yaml").write_text(yaml.safe_dump(policy), "utf-8")
    for office in LISTS:
        agreement = AGREEMENT | {"id": office, "name": office, "show_counts": True}
        agreement["years"] = [2016, 2030]
        path = hub.root / "contributors" / f"{office}.yaml"
        path.write_text(yaml.safe_dump(agreement), "utf-8")
    pipeline.build(hub, until="candidate", pay=up_to(20))
    release = open_release(max(hub.candidates.glob("[!.]*")))
    assert release.protected.sources is not None
    return release, release.protected.sources


def test_tokens_join_lists_and_rows_in_what_is_released(linked: Hub, tmp_path: Path) -> None:
    """With tokens fewer people count twice, as the release says itself, and the truth is near."""
    with (tmp_path / "names" / "truth.csv").open(encoding="utf-8") as file:
        everybody = len({row["person"] for row in csv.DictReader(file)})
    by_key, alone = estimated(linked, {"people": 0, "lists": 0})
    assert "was not measured" in (by_key.path / "README.md").read_text("utf-8")
    by_lists, lists = estimated(linked, {"people": 0, "lists": 2, "doubles": 0.1, "found": 0.2})
    manifest = json.loads((by_lists.path / "manifest.json").read_text("utf-8"))
    readme = (by_lists.path / "README.md").read_text("utf-8")
    by_rows, rows = estimated(linked, {"people": 1, "lists": 2, "doubles": 0.1})
    same, alike = estimated(linked, {"people": 1, "lists": 1})
    assert not alike.cells(DOUBLES), "rows and lists are joined by as many tokens"
    assert "at most 1 further tokens" in (same.path / "README.md").read_text("utf-8")
    people = [r.protected.people.value for r in (by_key, by_lists, by_rows)]
    assert people[0] == pytest.approx(people[1], abs=30)
    assert not alone.cells(DOUBLES)
    [twice], [left] = lists.cells(DOUBLES).values(), rows.cells(DOUBLES).values()
    joined = people[1] - twice
    assert joined == pytest.approx(people[2] - left, abs=8 * lists.sigma[DOUBLES] + 30)
    assert abs(joined - everybody) < abs(people[2] - everybody) < abs(people[0] - everybody)
    once, doubles = manifest["people_once"], manifest["sources"]["possible_doubles"]
    assert (once["found"], once["reviewed"]) == (0.2, True)
    assert once["low"] <= everybody <= once["high"], "the second interval holds the truth"
    assert manifest["people"]["low"] > everybody, "the first does not"
    assert max(doubles, key=lambda of: doubles[of]["value"]) == "NAM"
    captured = by_rows.manifest.people_once
    assert captured is not None
    assert captured.reviewed is False
    assert captured.low <= everybody <= captured.high
    unkeyed = manifest["sources"]["without_key"]
    told = link.linkage(linked)["without_key"]
    exact = sum(none for none, _every in told.values())
    assert exact < sum(every for _none, every in told.values()) / 50
    assert unkeyed["high"] >= exact
    assert len(doubles) > 100, "every citizenship is told, whoever there is"
    assert "second interval" in readme
    assert "| NAM |" in readme, "most people are citizens of Namibia"
    assert lists.list_years == rows.list_years == (2016, 2030)
    known = [o.cells(OVERLAP) for o in (alone, lists)]
    several = [sum(n for on, n in cells.items() if LIST_JOIN in on) for cells in known]
    assert several[1] > several[0]
    sizes = [o.sigma[OVERLAP] for o in (alone, lists, rows)]
    assert sizes[0] < sizes[1] == sizes[2]
    assert "1 further token" in by_rows.protected.guarantee.unit
    assert by_key.protected.guarantee.unit == "person"


# Where identifiers may be held: the same hub, files that `ctdhub link` wrote.


def test_people_whom_tokens_miss_are_one_row(tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    """Two lists, one Latin and one Arabic: once by `tokens`, once by `link`, to people at a hub."""
    pytest.importorskip("splink", reason="splink is missing: pip install '.[splink]'")
    names, key, offices = tmp_path / "names", tmp_path / "link.key", ("harbour", "manara")
    write_names(names, 500, 9)
    assert ctdhub("key", "new", "--for", "linkage", "--out", key)[0] == 0
    with (names / "truth.csv").open(encoding="utf-8") as file:
        truth = [row for row in csv.DictReader(file) if row["office"] in offices]
    people = len({row["person"] for row in truth})
    both = len(truth) - people
    made: dict[str, int] = {}
    common = ("--key", key, "--release", "2026.1", *KEEP, "--yes")
    for way in ("tokens", "link"):
        hub, out = init.new_hub(tmp_path / way, "invented"), tmp_path / f"{way}-out"
        text = hub.policy_file.read_text("utf-8").replace("people: auto", "people: 0")
        hub.policy_file.write_text(text, "utf-8")
        if way == "tokens":
            out.mkdir()
            for office in offices:
                args = (*common, "--out", out / f"{office}.csv")
                assert ctdhub("tokens", names / f"{office}.csv", *args)[0] == 0
            leaves = out
        else:
            files = [names / f"{office}.csv" for office in offices]
            code, said, _err = ctdhub("link", *files, *common, "--out", out)
            assert code == 0
            assert "Not to be published" in said
            leaves = out / "leaves"
        for office in offices:
            receive(hub, office, leaves / f"{office}.csv", ctdhub)
        assert ctdhub("build", hub.root, "--until", "link")[0] == 0
        rows = pq.read_metadata(hub.work / "people" / "people.parquet").num_rows
        made[way] = len(truth) - rows
        report = json.loads(ctdhub("linkage", hub.root, "--json")[1])
        assert len(report["made_apart"]) == 1
    assert made["tokens"] < 0.7 * both
    assert 0.9 * both < made["link"] < 1.02 * both


def test_options_for_one_file_and_refusals_of_link(linked: Hub, tmp_path: Path, ctdhub) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("splink", reason="splink is missing: pip install '.[splink]'")
    names, out = tmp_path / "names", tmp_path / "round"
    common = ("--key", tmp_path / "link.key", "--release", "2026.1", "--yes")
    keep = ("--keep", "sex,year", "--keep", "harbour.csv:sex,year,intake")
    one, other, third = (names / f"{office}.csv" for office in ("harbour", "mayak", "manara"))
    text = other.read_text("utf-8").splitlines()
    text[0] = text[0].replace("given_name", "n1").replace("family_name", "n2")
    other.write_text("\n".join(["made in 2026", *text]) + "\n", "utf-8")
    head, *rows = one.read_text("utf-8").splitlines()
    dated = [f"{head},intake", *(f"{row},2031-02-03" for row in rows[1:]), f"{rows[0]},2031"]
    one.write_text("\n".join(dated) + "\n", "utf-8")
    roles = "given=n1,family=n2,birth=birth_date,place=town,sex=sex,case=case_number"
    args = (
        "--columns", f"mayak.csv:{roles}", "--header-row", "mayak.csv:2", *keep,
        "--age-at", "harbour.csv:intake",
    )  # fmt: skip
    code, said, _err = ctdhub("link", one, other, *common, "--out", out, *args)
    assert code == 0
    assert "rows without an age: no full date to count at" in said
    heads = {p.stem: p.read_text("utf-8").splitlines()[0] for p in (out / "leaves").iterdir()}
    tokens = '"link_token","link_tokens"'
    assert heads["harbour"] == f'"case_number","sex","year","intake","age",{tokens}'
    assert heads["mayak"] == f'"case_number","sex","year",{tokens}'
    for words, rule in (
        ((one, *common, "--out", tmp_path / "x"), "one-file"),
        ((one, other, *common, "--out", out), "no-overwrite"),
        ((one, tmp_path / "no.csv", *common, "--out", tmp_path / "x"), "no-file"),
        ((one, third, *common, "--out", tmp_path / "x", "--earlier", tmp_path / "no"), "earlier"),
        ((one, third, *common, "--out", tmp_path / "x", "--age-at", "manara.csv:year"), "age-at"),
        ((one, other, *common, "--out", linked.root / "x"), "link-at-hub"),
        ((one, other, *common, "--out", tmp_path / "x", "--header-row", "two"), "option"),
        ((one, other, *common, "--out", tmp_path / "x", "--strip", "a", "--strip", "b"), "option"),
        ((one, third, *common, "--out", tmp_path / "x", "--earlier", names), "earlier"),
    ):
        code, said, err = ctdhub("link", *words)
        assert code == 2
        assert not said, "no plan is shown before all is checked"
        assert f"rule {rule}" in err
        assert not (tmp_path / "x").exists()
