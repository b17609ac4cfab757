"""A hub without a desk: it gives out cards, and receives bundles by the command line."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ctdhub.core.keys import age
from ctdhub.core.keys.signing import make_key
from ctdhub.hub.folder import Hub
from ctdhub.hub.init import new_hub
from ctdhub.sensitive.bundle.pack import read_card

Command = Callable[..., tuple[int, str, str]]
CASES = "dossier,nom,sexe,date\nA1,Secret,F,2024-03-12\nA2,Autre,H,2024-04-02\n"
MAPPING = """\
version: 1
rows: person
identifiers: {dossier: hash, nom: strip}
columns:
  gender: {from: sexe, map: {F: female, H: male}}
  year_of_registration: {from: date, year: true}
tests:
  - {row: {dossier: A1, sexe: F, date: "2024-03-12"}, gives: {gender: female}}
"""
AGREEMENT = {
    "id": "our-ngo",
    "name": "Notre ONG",
    "kind": "case_management",
    "scope": "People assisted.",
    "legal_basis": "Consent.",
    "consent_rule": "Written consent.",
    "retention": "12 months.",
    "display_rule": "Named.",
    "purpose": "Statistics.",
    "invented": True,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, state: None) -> Path:
    """A hub with an agreement, keys of everybody, and a file of cases."""
    root = tmp_path_factory.mktemp("bundles")
    new_hub(root / "hub", "Practice hub", invented=True)
    steward, officer = make_key(root / "steward.pem"), make_key(root / "officer.pem")
    own = make_key(root / "own.pem")
    settings = yaml.safe_load((root / "hub/hub.yaml").read_text("utf-8")) | {
        "approvers": {"steward": steward.public, "privacy_officer": officer.public},
        "recipients": [age.make_identity(root / "inbox.age")],
    }
    (root / "hub/hub.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    agreement = root / "hub/contributors/our-ngo.yaml"
    agreement.write_text(yaml.safe_dump(AGREEMENT | {"senders": [own.public]}), "utf-8")
    (root / "cases.csv").write_text(CASES, "utf-8")
    (root / "our.yaml").write_text(MAPPING, "utf-8")
    return root


def bundled(place: Path, ctdhub: Command) -> tuple[int, str, str]:
    """A bundle of the contributor, made by the hub's card: what the command said."""
    card, bundle = place / "our-ngo.ctdhub-card", place / "june.ctdbundle"
    for file in (card, bundle):
        file.unlink(missing_ok=True)
    code, shown, _err = ctdhub(
        "bundle", "card", place / "hub", "our-ngo", "--key", place / "steward.pem", "--out", card
    )
    assert code == 0
    assert read_card(card).fingerprint in shown
    assert read_card(card).card.agreement.purpose == "Statistics."
    return ctdhub(
        "bundle", "make", place / "cases.csv", "--card", card, "--mapping", place / "our.yaml",
        "--key", place / "own.pem", "--codes", place / "codes.key", "--out", bundle, "--yes",
    )  # fmt: skip


def opened(place: Path, ctdhub: Command) -> tuple[int, str, str]:
    """The bundle as a delivery of the hub, made before if it is not there."""
    bundle = place / "june.ctdbundle"
    if not bundle.exists():
        bundled(place, ctdhub)
    return ctdhub(
        "bundle", "open", bundle, "--hub", place / "hub", "--identity", place / "inbox.age",
        "--day", "2026-06-15",
    )  # fmt: skip


def test_from_a_card_to_a_delivery(place: Path, ctdhub: Command) -> None:
    made = bundled(place, ctdhub)
    assert made[0] == 0, made
    assert "nom" in made[1]
    assert "Secret" not in made[1]
    taken = opened(place, ctdhub)
    assert taken[0] == 0, taken
    delivered = place / "hub/contributions/our-ngo/2026-06-15/cases.csv"
    with delivered.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["sexe"] for r in rows] == ["F", "H"]
    assert "nom" not in rows[0]
    assert delivered.stat().st_mode & 0o077 == 0
    hub = Hub(place / "hub")
    assert [c.contributor for c in hub.contributions()] == ["our-ngo"]
    assert hub.mapping("our-ngo").is_file()
    assert not list((place / "hub/work").glob(".opening*"))
    assert ctdhub("check", place / "hub")[0] == 0


def test_what_is_refused_changes_nothing(place: Path, ctdhub: Command, tmp_path: Path) -> None:
    bundle, hub = place / "june.ctdbundle", tmp_path / "hub"
    if not (place / "hub/contributions/our-ngo").exists():
        assert opened(place, ctdhub)[0] == 0
    shutil.copytree(place / "hub", hub)
    agreement = yaml.safe_load((hub / "contributors/our-ngo.yaml").read_text("utf-8"))
    stranger = make_key(tmp_path / "stranger.pem").public
    before = sorted(p for p in hub.rglob("*") if "work" not in p.parts)

    def refused(rule: str, senders: list[str], name: str) -> None:
        (hub / "contributors/our-ngo.yaml").write_text(
            yaml.safe_dump(agreement | {"senders": senders}), "utf-8"
        )
        code, _out, err = ctdhub(
            "bundle", "open", bundle, "--hub", hub, "--identity", place / "inbox.age",
            "--day", name,
        )  # fmt: skip
        assert code == 2
        assert f"rule {rule}" in err
        assert sorted(p for p in hub.rglob("*") if "work" not in p.parts) == before

    refused("bundle-signer", [], "2026-07-01")
    refused("bundle-signer", [stranger], "2026-07-01")
    refused("bundle-day", agreement["senders"], "2026-06-15")


def test_only_the_steward_signs_cards_of_a_hub_that_can_receive(
    place: Path, ctdhub: Command, tmp_path: Path
) -> None:
    words = ("bundle", "card", place / "hub")
    out = ("--out", tmp_path / "card")
    code, _out, err = ctdhub(*words, "our-ngo", "--key", place / "officer.pem", *out)
    assert code == 2
    assert "rule card-steward" in err
    code, _out, err = ctdhub(*words, "nobody", "--key", place / "steward.pem", *out)
    assert code == 2
    assert "rule contributor" in err
    mapping = place / "hub" / "mappings" / "our-ngo.yaml"
    known = mapping.read_bytes() if mapping.exists() else None
    mapping.parent.mkdir(exist_ok=True)
    mapping.write_bytes(b"\xff")
    code, _out, err = ctdhub(*words, "our-ngo", "--key", place / "steward.pem", *out)
    assert (code, "rule mapping-file" in err) == (2, True), "none at all goes without saying"
    mapping.unlink()
    if known is not None:
        mapping.write_bytes(known)
    file = place / "hub" / "hub.yaml"
    held = {k: v for k, v in yaml.safe_load(file.read_text("utf-8")).items() if k != "approvers"}
    file.write_text(yaml.safe_dump(held), "utf-8")
    code, _out, err = ctdhub(*words, "our-ngo", "--key", place / "steward.pem", *out)
    assert code == 2
    assert "rule approvers" in err
    assert not (tmp_path / "card").exists()
