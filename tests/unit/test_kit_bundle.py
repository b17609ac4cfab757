"""A bundle: equal bytes from equal input, and whatever is not exactly it is refused by name."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ctdhub.core.errors import HubError
from ctdhub.core.keys import age
from ctdhub.core.keys.signing import SigningKey, make_key
from ctdhub.sensitive.bundle.leaving import WhatLeaves, leaving
from ctdhub.sensitive.bundle.pack import (
    ORDER,
    CardAgreement,
    HubCard,
    Packed,
    card_bytes,
    check_bundle,
    open_bundle,
    pack,
    pack_bundle,
    parse_bundle,
    parse_card,
    sign_card,
    unpack,
    write_bundle,
)
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping

YEARS = (2002, 2030)
SECRET = bytes(range(32))
MAPPING = """\
version: 1
# The office's own export.
read: {delimiter: ";"}   # of Excel in French
rows: person
empty: ["", inconnu]
identifiers:
  dossier: hash
  nom: strip
  naissance: band
exclude:
  - {rule: no-consent, unless: {accord: [oui]}}
columns:
  gender: {from: sexe, map: {F: female, H: male}}
  age_band: {from: naissance, band: true, at: date}
  year_of_registration: {from: date, year: true}
tests:
  - {row: {dossier: A1, sexe: H, accord: oui, date: "2024-03-12"}, gives: {gender: male}}
"""
CASES = """\
dossier;nom;sexe;naissance;date;accord;notes;téléphone
A1;Secret Une;F;1994-03-01;2024-03-12;oui;elle a dit;0700
A2;Secret Deux;H;1990-01-02;2024-04-02;non;rien;0701
A1;Secret Une;F;1994-03-01;2024-05-12;oui;'+33 1;0702
A3;Secret Trois;inconnu;1999-01-02;2024-04-02;oui;;0703
A4;Secret Quatre;femme;2001-01-02;2024-04-02;oui;;0704
;Secret Cinq;H;;2024-04-02;;;0705
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kit")


@pytest.fixture(scope="module")
def own(place: Path) -> SigningKey:
    return make_key(place / "own.pem")


@pytest.fixture(scope="module")
def identity(place: Path) -> Path:
    age.make_identity(place / "inbox.age")
    return place / "inbox.age"


@pytest.fixture(scope="module")
def found(place: Path) -> WhatLeaves:
    return what_leaves(place)


@pytest.fixture(scope="module")
def card(identity: Path) -> HubCard:
    return HubCard(
        hub="Practice hub",
        invented=True,
        schema_version="1.2",
        years=YEARS,
        recipients=age.recipients_of(identity),
        contributor="our-ngo",
        contributor_name="Notre ONG",
        contributor_kind="case_management",
        agreement=CardAgreement(purpose="Statistics", ends="2027-01-31"),
        date="2026-11-27",
    )


def what_leaves(folder: Path, cases: str = CASES, mapping: str = MAPPING) -> WhatLeaves:
    file = folder / "Liste de Secret Une.csv"
    file.write_text(cases, "utf-8")
    rules = parse_mapping(mapping.replace("  nom: strip", "  nom: strip\n  téléphone: strip"), "m")
    return leaving(read_isolated(file, rules.read), rules, "our-ngo", YEARS, SECRET, folder)


@pytest.fixture(scope="module")
def packed(found: WhatLeaves, card: HubCard, own: SigningKey) -> Packed:
    return pack_bundle(card, found.cases, found.mapping, found.report, own)


def refused(rule: str, act: Callable[[], object]) -> None:
    with pytest.raises(HubError) as met:
        act()
    assert met.value.rule == rule, met.value


def test_only_what_the_mapping_reads_leaves(found: WhatLeaves) -> None:
    assert {c.name: c.fate for c in found.columns} == {
        "dossier": "coded",
        "nom": "stripped",
        "sexe": "leaves",
        "naissance": "birth",
        "date": "leaves",
        "accord": "leaves",
        "notes": "unread",
        "téléphone": "stripped",
    }
    rows = list(csv.DictReader(io.StringIO(found.cases.decode())))
    assert [r["row_in_file"] for r in rows] == ["2", "3", "4", "5", "6", "7"]
    codes = [r["dossier"] for r in rows]
    assert codes[0] == codes[2] != codes[1]
    assert all(len(c) == 32 for c in codes[:5])
    assert codes[5] == ""
    for kept in ("Secret", "A2", "elle a dit", "070", "+33"):
        assert kept not in found.cases.decode()
    assert "office" not in found.mapping  # a comment may quote a cell of a column that stays


def test_a_number_sign_in_a_text_is_no_comment(place: Path) -> None:
    mapping = MAPPING.replace("F: female", "F: female, '#1 # x': female, a#b: male # said: Une\n")
    bare = what_leaves(place, mapping=mapping).mapping
    assert "'#1 # x': female" in bare
    assert "a#b: male" in bare
    assert "Une" not in bare


def test_whatever_the_codes_are_the_same_rows_leave(place: Path) -> None:
    """Rows without a record are met in the order of their codes, which differ."""
    mapping = parse_mapping(MAPPING.replace("nom: strip", "nom: strip\n  téléphone: strip"), "m")
    what_leaves(place)
    raw = read_isolated(place / "Liste de Secret Une.csv", mapping.read)
    for n in range(6):
        leaving(raw, mapping, "our-ngo", YEARS, bytes([n]) * 32, place)


def test_of_a_row_without_consent_nothing_leaves_but_the_reason(found: WhatLeaves) -> None:
    rows = list(csv.DictReader(io.StringIO(found.cases.decode())))
    assert found.withheld == 2
    refusing = {k: v for k, v in rows[1].items() if v}
    assert set(refusing) == {"row_in_file", "dossier", "accord"}
    assert {k: v for k, v in rows[5].items() if v} == {"row_in_file": "7"}
    assert found.report["excluded"] == {"no-consent": 2}


def test_corrections_without_a_word_of_consent_are_asked_about(tmp_path: Path) -> None:
    """Blank means unchanged there, and the kit does not know what it was: nothing is withheld in
    silence. What each record says, filled in, is followed; a file of refusals leaves as before."""
    rules = MAPPING.split("tests:")[0] + "optional: [accord, naissance, nom, date]\n"

    def sent(*rows: str) -> WhatLeaves:
        return what_leaves(tmp_path, "\n".join(rows), rules)

    refused("leaves-nothing", lambda: sent("dossier;sexe", "A1;F", "A2;H"))
    head = "dossier;accord;sexe"
    refused("leaves-nothing", lambda: sent(head, "A1;;F", "A2;inconnu;H"))
    assert sent(head, "A1;oui;F", "A2;;H").withheld == 1
    assert sent(head, "A1;non;F", "A2;;H").withheld == 2


def test_of_a_row_that_is_no_victims_the_status_leaves(place: Path) -> None:
    """It tells the hub to leave the row out; of a row without consent it does not leave."""
    status = (
        '  victim_status: {from_hub: means_threats, map: {"no": not_a_victim}}\n'
        '  means_threats: {from: notes, map: {rien: "no"}, unknown: "null"}\n'
    )
    cases = CASES + "A7;Secret Six;H;1990-01-02;2024-04-02;oui;rien;0706\n"
    found = what_leaves(place, cases, MAPPING.replace("tests:", f"{status}tests:"))
    assert found.report["excluded"] == {"no-consent": 2, "not-a-victim": 1}
    assert found.withheld == 3
    rows = list(csv.DictReader(io.StringIO(found.cases.decode())))
    assert {k for k, v in rows[6].items() if v} == {"row_in_file", "dossier", "accord", "notes"}
    assert {k for k, v in rows[1].items() if v} == {"row_in_file", "dossier", "accord"}


def token(i: int) -> str:
    return f"a-{i:032x}"


@pytest.mark.parametrize("key", [False, True])
def test_of_a_row_without_consent_no_token_leaves_that_finds_her_elsewhere(
    place: Path, key: bool
) -> None:
    """Whoever did not agree is not to be found; a token that is the key says whose record goes."""
    head, *lines = CASES.splitlines()
    cases = (
        "\n".join([f"{head};jeton", *(f"{line};{token(i)}" for i, line in enumerate(lines))]) + "\n"
    )
    mapping = (
        MAPPING.replace("dossier: hash", "jeton: token\n  dossier: strip")
        if key
        else f"{MAPPING}tokens: [jeton]\n"
    )
    if key:
        mapping = mapping.replace("{dossier: A1, ", f"{{jeton: {token(0)}, ")
    rows = list(csv.DictReader(io.StringIO(what_leaves(place, cases, mapping).cases.decode())))
    found = [row["jeton"] for row in rows]
    assert found == [token(i) if key or i not in (1, 5) else "" for i in range(6)]


def test_equal_input_gives_equal_bytes(
    tmp_path: Path, packed: Packed, card: HubCard, own: SigningKey
) -> None:
    found = what_leaves(tmp_path)
    again = pack_bundle(card, found.cases, found.mapping, found.report, own).archive
    assert again == packed.archive
    with tarfile.open(fileobj=io.BytesIO(again)) as archive:
        members = archive.getmembers()
    assert [m.name for m in members] == list(ORDER)
    assert {(m.mtime, m.uid, m.uname, m.mode) for m in members} == {(0, 0, "", 0o600)}


def test_the_hub_opens_what_was_packed(
    tmp_path: Path, packed: Packed, identity: Path, card: HubCard, own: SigningKey
) -> None:
    out = tmp_path / "june.ctdbundle"
    write_bundle(packed, out)
    assert out.stat().st_mode & 0o077 == 0
    assert b"row_in_file" not in out.read_bytes()
    bundle = open_bundle(out, [identity], tmp_path)
    check_bundle(bundle, card.hub, card.recipients, [own.public])
    assert bundle.manifest == packed.manifest
    assert json.loads(bundle.report)["rows_read"] == 6
    refused("bundle-exists", lambda: write_bundle(packed, out))


@pytest.mark.skipif(shutil.which("age") is None, reason="age is missing: apt-get install age")
def test_the_age_command_opens_it(tmp_path: Path, packed: Packed, identity: Path) -> None:
    out = tmp_path / "june.ctdbundle"
    write_bundle(packed, out)
    done = subprocess.run(
        ["age", "-d", "-i", str(identity), str(out)], capture_output=True, check=True
    )
    assert done.stdout == packed.archive


def places(size: int) -> list[int]:
    return [0, 30, 120, size // 2, size - 1]


def test_a_flipped_or_cut_bundle_leaves_nothing(
    tmp_path: Path, packed: Packed, identity: Path
) -> None:
    out, private = tmp_path / "june.ctdbundle", tmp_path / "work"
    private.mkdir()
    write_bundle(packed, out)
    whole = out.read_bytes()
    spoilt = [whole[:n] for n in places(len(whole))]
    for at in places(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1
        spoilt.append(bytes(changed))
    for content in [*spoilt, b"", b"PK\x03\x04", packed.archive, whole + b"x"]:
        out.write_bytes(content)
        with pytest.raises(HubError) as met:
            open_bundle(out, [identity], private)
        assert met.value.rule == "age-unreadable"
        assert list(private.iterdir()) == []


def test_another_hub_cannot_open_it_and_none_can_pass_it_on(
    tmp_path: Path, packed: Packed, identity: Path, card: HubCard, own: SigningKey
) -> None:
    other = tmp_path / "other.age"
    theirs = age.make_identity(other)
    out = tmp_path / "june.ctdbundle"
    write_bundle(packed, out)
    refused("age-unreadable", lambda: open_bundle(out, [other], tmp_path))
    passed_on = tmp_path / "passed-on.ctdbundle"
    with passed_on.open("wb") as file:  # the hub encrypts what it opened to somebody else
        age.encrypt(io.BytesIO(packed.archive), file, [theirs])
    bundle = open_bundle(passed_on, [other], tmp_path)
    refused("bundle-other-hub", lambda: check_bundle(bundle, card.hub, [theirs], [own.public]))
    refused(
        "bundle-other-hub",
        lambda: check_bundle(bundle, "Other hub", card.recipients, [own.public]),
    )


def test_another_signer_is_refused_with_the_fingerprint(
    tmp_path: Path, packed: Packed, card: HubCard
) -> None:
    stranger = make_key(tmp_path / "stranger.pem")
    bundle = parse_bundle(packed.archive)
    refused(
        "bundle-signer", lambda: check_bundle(bundle, card.hub, card.recipients, [stranger.public])
    )


def test_what_was_not_signed_is_refused(packed: Packed, tmp_path: Path) -> None:
    files = unpack(packed.archive)
    changed = files | {"data/cases.csv": files["data/cases.csv"] + b"x\n"}
    refused("bundle-signature", lambda: parse_bundle(pack(changed)))
    manifest = json.loads(files["manifest.json"]) | {"contributor": "another"}
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    refused("bundle-signature", lambda: parse_bundle(pack(files | {"manifest.json": text})))
    refused(
        "bundle-form",
        lambda: parse_bundle(pack(files | {"manifest.json": files["manifest.json"] + b" "})),
    )
    key = make_key(tmp_path / "k.pem")
    forged = files | {"manifest.sig": key.sign(files["manifest.json"]).encode()}
    refused("bundle-signature", lambda: parse_bundle(pack(forged)))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE]
)
def test_an_archive_of_another_spelling_is_refused(packed: Packed, kind: bytes) -> None:
    files = unpack(packed.archive)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ORDER:
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            if name == "data/cases.csv":
                entry.type, entry.linkname, entry.size = kind, "/etc/passwd", 0
            archive.addfile(entry, io.BytesIO(files[name][: entry.size]))
    refused("bundle-form", lambda: unpack(out.getvalue()))
    for more in (packed.archive + bytes(512), packed.archive[:-512], b"", b"x" * 10_240):
        refused("bundle-form", lambda more=more: unpack(more))


def test_a_card_shows_who_signed_it(card: HubCard, own: SigningKey, tmp_path: Path) -> None:
    signed = sign_card(card, own)
    content = card_bytes(signed)
    assert parse_card(content) == signed
    assert card_bytes(parse_card(content)) == content
    assert len(signed.fingerprint.replace(" ", "")) == 32
    refused("card-signature", lambda: parse_card(content.replace(b"Practice hub", b"Practise hub")))
    refused("card", lambda: parse_card(b"{}"))
    refused("card", lambda: parse_card(b"[" * 100_000))
    forged = sign_card(card, make_key(tmp_path / "forger.pem"))
    assert forged.fingerprint != signed.fingerprint


def test_what_would_be_read_otherwise_never_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.sensitive.bundle import leaving as room

    whole = room.leaving_mapping
    monkeypatch.setattr(room, "leaving_mapping", lambda m: whole(m).replace("F: female", "F: male"))
    refused("leaves-differ", lambda: what_leaves(tmp_path))


HOSTILE = """\
dossier;nom;sexe;naissance;date;accord;notes;téléphone
'=A1;S;F;1994-03-01;2024-03-12;oui;;1
"a ""b"" ;
c";S;F;;2024-03-12;oui;;2
'x;S;H;;2024-03-12;oui;;3
'@y;S;H;;2024-03-12;oui;;4
000;S;H;;2024-03-12;oui;;5
ملف 7;S; F ;;2024-03-12;oui;;6
"""


def test_cells_that_programs_trip_over_are_read_the_same(tmp_path: Path) -> None:
    found = what_leaves(tmp_path, HOSTILE)
    assert found.rows == 6
    assert found.withheld == 0


def test_a_packed_bundle_never_shows_the_name_of_the_file(packed: Packed) -> None:
    assert b"Liste" not in packed.archive
    assert packed.manifest.files[0].name == "data/cases.csv"
