"""The first two approvers are named on pages: each passkey is heard by two others of the hub."""

from __future__ import annotations

import base64
import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml
from soft_passkeys import SoftPasskey

from ctdhub.core.errors import PolicyError
from ctdhub.hub.agreements import name_first, name_next
from ctdhub.hub.approvers import pending
from ctdhub.hub.folder import Hub
from ctdhub.hub.paid import ledger
from ctdhub.release.approvals import ROLES, Approvers, FormerKey, fingerprint
from tests.desk import desks
from tests.desk.desks import Desk
from tests.desk.sending import rows, work
from tests.fixtures.hubs import copied, sign

HOST = "sign.localhost"
PAGE = "/approvals/keys/"
WHO = ("steward", "privacy_officer", "administrator")


def settings(hub: Path, **changes: Any) -> None:
    """Write hub.yaml with other values; None takes a setting out."""
    known = yaml.safe_load((hub / "hub.yaml").read_text("utf-8")) | changes
    kept = {name: value for name, value in known.items() if value is not None}
    (hub / "hub.yaml").write_text(yaml.safe_dump(kept), "utf-8")


@pytest.fixture
def new(each_desk: Desk) -> Desk:
    """A desk whose hub names no approvers."""
    from django.db import connections

    from ctdhub.desk.channel import use
    from ctdhub.desk.worker.answering import answer_of

    settings(each_desk.hub, approvers=None)
    own = connections.databases["default"]

    def answered(line: bytes) -> bytes:
        with desks.connected(own) if each_desk.postgres else nullcontext():
            return answer_of(line)

    use(answered)
    return each_desk


def enrolled(desk: Desk, role: str) -> SoftPasskey:
    """A passkey that somebody made on the signing page."""
    device, answer = SoftPasskey(host=HOST), desk.client_of(role).post(f"{PAGE}new/")
    found = re.search(r'/#([\w-]+)"', answer.content.decode())
    assert found, answer.content.decode()[-2000:]
    told = json.loads(base64.urlsafe_b64decode(found[1] + "=="))
    body = {"ticket": told["ticket"], "key": device.public, "id": "AAAA", "copies": False}
    origin = desk.config.sign_origin
    sent = desk.client_of("").post(
        "/signed/", json.dumps(body), content_type="text/plain", headers={"Origin": origin}
    )
    assert sent.status_code == 204
    return device


def hear(desk: Desk, role: str, *devices: SoftPasskey, digits: str = "") -> str:
    """The page after somebody wrote down digits; of these devices, if none are given."""
    fields = {
        f"digits-{rows('ApprovalDevice').get(key=one.public).id.hex}": digits
        or fingerprint(one.public).upper()
        for one in devices
    }
    return str(desk.client_of(role).post(PAGE, fields).content.decode())


def named(desk: Desk, by: str = "administrator") -> Any:
    """What became of it that somebody names the approvers."""
    answer = desk.client_of(by).post(f"{PAGE}name/")
    return work() if answer.status_code == 302 else answer.status_code


def test_two_passkeys_that_are_new_become_approvers_on_pages_alone(new: Desk) -> None:
    assert (
        "Name the two people who approve"
        in new.client_of("administrator").get("/").content.decode()
    )
    ann, ben = enrolled(new, "steward"), enrolled(new, "privacy_officer")
    for role in WHO:
        assert "Write down the digits" in new.client_of(role).get("/").content.decode()
    for one, other in (("steward", ben), ("privacy_officer", ann)):
        shown = new.client_of(one).get(PAGE).content.decode()
        assert fingerprint(other.public) not in shown, "heard, or not known"
        hear(new, one, other)
    hear(new, "administrator", ann, ben)
    assert named(new) == ["name_approvers done"]
    keys = Hub(new.hub).settings.approvers
    assert keys == Approvers(steward=ann.public, privacy_officer=ben.public)
    told = rows("OutgoingMail").filter(kind="approvers")
    assert told.count() == 5, "everybody who holds a role of the hub"
    for role in WHO:
        assert "Write down the digits" not in new.client_of(role).get("/").content.decode()
    assert new.client_of("steward").get(PAGE).content.decode().count(ann.public[-20:]) == 2


def test_nobody_is_named_whom_two_others_did_not_hear(new: Desk) -> None:
    ann, ben = enrolled(new, "steward"), enrolled(new, "privacy_officer")
    assert "not the digits" in hear(new, "steward", ben, digits="0000 0000 0000 0000")
    hear(new, "steward", ann), hear(new, "privacy_officer", ben)  # one's own count for nothing
    hear(new, "administrator", ann, ben)
    assert "Name the approvers" not in new.client_of("administrator").get(PAGE).content.decode()
    assert named(new) == ["name_approvers failed"]
    hear(new, "steward", ben), hear(new, "privacy_officer", ann)
    for role in ("steward", "privacy_officer", "auditor", "data_officer", "contributor", ""):
        assert named(new, role) in (403, []), role
    assert Hub(new.hub).settings.approvers is None
    new.accounts["privacy_officer"].roles.all().delete()
    assert named(new) == ["name_approvers failed"], "the role was taken away meanwhile"


def test_a_second_device_and_a_second_set(new: Desk) -> None:
    ann, ben = enrolled(new, "steward"), enrolled(new, "privacy_officer")
    second, unheard = enrolled(new, "steward"), enrolled(new, "steward")
    hear(new, "privacy_officer", ann, second), hear(new, "steward", ben)
    hear(new, "administrator", ann, second, unheard, ben)
    assert named(new) == ["name_approvers done"]
    keys = Hub(new.hub).settings.approvers
    assert keys == Approvers(steward=(ann.public, second.public), privacy_officer=ben.public)
    assert named(new) == ["name_approvers done"], "once more after a kill"
    hear(new, "privacy_officer", unheard)
    settings(new.hub, invented=False)
    assert named(new) == ["name_approvers failed"], "nobody would sign the change"
    assert Hub(new.hub).settings.approvers == keys


def test_a_new_passkey_takes_the_place_of_the_old_ones(new: Desk) -> None:
    ann, ben = enrolled(new, "steward"), enrolled(new, "privacy_officer")
    hear(new, "privacy_officer", ann), hear(new, "steward", ben)
    hear(new, "administrator", ann, ben)
    assert named(new) == ["name_approvers done"]
    next_one = enrolled(new, "steward")
    assert named(new) == ["name_approvers done"], "nothing is heard, nothing changes"
    assert Hub(new.hub).settings.approvers == Approvers(
        steward=ann.public, privacy_officer=ben.public
    )
    assert "Write down the digits" in new.client_of("privacy_officer").get("/").content.decode()
    hear(new, "privacy_officer", next_one), hear(new, "administrator", next_one)
    assert "Name the approvers" in new.client_of("administrator").get(PAGE).content.decode()
    assert named(new) == ["name_approvers done"]
    keys = Approvers(steward=next_one.public, privacy_officer=ben.public, former=(ann.public,))
    assert Hub(new.hub).settings.approvers == keys
    assert "Name the approvers" not in new.client_of("administrator").get(PAGE).content.decode()


def test_two_roles_do_not_change_at_once(waits: Hub, tmp_path: Path) -> None:
    hub = copied(waits, tmp_path / "hub")
    for role in ROLES:
        sign(hub, role)
    old = Hub(hub.root).settings.approvers
    assert old is not None
    keys = {role: SoftPasskey(host=HOST).public for role in ROLES}
    with pytest.raises(PolicyError, match="both approvers"):
        name_next(hub, keys)
    assert pending(Hub(hub.root)) is None
    name_next(hub, {"steward": keys["steward"]})
    change = pending(Hub(hub.root))
    assert change is not None
    last = ledger(hub).entries()[-1].hash
    waiting = FormerKey(key=str(old.steward), until=last)
    assert change.now.former[-1] == waiting, "it waits for the one who stays"
    assert change.role == "privacy_officer"
    name_next(hub, {"steward": (newer := SoftPasskey(host=HOST).public)})
    change = pending(Hub(hub.root))
    assert change is not None
    assert change.now.steward == newer
    assert change.now.former[-1:] == (waiting,), "a key that nobody signed for is none of them"
    assert keys["steward"] not in change.now.all_keys


def test_a_passkey_of_localhost_is_not_made_for_real_data(new: Desk) -> None:
    settings(new.hub, invented=False)
    answer = new.client_of("steward").post(f"{PAGE}new/")
    assert b"count for fictitious data alone" in answer.content


def test_a_hub_that_has_published_names_no_first_approvers(waits: Hub, tmp_path: Path) -> None:
    hub = copied(waits, tmp_path / "hub")
    for role in ROLES:
        sign(hub, role)
    keys = hub.settings.approvers
    assert keys is not None
    settings(hub.root, approvers=None)
    with pytest.raises(PolicyError, match="named already"):
        name_first(Hub(hub.root), keys)
