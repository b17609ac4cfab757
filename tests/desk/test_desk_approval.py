"""Two people approve at the desk: what arrives from the signing page, and what is refused."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from soft_passkeys import SoftPasskey

from ctdhub.core.format import decimal
from ctdhub.core.i18n import LANGUAGES
from ctdhub.hub import errata
from ctdhub.hub.folder import Hub, policy
from ctdhub.hub.paid import budget_split
from ctdhub.release.approvals import PAYLOAD_TYPE, Approvals
from ctdhub.release.open import verify
from tests import envelopes
from tests.desk import desks
from tests.desk.desks import Desk
from tests.desk.sending import rounds, work
from tests.desk.things import thing
from tests.fixtures.desks import with_accounts
from tests.fixtures.hubs import copied

HOST = "sign.desk.example.org"
ORIGIN = f"https://{HOST}"


@pytest.fixture
def ann() -> SoftPasskey:
    """The steward's device."""
    return SoftPasskey(host=HOST)


@pytest.fixture
def ben() -> SoftPasskey:
    """The privacy officer's device."""
    return SoftPasskey(host=HOST)


@pytest.fixture
def approving(
    waits: Hub,
    tmp_path: Path,
    ann: SoftPasskey,
    ben: SoftPasskey,
    few_pages: None,
) -> Iterator[Desk]:
    """A desk on a hub of real data with a candidate that waits."""
    from ctdhub.desk.channel import use as ask_by

    hub = copied(waits, tmp_path / "hub")
    settings = yaml.safe_load((hub.root / "hub.yaml").read_text("utf-8"))
    former = [settings["approvers"]["steward"], settings["approvers"]["privacy_officer"]]
    both = {"steward": ann.public, "privacy_officer": ben.public}
    settings["approvers"] = both | {"former": former}
    (hub.root / "hub.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    desks.set_up(hub.root)  # settings of a process are those of localhost
    (hub.root / "desk.toml").write_text('host = "desk.example.org"\n', "utf-8")
    with desks.opened(hub.root):
        from ctdhub.desk.walls import prepare
        from ctdhub.desk.worker.answering import answer_of

        prepare()
        desk = Desk(hub.root, nullcontext)
        desks.people(desk)
        ask_by(answer_of)
        yield with_accounts(desk)


def way(answer: Any) -> dict[str, Any]:
    """What the signing page is given."""
    found = re.search(rf'{re.escape(ORIGIN)}/#([\w-]+)"', answer.content.decode())
    assert found, answer.content.decode()[-3000:]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(found[1] + "=="))
    return told


def message(told: dict[str, Any]) -> bytes:
    payload = base64.urlsafe_b64decode(told["statement"] + "==")
    plain = base64.b64encode(payload).decode()
    return envelopes.signed_bytes({"payloadType": PAYLOAD_TYPE, "payload": plain})


def arrive(desk: Desk, told: dict[str, Any], soft: SoftPasskey, origin: str = ORIGIN) -> Any:
    """What the signing page sends, from a browser that is not signed in."""
    mark = soft.sign(message(told)).model_dump(exclude={"key"})
    return desk.client_of("").post(
        "/signed/",
        json.dumps(mark | {"ticket": told["ticket"]}),
        content_type="text/plain",
        headers={"Origin": origin},
    )


def version_of(desk: Desk) -> str:
    (found,) = [p.name for p in (desk.hub / "candidates").iterdir() if p.is_dir()]
    return found


def asked(desk: Desk, role: str, **form: str) -> dict[str, Any]:
    version = version_of(desk)
    form = {"looked": "yes", "not_before": ""} | form
    return way(desk.client_of(role).post(f"/approvals/{version}/sign/", form))


def test_two_people_approve_for_a_day(approving: Desk, ann: SoftPasskey, ben: SoftPasskey) -> None:
    desk, version = approving, version_of(approving)
    steward, officer = desk.client_of("steward"), desk.client_of("privacy_officer")
    sentence = "asked that 1 delivery no longer be used"
    assert sentence not in steward.get(f"/approvals/{version}/").content.decode()
    row = thing(desk, "Delivery", desks.OURS, state="accepted", summary={"withdrawal_asked": "x"})
    assert sentence in steward.get(f"/approvals/{version}/").content.decode()
    row.delete()
    shown = steward.get(f"/approvals/{version}/").content.decode()
    for words in ("epsilon 60", "What readers will see", "Rows that were not used", "steward"):
        assert words in shown, words
    rules = policy(Hub(desk.hub))
    left = decimal(budget_split(Hub(desk.hub), rules).left, "#,##0.000")
    assert f"left for one more: {left}" in shown, "what the ledger's page says, and not more"
    assert left[:-1] in steward.get("/ledger/").content.decode()
    assert desk.client_of("auditor").get(f"/approvals/{version}/").status_code == 200
    for role in ("contributor", "data_officer", "administrator"):
        assert desk.client_of(role).get("/approvals/").status_code == 403
    auditor = desk.client_of("auditor")
    assert auditor.post(f"/approvals/{version}/sign/", {"looked": "yes"}).status_code == 403
    assert steward.post(f"/approvals/{version}/sign/", {}).status_code == 422, "not looked"
    wrong = {"looked": "yes", "not_before": "soon"}
    assert steward.post(f"/approvals/{version}/sign/", wrong).status_code == 422
    day = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    told = asked(desk, "steward", not_before=day)
    assert arrive(desk, told, ann, "https://desk.example.org").status_code == 403
    assert arrive(desk, told, ann).status_code == 204
    assert arrive(desk, told, ann).status_code == 409, "a ticket is good once"
    assert work() == ["approve done"]
    assert arrive(desk, asked(desk, "privacy_officer"), ben).status_code == 204
    assert work() == ["approve done"]
    candidate = desk.hub / "candidates" / version
    assert {a.statement.not_before for a in Approvals.read(candidate).approvals} == {day, None}
    assert rounds() == []
    assert work() == ["cards done"]
    assert candidate.is_dir(), "its day has not come"
    assert "approved, not yet published" in officer.get("/approvals/").content.decode()
    held = {"act": "hold", "reason": "one more look"}
    officer.post(f"/approvals/{version}/hold/", held)
    assert work() == ["hold done"]
    assert "one more look" in steward.get(f"/approvals/{version}/").content.decode()
    assert officer.post(f"/approvals/{version}/hold/", {"act": "lift"}).status_code == 404
    answer = steward.post(f"/approvals/{version}/lift/")
    assert b"does not hold" in answer.content, "only who holds it lifts it"
    told = way(officer.post(f"/approvals/{version}/lift/"))
    assert arrive(desk, told, ann).status_code == 409, "nor does another's device"
    told = way(officer.post(f"/approvals/{version}/lift/"))
    assert arrive(desk, told, ben).status_code == 204
    assert work() == ["lift done"]
    assert arrive(desk, asked(desk, "steward"), ann).status_code == 204
    assert work() == ["approve done", "site done"], "it is published, and its site is drawn"
    release = desk.hub / "releases" / version
    assert verify(release, Hub(desk.hub).settings.approvers) == []


def test_two_people_sign_a_notice(approving: Desk, ann: SoftPasskey, ben: SoftPasskey) -> None:
    desk, version = approving, version_of(approving)
    for role, soft in (("steward", ann), ("privacy_officer", ben)):
        arrive(desk, asked(desk, role), soft)
    work()
    steward, officer = desk.client_of("steward"), desk.client_of("privacy_officer")
    place = f"/approvals/{version}/notice/"
    assert "There is no notice" in steward.get(place).content.decode()
    assert place in steward.get("/releases/").content.decode()
    assert desk.client_of("auditor").post(place, {"note-en": "x"}).status_code == 403
    assert b"one language at least" in steward.post(place, {"note-en": " "}).content
    assert b"people withdrew" in steward.post(place, {"note-en": "A person withdrew."}).content
    steward.post(place, {"note-en": "Ages of 2021 are wrong.", "note-fr": "Âges faux."})
    assert work() == ["correct done"]
    assert f"Sign the notice about {version}" in officer.get("/").content.decode()
    sign = f"{place}sign/"
    assert b"not the one of the steward" in steward.post(sign).content, "a former device"
    for role, soft in (("steward", ann), ("privacy_officer", ben)):
        own = {"account": desk.accounts[role], "role": role, "key": soft.public}
        thing(desk, "ApprovalDevice", desks.OURS, **own)
    assert arrive(desk, way(steward.post(sign)), ben).status_code == 409, "another's device"
    assert arrive(desk, way(steward.post(sign)), ann).status_code == 204
    assert work() == ["sign_notice done"]
    assert b"signed in this role already" in steward.post(sign).content
    assert "waits for: privacy officer" in officer.get(place).content.decode()
    assert arrive(desk, way(officer.post(sign)), ben).status_code == 204
    assert work() == ["sign_notice done", "site done"]
    hub = Hub(desk.hub)
    (notice,) = errata.notices_of(hub, version).notices
    assert notice.notice.text("fr")[0] == "Âges faux."
    assert verify(hub.releases / version, hub.settings.approvers) == []


def test_what_arrives_is_refused(
    approving: Desk, ann: SoftPasskey, ben: SoftPasskey, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = approving
    told = asked(desk, "steward")
    other = told | {"statement": base64.urlsafe_b64encode(b"{}").decode().rstrip("=")}
    login = SoftPasskey(host="desk.example.org", private=ann.private)
    for soft, given in (
        (ben, told),
        (login, told),
        (ann, other),
        (SoftPasskey(host=HOST, private=ann.private, flags=1), told),
        (ann, told | {"ticket": "x" * 43}),
    ):
        assert arrive(desk, given, soft).status_code == 409
        told = asked(desk, "steward")
        other = told | {"statement": other["statement"]}
    late = datetime.now(UTC) + timedelta(seconds=121)
    monkeypatch.setattr("ctdhub.desk.views.approval.timezone.now", lambda: late)
    assert arrive(desk, told, ann).content == b"approval"
    monkeypatch.undo()
    told = asked(desk, "steward")
    desk.accounts["steward"].roles.all().delete()
    assert arrive(desk, told, ann).status_code == 409, "the role was taken away meanwhile"
    for body in (b"", b"[]", b"{", b'{"ticket": 1}', b"x" * 30_000):
        answer = desk.client_of("").post(
            "/signed/", body, content_type="text/plain", headers={"Origin": ORIGIN}
        )
        assert answer.status_code in (400, 409)
    assert work() == []
    assert not (desk.hub / "candidates" / version_of(desk) / "APPROVALS.json").exists()


def test_a_device_counts_nowhere_before_it_is_signed_for(approving: Desk) -> None:
    desk, new = approving, SoftPasskey(host=HOST)
    steward = desk.client_of("steward")
    told = way(steward.post("/approvals/keys/new/"))
    assert (told["do"], told["role"]) == ("enrol", "steward")
    for key, code in ((SoftPasskey(host="desk.example.org").public, 409), (new.public, 204)):
        told = way(steward.post("/approvals/keys/new/"))
        body = {"ticket": told["ticket"], "key": key, "id": "AAAA", "copies": False}
        answer = desk.client_of("").post(
            "/signed/", json.dumps(body), content_type="text/plain", headers={"Origin": ORIGIN}
        )
        assert answer.status_code == code
    shown = steward.get("/approvals/keys/").content.decode()
    assert new.public.replace("+", "&#43;") in shown or new.public in shown
    assert arrive(desk, asked(desk, "steward"), new).status_code == 409


def test_an_earlier_statement_does_not_bring_the_day_forward(
    approving: Desk, ann: SoftPasskey
) -> None:
    """Whoever kept what a person signed before she said a later day puts it in again."""
    from ctdhub.core.errors import ReleaseError
    from ctdhub.hub.stages import publish as stage
    from ctdhub.release.approvals import Approval, Statement

    hub = Hub(approving.hub)
    candidate = hub.candidates / version_of(approving)

    def signed(given: Statement) -> Approval:
        return Approval(statement=given, **ann.sign(given.message()).model_dump())

    day = (datetime.now(UTC) + timedelta(days=9)).date()
    first, _manifest = stage.statement(hub, candidate, "steward")
    before = (datetime.now(UTC) - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = signed(first.model_copy(update={"date": before}))
    stage.accept(hub, candidate, first)
    stage.accept(hub, candidate, signed(stage.statement(hub, candidate, "steward", day)[0]))
    with pytest.raises(ReleaseError):
        stage.accept(hub, candidate, first)
    assert {a.statement.not_before for a in Approvals.read(candidate).approvals} == {str(day)}


def _plain(html: str) -> str:
    """A card without links and without what is said of the day on which it is shown."""
    html = re.sub(r'(<a\b[^>]*?) href="(?!#)[^"]*"', r"\1", html)
    return re.sub(r"(<!--(?:status|help):[\w./-]*-->).*?(<!--/-->)", r"\1\2", html, flags=re.DOTALL)


def test_a_candidate_is_seen_as_readers_will_see_it(
    approving: Desk, ann: SoftPasskey, ben: SoftPasskey
) -> None:
    desk, version = approving, version_of(approving)
    steward, last = desk.client_of("steward"), "2026.1"
    page, frame = f"/approvals/{version}/cards/", f"/approvals/{version}/card/"
    files = {p for p in desk.hub.rglob("*") if p.suffix in (".html", ".zip")}
    for role in ("contributor", "data_officer", "administrator", "auditor"):
        for address in (page, f"{frame}?card=gender.html"):
            assert desk.client_of(role).get(address).status_code == 403, "somebody guessed it"
    assert desk.client_of("").get(frame).status_code == 302
    assert "being drawn" in steward.get(page).content.decode(), "no page waits for a drawing"
    assert rounds() == []
    assert work() == ["cards done"]
    kept = set((desk.hub / "work" / "desk").glob("cards-*"))
    assert len(kept) == 2 * len(LANGUAGES), "of the candidate and of the release before it"
    assert all(p.stat().st_mode & 0o077 == 0 for p in kept)
    assert rounds() == []
    assert work() == [], "they are there"
    shown = steward.get(f"{page}?card=gender.html")
    assert f'src="{frame}?card=gender.html"' in shown.content.decode()
    assert f'src="/approvals/{last}/card/?card=gender.html"' in shown.content.decode()
    assert page in steward.get(f"/approvals/{version}/").content.decode()
    names = set(re.findall(r'<option value="([^"]+)"', shown.content.decode()))
    assert {"people-by-year.html", "gender.html"} <= names
    seen = {}
    for name in names:
        answer = desk.client_of("privacy_officer").get(f"{frame}?card={name}")
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert (answer["Cache-Control"], answer["X-Frame-Options"]) == ("no-store", "SAMEORIGIN")
        seen[name] = answer.content.decode()
        assert not re.search(r"""<script|<form|\son\w+=|href="(?!#|data:)""", seen[name])
    other = steward.get(f"/approvals/{last}/card/?card=gender.html").content.decode()
    assert other not in seen.values(), "new noise"
    assert steward.get(f"{frame}?card=../../hub.yaml").content.decode() in seen.values()
    for wrong in ("/approvals/2099.9/card/", "/approvals/..%2Fx/card/"):
        assert steward.get(wrong).status_code == 404
    assert files == {p for p in desk.hub.rglob("*") if p.suffix in (".html", ".zip")}
    for role, soft in (("steward", ann), ("privacy_officer", ben)):
        assert arrive(desk, asked(desk, role), soft).status_code == 204
    assert work() == ["approve done", "approve done", "site done"]
    for name, html in seen.items():
        out = (desk.hub / "site" / "r" / version / "en" / name).read_text("utf-8")
        assert _plain(out) == _plain(html), name
