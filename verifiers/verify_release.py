"""Check releases of a hub without ctdhub: ``python verify_release.py FOLDER...``.

Written from docs/reference/verify-without-ctdhub.md alone; it imports nothing of ctdhub and needs
the package cryptography.  For each folder it prints what is wrong, one fault a line, or the
fingerprints of the two keys that signed; compare these with what the hub publishes elsewhere, or
name the keys: ``--key steward=KEY --key privacy_officer=KEY``.  It ends with 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

TYPE = "application/vnd.ctdhub.statement+json"
BESIDE = {"SHA256SUMS", "APPROVALS.json", "ERRATA.json", "ERRATA.md"}
ROLES = ("privacy_officer", "steward")
LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
DAMAGED = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


class Fault(Exception):
    """Something is wrong; the text says what."""


def need(holds: object, text: str) -> None:
    """Go on only if something holds."""
    if not holds:
        raise Fault(text)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def parse(content: bytes, what: str) -> Any:
    """JSON in UTF-8 in which no object has a name twice; every number is a float."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), f"{what} has a name twice")
        return dict(pairs)

    try:
        return json.loads(
            content.decode(), object_pairs_hook=once, parse_int=float, parse_constant=int
        )
    except (ValueError, RecursionError):
        raise Fault(f"{what} is no JSON") from None


def read_json(path: Path) -> Any:
    need(path.is_file(), f"{path.name} is missing")
    return parse(path.read_bytes(), path.name)


def same(one: Any, two: Any) -> bool:
    """Whether two values of JSON are equal: for Python, true is 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


def decoded(text: Any, what: str, *, url: bool = False) -> bytes:
    """Base64 in its one spelling; base64url has no padding."""
    alphabet = b"-_" if url else b"+/"
    try:
        plain = text + "=" * (-len(text) % 4) if url else text
        found = base64.b64decode(plain, altchars=alphabet, validate=True)
    except (TypeError, ValueError):
        raise Fault(f"{what} is no base64") from None
    again = base64.b64encode(found, altchars=alphabet).decode()
    need(found and (again.rstrip("=") if url else again) == text, f"{what} has another spelling")
    return found


def opened(envelope: Any, rules: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
    """The statement of an envelope and its key; rules: ``approvers``, its own if None."""
    parts = {"payloadType", "payload", "signatures"}
    need(isinstance(envelope, dict) and envelope.keys() == parts, "an envelope has three parts")
    need(envelope["payloadType"] == TYPE, "another type of payload")
    payload = decoded(envelope["payload"], "a payload")
    signatures = envelope["signatures"]
    need(isinstance(signatures, list) and len(signatures) == 1, "an envelope has one signature")
    statement = parse(payload, "a payload")
    need(isinstance(statement, dict), "a payload that is no statement")
    message = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)
    signature = signatures[0]
    key, signed = str(signature["keyid"]), decoded(signature["sig"], "a signature")
    names = {"keyid", "sig"}
    if key.startswith("ed25519:"):
        public: Any = ed25519.Ed25519PublicKey.from_public_bytes(decoded(key[8:], "a key"))
    else:
        names |= {"authenticatorData", "clientDataJSON"}
        own = statement.get("approvers") or {} if rules is None else rules
        public, message = passkey(signature, key, message, own, statement.get("practice"))
    need(signature.keys() == names, "a signature has other parts")
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signed, message)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signed, message, ec.ECDSA(hashes.SHA256()))
        else:
            public.verify(signed, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Fault("a signature is not valid") from None
    return statement, key


def passkey(
    signature: dict[str, Any], key: str, message: bytes, rules: dict[str, Any], practice: Any
) -> tuple[Any, bytes]:
    """The public key of a passkey, and the bytes that its device signed, once they fit."""
    parts = re.fullmatch("passkey:([a-z0-9.-]+):(.+)", key)
    if not parts:
        raise Fault("a key of an unknown kind")
    host, der = parts[1], decoded(parts[2], "a key")
    public = load_der_public_key(der)
    again = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    need(again == der, "a key in another spelling")
    if isinstance(public, rsa.RSAPublicKey):
        accepted = rules.get("rs256") is True and public.key_size >= 2048
        need(accepted, "an RSA passkey, which is not accepted")
    elif isinstance(public, ec.EllipticCurvePublicKey):
        need(isinstance(public.curve, ec.SECP256R1), "a passkey on another curve")
    else:
        need(isinstance(public, ed25519.Ed25519PublicKey), "a passkey of another kind")
    client = decoded(signature.get("clientDataJSON"), "clientDataJSON", url=True)
    device = decoded(signature.get("authenticatorData"), "authenticatorData", url=True)
    said = parse(client, "clientDataJSON")
    asked = base64.urlsafe_b64encode(hashlib.sha256(message).digest()).decode().rstrip("=")
    need(said.get("type") == "webauthn.get", "a passkey was not asked to sign")
    need(said.get("challenge") == asked, "a passkey signed another statement")
    local = host == "localhost" or host.endswith(".localhost")
    if local and practice is True:
        origin = re.fullmatch(rf"http://{re.escape(host)}(:[0-9]{{1,5}})?", str(said.get("origin")))
    else:
        origin = said.get("origin") == f"https://{host}" and not local
    need(origin, "a passkey was used on another page")
    embedded = said.get("crossOrigin", False) is not False or "topOrigin" in said
    need(not embedded, "a passkey was used inside another page")
    need(len(device) >= 37, "authenticatorData is too short")
    need(device[:32] == hashlib.sha256(host.encode()).digest(), "a device signed for another host")
    flags = device[32]
    need(flags & 1 and flags & 4, "a device did not check who used it")
    need(not flags & 16 or flags & 8, "a device contradicts itself")
    need(rules.get("devices") != "bound" or not flags & 8, "a passkey that can be copied")
    return public, device + hashlib.sha256(client).digest()


def about(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """What approvals and notices say of a release."""
    return {
        "version": manifest["version"],
        "digest": sha256((folder / "SHA256SUMS").read_bytes()),
        "hub": manifest["facts"].get("hub", ""),
        "practice": manifest["facts"].get("invented", False),
    }


def check_files(folder: Path) -> dict[str, Any]:
    """Every file is the one that SHA256SUMS and the manifest name; the manifest."""
    need(not folder.is_symlink(), "the folder is a link")
    for file in folder.iterdir():
        need(file.is_file() and not file.is_symlink(), f"{file.name} is no file")
    need((folder / "SHA256SUMS").is_file(), "SHA256SUMS is missing")
    lines = (folder / "SHA256SUMS").read_bytes().decode("ascii", "replace").split("\n")
    matches = [LINE.fullmatch(line) for line in lines[:-1]]
    need(lines[-1] == "" and matches and all(matches), "SHA256SUMS has another form")
    listed = {m[2]: m[1] for m in matches if m}
    need([m[2] for m in matches if m] == sorted(listed), "SHA256SUMS is not in order")
    need(not BESIDE & listed.keys(), "SHA256SUMS lists what lies beside it")
    there = {file.name for file in folder.iterdir()}
    for name in sorted(there - listed.keys() - BESIDE):
        raise Fault(f"{name} is not part of the release")
    for name, digest in listed.items():
        need(name in there, f"{name} is missing")
        need(sha256((folder / name).read_bytes()) == digest, f"{name} was changed")
    manifest: dict[str, Any] = read_json(folder / "manifest.json")
    stated = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    rest = {name: digest for name, digest in listed.items() if name != "manifest.json"}
    need(stated == rest and len(rest) < len(listed), "manifest and SHA256SUMS disagree")
    for name, entry in manifest["files"].items():
        need((folder / name).stat().st_size == entry["bytes"], f"{name} has another size")
    need(manifest["version"] == folder.resolve().name, "the folder has not the version's name")
    return manifest


def keys_of(role: str, approvers: dict[str, Any]) -> set[str]:
    keys = approvers.get(role, [])
    return {keys} if isinstance(keys, str) else set(keys)


def check_approvals(
    folder: Path, manifest: dict[str, Any], known: dict[str, set[str]]
) -> tuple[list[str], dict[str, Any]]:
    """Two people in two roles signed these files; the keys, steward last, and ``approvers``."""
    content = read_json(folder / "APPROVALS.json")
    need(content.keys() == {"approvals"}, "APPROVALS.json has another form")
    found = [opened(envelope) for envelope in content["approvals"]]
    need(sorted(s["role"] for s, _ in found) == [*ROLES], "two roles have not approved")
    expected = about(folder, manifest) | {
        "kind": "ctdhub-approval-3",
        "charge": manifest["charge"],
        "guarantee": {"epsilon": manifest["epsilon"], "delta": manifest["delta"]},
    }
    for statement, key in found:
        for name, value in expected.items():
            need(same(statement.get(name), value), f"an approval is of another {name}")
        role, approvers = statement["role"], statement.get("approvers")
        listed = approvers is None or key in keys_of(role, approvers)
        need(listed and key in (known[role] or {key}), f"another key of {role}")
    for name in ("review", "changes", "approvers", "ledger"):
        pair = [statement.get(name) for statement, _ in found]
        need(same(*pair), f"two people were shown two {name}")
    need(der(found[0][1]) != der(found[1][1]), "one key signed twice")
    keys = [key for _, key in sorted(found, key=lambda one: str(one[0]["role"]))]
    return keys, found[0][0].get("approvers") or dict(zip(ROLES, keys, strict=True))


def der(key: str) -> bytes:
    """What is the same of a key however it is written."""
    return base64.b64decode(key.rpartition(":")[2])[-32:]


def check_notices(
    folder: Path, manifest: dict[str, Any], approvers: dict[str, Any], known: dict[str, set[str]]
) -> int:
    """Each notice is signed by two roles and is about these files; how many there are."""
    if not (folder / "ERRATA.json").exists():
        need(not (folder / "ERRATA.md").exists(), "ERRATA.md without ERRATA.json")
        return 0
    content = read_json(folder / "ERRATA.json")
    need(content["version"] == manifest["version"], "notices about another version")
    need(isinstance(content["errata"], list), "ERRATA.json has another form")
    for number, erratum in enumerate(content["errata"], 1):
        notice = erratum["notice"]
        found = [opened(one, approvers) for one in erratum["signatures"]]
        for statement, key in found:
            role = statement["role"]
            mine = known.get(role) or keys_of(role, approvers)
            need(key in mine, "a notice by another key: name it if it is the hub's")
        need(sorted(s.pop("role") for s, _ in found) == [*ROLES], "a notice lacks a signature")
        need(all(s.pop("signed") for s, _ in found), "a notice without a date")
        need(all(same(s, notice) for s, _ in found), "a notice other than the one that was signed")
        need(notice["kind"] == "ctdhub-erratum-1", "a notice of another kind")
        need(notice["sort"] in {"correction", "withdrawn"}, "a notice of another sort")
        expected = about(folder, manifest) | {"number": float(number)}
        told = {name: notice.get(name) for name in expected}
        need(same(told, expected), "a notice about another release")
        need(der(found[0][1]) != der(found[1][1]), "one key signed a notice twice")
    sorts = {erratum["notice"]["sort"] for erratum in content["errata"]}
    status = "withdrawn" if "withdrawn" in sorts else "correction" if sorts else None
    need(content["status"] == status, "the status of the notices is another")
    return len(content["errata"])


def check(folder: Path, known: dict[str, set[str]]) -> str:
    """What can be said of a release that is whole; the first fault of another is raised."""
    try:
        manifest = check_files(folder)
        keys, approvers = check_approvals(folder, manifest, known)
        notices = check_notices(folder, manifest, approvers, known)
    except (*DAMAGED, UnsupportedAlgorithm) as met:
        raise Fault(f"damaged: {type(met).__name__}") from None
    digits = (sha256(key.encode())[:16] for key in keys)
    signed = ", ".join(f"{role} {d}" for role, d in zip(ROLES, digits, strict=True))
    return f"whole; {notices} notices; signed by {signed}"


def main() -> int:
    asked = argparse.ArgumentParser(description="Check releases of a hub without ctdhub.")
    asked.add_argument("folder", nargs="+", type=Path)
    asked.add_argument("--key", action="append", default=[], metavar="ROLE=KEY")
    told = asked.parse_args()
    known: dict[str, set[str]] = {role: set() for role in ROLES}
    for one in told.key:
        role, _, key = one.partition("=")
        if role not in known:
            asked.error(f"the roles are {' and '.join(ROLES)}")
        known[role].add(key)
    code = 0
    for folder in told.folder:
        try:
            line = check(folder, known)
        except Fault as fault:
            line, code = f"FAULT: {fault}", 1
        sys.stdout.write(f"{folder}: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
