"""Keys of bundles at the desk: card, sender's key, the call, and a bundle that is then taken."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile

from ctdhub.core.keys import age
from ctdhub.core.keys.signing import SigningKey, make_key
from ctdhub.desk import channel
from ctdhub.desk.worker.identities import identities, identity_folder, make_hub_keys
from ctdhub.hub.folder import Hub
from ctdhub.sensitive.bundle.pack import SignedCard, key_file, parse_card
from tests.desk import rights
from tests.desk.desks import OURS, ROLES, THEIRS, Desk
from tests.desk.sending import practice_file, rounds, rows, sent, work

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def keyed(desk: Desk) -> Desk:
    """A desk that answers, whose worker has made the hub's keys."""
    from ctdhub.desk.worker.answering import answer_of

    channel.use(answer_of)
    assert rounds() == []
    assert desk.client_of("administrator").post("/keys/make/").status_code == 302
    assert work() == ["hub_keys done"]
    return desk


def card_of(desk: Desk, role: str, organisation: str = OURS) -> SignedCard:
    """The card that somebody gets for an organisation."""
    answer = desk.client_of(role).get(f"/keys/card/{organisation}/")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return parse_card(answer.content)


def handed_in(desk: Desk, role: str, content: bytes) -> Any:
    """The answer to the file of a key."""
    return desk.client_of(role).post("/keys/", {"file": SimpleUploadedFile("k", content)})


def confirmed(desk: Desk, row: Any, heard: str = "", role: str = "data_officer") -> Any:
    """The answer to somebody who wrote down a fingerprint; that of the row, if none is given."""
    return desk.client_of(role).post(f"/keys/{row.id.hex}/", {"heard": heard or row.fingerprint})


def senders(desk: Desk, organisation: str = OURS) -> tuple[str, ...]:
    """The keys that the agreement names."""
    return Hub(desk.hub).agreement(organisation).senders


def waiting(desk: Desk, key: SigningKey, role: str = "contributor") -> Any:
    """The row of a key that was handed in for our organisation, or the other's."""
    whose = OURS if role == "contributor" else THEIRS
    content = key_file(card_of(desk, role, whose).card, key)
    assert handed_in(desk, role, content).status_code == 302
    return rows("SenderKey").get(organisation_id=whose, state="waiting")


def killed_after_writing(desk: Desk, key: SigningKey, patch: pytest.MonkeyPatch) -> Any:
    """The row of a key whose confirming was killed once the agreement was written, and waits."""
    from ctdhub.desk.worker import hub_jobs

    row = waiting(desk, key)
    confirmed(desk, row)
    real = hub_jobs.name_sender

    def killed(*given: Any, **more: Any) -> None:
        real(*given, **more)
        raise KeyboardInterrupt

    with patch.context() as once:
        once.setattr(hub_jobs, "name_sender", killed)
        with pytest.raises(KeyboardInterrupt):
            work()
    rows("Job").filter(state="running").update(state="waiting")
    return row


def refused(desk: Desk, row: Any) -> Any:
    return desk.client_of("steward").post(f"/keys/{row.id.hex}/", {"act": "refuse"})


def bundle(desk: Desk, ctdhub: Command, key: Path, card: SignedCard, place: Path) -> bytes:
    """A bundle of our practice file, as the kit makes it."""
    (place / "card").write_text(card.model_dump_json(), "utf-8")
    (place / "made").unlink(missing_ok=True)
    made = ctdhub(
        "bundle", "make", practice_file(desk), "--card", place / "card",
        "--mapping", Hub(desk.hub).mapping(OURS), "--key", key, "--codes", place / "codes",
        "--out", place / "made", "--yes",
    )  # fmt: skip
    assert made[0] == 0, made
    return (place / "made").read_bytes()


def test_from_the_card_to_a_bundle_that_is_taken(
    keyed: Desk, ctdhub: Command, tmp_path: Path
) -> None:
    """Card, key, call, bundle: pages alone, and no file of the hub is written by hand."""
    key, card = make_key(tmp_path / "own.pem"), card_of(keyed, "contributor")
    early = bundle(keyed, ctdhub, tmp_path / "own.pem", card, tmp_path)
    first = sent(keyed.client_of("contributor"), early, "ctdbundle")
    work()
    client = keyed.client_of
    own = client("contributor").get(f"/deliveries/{first}/").content.decode()
    hubs = client("data_officer").get(f"/deliveries/{first}/").content.decode()
    assert "save the file of your key" in own
    assert "senders" not in own + hubs
    assert "Wait until" in hubs
    row = waiting(keyed, key)
    assert row.fingerprint in own
    page = client("data_officer").get(f"/keys/{row.id.hex}/").content.decode()
    assert card.fingerprint in page
    for shown in (page, client("data_officer").get("/keys/").content.decode()):
        assert row.fingerprint not in shown  # heard by telephone, or not known
    assert "Compare the key of" in client("data_officer").get("/").content.decode()
    assert confirmed(keyed, row, row.fingerprint.upper().replace(" ", "")).status_code == 302
    assert senders(keyed) == ()
    assert work() == ["confirm_key done"]
    assert senders(keyed) == (key.public,)
    assert key.public in card_of(keyed, "contributor").card.senders
    delivery = sent(client("contributor"), early, "ctdbundle")
    work()
    assert rows("Delivery").get(id=delivery).state == "checked"


def test_private_halves_are_in_the_folder_of_keys_alone(keyed: Desk) -> None:
    """No page, no row, no other file of the hub, and nothing that others of the machine read."""
    folder = keyed.hub / "keys" / "inbox"
    secrets = []
    for name in ("bundles.key", "card.pem"):
        assert (folder / name).stat().st_mode & 0o077 == 0
        lines = (folder / name).read_text("utf-8").splitlines()
        secrets += [line for line in lines if line and not line.startswith(("#", "-----"))]
    assert len(secrets) == 2
    pages = [keyed.client_of(role).get("/keys/").content.decode() for role in ROLES]
    pages.append(keyed.client_of("contributor").get(f"/keys/card/{OURS}/").content.decode())
    files = (p for p in keyed.hub.rglob("*") if p.is_file() and p.parent != folder)
    held = [*pages, *(p.read_bytes().decode("latin-1") for p in files)]
    assert not [one for one in held for secret in secrets if secret in one]
    from ctdhub.desk.worker.backup import _is_kept

    assert not _is_kept("keys/inbox/bundles.key")
    assert not _is_kept("keys/inbox/card.pem")


def test_keys_are_made_once_and_the_rest_of_the_hub_stays(keyed: Desk) -> None:
    before = (keyed.hub / "hub.yaml").read_text("utf-8")
    card = card_of(keyed, "data_officer")
    assert Hub(keyed.hub).settings.recipients == card.card.recipients
    keyed.client_of("steward").post("/keys/make/")
    assert work() == ["hub_keys done"]
    assert (keyed.hub / "hub.yaml").read_text("utf-8") == before
    assert card_of(keyed, "contributor") == card


def test_a_hub_keeps_the_recipients_that_it_had(desk: Desk) -> None:
    file, old = desk.hub / "hub.yaml", age.make_identity(desk.hub / "keys" / "old.age")
    text = file.read_text("utf-8")
    file.write_text(f"{text}# who opens bundles\nrecipients: [{old}]\n", "utf-8")
    desk.client_of("data_officer").post("/keys/make/")
    assert work() == ["hub_keys done"]
    found = file.read_text("utf-8")
    assert found.startswith(f"{text}# who opens bundles\n")
    assert yaml.safe_load(found)["recipients"][0] == old
    assert len(Hub(desk.hub).settings.recipients) == 2


def test_who_may_do_what_about_keys(keyed: Desk, tmp_path: Path) -> None:
    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    for role in (*ROLES, "other"):
        client, held = keyed.client_of(role), "contributor" if role == "other" else role
        assert client.get("/keys/").status_code == 200
        may = rights.may(held, "key.confirm")
        wanted = 200 if may else 403
        assert client.get(f"/keys/{row.id.hex}/").status_code == wanted, role
        assert (client.post("/keys/make/").status_code == 302) == rights.may(held, "key.make")
        whole = client.get("/keys/").content.decode()
        assert (row.fingerprint in whole) == (role == "contributor")
        card = client.get(f"/keys/card/{OURS}/").status_code
        assert card == (404 if role == "other" else 200)


def test_nobody_hands_in_the_key_of_another_organisation(keyed: Desk, tmp_path: Path) -> None:
    """Its public half is no secret; the file needs the private one, and names whose it is."""
    theirs, own = make_key(tmp_path / "theirs.pem"), make_key(tmp_path / "own.pem")
    other = key_file(card_of(keyed, "other", THEIRS).card, theirs)
    ours = card_of(keyed, "contributor")
    signed = json.loads(key_file(ours.card, own))
    signed["statement"]["key"] = theirs.public  # what everybody may know
    forged = json.dumps(signed).encode()
    elsewhere = key_file(ours.card.model_copy(update={"hub": "Another hub"}), own)
    for content in (other, forged, elsewhere, b"", b"{}", b"\xff\x00", theirs.public.encode()):
        answer = handed_in(keyed, "contributor", content)
        assert answer.status_code == 422, content
        assert "card" in answer.content.decode()
    assert not rows("SenderKey").exists()
    row = waiting(keyed, theirs, "other")
    confirmed(keyed, row)
    assert work() == ["confirm_key done"]
    again = handed_in(keyed, "contributor", key_file(ours.card, theirs))
    assert again.status_code == 422  # one kit for two organisations
    assert senders(keyed, THEIRS) == (theirs.public,)
    assert senders(keyed) == ()


def test_what_was_heard_must_be_the_fingerprint(keyed: Desk, tmp_path: Path) -> None:
    own, other = make_key(tmp_path / "own.pem"), make_key(tmp_path / "other.pem")
    from ctdhub.sensitive.bundle.pack import key_print

    row = waiting(keyed, own)
    for heard in (key_print(other.public), row.fingerprint[:-1], row.fingerprint[:4], "0"):
        assert confirmed(keyed, row, heard).status_code == 422
    assert confirmed(keyed, row, " ").status_code == 422
    assert work() == []
    assert senders(keyed) == ()
    keyed.client_of("data_officer").post(f"/keys/{row.id.hex}/", {"act": "refuse"})
    assert confirmed(keyed, row).status_code == 409
    assert senders(keyed) == ()


def test_a_key_swapped_between_the_call_and_the_writing_is_not_written(
    keyed: Desk, tmp_path: Path
) -> None:
    """By another file, by whoever can write the row, and by a hub whose name changed."""
    own, other = make_key(tmp_path / "own.pem"), make_key(tmp_path / "other.pem")
    row = waiting(keyed, own)
    confirmed(keyed, row)
    second = waiting(keyed, other)
    assert work() == ["confirm_key failed"]
    assert senders(keyed) == ()
    confirmed(keyed, second)
    rows("SenderKey").filter(id=second.id).update(file=row.file)
    assert work() == ["confirm_key failed"]
    mixed = json.loads(row.file) | {"signature": json.loads(second.file)["signature"]}
    for file in (json.dumps(mixed), second.file.replace(OURS, THEIRS), ""):
        rows("SenderKey").filter(id=second.id).update(file=file)
        confirmed(keyed, second)
        assert work() == ["confirm_key failed"]
    assert senders(keyed) == ()
    page = keyed.client_of("data_officer").get(f"/jobs/{rows('Job').first().id.hex}/")
    assert "sender-key" in page.content.decode()


def test_a_confirmation_counts_once(keyed: Desk, tmp_path: Path) -> None:
    """Sent twice, and sent again after the key was ended; two clicks do no harm."""
    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    assert confirmed(keyed, row).status_code == 302
    assert confirmed(keyed, row).status_code == 302
    assert work() == ["confirm_key done", "confirm_key failed"]
    assert len(senders(keyed)) == 1
    assert confirmed(keyed, row).status_code == 409
    assert keyed.client_of("steward").post(f"/keys/{row.id.hex}/end/").status_code == 302
    assert work() == ["end_key done"]
    assert "senders" not in yaml.safe_load(
        (keyed.hub / "contributors" / f"{OURS}.yaml").read_text("utf-8")
    )
    assert confirmed(keyed, row).status_code == 409
    job = rows("Job").filter(what="confirm_key").last()
    rows("Job").filter(id=job.id).update(state="waiting")
    assert work() == ["confirm_key failed"]
    assert senders(keyed) == ()


def test_one_person_does_not_do_both_halves(keyed: Desk, tmp_path: Path) -> None:
    """Who handed a key in may come to work at the hub, or a role may be gone when the job runs."""
    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    officer = keyed.accounts["data_officer"]
    rows("SenderKey").filter(id=row.id).update(account=officer)
    assert confirmed(keyed, row).status_code == 409
    assert keyed.client_of("data_officer").get(f"/keys/{row.id.hex}/").status_code == 409
    rows("SenderKey").filter(id=row.id).update(account=keyed.accounts["contributor"])
    confirmed(keyed, row)
    rows("SenderKey").filter(id=row.id).update(account=officer)
    assert work() == ["confirm_key failed"]
    rows("SenderKey").filter(id=row.id).update(account=keyed.accounts["contributor"])
    confirmed(keyed, row)
    rows("RoleHeld").filter(account=officer).delete()
    assert work() == ["confirm_key failed"]
    assert senders(keyed) == ()


def test_a_kill_between_file_and_row_is_made_good(
    keyed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = killed_after_writing(keyed, key := make_key(tmp_path / "own.pem"), monkeypatch)
    assert senders(keyed) == (key.public,)  # the file is ahead of the row
    row.refresh_from_db()
    assert row.state == "waiting"
    assert work() == ["confirm_key done"]
    assert senders(keyed) == (key.public,)
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("confirmed", keyed.accounts["data_officer"])


@pytest.mark.parametrize("state", ["refused", "ended", "confirmed"])
def test_a_key_signs_only_where_its_row_says_so(
    keyed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """A run was killed between file and row; then the key is refused, replaced, or neither."""
    row = killed_after_writing(keyed, key := make_key(tmp_path / "own.pem"), monkeypatch)
    assert senders(keyed) == (key.public,)
    if state != "confirmed":
        rows("SenderKey").filter(id=row.id).update(state=state)
    assert work() == [f"confirm_key {'done' if state == 'confirmed' else 'failed'}"]
    assert senders(keyed) == ((key.public,) if state == "confirmed" else ())
    row.refresh_from_db()
    assert row.state == state


def test_a_key_that_signs_already_is_ended_by_whoever_refuses_it(
    keyed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after the contributor handed in another one, and where no run makes it good."""
    row = killed_after_writing(keyed, key := make_key(tmp_path / "own.pem"), monkeypatch)
    rows("Job").filter(what="confirm_key").update(state="failed")
    content = key_file(card_of(keyed, "contributor").card, make_key(tmp_path / "new.pem"))
    assert handed_in(keyed, "contributor", content).status_code == 302
    assert rows("SenderKey").filter(state="waiting").count() == 2
    assert refused(keyed, row).status_code == 302
    assert work() == ["end_key done"]
    assert senders(keyed) == ()
    assert key.public not in card_of(keyed, "contributor").card.senders
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("ended", keyed.accounts["steward"])


@pytest.mark.parametrize("state", ["refused", "ended"])
def test_a_key_that_a_dead_job_left_in_the_agreement_is_ended(
    keyed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """It was refused or replaced while it was written, and no run took it out again."""
    row = killed_after_writing(keyed, make_key(tmp_path / "own.pem"), monkeypatch)
    rows("Job").filter(what="confirm_key").update(state="failed")
    rows("SenderKey").filter(id=row.id).update(state=state)
    assert "End this key" in keyed.client_of("steward").get("/keys/").content.decode()
    assert keyed.client_of("steward").post(f"/keys/{row.id.hex}/end/").status_code == 302
    assert work() == ["end_key done"]
    assert senders(keyed) == ()
    assert "End this key" not in keyed.client_of("steward").get("/keys/").content.decode()


def test_a_refusal_while_the_key_is_written_counts(
    keyed: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.desk.worker import hub_jobs

    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    confirmed(keyed, row)
    real, answers = hub_jobs.name_sender, []

    def meanwhile(*given: Any, signs: bool) -> None:
        if signs:
            answers.append(refused(keyed, row).status_code)
        real(*given, signs=signs)

    monkeypatch.setattr(hub_jobs, "name_sender", meanwhile)
    assert work() == ["confirm_key failed"]
    assert answers == [302]
    assert senders(keyed) == ()
    row.refresh_from_db()
    assert row.state == "refused"


def test_a_stale_confirmation_leaves_the_key_that_was_confirmed_since(
    keyed: Desk, tmp_path: Path
) -> None:
    row = waiting(keyed, key := make_key(tmp_path / "own.pem"))
    confirmed(keyed, row)
    refused(keyed, row)
    again = waiting(keyed, key)
    confirmed(keyed, again)
    jobs = rows("Job").filter(what="confirm_key")
    late = jobs.get(thing=row.id.hex)
    assert work() == ["confirm_key failed", "confirm_key done"]
    jobs.filter(id=late.id).update(state="waiting")
    assert work() == ["confirm_key failed"]
    assert senders(keyed) == (key.public,)


def test_a_key_taken_out_by_hand_is_not_said_to_be_confirmed(keyed: Desk, tmp_path: Path) -> None:
    row = waiting(keyed, key := make_key(tmp_path / "own.pem"))
    confirmed(keyed, row)
    work()
    file = keyed.hub / "contributors" / f"{OURS}.yaml"
    with_key = file.read_bytes()
    found = {k: v for k, v in yaml.safe_load(with_key).items() if k != "senders"}
    file.write_text(yaml.safe_dump(found), "utf-8")
    for role in ("contributor", "data_officer"):
        page = keyed.client_of(role).get("/keys/").content.decode()
        assert ">confirmed<" not in page
        assert "End this key" not in page
    again = waiting(keyed, key)
    assert again.id != row.id
    confirmed(keyed, again)
    assert work() == ["confirm_key done"]
    assert senders(keyed) == (key.public,)
    assert rows("SenderKey").filter(state="confirmed").count() == 1


def test_a_key_that_was_handed_in_often_waits_once(keyed: Desk, tmp_path: Path) -> None:
    content = key_file(card_of(keyed, "contributor").card, make_key(tmp_path / "own.pem"))
    for _again in range(3):
        assert handed_in(keyed, "contributor", content).status_code == 302
    assert rows("SenderKey").count() == 1


@pytest.mark.parametrize("between", [" ", "-", " ‑ "])
@pytest.mark.parametrize("zero", ["0", "٠", "۰", "０"])
def test_a_fingerprint_is_heard_in_any_digits_and_groups(
    keyed: Desk, tmp_path: Path, between: str, zero: str
) -> None:
    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    digits = str.maketrans({str(n): chr(ord(zero) + n) for n in range(10)})
    heard = row.fingerprint.translate(digits).replace(" ", between)
    assert confirmed(keyed, row, heard[:-1]).status_code == 422
    assert confirmed(keyed, row, heard).status_code == 302


def test_an_organisation_whose_agreement_is_gone_waits_for_nobody(
    keyed: Desk, tmp_path: Path
) -> None:
    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    (keyed.hub / "contributors" / f"{OURS}.yaml").unlink()
    officer = keyed.client_of("data_officer")
    assert officer.get(f"/keys/{row.id.hex}/").status_code == 404
    assert confirmed(keyed, row).status_code == 404
    rows("SenderKey").filter(id=row.id).update(state="confirmed")
    assert officer.get("/keys/").status_code == 200
    rows("Organisation").filter(id=OURS).update(lost=True)
    assert "by telephone" not in officer.get("/").content.decode()
    assert row.id.hex not in officer.get("/keys/").content.decode()


def test_the_broken_agreement_of_another_organisation_stops_nobody(
    keyed: Desk, tmp_path: Path
) -> None:
    """It is the hub's to mend, and what is wrong with it is no contributor's to read."""
    (keyed.hub / "contributors" / f"{THEIRS}.yaml").write_text("id: [", "utf-8")
    assert keyed.client_of("contributor").get("/keys/").status_code == 200
    row = waiting(keyed, make_key(tmp_path / "own.pem"))
    assert keyed.client_of("data_officer").get("/keys/").status_code == 422
    confirmed(keyed, row)
    assert work() == ["confirm_key failed"]  # nobody knows who signs with it
    assert senders(keyed) == ()


@pytest.mark.parametrize("gone", ["bundles.key", "card.pem", "recipients"])
def test_no_card_is_given_where_nobody_could_open_its_bundles(keyed: Desk, gone: str) -> None:
    from ctdhub.desk.worker.answers.ask import begun

    assert begun(Hub(keyed.hub))["given"]["keys"]
    if gone == "recipients":
        other, file = age.make_identity(keyed.hub / "keys" / "old.age"), keyed.hub / "hub.yaml"
        held = yaml.safe_load(file.read_text("utf-8")) | {"recipients": [other]}
        file.write_text(yaml.safe_dump(held), "utf-8")
    else:
        (identity_folder(keyed.hub) / gone).unlink()
    assert not begun(Hub(keyed.hub))["given"]["keys"]
    assert keyed.client_of("contributor").get(f"/keys/card/{OURS}/").status_code == 404
    steward = keyed.client_of("steward")
    assert "Make the hub’s keys" in steward.get("/keys/").content.decode()
    steward.post("/keys/make/")
    assert work() == ["hub_keys done"]
    assert begun(Hub(keyed.hub))["given"]["keys"]
    assert card_of(keyed, "contributor").card.recipients


def test_a_card_is_never_of_a_day_to_come(keyed: Desk) -> None:
    later = datetime(2033, 5, 1, tzinfo=UTC).timestamp()
    os.utime(keyed.hub / "hub.yaml", (later, later))
    assert card_of(keyed, "contributor").card.date == datetime.now(UTC).date().isoformat()


def test_a_bundle_for_another_hub_says_so_to_each_side(
    keyed: Desk, ctdhub: Command, tmp_path: Path
) -> None:
    """Made with the card that the hub had before its keys were made anew."""
    make_key(tmp_path / "own.pem")
    card = card_of(keyed, "contributor")
    content = bundle(keyed, ctdhub, tmp_path / "own.pem", card, tmp_path)
    shutil.rmtree(keyed.hub / "keys" / "inbox")
    file = keyed.hub / "hub.yaml"
    held = {k: v for k, v in yaml.safe_load(file.read_text("utf-8")).items() if k != "recipients"}
    file.write_text(yaml.safe_dump(held), "utf-8")
    keyed.client_of("data_officer").post("/keys/make/")
    rounds()
    delivery = sent(keyed.client_of("contributor"), content, "ctdbundle")
    work()
    pages = [
        keyed.client_of(role).get(f"/deliveries/{delivery}/").content.decode()
        for role in ("contributor", "data_officer")
    ]
    assert all("bundle-other-hub" in page for page in pages)
    assert "make the bundle again" in pages[0]
    assert "Do nothing" in pages[1]


def test_a_part_of_a_key_that_a_kill_left_stops_nothing(tmp_path: Path) -> None:
    folder = identity_folder(tmp_path)
    folder.mkdir(parents=True)
    for part in ("bundles.new", "card.new"):
        (folder / part).write_bytes(b"")
    assert identities(tmp_path) == [], "what is not whole is read by nobody"
    recipient = make_hub_keys(tmp_path)
    assert make_hub_keys(tmp_path) == recipient
    assert sorted(path.name for path in folder.iterdir()) == ["bundles.key", "card.pem"]
