"""Nobody pays unasked, and a corrected program reaches a hub: prices, software, candidates."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import yaml

from ctdhub.cli.main import main
from ctdhub.core.errors import WouldCharge
from ctdhub.core.i18n import Text, said
from ctdhub.dp import answer_store
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.quote import Price, refusal, up_to
from ctdhub.hub import pipeline
from ctdhub.hub.engine import engine
from ctdhub.hub.folder import Hub, left_out, policy, released_version
from ctdhub.hub.preflight import Done
from ctdhub.hub.stages import candidate, link, protect
from ctdhub.hub.steps import KEY_FILE, hash_folder, installed, software
from ctdhub.release.approvals import Approvals
from ctdhub.release.bundle import next_version
from ctdhub.release.changes import CHANGELOG, newest_note
from ctdhub.release.open import verify
from ctdhub.schema.model import Schema, Variable, load_schema, numbers
from tests.conftest import Once
from tests.fixtures.hubs import copied, make_real, set_languages, set_policy, sign


def words(text: Text | None) -> str:
    return said(text) if text else ""


def paid(hub: Hub) -> bytes:
    """The ledger's bytes."""
    return (hub.ledger / "ledger.jsonl").read_bytes()


def planned(hub: Hub) -> dict[str, Done]:
    """What a build would do, by the first word of a step; only says so."""
    before = hash_folder(hub.ledger), hash_folder(hub.releases)
    found = {d.step.split(" ")[0]: d for d in pipeline.build(hub, dry=True)}
    assert (hash_folder(hub.ledger), hash_folder(hub.releases)) == before
    return found


@pytest.fixture(scope="module")
def quiet(built: Hub, once: Once) -> Hub:
    """A hub whose releases two people must approve, with its last answer published, to copy."""

    def make(folder: Path) -> None:
        hub = copied(built, folder)
        make_real(hub)
        pipeline.build(hub)

    return Hub(once("quiet-real-hub", make))


@pytest.fixture
def real(quiet: Hub, hub: Hub) -> Hub:
    """A copy of it, in which nothing is left to do."""
    shutil.rmtree(hub.root)
    copy = copied(quiet, hub.root)
    assert all(d.reason is None for d in planned(copy).values())
    return copy


def leave_some_out(hub: Hub) -> None:
    """Let a contributor send its file without its last rows."""
    [file] = (hub.root / "contributions" / "mirador-observatory").glob("*/*.csv")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-5]))


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command as a script does: nobody is there to be asked."""
    monkeypatch.setattr(sys, "argv", ["ctdhub", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_changed_people_are_not_paid_for_unasked(
    real: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_some_out(real)
    before, release = paid(real), hash_folder(real.releases)
    told = planned(real)
    assert told["harmonise"].reason or told["link"].reason
    assert told["protect"].perhaps
    assert "May cost epsilon 60" in words(told["protect"].reason)
    with pytest.raises(WouldCharge) as caught:
        pipeline.build(real)
    assert caught.value.rule == "would-charge"
    assert "other people" in caught.value.what
    assert command(monkeypatch, "build", str(real.root)) == 2
    assert command(monkeypatch, "build", str(real.root), "--spend", "59.9") == 2
    for endless in ("inf", "1e400", "nan"):
        assert command(monkeypatch, "build", str(real.root), "--spend", endless) == 2
    assert command(monkeypatch, "release", str(real.root), "--note", "fewer") == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "would-charge" in shown
    assert "--spend 60" in shown
    assert paid(real) == before
    assert hash_folder(real.releases) == release
    told = planned(real)  # what is free has run: now the price is known
    assert told["link"].reason is None
    assert "Costs epsilon 60" in words(told["protect"].reason)
    assert command(monkeypatch, "build", str(real.root), "--spend", "60") == 0
    assert len(Ledger(real.ledger).entries()) == 2
    assert paid(real).startswith(before)
    assert planned(real)["protect"].reason is None


def test_whoever_is_asked_may_agree_or_not(real: Hub) -> None:
    set_policy(real, level=0.9)
    told = list[Price]()

    def no(price: Price) -> None:
        told.append(price)
        raise refusal(price)

    with pytest.raises(WouldCharge):
        pipeline.build(real, pay=no)
    assert len(Ledger(real.ledger).entries()) == 1
    pipeline.build(real, pay=told.append)
    assert [p.because for p in told] == [("settings",)] * 2
    assert set(told[0].left_by_contributor) == {a.id for a in real.agreements()}
    assert len(Ledger(real.ledger).entries()) == 2
    pipeline.build(real)  # and again costs nothing


def test_a_comment_in_a_mapping_announces_no_charge_and_says_so(real: Hub) -> None:
    mapping = real.mapping("rivage-refuge")
    mapping.write_text("# read again\n" + mapping.read_text("utf-8"), "utf-8")
    found = planned(real)
    assert "comments or layout alone" in words(found["harmonise"].reason) or any(
        d.same for d in pipeline.build(real, dry=True) if d.step.startswith("harmonise")
    )
    assert found["link"].same
    assert found["protect"] == Done("protect", None)
    assert found["candidate"].reason is None
    before = paid(real)
    pipeline.build(real)
    assert paid(real) == before
    text = mapping.read_text("utf-8")
    mapping.write_text(text.replace("version: 1", "version: 1\nname: another", 1), "utf-8")
    assert not planned(real)["link"].same


def test_a_lost_answer_is_asked_about(real: Hub) -> None:
    for answer in (real.ledger / "answers").iterdir():
        shutil.rmtree(answer)
    assert "lost" in words(planned(real)["protect"].reason)
    with pytest.raises(WouldCharge):
        pipeline.build(real)


def other_software(monkeypatch: pytest.MonkeyPatch, *stages: Any, name: str = "x/y.py") -> None:
    """As after an upgrade in which one file changed that these stages reach."""
    for stage in stages:
        program = {**software(stage.__name__), name: "another"}
        monkeypatch.setattr(stage, "software", lambda _entry, program=program: program)


def test_a_corrected_program_runs_again_and_charges_nothing(
    real: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = paid(real), hash_folder(real.releases)
    other_software(monkeypatch, link, protect)
    found = planned(real)
    assert found["harmonise"].reason is None
    assert words(found["link"].reason) == "changed: software: x/y.py"
    assert words(found["protect"].reason).startswith(
        "changed: software: x/y.py. May cost epsilon 60"
    )
    assert not found["protect"].perhaps
    assert found["candidate"].perhaps
    done = {d.step: d for d in pipeline.build(real)}
    assert done["link"].reason
    assert done["protect"].reason
    assert done["candidate"].reason is None
    assert (paid(real), hash_folder(real.releases)) == before


def test_a_hub_whose_notes_of_steps_do_not_read_is_not_charged(real: Hub) -> None:
    """Its key files are of a form that this program does not know: all runs again, nobody pays."""
    for file in real.work.rglob(KEY_FILE):
        file.write_text(json.dumps(json.loads(file.read_text("utf-8"))["inputs"]), "utf-8")
    before = paid(real), hash_folder(real.ledger), hash_folder(real.releases)
    assert words(planned(real)["link"].reason).startswith("it has not run yet")
    done = pipeline.build(real)
    assert all(d.reason for d in done if d.step != "site")
    assert (paid(real), hash_folder(real.ledger), hash_folder(real.releases)) == before


def test_a_candidate_that_waits_is_made_anew_by_other_software(
    real: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = real.root / "hub.yaml"
    settings.write_text(settings.read_text("utf-8").replace("Practice hub", "Another hub"))
    version = next_version(real.releases)
    pipeline.build(
        real, until="release", note="a new name\n\nand more", version=version, pay=up_to(60)
    )
    waits = real.candidates / version
    sign(real, "steward")
    assert Approvals.read(waits).missing == ("privacy_officer",)
    pipeline.build(real)
    assert Approvals.read(waits).missing == ("privacy_officer",), "nothing changed: it stays"
    made, before = (waits / "SHA256SUMS").stat().st_mtime_ns, (paid(real), hash_folder(real.site))
    releases = hash_folder(real.releases)
    other_software(monkeypatch, candidate, name="release/bundle.py")
    assert words(planned(real)["candidate"].reason) == "changed: software: release/bundle.py"
    pipeline.build(real)
    assert (waits / "SHA256SUMS").stat().st_mtime_ns != made
    assert set(Approvals.read(waits).missing) == {"steward", "privacy_officer"}
    assert newest_note((waits / CHANGELOG).read_text("utf-8")) == "a new name\n\nand more"
    assert [p.name for p in real.candidates.iterdir()] == [version]
    assert verify(waits) == []
    assert (paid(real), hash_folder(real.site)) == before
    assert hash_folder(real.releases) == releases
    sign(real, "steward")
    assert sign(real, "privacy_officer") == real.releases / version


def test_a_build_killed_while_it_made_a_candidate_anew(real: Hub) -> None:
    settings = real.root / "hub.yaml"
    settings.write_text(settings.read_text("utf-8").replace("Practice hub", "Another hub"))
    version = next_version(real.releases)
    pipeline.build(real, until="release", note="a new name", version=version, pay=up_to(60))
    waits, fresh = real.candidates / version, real.candidates / candidate.REMADE
    fresh.mkdir()
    waits.rename(fresh / version)  # between the two renames
    (real.candidates / f".old-{version}-12345678").mkdir()
    pipeline.build(real)
    assert [p.name for p in real.candidates.iterdir()] == [version]
    assert newest_note((waits / CHANGELOG).read_text("utf-8")) == "a new name"


def test_a_published_release_stays_and_the_build_says_that_the_next_differs(
    real: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, releases = paid(real), hash_folder(real.releases)
    other_software(monkeypatch, candidate, name="release/bundle.py")
    done = {d.step: d for d in pipeline.build(real)}
    version = released_version(real)
    assert words(done["candidate"].remark) == (
        f"Release {version} is published and stays as it is; the next one will differ: "
        "software: release/bundle.py"
    )
    assert (paid(real), hash_folder(real.releases)) == (before, releases)
    assert not list(real.candidates.iterdir())


def test_a_new_method_is_asked_about(real: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctdhub.dp.quote.METHOD", 2)
    other_software(monkeypatch, protect, name="dp/noise.py")
    assert "another method" in words(planned(real)["protect"].reason)
    with pytest.raises(WouldCharge) as caught:
        pipeline.build(real)
    assert "another method" in caught.value.what


NEXT = f"{numbers(load_schema().version)[0]}.{numbers(load_schema().version)[1] + 1}"


def later_schema() -> Schema:
    """The schema of a later version of the software, which has one more variable."""
    shipped = load_schema()
    new = Variable(name="interpreter_needed", kind="flag", since=NEXT)
    records = (*shipped.records, new)
    return Schema.model_validate({**dict(shipped), "version": NEXT, "records": records})


def test_a_new_variable_costs_nothing_until_the_hub_says_so(
    real: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_policy(real, columns="all")
    pipeline.build(real, pay=up_to(60))
    before = paid(real)
    later = later_schema()
    monkeypatch.setattr("ctdhub.hub.folder.load_schema", lambda: later)
    other_software(monkeypatch, protect, name="schema/data/variables.yaml")
    pipeline.build(real)
    assert paid(real) == before
    assert [v.name for v in left_out(real, policy(real))] == ["interpreter_needed"]
    assert command(monkeypatch, "check", str(real.root)) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "interpreter_needed" in shown
    assert f"schema_version to {NEXT}" in shown


def test_the_candidate_reads_what_was_paid_and_counts_nobody(
    real: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()
    whole = answer_store.by_charge

    def by_charge(ledger: Ledger, charge: str, facts: dict[str, Any]) -> Any:
        asked.append(charge)
        return whole(ledger, charge, facts)

    monkeypatch.setattr(answer_store, "by_charge", by_charge)
    monkeypatch.setattr(
        protect.Protection, "answer", lambda *args, **kwargs: pytest.fail("counted again")
    )
    shutil.rmtree(real.work / "candidate")
    pipeline.build(real)
    assert set(asked) == {Ledger(real.ledger).entries()[-1].id}


def test_a_run_executes_nothing_outside_the_program_of_its_step(hub: Hub, tmp_path: Path) -> None:
    """Traced: whatever a step runs is hashed in its key."""
    set_languages(hub, "en")
    settings = policy(hub)
    with engine(hub) as machine:
        build = pipeline._Build(hub, settings, machine, None, "", "", None)
        for name, make in build.stages:
            for number, step in enumerate(make() or []):
                folder = tmp_path / f"{name}-{number}"
                folder.mkdir()
                ran = traced(step.run, folder)
                entry = pipeline_module(name)
                assert ran <= set(installed().modules(entry)), name
                assert entry in ran, name
                assert step.software == software(entry), name


def pipeline_module(stage: str) -> str:
    return f"ctdhub.hub.stages.{'publish' if stage == 'release' else stage}"


def traced(run: Callable[[Path], None], folder: Path) -> set[str]:
    """Modules of ours of which some function runs, but the one that looks."""
    found = set[str]()

    def look(frame: FrameType, _event: str, _arg: object) -> None:
        found.add(str(frame.f_globals.get("__name__", "")))

    threading.settrace(look)  # told of calls alone, for it never asks for lines
    sys.settrace(look)
    try:
        run(folder)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
    return {name for name in found if name.split(".")[0] == "ctdhub"}


def test_settings_of_a_new_hub_name_the_version_of_the_schema(tmp_path: Path) -> None:
    from ctdhub.hub.init import new_hub

    hub = new_hub(tmp_path / "hub", "New")
    settings = yaml.safe_load((hub.root / "hub.yaml").read_text("utf-8"))
    assert settings["schema_version"] == load_schema().version
