"""Signatures by passkey: what browsers made holds, and everything else is refused by name."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from soft_passkeys import SoftPasskey, url
from tests import envelopes

import ctdhub
from ctdhub.core.errors import ReleaseError
from ctdhub.core.i18n import LANGUAGES, said, texts
from ctdhub.core.keys.signing import PREFIX, make_key
from ctdhub.core.tables import canonical
from ctdhub.release.approvals import (
    FILE,
    FIRST,
    Approval,
    Approvals,
    Approvers,
    FormerKey,
    KeyChange,
    LedgerHead,
    Mark,
    Promise,
    Role,
    SignedChange,
    Statement,
    add_change,
    fingerprint,
    identity,
    is_key,
    next_line,
    read_changes,
    refuse_late,
)
from ctdhub.release.passkey import DeviceRules, Fault, Passkey, fault

VECTORS = json.loads(Path(__file__).with_name("passkey_vectors.json").read_text("utf-8"))
"""Made by Chromium's virtual authenticator on https://sign.hub.example: one of each kind of key."""
RULES = DeviceRules(rs256=True)
MESSAGE = b'{"kind":"a statement"}'
PARTS = ("key", "signature", "authenticator_data", "client_data")


def met(message: bytes, mark: Mark, rules: DeviceRules = RULES) -> Fault | None:
    parts = (mark.authenticator_data or "", mark.client_data or "")
    return fault(message, mark.key, mark.signature, *parts, rules)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["kind"])
def test_what_chromium_made_holds(vector: dict[str, str]) -> None:
    message, parts = base64.b64decode(vector["message"]), [vector[name] for name in PARTS]
    assert fault(message, *parts, RULES) is None
    assert fault(message + b" ", *parts, RULES) == "challenge"
    expected = "rs256" if vector["kind"] == "RS256" else None
    assert fault(message, *parts) == expected, "RSA keys need a setting"
    assert Statement.model_validate_json(message).payload == message


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["kind"])
def test_fido2_agrees(vector: dict[str, str]) -> None:
    """Another implementation reads the same parts: what holds, and one changed bit of each."""
    cose = pytest.importorskip("fido2.cose", reason="the extra `desk` is not installed")
    webauthn = pytest.importorskip("fido2.webauthn")
    public = Passkey.read(vector["key"])
    assert public is not None
    kind = {"Ed25519": cose.EdDSA, "ES256": cose.ES256, "RS256": cose.RS256}[vector["kind"]]
    key = kind.from_cryptography_key(public.public)
    message, good = base64.b64decode(vector["message"]), [vector[name] for name in PARTS[1:]]

    def theirs(signature: str, device: str, client: str) -> bool:
        read = [base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)) for t in (device, client)]
        try:
            told = webauthn.CollectedClientData(read[1])
            data = webauthn.AuthenticatorData(read[0])
            key.verify(data + told.hash, base64.b64decode(signature))
        except Exception:  # noqa: BLE001 - whatever it raises, it does not hold
            return False
        return bool(
            told.challenge == hashlib.sha256(message).digest()
            and told.type == "webauthn.get"
            and told.origin == "https://sign.hub.example"
            and data.rp_id_hash == hashlib.sha256(b"sign.hub.example").digest()
            and data.is_user_verified()
        )

    assert theirs(*good)
    for part in range(3):
        changed = list(good)
        at = len(changed[part]) // 2
        changed[part] = changed[part][:at] + ("A" if changed[part][at] != "A" else "B")
        changed[part] += good[part][at + 1 :]
        assert not theirs(*changed)
        assert fault(message, vector["key"], *changed, RULES) is not None


def private(kind: str) -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


FORGERIES: dict[str, tuple[Fault, dict[str, Any]]] = {
    "a passkey that is being created": ("type", {"extra": {"type": "webauthn.create"}}),
    "a payment": ("type", {"extra": {"type": "payment.get"}}),
    "another statement": ("challenge", {"extra": {"challenge": url(b"x" * 32)}}),
    "a challenge with padding": ("challenge", {"extra": {"challenge": url(b"x" * 32) + "="}}),
    "the desk itself": ("origin", {"extra": {"origin": "https://hub.example"}}),
    "a host below": ("origin", {"extra": {"origin": "https://a.sign.hub.example"}}),
    "a port": ("origin", {"extra": {"origin": "https://sign.hub.example:8443"}}),
    "no encryption": ("origin", {"extra": {"origin": "http://sign.hub.example"}}),
    "a slash more": ("origin", {"extra": {"origin": "https://sign.hub.example/"}}),
    "no origin": ("origin", {"extra": {"origin": None}}),
    "inside another page": ("embedded", {"extra": {"crossOrigin": True}}),
    "crossOrigin as text": ("embedded", {"extra": {"crossOrigin": "false"}}),
    "a page above": ("embedded", {"extra": {"topOrigin": "https://sign.hub.example"}}),
    "a device for the desk": ("host", {"device_host": "hub.example"}),
    "nobody there": ("absent", {"flags": 4}),
    "nobody verified": ("unverified", {"flags": 1}),
    "copied and never to be copied": ("flags", {"flags": 5 | 16}),
}


@pytest.mark.parametrize(("name", "told"), FORGERIES.values(), ids=FORGERIES.keys())
def test_forgeries_are_refused_by_name(name: Fault, told: dict[str, Any]) -> None:
    """Each is signed well by the right key: the fault is in what was signed."""
    assert met(MESSAGE, SoftPasskey(**told).sign(MESSAGE)) == name


def changed(mark: Mark, **parts: str) -> Mark:
    return mark.model_copy(update=parts)


def test_damaged_parts_are_refused_by_name() -> None:
    soft, other = SoftPasskey(), SoftPasskey()
    mark = soft.sign(MESSAGE)
    assert met(MESSAGE, mark) is None
    device = base64.urlsafe_b64decode((mark.authenticator_data or "") + "==")
    counted = device[:36] + bytes([device[36] ^ 1])
    twice = b'{"type":"webauthn.get","type":"webauthn.get"}'
    for name, false in {
        "signature": changed(mark, key=other.public),
        "parts": changed(mark, signature=""),
        "key": changed(mark, key=make_rsa_host(soft.public, "Sign.hub.example")),
        "authenticator": changed(mark, authenticator_data=url(device[:36])),
        "client-data": changed(mark, client_data=url(twice)),
    }.items():
        assert met(MESSAGE, false) == name
    assert met(MESSAGE, changed(mark, authenticator_data=url(counted))) == "signature"
    assert met(MESSAGE, changed(mark, client_data=url(b"[1]"))) == "client-data"
    assert met(MESSAGE, changed(mark, client_data=url(b"\xff"))) == "client-data"
    assert met(MESSAGE, changed(mark, client_data="a+b")) == "parts"
    assert met(MESSAGE, changed(mark, client_data="")) == "parts"
    assert met(MESSAGE, changed(mark, signature=mark.signature + "\n")) == "parts"
    assert met(MESSAGE, changed(mark, authenticator_data=(mark.authenticator_data or "") + "A"))


def make_rsa_host(public: str, host: str) -> str:
    return f"passkey:{host}:{public.rpartition(':')[2]}"


def test_a_device_that_copies_keys() -> None:
    """Bits 3 and 4: seen and shown, and refused where the hub says so."""
    bound = DeviceRules(bound=True)
    for flags in (5 | 8, 5 | 8 | 16):
        mark = SoftPasskey(flags=flags).sign(MESSAGE)
        assert mark.synced
        assert met(MESSAGE, mark) is None
        assert met(MESSAGE, mark, bound) == "synced"
    mark = SoftPasskey().sign(MESSAGE)
    assert not mark.synced
    assert met(MESSAGE, mark, bound) is None


def test_localhost_is_for_practice_alone() -> None:
    practice = DeviceRules(practice=True)
    for origin, good in {
        "http://sign.localhost:8000": True,
        "http://sign.localhost": True,
        "http://localhost:8000": False,
        "http://sign.localhost:8000/x": False,
        "https://evil.example": False,
    }.items():
        mark = SoftPasskey(host="sign.localhost", extra={"origin": origin}).sign(MESSAGE)
        assert (met(MESSAGE, mark, practice) is None) is good, origin
        assert met(MESSAGE, mark) == "origin"


@pytest.mark.parametrize("kind", ["ed25519", "p256", "rsa"])
def test_kinds_of_keys(kind: str) -> None:
    soft = SoftPasskey(private=private(kind))
    assert met(MESSAGE, soft.sign(MESSAGE)) is None
    assert (met(MESSAGE, soft.sign(MESSAGE), DeviceRules()) is None) is (kind != "rsa")


def test_no_other_key_is_a_passkey() -> None:
    def der(key: Any) -> str:
        found = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return "passkey:sign.hub.example:" + base64.b64encode(found).decode()

    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    squeezed = raw[:-65] + point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    good = SoftPasskey().public
    for text in (
        der(ec.generate_private_key(ec.SECP384R1())),
        der(rsa.generate_private_key(65537, 1024)),
        "passkey:sign.hub.example:" + base64.b64encode(squeezed).decode(),
        good + "=",
        good.replace("passkey:", "Passkey:"),
        good.replace("sign.", "sign..", 1),
        good.replace("sign.", "-sign.", 1),
        good.replace("sign.hub.example", ""),
        good.replace(":sign", ":https://sign"),
        "passkey:",
        "",
    ):
        assert not is_key(text), text
    assert is_key(good)


def test_one_key_is_one_key_however_it_is_written() -> None:
    soft = SoftPasskey()
    same = SoftPasskey(host="sign.other.example", private=soft.private)
    raw = soft.private.public_key().public_bytes_raw()  # type: ignore[union-attr]
    plain = PREFIX + base64.b64encode(raw).decode()
    assert len({identity(key) for key in (soft.public, same.public, plain)}) == 1
    for other in (same.public, plain, soft.public):
        with pytest.raises(ValidationError, match="two different keys"):
            Approvers(steward=soft.public, privacy_officer=(SoftPasskey().public, other))
    assert re.fullmatch(r"([0-9a-f]{4} ){3}[0-9a-f]{4}", fingerprint(plain))


@pytest.mark.parametrize("seconds", [-3600, -121, -119, 0, 119, 121, 3600])
def test_a_statement_of_another_time_is_refused(seconds: int) -> None:
    """Kept for later, or dated ahead so that it can be kept: two minutes, either way."""
    arrived = datetime(2026, 3, 1, 12, tzinfo=UTC)
    date = (arrived + timedelta(seconds=seconds)).isoformat()
    if abs(seconds) < 120:
        refuse_late(date, arrived)
        return
    with pytest.raises(ReleaseError) as refused:
        refuse_late(date, arrived)
    assert refused.value.rule == "approval"


def test_a_statement_says_what_was_shown_and_a_day_that_there_is() -> None:
    common: dict[str, Any] = {
        "hub": "h", "version": "2026.1", "role": "steward", "digest": "a" * 64, "charge": "c",
        "guarantee": Promise(epsilon=1.0, delta=1e-8), "ledger": LedgerHead(hash="b" * 64),
        "date": "2026-01-01T00:00:00Z", "practice": False,
    }  # fmt: skip
    for wrong in (
        {},
        {"kind": "ctdhub-approval-2", "changes": "d" * 64},
        {"changes": "d" * 64, "not_before": "2026-02-30"},
    ):
        with pytest.raises(ValidationError):
            Statement(**(common | wrong))
    right = Statement(**common, changes="d" * 64, not_before="2026-07-01")
    assert right.opens is not None
    assert right.opens.isoformat() == "2026-07-01T00:00:00+00:00"


def test_former_keys_count_for_what_they_signed(tmp_path: Path) -> None:
    left, lost, stolen = (make_key(tmp_path / n).public for n in ("left", "lost", "stolen"))
    known = hashlib.sha256(MESSAGE).hexdigest()
    keys = Approvers(
        steward=SoftPasskey().public,
        privacy_officer=SoftPasskey().public,
        former=(
            left,
            FormerKey(key=lost, until="b" * 64),
            FormerKey(key=stolen, statements=(known,)),
        ),
    )
    lines = {"a" * 64: 1, "b" * 64: 2, "c" * 64: 3}
    assert keys.count("steward", left, b"anything", "c" * 64, lines)
    assert keys.count("steward", lost, b"anything", "b" * 64, lines)
    assert not keys.count("steward", lost, b"anything", "c" * 64, lines)
    assert not keys.count("steward", lost, b"anything", "d" * 64, lines), "a line nobody knows"
    assert keys.count("steward", lost, b"anything", "c" * 64), "without a ledger nobody can tell"
    assert keys.count("steward", stolen, MESSAGE, "a" * 64, lines)
    assert not keys.count("steward", stolen, MESSAGE + b" ", "a" * 64, lines), "an old date"
    assert not keys.count("privacy_officer", keys.keys("steward")[0], MESSAGE)


def a_change(
    was: Approvers, now: Approvers, role: Role, number: int = 1, previous: str = FIRST
) -> KeyChange:
    return KeyChange(
        hub="h", number=number, previous=previous, release="2026.1", role=role, was=was, now=now,
        reason="device lost", date="2026-01-01T00:00:00Z", practice=False,
    )  # fmt: skip


def signed(told: KeyChange, soft: SoftPasskey) -> SignedChange:
    return SignedChange(change=told, **soft.sign(told.message()).model_dump())


def test_a_change_of_approvers_is_signed_by_who_stays(tmp_path: Path) -> None:
    ann, ben, new, admin = (SoftPasskey() for _ in range(4))
    was = Approvers(steward=ann.public, privacy_officer=ben.public)
    now = Approvers(steward=ann.public, privacy_officer=(ben.public, new.public))
    fake = Approvers(steward=ann.public, privacy_officer=admin.public)
    for told, soft in (
        (a_change(was, now, "privacy_officer"), ben),  # for himself
        (a_change(was, now, "steward"), ben),  # as somebody else
        (a_change(was, now, "steward"), admin),
        (a_change(was, fake, "privacy_officer"), admin),
        (a_change(was, now, "steward", number=2), ann),
        (a_change(was, now, "steward", previous="1" * 64), ann),
    ):
        with pytest.raises(ReleaseError, match="not valid"):
            add_change(tmp_path, signed(told, soft))
    add_change(tmp_path, signed(a_change(was, now, "steward"), ann))
    number, previous = next_line(read_changes(tmp_path))
    after = Approvers(steward=admin.public, privacy_officer=now.privacy_officer)
    with pytest.raises(ReleaseError, match="not valid"):
        add_change(tmp_path, signed(a_change(was, after, "privacy_officer", 2, previous), ben))
    add_change(tmp_path, signed(a_change(now, after, "privacy_officer", number, previous), new))
    assert len(read_changes(tmp_path)) == 2
    file = tmp_path / FILE
    whole = file.read_bytes()
    first, second, _end = whole.split(b"\n")
    sold = json.loads(first)
    envelopes.put(sold, envelopes.statement(sold) | {"reason": "device sold"})
    for damaged in (
        second + b"\n",
        second + b"\n" + first + b"\n",
        canonical(sold) + b"\n" + second + b"\n",
        whole.replace(b'"payload":', b'"payload": '),
        whole + b"{}\n",
    ):
        file.write_bytes(damaged)
        with pytest.raises(ReleaseError, match="was changed"):
            read_changes(tmp_path)


def test_every_fault_has_words_and_every_language_of_the_signing_page_all_texts() -> None:
    words = set(texts("ctdhub.release", "passkey"))
    assert {name for name, _told in FORGERIES.values()} < words == set(get_args(Fault))
    script = Path(ctdhub.__file__).parent / "desk" / "sign" / "sign.js"
    text = script.read_text("utf-8")
    words = text[text.index("const WORDS") : text.index("const FIELDS")]
    names: dict[str, list[str]] = {}
    for code, block in re.findall(r"^  (\w\w): \{$(.*?)^  \},$", words, re.M | re.S):
        found = re.findall(r'"([^"]*)"(:)?|(\w+):', block)
        names[code] = [quoted if colon else bare for quoted, colon, bare in found if colon or bare]
    assert set(names) == set(LANGUAGES)
    assert len(names["en"]) > 60
    assert all(found == names["en"] for found in names.values())
    fields = {*Statement.model_fields, *KeyChange.model_fields, *Approvers.model_fields}
    assert fields - {"guarantee", "ledger"} <= set(names["en"])


def test_a_mark_of_one_kind_is_none_of_the_other(tmp_path: Path) -> None:
    key = make_key(tmp_path / "k.pem")
    plain = Mark.of(MESSAGE, key)
    assert plain.fault(MESSAGE, RULES, "steward") is None
    mixed = plain.model_copy(update={"client_data": "AAAA"})
    assert mixed.fault(MESSAGE, RULES, "steward") is not None
    passkey = SoftPasskey().sign(MESSAGE)
    assert passkey.fault(MESSAGE, RULES, "steward") is None
    bare = passkey.model_copy(update={"client_data": None, "authenticator_data": None})
    assert bare.fault(MESSAGE, RULES, "steward") is not None


def test_one_role_does_not_approve_twice_with_two_keys(tmp_path: Path) -> None:
    """Of a person with two keys; the second would stand for the other person."""
    one, two, other = (make_key(tmp_path / name) for name in ("one", "two", "other"))
    facts = {"hub": "A hub", "invented": True}
    release: Any = SimpleNamespace(
        facts=facts, version="2026.1", charge="c", epsilon=1.0, delta=1e-8
    )
    about = Statement.about(
        release,
        "0" * 64,
        "steward",
        LedgerHead(hash="1" * 64),
        "2026-01-01T00:00:00Z",
        changes="d" * 64,
    )
    given = Approvals(
        approvals=tuple(
            Approval(statement=about, **Mark.of(about.message(), key).model_dump())
            for key in (one, two)
        )
    )
    keys = Approvers(steward=(one.public, two.public), privacy_officer=other.public)
    faults = [said(fault) for fault in given.faults(release, "0" * 64, keys)]
    assert faults == ["A role approved twice."]
