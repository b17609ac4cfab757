"""Two verifiers that import nothing of ctdhub, and its own: whole releases pass, others do not."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signed_releases import Hub
from soft_passkeys import SoftPasskey
from tests import envelopes

from ctdhub.core.keys.signing import SigningKey, make_key
from ctdhub.release.approvals import ROLES, Approvers, LedgerHead, Promise
from ctdhub.release.open import verify

HERE = Path(__file__).parents[2] / "verifiers"
PYTHON, NODE = [sys.executable, str(HERE / "verify_release.py")], shutil.which("node")


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Hub]:
    """Hubs by the kind of their keys."""
    place = tmp_path_factory.mktemp("hubs")
    p256, rsa_key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    mine = {"origin": "http://localhost:8000"}
    local = SoftPasskey("localhost", extra=mine)
    other = SoftPasskey("sign.localhost", ec.generate_private_key(ec.SECP256R1()), 29, {
        "origin": "http://sign.localhost", "crossOrigin": None
    })  # fmt: skip
    files = [make_key(place / name) for name in "ab"]
    return {
        "files": Hub(place / "files", *files),
        "passkeys": Hub(place / "passkeys", SoftPasskey(private=p256), SoftPasskey()),
        "rsa": Hub(place / "rsa", SoftPasskey(private=rsa_key), files[0], rs256=True),
        "local": Hub(place / "local", local, other),
        "bound": Hub(place / "bound", SoftPasskey(), files[1], devices="bound"),
    }


def said(program: list[str], folders: list[Path], *options: str) -> list[str]:
    """What a verifier says of each folder."""
    done = subprocess.run([*program, *options, *map(str, folders)], capture_output=True, text=True)
    assert not done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(folders)
    assert done.returncode == any("FAULT" in line for line in lines)
    return [line.partition(": ")[2] for line in lines]


def judged(folders: list[Path], *options: str) -> list[list[str]]:
    """What each verifier says of each folder, Node's where it is there."""
    programs = [PYTHON, *([[NODE, str(HERE / "verify-release.mjs")]] if NODE else [])]
    return [said(program, folders, *options) for program in programs]


def test_whole_releases_pass(hubs: dict[str, Hub]) -> None:
    folders = [hub.release() for hub in hubs.values()]
    for name, sorts in (("files", ["correction", "withdrawn"]), ("passkeys", ["correction"])):
        folder = hubs[name].release("2026.2")
        hubs[name].notices(folder, *sorts)
        folders.append(folder)
    folders.append(hubs["files"].release("2026.3", steward={"not_before": "2027-01-01"}))
    folders.append(hubs["files"].release("2026.4", approvers=None))
    for folder in folders:
        hub = next(h for h in hubs.values() if h.folder == folder.parent)
        assert verify(folder, hub.approvers) == []
    for lines in judged(folders):
        assert all(line.startswith("whole; ") for line in lines), lines
        assert [line.split()[1] for line in lines] == ["0"] * 5 + ["2", "1", "0", "0"]


def test_keys_that_are_named_are_asked_for(hubs: dict[str, Hub]) -> None:
    hub = hubs["files"]
    folder, roles = hub.release("2026.10"), ROLES
    own = [f"--key={role}={hub.approvers.keys(role)[0]}" for role in roles]
    swapped = [f"--key={a}={hub.approvers.keys(b)[0]}" for a, b in (roles, roles[::-1])]
    for lines in judged([folder], *own):
        assert lines[0].startswith("whole")
    for lines in judged([folder], *swapped):
        assert "another key" in lines[0]


Json = dict[str, Any]


def edited(name: str, how: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change a file of JSON, and write it as it was written."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text("utf-8"))
        how(content)
        (folder / name).unlink()
        (folder / name).write_text(json.dumps(content), "utf-8")

    return change


def approval(how: Callable[[list[Json]], object]) -> Callable[[Path], object]:
    return edited("APPROVALS.json", lambda content: how(content["approvals"]))


def told(**other: object) -> Callable[[Path], object]:
    """Another statement under both signatures."""
    return approval(lambda a: [envelopes.put(e, envelopes.statement(e) | other) for e in a])


def spelt(**spelling: Any) -> Callable[[Path], object]:
    def change(given: list[Json]) -> None:
        content = envelopes.statement(given[0])
        envelopes.put(given[0], dict(sorted(content.items(), reverse=True)), **spelling)

    return approval(change)


def part(name: str, value: object) -> Callable[[Path], object]:
    return approval(lambda given: given[0]["signatures"][0].update({name: value}))


def client(**other: object) -> Callable[[Path], object]:
    """Another page, as a browser would say it."""

    def change(given: list[Json]) -> None:
        signature = given[0]["signatures"][0]
        content = json.loads(base64.urlsafe_b64decode(signature["clientDataJSON"] + "=="))
        changed = json.dumps(content | other).encode()
        signature["clientDataJSON"] = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()

    return approval(change)


def _signatures(given: list[Json]) -> list[list[Json]]:
    return [envelope["signatures"] for envelope in given]


def notice(how: Callable[[list[Json]], object]) -> Callable[[Path], object]:
    return edited("ERRATA.json", lambda content: how(content["errata"]))


def bytes_of(name: str, how: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        content = how((folder / name).read_bytes())
        (folder / name).unlink()
        (folder / name).write_bytes(content)

    return change


def other_sums(folder: Path) -> None:
    """A number is changed, and every hash with it; nothing but the signatures can show it."""
    file, manifest = folder / "counts.csv", folder / "manifest.json"
    content = file.read_bytes().replace(b"1", b"2", 1)
    stated = json.loads(manifest.read_text("utf-8"))
    stated["files"][file.name] = {
        "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)
    }  # fmt: skip
    lines = (folder / "SHA256SUMS").read_text("ascii").splitlines()
    for path, new in ((file, content), (manifest, json.dumps(stated).encode())):
        path.unlink()
        path.write_bytes(new)
        mark = hashlib.sha256(new).hexdigest()
        own = f"  {path.name}"
        lines = [mark + own if line.endswith(own) else line for line in lines]
    (folder / "SHA256SUMS").unlink()
    (folder / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines), "ascii")


def swap(folder: Path) -> None:
    """The bytes of two files are exchanged."""
    one, two = folder / "records.csv", folder / "counts.csv"
    first, second = one.read_bytes(), two.read_bytes()
    for path, content in ((one, second), (two, first)):
        path.unlink()
        path.write_bytes(content)


def turned(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    shutil.copytree(folder.with_name("moved"), folder)
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(folder.with_name("moved") / "README.md")


def linked(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    (folder.parent / "other").mkdir()
    folder.with_name("moved").rename(folder.parent / "other" / folder.name)
    folder.symlink_to(folder.parent / "other" / folder.name)


FILES: dict[str, Callable[[Path], object]] = {
    "one byte": bytes_of("records.csv", lambda b: b[:-2] + bytes([b[-2] ^ 1]) + b[-1:]),
    "one bit": bytes_of("measurements.csv", lambda b: bytes([b[0] ^ 128]) + b[1:]),
    "a byte more": bytes_of("counts.parquet", lambda b: b + b"\0"),
    "a byte less": bytes_of("counts.parquet", lambda b: b[:-1]),
    "an empty file": bytes_of("codebook.csv", lambda b: b""),
    "line ends": bytes_of("README.md", lambda b: b.replace(b"\n", b"\r\n")),
    "two files exchanged": swap,
    "a file less": lambda folder: (folder / "records.parquet").unlink(),
    "a file more": lambda folder: (folder / "extra.csv").write_text("a\n"),
    "a hidden file more": lambda folder: (folder / ".notes").write_text("a\n"),
    "a folder more": lambda folder: (folder / "more").mkdir(),
    "a link": turned,
    "no list": lambda folder: (folder / "SHA256SUMS").unlink(),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "no approvals": lambda folder: (folder / "APPROVALS.json").unlink(),
    "a hash in capitals": bytes_of("SHA256SUMS", lambda b: b[:64].upper() + b[64:]),
    "a line twice": bytes_of("SHA256SUMS", lambda b: b.split(b"\n", 1)[0] + b"\n" + b),
    "a line less": bytes_of("SHA256SUMS", lambda b: b.split(b"\n", 1)[1]),
    "a path": bytes_of("SHA256SUMS", lambda b: b.replace(b"  README", b"  ../README")),
    "no end of line": bytes_of("SHA256SUMS", lambda b: b[:-1]),
    "a spelling of the manifest": bytes_of("manifest.json", lambda b: b + b" "),
    "every hash anew": other_sums,
    "a look-alike": lambda folder: (folder / "R\u0415ADME.md").write_text("a\n"),
    "a folder that is a link": linked,
}
STATEMENTS: dict[str, Callable[[Path], object]] = {
    "another version": told(version="2026.9"),
    "another digest": told(digest="0" * 64),
    "another charge": told(charge="x"),
    "another guarantee": told(guarantee={"epsilon": 0.1, "delta": 1e-8}),
    "a real hub": told(practice=False),
    "another date": told(date="2027-01-01T00:00:00Z"),
    "another line": told(ledger={"hash": "2" * 64}),
    "another kind": told(kind="ctdhub-lift-1"),
    "one more field": told(note="x"),
    "roles exchanged": approval(
        lambda a: [
            envelopes.put(e, envelopes.statement(e) | {"role": role})
            for e, role in zip(a, ("privacy_officer", "steward"), strict=True)
        ]
    ),
    "keys in another order": spelt(sort_keys=False),
    "spaces": spelt(separators=(", ", ": ")),
    "no statement": approval(lambda a: envelopes.put(a[0], [1])),
    "a payload of brackets": approval(
        lambda a: a[0].update(payload=base64.b64encode(b"[" * 20000).decode())
    ),
    "a number for a payload": approval(lambda a: a[0].update(payload=5)),
    "no list of signatures": approval(lambda a: a[0].update(signatures=None)),
    "a number for a signature": approval(lambda a: a[0].update(signatures=[1])),
    "a flat approval": approval(
        lambda a: a.__setitem__(
            0,
            {
                "statement": envelopes.statement(a[0]),
                "key": a[0]["signatures"][0]["keyid"],
                "signature": a[0]["signatures"][0]["sig"],
            },
        )
    ),
    "a part that is null": part("more", None),
    "no payload": approval(lambda a: a[0].update(payload="")),
    "base64 in another spelling": approval(lambda a: a[0].update(payload=a[0]["payload"] + "=")),
    "another type": approval(lambda a: a[0].update(payloadType="text/plain")),
    "another part": approval(lambda a: a[0].update(more=1)),
    "signatures exchanged": approval(
        lambda a: [e.update(signatures=s) for e, s in zip(a, _signatures(a)[::-1], strict=True)]
    ),
    "two signatures in one": approval(lambda a: a[0]["signatures"].append(a[1]["signatures"][0])),
    "no signature": approval(lambda a: a[0]["signatures"].clear()),
    "one approval": approval(lambda a: a.pop()),
    "one approval twice": approval(lambda a: a.__setitem__(1, a[0])),
    "three approvals": approval(lambda a: a.append(a[0])),
    "a flipped signature": part("sig", "A" * 86 + "=="),
    "an empty signature": part("sig", ""),
    "a key in a list": approval(
        lambda a: a[0]["signatures"][0].update(keyid=[a[0]["signatures"][0]["keyid"]])
    ),
    "another key": part("keyid", "ed25519:" + "A" * 43 + "="),
    "an unknown key": part("keyid", "pgp:abc"),
    "a part of a signature more": part("note", "x"),
    "no device": part("authenticatorData", "AAAA"),
    "another challenge": client(challenge="AAAA"),
    "a creation": client(type="webauthn.create"),
    "another page": client(origin="https://evil.example"),
    "inside a page": client(crossOrigin=True),
}
NOTICES: dict[str, Callable[[Path], object]] = {
    "another note": notice(lambda e: e[0]["notice"]["note"].update(en="All is well.")),
    "another sort": notice(lambda e: e[0]["notice"].update(sort="withdrawn")),
    "a notice less": notice(lambda e: e.pop(0)),
    "one signature": notice(lambda e: e[0]["signatures"].pop()),
    "one signature twice": notice(
        lambda e: e[0]["signatures"].__setitem__(1, e[0]["signatures"][0])
    ),
    "another status": edited("ERRATA.json", lambda content: content.update(status=None)),
    "notices of another version": edited("ERRATA.json", lambda c: c.update(version="2025.1")),
    "a note as a list": notice(
        lambda e: e[0]["notice"].update(note=sorted(e[0]["notice"]["note"].items()))
    ),
    "a number for true": notice(lambda e: e[0]["notice"].update(practice=1)),
    "true for a number": notice(lambda e: e[0]["notice"].update(number=True)),
    "a name twice": bytes_of("ERRATA.json", lambda b: b'{"status": null,' + b[1:]),
    "a mark of byte order": bytes_of("APPROVALS.json", lambda b: b"\xef\xbb\xbf" + b),
    "another encoding": bytes_of("ERRATA.json", lambda b: b.decode().encode("utf-16-le")),
    "no list of notices": edited("ERRATA.json", lambda c: c.update(errata={}, status=None)),
    "no number": edited("ERRATA.json", lambda content: content.update(more=float("nan"))),
    "words without their notice": lambda folder: (folder / "ERRATA.json").unlink(),
}


def test_none_of_the_tampered_releases_passes(hubs: dict[str, Hub], tmp_path: Path) -> None:
    """With the page of the hub's own verification as the third judge."""
    hub = hubs["passkeys"]
    source = hub.release("2026.7")
    hub.notices(source, "correction", "correction")
    tampered = FILES | STATEMENTS | NOTICES
    assert len(tampered) > 60
    folders = []
    for n, how in enumerate(tampered.values()):
        folder = tmp_path / str(n) / source.name
        shutil.copytree(source, folder)
        how(folder)
        folders.append(folder)
    passed = [dict(zip(tampered, lines, strict=True)) for lines in judged(folders)]
    for lines in passed:
        assert not [name for name, line in lines.items() if not line.startswith("FAULT: ")]
        wordless = {n for n, line in lines.items() if "damaged" in line}
        assert wordless <= {"a payload of brackets", "a number for a signature"}
    for name, folder in zip(tampered, folders, strict=True):
        if (folder / "manifest.json").exists() and not folder.is_symlink():
            assert verify(folder, hub.approvers) != [], name


def in_der(key: str, how: Callable[[bytes], bytes]) -> str:
    """A key whose DER is written otherwise."""
    head, _, code = key.rpartition(":")
    return f"{head}:{base64.b64encode(how(base64.b64decode(code))).decode()}"


def test_what_the_people_themselves_sign_wrongly_does_not_pass(
    hubs: dict[str, Hub], tmp_path: Path
) -> None:
    """Each rule alone, under signatures that hold."""
    files, passkeys = hubs["files"], hubs["passkeys"]
    one, local = SoftPasskey(), SoftPasskey("localhost", extra={"origin": "http://localhost"})
    short = rsa.generate_private_key(65537, 1024)
    stranger, other = make_key(tmp_path / "s"), make_key(tmp_path / "t")
    p384 = ec.generate_private_key(ec.SECP384R1())
    wrong: dict[str, Callable[[Path], Path]] = {}

    def signs(name: str, *keys: SigningKey | SoftPasskey, **more: Any) -> None:
        rules = {k: more.pop(k) for k in ("rs256", "devices") if k in more}
        wrong[name] = lambda place: Hub(place, *keys, **rules).release(**more)

    for name, value in {
        "version": "2025.9", "digest": "0" * 64, "charge": "x", "hub": "Another",
        "guarantee": Promise(epsilon=0.1, delta=1e-8), "kind": "ctdhub-approval-2",
    }.items():  # fmt: skip
        signs(name, other, stranger, steward={name: value}, privacy_officer={name: value})
    for name in ("review", "changes"):
        signs(f"another {name}", other, stranger, steward={name: "a" * 64})
    signs("another line", other, stranger, steward={"ledger": LedgerHead(hash="2" * 64)})
    signs("the key of another", other, stranger, approvers=files.approvers)
    signs(
        "a role without a key",
        other,
        stranger,
        approvers=Approvers.model_construct(steward=other.public),
    )
    signs("a host in capitals", SoftPasskey("Sign.hub.example"), one)
    signs("one role twice", other, stranger, role="steward")
    signs("one key twice", other, other, approvers=None)
    signs("one key in two forms", SigningKey(one.private), one, approvers=None)
    signs("a short RSA key", SoftPasskey(private=short), other, rs256=True)
    signs(
        "RSA that is not accepted", SoftPasskey(private=rsa.generate_private_key(65537, 2048)), one
    )
    signs("another curve", SoftPasskey(private=p384), one)
    signs("a real hub on localhost", local, one, practice=False)
    signs("a copy where none may be", SoftPasskey(flags=13), one, devices="bound")
    for name, flags in {"nobody": 4, "unchecked": 1, "contradiction": 21}.items():
        signs(name, SoftPasskey(flags=flags), one)
    for name, extra in {
        "a creation": {"type": "webauthn.create"}, "another page": {"origin": "https://evil.example"},
        "a page in a page": {"crossOrigin": True}, "a page on top": {"topOrigin": "https://a.example"},
        "no challenge": {"challenge": None}, "a suffix": {"origin": "https://sign.hub.example.evil"},
    }.items():  # fmt: skip
        signs(name, SoftPasskey(extra=extra), one)
    signs("another device", SoftPasskey(device_host="evil.example"), one)
    signs(
        "a port that is none",
        SoftPasskey("localhost", extra={"origin": "http://localhost:1x"}),
        one,
    )

    def respelt(place: Path) -> Path:
        """One device in both roles, with four bytes behind the DER of the second key."""
        folder = Hub(place, one, one).release(approvers=None)
        approval(
            lambda a: a[1]["signatures"][0].update(
                keyid=in_der(one.public, lambda der: der + b"1234")
            )
        )(folder)
        return folder

    def noticed(of: Hub, by: Hub, **more: Any) -> Callable[[Path], Path]:
        def make(place: Path) -> Path:
            folder = place / "2026.1"
            shutil.copytree(of.folder / "2026.1", folder)
            by.notices(folder, "withdrawn", **more)
            return folder

        return make

    foreign, crossed = Hub(tmp_path / "f", stranger, other), Hub(tmp_path / "c", other, stranger)
    crossed.signers = dict(zip(ROLES, list(files.signers.values())[::-1], strict=True))
    wrong |= {
        "a key in two spellings": respelt,
        "a notice by strangers": noticed(files, foreign),
        "a notice in exchanged roles": noticed(files, crossed),
        "a notice about another hub": noticed(files, files, hub="Another"),
        "a notice that is no practice": noticed(files, files, practice=False),
        "a notice about other bytes": noticed(passkeys, passkeys, digest="0" * 64),
        "a second notice first": noticed(passkeys, passkeys, number=2),
    }
    for hub in (files, passkeys):  # whichever test ran first
        if not (hub.folder / "2026.1").exists():
            hub.release()
    folders = [make(tmp_path / f"{n}") for n, make in enumerate(wrong.values())]
    for lines in judged(folders):
        said_of = dict(zip(wrong, lines, strict=True))
        assert not [name for name, line in said_of.items() if not line.startswith("FAULT: ")]


def test_an_approval_of_the_release_before_is_none_of_this(hubs: dict[str, Hub]) -> None:
    hub = hubs["files"]
    first, second = hub.release("2026.5"), hub.release("2026.6")
    (second / "APPROVALS.json").unlink()
    shutil.copy(first / "APPROVALS.json", second / "APPROVALS.json")
    for lines in judged([second]):
        assert lines == ["FAULT: an approval is of another version"]
    assert verify(second, hub.approvers) != []


@pytest.mark.parametrize("name", ["verify_release.py", "verify-release.mjs"])
def test_a_verifier_is_short_and_stands_alone(name: str) -> None:
    text = (HERE / name).read_text("utf-8")
    assert len(text.splitlines()) <= 300
    assert "import ctdhub" not in text
    assert "from ctdhub" not in text
