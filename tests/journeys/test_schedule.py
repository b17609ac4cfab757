"""Approved, not yet published: the day, holds, keys by passkey and their change, by every way."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from soft_passkeys import SoftPasskey

from ctdhub.core.errors import HubError, PolicyError, ReleaseError
from ctdhub.core.files import WRITING
from ctdhub.core.keys.signing import make_key, read_key
from ctdhub.hub import approvers, pipeline
from ctdhub.hub import approvers as keys
from ctdhub.hub.folder import Hub
from ctdhub.hub.review import file_of
from ctdhub.hub.stages import publish as stage
from ctdhub.release.approvals import (
    APPROVALS,
    FILE,
    ROLES,
    Approval,
    Approvals,
    Holds,
    Mark,
    Role,
    SignedChange,
    SignedLift,
    hold_file,
)
from ctdhub.release.open import verify
from tests.fixtures.hubs import copied
from tests.journeys.test_approve import set_approvers
from tests.journeys.test_cli import ctdhub  # noqa: F401

TODAY = datetime.now(UTC).date()
LATER = TODAY + timedelta(days=30)


@pytest.fixture
def real(waits: Hub, tmp_path: Path) -> Hub:
    """A hub with a candidate that two people must approve."""
    return copied(waits, tmp_path / "real")


def signed(hub: Hub, role: Role, day: date | None = None, soft: SoftPasskey | None = None) -> None:
    """Approve with a day of publication."""
    candidate = stage.waiting(hub)
    given, _manifest = stage.statement(hub, candidate, role, day)
    if soft is None:
        stage.approve(hub, candidate, given, read_key(hub.practice_key(role)))
    else:
        mark = soft.sign(given.message())
        stage.accept(hub, candidate, Approval(statement=given, **mark.model_dump()))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_the_later_day_of_the_two_counts_for_every_way(
    ctdhub,  # type: ignore[no-untyped-def]  # noqa: F811
    real: Hub,
) -> None:
    root, candidate = str(real.root), stage.waiting(real)
    words = ("approve", root, "--yes", "--role", "steward")
    words += ("--key", str(real.practice_key("steward")))
    code, _out, err = ctdhub(*words, "--not-before", "July")
    assert (code, "such as 2026-07-01" in err) == (2, True)
    code, out, _err = ctdhub(*words, "--not-before", LATER.isoformat())
    assert (code, LATER.isoformat() in out) == (0, True)
    signed(real, "privacy_officer", TODAY + timedelta(days=2))
    for act in (
        lambda: pipeline.build(real, until="release"),
        lambda: stage.publish_due(real),
        lambda: stage.publish_due(real, noon(LATER - timedelta(days=1))),
    ):
        act()
        assert candidate.is_dir()
    with pytest.raises(ReleaseError, match="not yet published"):
        stage.publish(real, candidate)
    for verb in (("build", "--until", "release"), ("check",)):
        code, out, _err = ctdhub(verb[0], root, *verb[1:])
        assert (code, "approved, not yet published" in out) == (0, True)
        assert LATER.isoformat() in out
    signed(real, "privacy_officer")
    assert not approvers.may_publish(real, candidate), "one alone does not move the day forward"
    assert len(Approvals.read(candidate).approvals) == 2
    signed(real, "steward", TODAY)
    assert not candidate.is_dir(), "both have: at once"
    assert verify(real.releases / candidate.name, real.settings.approvers) == []


def test_a_hold_is_obeyed_and_lifted_by_its_role(
    ctdhub,  # type: ignore[no-untyped-def]  # noqa: F811
    real: Hub,
) -> None:
    root, candidate = str(real.root), stage.waiting(real)
    hold = ("hold", root, candidate.name, "--role")
    code, _out, err = ctdhub(*hold, "steward")
    assert (code, "needs a reason" in err) == (2, True)
    code, out, _err = ctdhub(*hold, "privacy_officer", "--reason", "ages\u202e of 2021")
    assert code == 0
    assert "privacy officer holds" in out
    assert "ages of 2021" in out
    signed(real, "steward")
    signed(real, "privacy_officer")
    pipeline.build(real, until="release")
    assert stage.publish_due(real, noon(LATER)) is None
    assert candidate.is_dir()
    code, _out, err = ctdhub(*hold, "steward", "--lift")
    assert (code, "does not hold" in err) == (2, True), "nobody lifts another's"
    hold_file(candidate).write_text("{", "utf-8")
    with pytest.raises(HubError, match="damaged"):
        pipeline.build(real, until="release")
    hold_file(candidate).unlink()
    approvers.hold(real, candidate, "steward", "look again")
    code, _out, err = ctdhub(*hold, "steward", "--lift")
    assert (code, "needs your signature" in err) == (2, True)
    key = real.practice_key("privacy_officer")
    assert ctdhub(*hold, "steward", "--lift", "--key", key)[0] == 2, "another's key"
    assert stage.publish_due(real) is None
    assert ctdhub(*hold, "steward", "--lift", "--key", real.practice_key("steward"))[0] == 0
    assert stage.publish_due(real) == real.releases / candidate.name
    assert [p.name for p in real.candidates.iterdir()] == []
    with pytest.raises(ReleaseError):
        stage.waiting(real)


def test_with_the_last_hold_goes_what_a_killed_writer_left_of_it(tmp_path: Path) -> None:
    """The reason of a hold stands in it."""
    candidate = tmp_path / "2026.1"
    file = hold_file(candidate)
    for left in (file, file.with_name(f"{WRITING}{file.name}-deadbeef")):
        left.write_text("ages of 2021", "utf-8")
    Holds(holds=()).write(candidate)
    assert list(tmp_path.iterdir()) == []


def lifted(where: Hub, with_key: Role, /, **other: Any) -> SignedLift:
    """Take the hold of a role back with its key; ``other`` is written into the statement first."""
    candidate = stage.waiting(where)
    told = approvers.to_lift(where, candidate, with_key).model_copy(update=other)
    mark = Mark.of(told.message(), read_key(where.practice_key(with_key)))
    signed = SignedLift(lift=told, **mark.model_dump())
    approvers.lift(where, candidate, signed)
    return signed


def test_what_takes_a_hold_back_counts_for_that_hold_and_these_files_alone(real: Hub) -> None:
    """Forged files, another release, another hold, replayed, another role's key, rebuilt files."""
    candidate, now = stage.waiting(real), datetime.now(UTC)

    def state() -> str:
        return approvers.publication(real, candidate, now).state

    approvers.hold(real, candidate, "steward", "look again")
    for other in (
        {"version": "1999.1"},
        {"hub": "another hub"},
        {"digest": "0" * 64},
        {"hold": "0" * 64},
        {"reason": "something else"},
        {"practice": not real.settings.invented},
        {"role": "privacy_officer"},
    ):
        with pytest.raises(ReleaseError):
            lifted(real, "steward", **other)
        assert state() == "held", other
    signed = lifted(real, "steward")
    assert state() == "built"
    kept = Holds.read(candidate)
    assert kept.lifts == (signed,)

    approvers.hold(real, candidate, "steward", "look again")  # the same words, another hold
    with pytest.raises(ReleaseError):
        approvers.lift(real, candidate, signed)
    anew = Holds.read(candidate)
    stranger = make_key(real.root / "stranger.pem")
    told = approvers.to_lift(real, candidate, "steward")
    forged = SignedLift(lift=told, **Mark.of(told.message(), stranger).model_dump())
    named = forged.model_copy(update={"key": read_key(real.practice_key("steward")).public})
    for lifts in ((signed,), (forged,), (named,), (signed, forged, named)):
        Holds(holds=anew.holds, lifts=lifts).write(candidate)  # whoever can write the folder
        assert state() == "held"
    anew.write(candidate)
    lifted(real, "steward")
    assert state() == "built"
    sums = candidate / "SHA256SUMS"
    sums.chmod(0o644)
    sums.write_bytes(sums.read_bytes() + b"\n")
    assert state() == "held", "other files are held again"


def test_refused_files_are_refused_for_good_and_others_are_not(real: Hub) -> None:
    candidate = stage.waiting(real)
    approvers.hold(real, candidate, "steward", "wrong note", refuse=True)
    approvers.hold(real, candidate, "steward", "and look again")
    lifted(real, "steward")
    with pytest.raises(ReleaseError, match="does not hold"):
        approvers.to_lift(real, candidate, "steward")
    now = datetime.now(UTC)
    assert approvers.publication(real, candidate, now).state == "refused"
    sums = candidate / "SHA256SUMS"
    sums.chmod(0o644)
    sums.write_bytes(sums.read_bytes() + b"\n")
    state = approvers.publication(real, candidate, now).state
    assert state == "held", "refused no more; what took the hold back was about the others"


def test_passkeys_approve_and_only_the_other_approver_changes_them(
    ctdhub,  # type: ignore[no-untyped-def]  # noqa: F811
    real: Hub,
    tmp_path: Path,
) -> None:
    ann, spare, ben, admin = (SoftPasskey() for _ in range(4))
    before = real.settings.approvers
    assert before is not None
    both = {"steward": [ann.public, spare.public], "privacy_officer": ben.public}
    old = {"former": [before.steward, before.privacy_officer]}
    set_approvers(real, approvers=both | old)
    (real.root / "desk").mkdir()
    (real.root / "desk" / "trail.jsonl").write_text(json.dumps({"hash": "e" * 64}) + "\n", "utf-8")
    candidate = stage.waiting(real)
    given, _manifest = stage.statement(real, candidate, "steward")
    assert given.trail == "e" * 64
    for soft, match in (
        (ben, "not the one of the steward"),
        (SoftPasskey(private=ann.private, flags=1), "did not check who used it"),
        (SoftPasskey(private=ann.private, extra={"origin": "https://hub.example"}), "address"),
    ):
        mark = soft.sign(given.message())
        with pytest.raises(ReleaseError, match=match):
            stage.accept(real, candidate, Approval(statement=given, **mark.model_dump()))
    shown = file_of(real, candidate.name)
    whole = shown.read_bytes()
    shown.write_bytes(whole.replace(b'"alarms": [', b'"alarms":  ['))
    mark = ann.sign(given.message())
    with pytest.raises(ReleaseError, match="changed since it was shown"):
        stage.accept(real, candidate, Approval(statement=given, **mark.model_dump()))
    shown.write_bytes(whole)
    signed(real, "steward", soft=spare)
    swapped = {"steward": admin.public, "privacy_officer": ben.public}
    set_approvers(real, approvers=swapped | {"former": [*old["former"], spare.public]})
    with pytest.raises(HubError, match="show the same"):
        signed(real, "privacy_officer", soft=ben)
    (candidate / APPROVALS).unlink()
    set_approvers(real, approvers=both | old)
    signed(real, "steward", soft=spare)
    signed(real, "privacy_officer", soft=ben)
    release = real.releases / candidate.name
    assert verify(release, real.settings.approvers) == []
    code, out, _err = ctdhub("verify", str(release))
    assert (code, "passkey on sign.hub.example" in out) == (0, True)

    # the keys that count are those in the last signed release
    set_approvers(real, approvers=swapped | {"former": [*old["former"], ann.public, spare.public]})
    code, out, err = ctdhub("check", str(real.root))
    assert (code, "not those that the last release" in err) == (2, True)
    with pytest.raises(ReleaseError, match="not valid"):
        keys.change_to_sign(real, "steward", "new device")
    told = keys.change_to_sign(real, "privacy_officer", "new device")
    for thief in (admin, ann):
        false = SignedChange(change=told, **thief.sign(told.message()).model_dump())
        with pytest.raises(ReleaseError, match="not valid"):
            keys.accept_change(real, false)
    mark = ben.sign(told.message())
    keys.accept_change(real, SignedChange(change=told, **mark.model_dump()))
    assert ctdhub("check", str(real.root))[0] == 0
    assert verify(release, real.settings.approvers) == [], "a former key keeps what it signed"
    (real.root / FILE).unlink()
    with pytest.raises(ReleaseError, match="not those"):
        keys.refuse_unsigned(real)
    nobody = {"steward": admin.public, "privacy_officer": SoftPasskey().public}
    set_approvers(real, approvers=nobody)
    with pytest.raises(PolicyError, match="nobody is left"):
        keys.pending(real)


def test_a_changed_key_is_signed_for_by_the_other_approver(
    ctdhub,  # type: ignore[no-untyped-def]  # noqa: F811
    real: Hub,
    tmp_path: Path,
) -> None:
    for role in ROLES:
        candidate = stage.waiting(real)
        given, _manifest = stage.statement(real, candidate, role)
        key = read_key(real.practice_key(role))
        Approvals.read(candidate).signed(given, key).write(candidate)
    pipeline.build(real, until="release")
    release = real.releases / candidate.name
    assert verify(release, real.settings.approvers) == []
    had, new = real.settings.approvers, make_key(tmp_path / "new.pem").public
    assert had is not None
    now = {"steward": new, "privacy_officer": had.privacy_officer, "former": [had.steward]}
    set_approvers(real, approvers=now)
    words = ("approvers", str(real.root), "--role", "privacy_officer", "--reason", "she left")
    words += ("--key", str(real.practice_key("privacy_officer")), "--yes")
    assert ctdhub(*words[:2])[0] == 2
    code, out, _err = ctdhub(*words)
    assert (code, "line 1" in out) == (0, True)
    code, out, _err = ctdhub(*words[:2], "--signed-by", str(had.steward))
    assert (code, release.name in out) == (0, True)
    for one in Approvals.read(release).approvals:  # of a release that names nobody, no key is known
        plain = one.statement.model_copy(update={"approvers": None})
        key = read_key(real.practice_key(one.statement.role))
        Approvals.read(release).signed(plain, key).write(release)
    with pytest.raises(ReleaseError) as met:
        keys.signed_keys(real)
    assert met.value.name == "approvers/since"


def test_statements_that_name_no_approvers_publish_nothing(real: Hub) -> None:
    """Else the keys of the next release would be bound to nobody's."""
    for role in ROLES:
        candidate = stage.waiting(real)
        given, _manifest = stage.statement(real, candidate, role)
        plain = given.model_copy(update={"approvers": None})
        key = read_key(real.practice_key(role))
        Approvals.read(candidate).signed(plain, key).write(candidate)
    with pytest.raises(ReleaseError) as met:
        pipeline.build(real, until="release")
    assert met.value.name == "approvers/since"
    assert not (real.releases / candidate.name).exists()
