"""Two people approve a release: nothing is published without both, and nothing false passes."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import FileError, LedgerTampered, PolicyError, ReleaseError
from ctdhub.core.i18n import said
from ctdhub.core.keys.signing import is_signed, make_key, read_key
from ctdhub.desk.worker.answers.releases import candidate as page_to_sign
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.custody import begin, new_population
from ctdhub.dp.ledger.file import Charge
from ctdhub.dp.quote import up_to
from ctdhub.hub import folder, paid, pipeline
from ctdhub.hub.folder import Hub, policy
from ctdhub.hub.stages import publish as approve_stage
from ctdhub.hub.steps import hash_folder
from ctdhub.release.approvals import APPROVALS, ROLES, Approvals
from ctdhub.release.open import digest, open_release, verify
from ctdhub.report.sentences import headline_of
from tests import envelopes
from tests.fixtures.hubs import copied, drafted, make_real, set_policy, sign
from tests.journeys.test_cli import ctdhub  # noqa: F401


@pytest.fixture
def real(waits: Hub, hub: Hub) -> Hub:
    """A hub whose last build left a candidate that two people must approve."""
    shutil.rmtree(hub.root)
    return copied(waits, hub.root)


def set_approvers(hub: Hub, **approvers: object) -> None:
    file = hub.root / "hub.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text("utf-8")) | approvers), "utf-8")


def change(release: Path, how: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the approvals of a release as a forger would."""
    file = release / APPROVALS
    content = json.loads(file.read_text("utf-8"))
    how(content["approvals"])
    file.chmod(0o644)
    file.write_text(json.dumps(content), "utf-8")


def test_a_build_stops_at_the_candidate_and_leaves_the_site(hub: Hub) -> None:
    site, before = hash_folder(hub.site), folder.released_version(hub)
    make_real(hub)
    drafted(hub)
    done = pipeline.build(hub)
    assert done[-1].step == "candidate"
    candidate = approve_stage.waiting(hub)
    assert candidate.parent == hub.candidates
    assert verify(candidate, hub.settings.approvers) == []
    assert folder.released_version(hub) == before
    assert hash_folder(hub.site) == site
    assert [d for d in pipeline.build(hub) if d.reason] == []
    assert [p.name for p in hub.candidates.iterdir()] == [candidate.name]


@pytest.mark.spine("an approval with two keys")
def test_both_approvals_publish_and_the_next_build_makes_the_site(real: Hub) -> None:
    candidate, charges = approve_stage.waiting(real), Ledger(real.ledger).entries()
    content = hash_folder(candidate)
    assert sign(real, "privacy_officer") is None
    assert sign(real, "privacy_officer", candidate) is None, "one person cannot approve twice"
    assert candidate.exists()
    release = sign(real, "steward")
    assert release == real.releases / candidate.name
    assert not candidate.exists()
    assert verify(release, real.settings.approvers) == []
    done = [d.step for d in pipeline.build(real) if d.reason]
    assert done == ["candidate", "release", "site"], "the build before named a version"
    assert folder.released_version(real) == release.name
    assert Ledger(real.ledger).entries() == charges
    with pytest.raises(ReleaseError, match="no candidate"):
        approve_stage.waiting(real)
    (release / APPROVALS).unlink()
    assert hash_folder(release) == content, "approval changes no byte of the bundle"


def test_a_statement_says_what_is_approved(real: Hub) -> None:
    sign(real, "steward")
    candidate = approve_stage.waiting(real)
    (given,) = Approvals.read(candidate).approvals
    said, last = given.statement, Ledger(real.ledger).entries()[-1]
    manifest = json.loads((candidate / "manifest.json").read_text("utf-8"))
    assert (said.version, said.role, said.digest) == (
        candidate.name, "steward", digest(candidate)
    )  # fmt: skip
    assert said.ledger.model_dump() == {"hash": last.hash}, "and no number of answers"
    assert said.charge == manifest["charge"]
    assert (said.guarantee.epsilon, said.guarantee.delta) == (
        manifest["epsilon"], manifest["delta"]
    )  # fmt: skip
    assert not said.practice
    envelope = json.loads((candidate / APPROVALS).read_text("utf-8"))["approvals"][0]
    message = envelopes.signed_bytes(envelope)
    assert is_signed(message, given.signature, real.settings.approvers.steward)  # type: ignore[union-attr]


def test_what_is_left_is_worded_as_in_the_ledger(real: Hub) -> None:
    approve = ["approve", str(real.root), "--role", "steward", "--key", "none.pem"]
    for words in (["ledger", str(real.root)], approve):
        done = CliRunner().invoke(command(words[0]), words, input="n\n")
        shown = re.sub(r"[│\s]+", " ", done.output)
        spent = "All releases together" if words is approve else "Spent"
        assert re.search(rf"{spent}: epsilon [\d.]+ of", shown)
        left = "more after this one" if words is approve else "Available for one more version:"
        assert left in shown
        if words is not approve:
            told = re.search(rf"{left} ([\d.]+?)\.( |$)", shown)
            one = paid.budget_split(real, policy(real)).left
            assert told
            assert float(told[1]) == pytest.approx(one, abs=0.01), "what the desk's pages say"
            rules = policy(real)
            whole = paid.ledger(real).left(rules.budget.epsilon, rules.delta)
            assert one < whole - 0.1, "without what is kept for drafts"


def test_approvers_read_the_headline_that_readers_will(real: Hub) -> None:
    """On the page that is signed and at the command, with what it leaves open."""
    candidate = approve_stage.waiting(real)
    headline = headline_of(open_release(candidate))
    assert "was not estimated: there may be fewer people" in headline
    assert headline in json.dumps(page_to_sign(real, candidate.name), ensure_ascii=False)
    asked = ["approve", str(real.root), "--role", "steward", "--key", "none.pem"]
    done = CliRunner().invoke(command("approve"), asked, input="n\n")
    assert headline in " ".join(done.output.replace("│", " ").split())


def test_a_practice_hub_says_that_its_approvals_are_practice(built: Hub) -> None:
    release = built.releases / str(folder.released_version(built))
    given = Approvals.read(release)
    assert given.missing == ()
    assert all(a.statement.practice for a in given.approvals)
    assert verify(release, built.settings.approvers) == []


def test_only_an_invented_hub_approves_itself(real: Hub) -> None:
    assert all(real.practice_key(role).is_file() for role in ROLES)
    assert not Approvals.read(approve_stage.waiting(real)).approvals
    set_approvers(real, invented=True, approvers=None)
    pipeline.build(real)
    assert not Approvals.read(approve_stage.waiting(real)).approvals


def test_no_other_key_approves(real: Hub, tmp_path: Path) -> None:
    candidate = approve_stage.waiting(real)
    given, _manifest = approve_stage.statement(real, candidate, "steward")
    for key in (make_key(tmp_path / "k.pem"), read_key(real.practice_key("privacy_officer"))):
        with pytest.raises(ReleaseError, match="not the one of the steward"):
            approve_stage.approve(real, candidate, given, key)
    assert not (candidate / APPROVALS).exists()


def test_approvers_are_two_people(real: Hub, tmp_path: Path) -> None:
    key = make_key(tmp_path / "k.pem").public
    for keys, word in [
        ({"steward": key, "privacy_officer": key}, "two different keys"),
        ({"steward": key, "privacy_officer": "ed25519:AAAA"}, "ctdhub key new"),
        ({"steward": key}, "missing"),
    ]:
        set_approvers(real, approvers=keys)
        with pytest.raises(PolicyError, match=word):
            pipeline.build(real)
    set_approvers(real, approvers=None)
    given, _manifest = approve_stage.statement(real, approve_stage.waiting(real), "steward")
    with pytest.raises(PolicyError, match="names nobody"):
        approve_stage.approve(
            real, approve_stage.waiting(real), given, read_key(tmp_path / "k.pem")
        )


def test_what_changed_after_it_was_shown_is_not_signed(real: Hub) -> None:
    candidate = approve_stage.waiting(real)
    given, _manifest = approve_stage.statement(real, candidate, "steward")
    (candidate / "counts.csv").chmod(0o644)
    (candidate / "counts.csv").write_text("other\n", "utf-8")
    with pytest.raises(ReleaseError, match="changed since it was shown"):
        approve_stage.approve(real, candidate, given, read_key(real.practice_key("steward")))
    with pytest.raises(ReleaseError, match="damaged"):
        approve_stage.statement(real, candidate, "steward")
    shutil.rmtree(candidate)  # the remedy that the message names
    pipeline.build(real)
    assert verify(approve_stage.waiting(real)) == []


def forged(envelope: dict[str, Any], **other: object) -> None:
    """Another statement under the same signature."""
    envelopes.put(envelope, envelopes.statement(envelope) | other)


def respelt(envelope: dict[str, Any], **spelling: Any) -> None:
    """The same statement, written otherwise."""
    content = envelopes.statement(envelope)
    envelopes.put(envelope, dict(sorted(content.items(), reverse=True)), **spelling)


FORGERIES: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "another date": lambda given: forged(given[0], date="2020-01-01T00:00:00Z"),
    "an impossible date": lambda given: forged(given[0], date="2020-99-99T00:00:00Z"),
    "another role": lambda given: forged(given[0], role="privacy_officer"),
    "another epsilon": lambda given: forged(given[1], guarantee={"delta": 1e-8, "epsilon": 0.1}),
    "another ledger": lambda given: forged(given[1], ledger={"hash": "0" * 64}),
    "no statement": lambda given: envelopes.put(given[0], [1]),
    "keys in another order": lambda given: respelt(given[0], sort_keys=False),
    "spaces": lambda given: respelt(given[0], separators=(", ", ": ")),
    "a number with a sign": lambda given: given[0].update(
        payload=base64.b64encode(
            base64.b64decode(given[0]["payload"]).replace(b'"epsilon":', b'"epsilon":+')
        ).decode()
    ),
    "base64 with an end": lambda given: given[0].update(payload=given[0]["payload"] + "===="),
    "another payload type": lambda given: given[0].update(payloadType="application/json"),
    "another part": lambda given: given[0].update(statement=envelopes.statement(given[0])),
    "two signatures": lambda given: given[0]["signatures"].append(given[1]["signatures"][0]),
    "none of them": lambda given: given[0]["signatures"].clear(),
    "signatures swapped": lambda given: given[0].update(signatures=given[1]["signatures"]),
    "no signature": lambda given: given[0]["signatures"][0].update(sig=""),
    "no base64": lambda given: given[0]["signatures"][0].update(sig="é"),
    "another key of it": lambda given: given[0]["signatures"][0].update(
        keyid=given[1]["signatures"][0]["keyid"]
    ),
    "one gone": lambda given: given.pop(),
    "all gone": lambda given: given.clear(),
    "one twice": lambda given: given.__setitem__(1, given[0]),
    "three": lambda given: given.append(given[0]),
    "an unknown field": lambda given: given[0].update(note="x"),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_approval_is_found(
    built: Hub, tmp_path: Path, forgery: Callable[[list[dict[str, Any]]], object]
) -> None:
    version = str(folder.released_version(built))
    release = Path(shutil.copytree(built.releases / version, tmp_path / version))
    change(release, forgery)
    assert {p.kind for p in verify(release, built.settings.approvers)} == {"approval"}
    if json.loads((release / APPROVALS).read_text("utf-8"))["approvals"]:
        assert verify(release) != [], "found without the hub too"


def test_approvals_by_other_keys_pass_alone_and_fail_in_the_hub(built: Hub, tmp_path: Path) -> None:
    version = str(folder.released_version(built))
    release = Path(shutil.copytree(built.releases / version, tmp_path / version))
    given, others = Approvals.read(release), Approvals()
    for i, approval in enumerate(given.approvals):
        others = others.signed(approval.statement, make_key(tmp_path / f"{i}.pem"))
    (release / APPROVALS).unlink()
    assert verify(release) == []
    assert [p.kind for p in verify(release, built.settings.approvers)] == ["approval"]
    others.write(release)
    assert verify(release) == []
    assert len(verify(release, built.settings.approvers)) == 2
    alone = Approvals()
    for approval in given.approvals:
        alone = alone.signed(approval.statement, read_key(tmp_path / "0.pem"))
    alone.write(release)
    assert "same key" in said(verify(release)[0].text)


def test_approvals_of_another_release_do_not_count(real: Hub) -> None:
    candidate = approve_stage.waiting(real)
    (first,) = filter(Path.is_dir, real.releases.iterdir())
    shutil.copy(first / APPROVALS, candidate / APPROVALS)
    assert "something other than this" in said(verify(candidate)[0].text)
    with pytest.raises(ReleaseError, match="are not valid"):
        pipeline.build(real)
    assert candidate.exists()
    (candidate / APPROVALS).unlink()
    pipeline.build(real)


def test_a_key_that_went_out_of_use(real: Hub, tmp_path: Path) -> None:
    """What it signed stays valid as former; it signs nothing new."""
    sign(real, "steward")
    release = sign(real, "privacy_officer")
    assert release is not None
    old, new = real.settings.approvers, make_key(tmp_path / "new.pem")
    assert old is not None
    keys = {"steward": new.public, "privacy_officer": old.privacy_officer}
    set_approvers(real, approvers=keys)
    assert "is not the one in hub.yaml" in said(verify(release, real.settings.approvers)[0].text)
    set_approvers(real, approvers=keys | {"former": [old.steward]})
    assert verify(release, real.settings.approvers) == []


def test_a_ledger_written_anew_contradicts_an_approval(real: Hub) -> None:
    """Whoever holds the key too can write all again, yet not what two people signed."""
    sign(real, "steward")
    entries, lines = Ledger(real.ledger).entries(), []
    previous = "0" * 64
    for e in entries:
        cheaper = Charge(
            e.number, e.time, e.kind, e.id, e.question, e.rho / 10, e.epsilon, e.delta, e.what,
            previous, contributors=e.contributors,
        ).sealed()  # fmt: skip
        previous = cheaper.hash
        lines.append(cheaper)
    begin(real.ledger, real.root, new_population("forged", "hub"), real.ledger_key, entries=lines)
    assert Ledger(real.ledger).spent() < sum(e.rho for e in entries)
    for act in (
        lambda: paid.check_paid(real),
        lambda: approve_stage.statement(real, approve_stage.waiting(real), "privacy_officer"),
    ):
        with pytest.raises(LedgerTampered, match="contradicts an approval"):
            act()
    shutil.rmtree(real.work / "protected")
    with pytest.raises(LedgerTampered, match="contradicts an approval"):
        pipeline.build(real)


def test_approvals_edited_to_fit_another_ledger_do_not_hold(real: Hub) -> None:
    """Nor does it help the forger to name the new ledger's last line in the statement."""
    sign(real, "steward")
    change(
        approve_stage.waiting(real),
        lambda given: forged(given[0], ledger={"hash": "9" * 64}),
    )
    with pytest.raises(ReleaseError, match="signature of the steward is not valid"):
        paid.check_paid(real)


def test_a_practice_approval_is_none_of_a_real_release(real: Hub) -> None:
    candidate = approve_stage.waiting(real)
    given, _manifest = approve_stage.statement(real, candidate, "steward")
    key = read_key(real.practice_key("steward"))
    Approvals().signed(given.model_copy(update={"practice": True}), key).write(candidate)
    assert "something other than this" in said(verify(candidate, real.settings.approvers)[0].text)


def test_a_newer_release_overtakes_a_candidate(real: Hub) -> None:
    old = approve_stage.waiting(real)
    set_policy(real, epsilon=3.0)
    pipeline.build(real, version="2090.1", pay=up_to(3.0))
    new = approve_stage.waiting(real)
    assert new.name == "2090.1"
    sign(real, "steward")
    assert sign(real, "privacy_officer") == real.releases / new.name
    with pytest.raises(ReleaseError, match="no candidate"):
        approve_stage.waiting(real)
    assert approve_stage.waiting(real, old.name) == old


def test_a_key_is_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "k.pem"
    key = make_key(file, "open sesame")
    assert file.stat().st_mode & 0o077 == 0
    assert len(base64.b64decode(key.public.removeprefix("ed25519:"))) == 32
    assert read_key(file, "open sesame").public == key.public
    for wrong in ("", "sesame"):
        with pytest.raises(FileError, match="passphrase is wrong"):
            read_key(file, wrong)
    with pytest.raises(FileError, match="never overwritten"):
        make_key(file)
    with pytest.raises(FileError, match="no key"):
        read_key(tmp_path / "absent.pem")


def test_the_command(  # type: ignore[no-untyped-def]
    ctdhub,  # noqa: F811
    real: Hub,
    tmp_path: Path,
) -> None:
    root, practice = str(real.root), real.settings.approvers
    assert practice is not None
    set_approvers(real, approvers=None)
    code, out, _err = ctdhub("build", root)
    assert code == 0
    assert "ctdhub key new" in out
    keys = {}
    for role in ROLES:
        code, out, _err = ctdhub("key", "new", "--out", f"{role}.pem")
        assert code == 0
        keys[role] = out.strip()
        assert ctdhub("key", "show", f"{role}.pem")[1].strip() == keys[role]
    assert ctdhub("key", "new", "--out", "steward.pem")[0] == 2
    former = [practice.steward, practice.privacy_officer]
    set_approvers(real, approvers=keys | {"former": former})
    code, out, _err = ctdhub("build", root)
    assert code == 0
    assert "waits in candidates/" in out
    assert "--role privacy_officer" in out
    candidate = approve_stage.waiting(real)
    words = ("approve", root, "--role", "steward", "--key")
    code, out, err = ctdhub(*words, "privacy_officer.pem", "--yes")
    assert code == 2
    assert "not the one of the steward" in err
    code, out, _err = ctdhub(*words, "steward.pem", "--yes")
    assert code == 0
    last = Ledger(real.ledger).entries()[-1]
    for word in (candidate.name, digest(candidate), last.hash, "epsilon 60", "of 900"):
        assert word in out
    assert "approval of: privacy officer" in out
    code, out, _err = ctdhub("verify", str(candidate))
    assert code == 0
    assert "Approved by: steward on" in out
    code, out, _err = ctdhub(
        "approve", root, "--role", "privacy_officer", "--key", "privacy_officer.pem", "--yes"
    )
    assert code == 0
    assert f"Published release {candidate.name}" in out
    assert ctdhub("build", root, "--until", "release")[0] == 0
    release = real.releases / candidate.name
    code, out, _err = ctdhub("verify", str(release))
    assert code == 0
    assert "privacy officer on" in out
    assert "fit the keys in hub.yaml" in out
    alone = Path(shutil.copytree(release, tmp_path / release.name))
    code, out, _err = ctdhub("verify", str(alone))
    assert code == 0
    assert "no hub here" in out
    assert keys["steward"] in out
    change(release, FORGERIES["another date"])
    code, out, _err = ctdhub("verify", str(release))
    assert code == 2
    assert "signature of the steward" in out


def test_nothing_is_signed_before_a_yes(  # type: ignore[no-untyped-def]
    ctdhub,  # noqa: F811
    real: Hub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = str(real.practice_key("steward"))
    words = ("approve", str(real.root), "--role", "steward", "--key", key)
    monkeypatch.setattr("typer.confirm", lambda question: False)
    code, out, _err = ctdhub(*words)
    assert code == 1
    assert "Nothing was signed" in out
    assert not (approve_stage.waiting(real) / APPROVALS).exists()
    monkeypatch.setattr("typer.confirm", lambda question: True)
    assert ctdhub(*words)[0] == 0
    assert Approvals.read(approve_stage.waiting(real)).missing == ("privacy_officer",)
