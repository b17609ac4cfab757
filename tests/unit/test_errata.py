"""Notices about published versions: signed by two people, shown wherever the version is."""

from __future__ import annotations

import json
import shutil
import warnings
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from invented_release import protected_answer
from tests import envelopes

import ctdhub
from ctdhub.cli.approve import cards_near
from ctdhub.client import CorrectedRelease, open_site
from ctdhub.core.errors import HubError, ReleaseError, SiteError
from ctdhub.core.i18n import said
from ctdhub.core.keys.signing import SigningKey, make_key
from ctdhub.hub import errata, init
from ctdhub.hub.folder import Hub, read_journal
from ctdhub.hub.stages import site as site_stage
from ctdhub.hub.stages.site import build_site as site_step
from ctdhub.release.approvals import ROLES
from ctdhub.release.bundle import latest_standing, write_release
from ctdhub.release.errata import ERRATA_JSON, ERRATA_MD, Erratum, cleaned, errata_of
from ctdhub.release.open import digest, leading, open_release, open_releases, sha256, verify
from ctdhub.report.wording import citation
from ctdhub.site.api import schema
from ctdhub.site.build import build_site
from ctdhub.site.cards import CardLog, archive, emptied, faults
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.feed import refuse_fewer_notices
from ctdhub.site.frame import Sharing

EVIL = "Use <script>alert(1)</script> **not** [this](http://x)\u202e & \x1bthat.\nSecond line."
ARABIC = "لا تستخدم الجداول حسب العمر."
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {role: folder / f"{role}.pem" for role in (*ROLES, "stranger")}


@pytest.fixture(scope="module")
def keys(key_files: dict[str, Path]) -> dict[str, SigningKey]:
    return {role: make_key(file) for role, file in key_files.items()}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey]) -> Path:
    """A hub with three releases and no notice."""
    hub = init.new_hub(tmp_path_factory.mktemp("hub") / "hub", "Invented <hub>")
    file = hub.root / "hub.yaml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    settings["approvers"] = {role: keys[role].public for role in ROLES}
    file.write_text(yaml.safe_dump(settings), "utf-8")
    answer = protected_answer(facts={"languages": ["en", "ar"], "invented": False})
    for version in ("2026.1", "2026.2", "2026.3"):
        write_release(answer, hub.releases, version, "Invented.")
    return hub.root


@pytest.fixture
def hub(published: Path, tmp_path: Path) -> Hub:
    shutil.copytree(published, tmp_path / "hub", copy_function=shutil.copy)
    return Hub(tmp_path / "hub")


def given(hub: Hub, keys: dict[str, SigningKey], version: str, text: str, **asked: Any) -> Erratum:
    """A notice with both signatures."""
    note = {"en": text, **asked.pop("more", {})}
    seen = errata.begin(hub, errata.draft(hub, version, note, **asked))
    errata.sign(hub, seen, "privacy_officer", keys["privacy_officer"])
    return errata.sign(hub, seen, "steward", keys["steward"])


@pytest.fixture(scope="module")
def corrected(
    published: Path, tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey]
) -> Hub:
    """Two corrections of the second release; the first and the newest withdrawn; a site of all."""
    root = tmp_path_factory.mktemp("corrected") / "hub"
    shutil.copytree(published, root, copy_function=shutil.copy)
    hub = Hub(root)
    given(hub, keys, "2026.2", EVIL, more={"ar": ARABIC}, concerns=["gender*citizenship"])
    given(hub, keys, "2026.2", "The second thing.", concerns=["age_band"])
    given(hub, keys, "2026.1", "Wrong people.", withdraw=True)
    given(hub, keys, "2026.3", "Wrong years.", withdraw=True)
    draw(hub)
    return hub


def draw(hub: Hub, kept: CardLog | None = None) -> None:
    """The site of all releases of a hub."""
    lead, others = leading(open_releases(hub.releases, hub.settings.approvers))
    edition = Edition(Sharing("https://data.example.org/")) if kept else PLAIN
    build_site(lead, hub.site, edition=edition, earlier=others, kept=kept)


def test_nothing_is_in_force_before_both_signed(hub: Hub, keys: dict[str, SigningKey]) -> None:
    """Also after a crash between the signatures: the file holds one, and the other is given."""
    before = {f.name: f.read_bytes() for f in (hub.releases / "2026.1").iterdir()}
    site = site_step(hub, None).inputs
    seen = errata.begin(hub, errata.draft(hub, "2026.1", {"en": "Ages are wrong."}))
    assert open_release(hub.releases / "2026.1").errata == ()
    with pytest.raises(ReleaseError, match="waits for approval"):
        errata.draft(hub, "2026.1", {"en": "Something else."})
    with pytest.raises(ReleaseError) as refused:
        errata.sign(hub, seen, "steward", keys["stranger"])
    assert refused.value.rule == "approver-key"
    once = errata.sign(hub, seen, "steward", keys["steward"])
    assert once.missing == ("privacy_officer",)
    assert open_release(hub.releases / "2026.1").errata == ()
    with pytest.raises(ReleaseError):  # nobody signs twice
        errata.sign(hub, seen, "steward", keys["steward"])
    again = errata.waiting(Hub(hub.root), "2026.1")
    done = errata.sign(hub, again, "privacy_officer", keys["privacy_officer"])
    assert open_release(hub.releases / "2026.1", hub.settings.approvers).errata == (done,)
    assert verify(hub.releases / "2026.1") == []
    assert {f.name: f.read_bytes() for f in (hub.releases / "2026.1").iterdir()} == before
    assert site_step(hub, None).inputs != site  # so that a build draws the site anew
    told = [(h.what, h.details.get("version")) for h in read_journal(hub) if h.outcome == "done"]
    assert told == [("correct", "2026.1"), ("approve", "2026.1"), ("approve", "2026.1")]


@pytest.mark.parametrize(
    ("version", "asked", "rule"),
    [
        ("2026.9", {}, "no-release"),
        ("../2026.1", {}, "no-release"),
        ("2026.4", {}, "no-release"),
        ("2026.1", {"note": {"en": " \u202e\n"}}, "erratum-note"),
        ("2026.1", {"note": {"en": "x" * 2001}}, "erratum-note"),
        ("2026.1", {"concerns": ["height"]}, "erratum-concerns"),
        ("2026.1", {"concerns": [""]}, "erratum-concerns"),
    ],
)
def test_what_is_refused(hub: Hub, version: str, asked: dict[str, Any], rule: str) -> None:
    shutil.copytree(hub.releases / "2026.1", hub.candidates / "2026.4")
    with pytest.raises(ReleaseError) as refused:
        errata.draft(hub, version, **{"note": {"en": "Wrong."}, **asked})
    assert refused.value.rule == rule
    assert ("candidate" in str(refused.value)) == (version == "2026.4")
    assert not (hub.root / "errata").exists()


def test_the_same_is_not_said_twice(hub: Hub, keys: dict[str, SigningKey]) -> None:
    given(hub, keys, "2026.1", "Ages are wrong.", concerns=["age_band"])
    with pytest.raises(ReleaseError, match="says the same"):
        errata.draft(hub, "2026.1", {"en": " Ages are\u202e wrong. "}, concerns=["age_band"])
    given(hub, keys, "2026.1", "Ages are wrong.", withdraw=True)
    with pytest.raises(ReleaseError, match="withdrawn already"):
        errata.draft(hub, "2026.1", {"en": "Once more."}, withdraw=True)
    assert given(hub, keys, "2026.1", "A further word.").notice.number == 3


def test_a_false_notice_is_told_and_stops_the_site(hub: Hub, keys: dict[str, SigningKey]) -> None:
    release, approvers = hub.releases / "2026.1", hub.settings.approvers
    given(hub, keys, "2026.1", "First.")
    given(hub, keys, "2026.1", "Second.")
    first, second = (hub.root / "errata" / "2026.1" / f"{n}.json" for n in (1, 2))
    good, held = first.read_text("utf-8"), second.read_text("utf-8")

    def faults() -> list[str]:
        return [said(p.text) for p in verify(release, approvers) if p.kind == "erratum"]

    assert faults() == []
    second.write_text(held.replace("Second.", "Never mind."), "utf-8")
    assert faults() == ["This is not a notice."], "the signatures are under another one"
    other = json.loads(held.replace("Second.", "Never mind."))
    for envelope in other["signatures"]:
        envelopes.put(envelope, envelopes.statement(envelope) | {"note": other["notice"]["note"]})
    second.write_text(json.dumps(other), "utf-8")
    assert faults() == [
        f"The signature of the {r} is not valid." for r in ("privacy officer", "steward")
    ]
    # Signed with keys of a stranger, it contradicts nothing but hub.yaml.
    forged = Erratum(notice=Erratum.model_validate_json(held).notice)
    for role in ROLES:
        forged = forged.signed(role, "2026-11-27T00:00:00Z", keys["stranger"])
    second.write_text(forged.model_dump_json(), "utf-8")
    assert "The key of the steward is not the one in hub.yaml." in faults()
    assert "Both signatures were made with the same key." in faults()
    with pytest.raises(ReleaseError) as refused:
        open_releases(hub.releases, approvers)
    assert refused.value.rule == "erratum-damaged"
    with pytest.raises(ReleaseError):
        errata.draft(hub, "2026.1", {"en": "Third."})
    # One is taken away, is no notice, or was signed about another version.
    second.write_text(held, "utf-8")
    first.unlink()
    assert faults() == ["The notice with number 1 is missing."]
    first.write_text("[" * 100_000, "utf-8")
    assert faults()[0] == "This is not a notice."
    first.write_text(good, "utf-8")
    shutil.copytree(hub.root / "errata" / "2026.1", hub.root / "errata" / "2026.2")
    assert verify(hub.releases / "2026.2")[0].kind == "erratum"
    assert faults() == []


def test_every_page_and_card_of_the_version_says_it(corrected: Hub, tmp_path: Path) -> None:
    """Its cards and data are what they were: the notice stands in slots, and beside them."""
    site = corrected.root / "site"
    folder = site / "r" / "2026.2"
    for lang, heading, note in (("en", "Correction of release 2026.2", None), ("ar", None, ARABIC)):
        for page in (*(folder / lang).rglob("*.html"), *(site / lang).rglob("*.html")):
            text = page.read_text("utf-8")
            assert (heading or note) in text, page
            assert "<script>alert" not in text
            assert "\u202e" not in text
    arabic = (site / "ar" / "index.html").read_text("utf-8")
    assert f'<p lang="ar" dir="auto">{ARABIC}</p>' in arabic
    assert '<p lang="en" dir="auto">The second thing.</p>' in arabic
    assert arabic.index("The second thing.") < arabic.index(ARABIC)
    assert "2026.2" in (models := (site / "llms.txt").read_text("utf-8"))
    assert models.index("Correction of release 2026.2") < models.index("The second thing.")
    # Its own files are what they were; the notices lie next to them, with their signatures.
    for file in (corrected.releases / "2026.2").iterdir():
        assert (folder / file.name).read_bytes() == file.read_bytes()
    markdown = (folder / ERRATA_MD).read_text("utf-8")
    assert all(part in markdown for part in (r"\<script\>", r"\[this\]", ARABIC))
    held = json.loads((folder / ERRATA_JSON).read_text("utf-8"))
    assert held["status"] == "correction"
    assert [len(e["signatures"]) for e in held["errata"]] == [2, 2]
    build_site(open_release(corrected.releases / "2026.2"), tmp_path / "site")
    before = tmp_path / "site" / "r" / "2026.2"
    files = [f.relative_to(before) for f in before.rglob("*") if f.is_file()]
    assert len(files) > 100
    for name in files:
        assert emptied((folder / name).read_bytes()) == emptied((before / name).read_bytes()), name
    places = json.loads((folder / "api" / "places.json").read_text("utf-8"))
    jsonschema.validate(places, json.loads(schema("places")))
    latest = json.loads((site / "api" / "latest.json").read_text("utf-8"))
    assert [e["number"] for e in latest["errata"]["2026.2"]] == [1, 2]
    assert '"correction":[{"@type":"CorrectionComment"' in (site / "en/data.html").read_text(
        "utf-8"
    )


def test_a_withdrawn_version_keeps_its_addresses_and_loses_its_numbers(corrected: Hub) -> None:
    site = corrected.root / "site"
    for version, why in (("2026.1", "Wrong people."), ("2026.3", "Wrong years.")):
        gone, kept = site / "r" / version, site / "r" / "2026.2"
        pages = {
            p.relative_to(kept)
            for p in kept.rglob("*.html")
            if p.parent != kept or p.name == "index.html"
        }
        assert {p.relative_to(gone) for p in gone.rglob("*.html")} == pages
        for page in gone.rglob("*.html"):
            text = page.read_text("utf-8")
            assert why in text, page
            assert not any(tag in text for tag in ("<svg", "<table", "application/json")), page
        index = (gone / "en" / "index.html").read_text("utf-8")
        assert 'href="../../../en/index.html"' in index
        names = {p.name for p in gone.iterdir() if p.is_file()}
        assert names == {"index.html", "SHA256SUMS", ERRATA_JSON, ERRATA_MD}
        assert (corrected.releases / version / "records.parquet").is_file()
    # The newest that stands leads.
    assert "en/index.html" in (site / "index.html").read_text("utf-8")
    assert "release 2026.2" in (site / "en" / "index.html").read_text("utf-8")
    latest = json.loads((site / "api" / "latest.json").read_text("utf-8"))
    jsonschema.validate(latest, json.loads(schema("latest")))
    assert (latest["version"], list(latest["releases"])) == ("2026.2", ["2026.2"])
    assert latest["withdrawn"] == ["2026.3", "2026.1"]
    assert latest_standing(corrected.releases) == corrected.releases / "2026.2"
    assert ctdhub.open_hub(corrected.root).release().version == "2026.2"
    assert citation(open_release(corrected.releases / "2026.1")).endswith("not to be used.")


def test_what_is_kept_of_a_withdrawn_version_is_whole(
    corrected: Hub, published: Path, tmp_path: Path
) -> None:
    """The archive keeps its numbers for the hub, the site none; neither was changed."""
    shutil.copytree(published, tmp_path / "hub", copy_function=shutil.copy)
    hub, noted = Hub(tmp_path / "hub"), dict[str, list[str]]()
    kept = CardLog(lambda version, sha256: noted.setdefault(version, []).append(sha256), noted)
    draw(hub, kept)
    left = {path.stem for path in (hub.site / "r" / "2026.2" / "changes").glob("*.csv")}
    assert left == {"2026.1"}
    shutil.copytree(corrected.root / "errata", hub.root / "errata")
    draw(hub, kept)
    for version in ("2026.1", "2026.2", "2026.3"):
        shown = hub.site / "r" / version
        assert not [*faults(hub.releases / version, noted[version], shown)]
        assert archive(hub.releases / version).is_file()
        index = (shown / "en" / "index.html").read_text("utf-8")
        assert ("have been withdrawn" in index) is (version != "2026.2")
    left = {path.stem for path in (hub.site / "r" / "2026.2" / "changes").glob("*.csv")}
    assert left == set(), "it is compared with a withdrawn version nowhere"
    card = hub.site / "r" / "2026.2" / "en" / "index.html"
    card.write_text(card.read_text("utf-8").replace("CC-BY-4.0", "CC0"), "utf-8")
    assert len([*faults(hub.releases / "2026.2", noted["2026.2"], hub.site / "r" / "2026.2")]) == 1
    card = hub.site / "r" / "2026.1" / "en" / "gender.html"
    with zipfile.ZipFile(archive(hub.releases / "2026.1")) as drawn:
        card.write_bytes(drawn.read("en/gender.html"))
    (card.parents[1] / "explore").mkdir()
    (card.parents[1] / "explore" / "rows.bin").write_bytes(b"")
    wrong = faults(hub.releases / "2026.1", noted["2026.1"], hub.site / "r" / "2026.1")
    assert [fault.file for fault in wrong] == [
        "r/2026.1/en/gender.html",
        "r/2026.1/explore/rows.bin",
    ]


def test_verify_asks_the_journal_of_the_hub(hub: Hub) -> None:
    """An archive that it noted must be there, one that it did not must not."""

    def wrong(version: str, near: Hub | None = hub) -> list[str]:
        return [problem.kind for problem in cards_near(hub.releases / version, near)]

    note, file = site_stage.card_store(hub).note, archive(hub.releases / "2026.1")
    assert wrong("2026.1") == []
    note("2026.1", "0" * 64)
    assert wrong("2026.1") == ["missing"]
    with zipfile.ZipFile(file, "w") as held:
        held.writestr("en/index.html", "")
    assert wrong("2026.1") == ["changed"]
    note("2026.1", sha256(file))
    note("2026.1", "1" * 64)  # what was to replace it, before a kill
    assert wrong("2026.1") == []
    shutil.copyfile(file, archive(hub.releases / "2026.2"))
    assert wrong("2026.2") == ["changed"]
    assert wrong("2026.2", None) == [], "without a hub nobody knows"


def test_the_feed_tells_versions_and_notices(corrected: Hub) -> None:
    feed = ET.parse(corrected.root / "site" / "feed.xml").getroot()
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 3 + 4
    assert len({e.findtext(f"{ATOM}id") for e in [feed, *entries]}) == 8
    times = [e.findtext(f"{ATOM}updated") or "" for e in entries]
    assert [feed.findtext(f"{ATOM}updated"), *times] == [times[0], *sorted(times, reverse=True)]
    assert any("alert(1)" in (e.findtext(f"{ATOM}content") or "") for e in entries)


def test_the_client_warns_and_refuses_what_was_withdrawn(corrected: Hub, published: Path) -> None:
    site = corrected.root / "site"
    with pytest.warns(CorrectedRelease, match="The second thing"):
        found = open_site(site, arrow=True)
    assert (found.release, [e["number"] for e in found.errata]) == ("2026.2", [1, 2])
    assert found.errata[0]["text"] == cleaned(EVIL)
    assert "Corrected on" in found.citation
    with pytest.raises(SiteError, match="Wrong people"):
        open_site(site, "2026.1")
    latest = site / "api" / "latest.json"
    now = latest.read_text("utf-8")
    try:
        latest.write_text('{"version": "2026.2"}', "utf-8")  # as older software wrote it
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert open_site(site).errata == ()
        latest.write_text('{"version": "2026.2", "errata": {"2026.2": [7]}}', "utf-8")
        with pytest.raises(SiteError):
            open_site(site)
    finally:
        latest.write_text(now, "utf-8")


def test_a_notice_is_not_taken_from_readers(corrected: Hub, tmp_path: Path) -> None:
    """Whoever deletes the last notice of a hub does not get a site without it."""
    copy = tmp_path / "hub"
    shutil.copytree(corrected.root, copy, ignore=shutil.ignore_patterns("r"))
    shown = copy / "site" / "r" / "2026.2"
    shown.mkdir(parents=True)
    shutil.copy(corrected.root / "site" / "r" / "2026.2" / ERRATA_JSON, shown)
    hub = Hub(copy)
    (copy / "errata" / "2026.2" / "2.json").unlink()
    with pytest.raises(HubError) as refused:
        draw(hub)
    assert refused.value.rule == "site-smaller"


@pytest.mark.parametrize(
    "content", ['{"errata": [{}]}', '{"errata": {}}', '{"errata": null}', "null", "", "[" * 10**5]
)
def test_damaged_notices_of_a_site_are_not_taken_for_none(
    corrected: Hub, tmp_path: Path, content: str
) -> None:
    release = open_release(corrected.releases / "2026.2")
    file = tmp_path / "r" / "2026.2" / ERRATA_JSON
    file.parent.mkdir(parents=True)
    shutil.copy(corrected.root / "site" / "r" / "2026.2" / ERRATA_JSON, file)
    refuse_fewer_notices(tmp_path, [release])
    file.write_text(content, "utf-8")
    with pytest.raises(HubError, match="cannot be read") as refused:
        refuse_fewer_notices(tmp_path, [release])
    assert refused.value.rule == "site-smaller"
    file.unlink()
    refuse_fewer_notices(tmp_path, [release])


def test_a_notice_that_cannot_be_read_is_a_fault(
    corrected: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_path: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", unreadable)
    faults = errata_of(corrected.releases / "2026.2", "0" * 64).faults
    assert {name for name, _text in faults} == {f"errata/2026.2/{n}.json" for n in (1, 2)}


def test_what_was_handed_on_is_checked_without_a_hub(corrected: Hub, tmp_path: Path) -> None:
    release = tmp_path / "2026.2"
    shutil.copytree(corrected.releases / "2026.2", release, copy_function=shutil.copy)
    for name in (ERRATA_JSON, ERRATA_MD):
        shutil.copy(corrected.root / "site" / "r" / "2026.2" / name, release)
    assert verify(release) == []
    assert len(open_release(release).errata) == 2
    text = (release / ERRATA_MD).read_text("utf-8")
    (release / ERRATA_MD).write_text(text + "\nAll is well.", "utf-8")
    assert [p.file for p in verify(release)] == [ERRATA_MD]
    (release / ERRATA_MD).write_text(text, "utf-8")
    held = (release / ERRATA_JSON).read_text("utf-8")
    (release / ERRATA_JSON).write_text(held.replace("second thing", "third thing"), "utf-8")
    assert "erratum" in {p.kind for p in verify(release)}
    (release / ERRATA_JSON).write_text('{"errata": 3}', "utf-8")
    assert errata_of(release, digest(release)).faults


def test_the_command_asks_warns_and_says_what_comes_next(
    hub: Hub, key_files: dict[str, Path], ctdhub: Callable[..., tuple[int, str, str]]
) -> None:
    written = ("correct", hub.root, "2026.1", "--note", "Two people withdrew.", "--yes")
    code, out, err = ctdhub(*written, "--translation", "fr=Deux", "--concerns", "gender")
    assert code == 0
    assert "seems to say that people withdrew" in err
    assert "waits for the approval of: steward, privacy officer" in out
    code, _out, err = ctdhub(*written, "--translation", "de=Zwei")
    assert code == 2
    assert "erratum-language" in err
    signing = ("approve", hub.root, "--correction", "2026.1", "--yes", "--role")
    code, out, err = ctdhub(*signing, "steward", "--key", key_files["steward"])
    assert code == 0
    assert "seems to say" in err
    assert "of: privacy officer" in out
    code, _out, err = ctdhub(*signing, "privacy_officer", "--key", key_files["steward"])
    assert code == 2
    assert "approver-key" in err
    code, out, _err = ctdhub(*signing, "privacy_officer", "--key", key_files["privacy_officer"])
    assert code == 0
    assert "is signed by two people" in out
    code, _out, err = ctdhub(*signing, "steward", "--key", key_files["steward"])
    assert code == 2
    assert "erratum-none" in err
    code, out, _err = ctdhub("facts", hub.releases / "2026.1", "--format", "json")
    assert json.loads(out)["errata"][0]["note"]["fr"] == "Deux"
    assert "Corrected on" in out
    shutil.rmtree(hub.root / "candidates", ignore_errors=True)
    (hub.root / "hub.yaml").unlink()  # the release alone, with its notice
    code, out, _err = ctdhub("verify", hub.releases / "2026.1")
    assert code == 0
    assert "(notice 1): Two people withdrew." in out


def test_notes_are_one_line_of_plain_text() -> None:
    assert cleaned(EVIL) == (
        "Use <script>alert(1)</script> **not** [this](http://x) & that. Second line."
    )
    assert cleaned("l’avis\u202f: «\u00a0non\u00a0» · fin") == "l’avis : « non » · fin"
