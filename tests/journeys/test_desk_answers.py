"""What the hub's pages show is answered by the worker as documents, to each what they may see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES
from ctdhub.desk.allowed import HUB_ROLES, Who
from ctdhub.desk.worker.answers.ask import ask
from ctdhub.document.document import Document, from_json
from ctdhub.hub import agreements, between_builds, pipeline, rehearsal
from ctdhub.hub import folder as desk_files
from ctdhub.hub.folder import Hub
from ctdhub.hub.steps import hash_file
from ctdhub.release.open import examine
from tests.fixtures.hubs import copied, drafted, make_real
from tests.journeys.small_hub import join, new_hub, send

EVERY = (
    {"ask": "agreements"}, {"ask": "agreement", "id": "rivage-refuge"}, {"ask": "looks"},
    {"ask": "look", "id": "beacon-hotline"},
    {"ask": "rejects", "id": "harbour-casework", "date": "2026-01-15"}, {"ask": "drift"},
    {"ask": "coverage"}, {"ask": "doubles"}, {"ask": "lineages"},
    {"ask": "lineage", "id": "gender"}, {"ask": "ledger"}, {"ask": "withdrawals"},
    {"ask": "versions"}, {"ask": "rehearsal"}, {"ask": "price", "version": "2026.2"},
    {"ask": "changes", "version": "2026.1"},
)  # fmt: skip

PRIVACY = {"privacy_officer"}
"""Sees counts of the look, no texts and no columns."""


def _who(roles: Iterable[str]) -> Who:
    return Who("0" * 32, frozenset(roles))


def answer(hub: Hub, roles: Iterable[str] = HUB_ROLES, **request: Any) -> dict[str, Any]:
    """An answer as it comes through JSON."""
    found: dict[str, Any] = json.loads(json.dumps(ask(hub.root, _who(roles), request)))
    assert "error" not in found, found
    return found


def document(hub: Hub, roles: Iterable[str] = HUB_ROLES, **request: Any) -> Document:
    return from_json(answer(hub, roles, **request)["document"])


def refused(hub: Hub, roles: Iterable[str] = HUB_ROLES, **request: Any) -> str:
    return str(ask(hub.root, _who(roles), request)["error"]["name"])


def text_of(found: Document) -> str:
    return repr(found)


@pytest.fixture(scope="module")
def seen(built: Hub, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """The built hub, to be looked at."""
    return copied(built, tmp_path_factory.mktemp("seen") / "hub")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_answer_speaks_every_language(seen: Hub, lang: str) -> None:
    for request in EVERY:
        found = document(seen, lang=lang, **request)
        assert found.meta.rtl == (lang == "ar")
        assert found.title
        if lang == "ar" and request["ask"] not in ("agreement", "look"):
            assert any("\u0600" <= c <= "\u06ff" for c in found.title), request


def test_a_hub_that_is_new_has_something_to_say_on_every_page(tmp_path: Path) -> None:
    fresh = new_hub(tmp_path / "hub")
    for request in EVERY:
        met = ask(fresh.root, _who(HUB_ROLES), request)
        if "error" in met:
            assert request["ask"] in ("agreement", "look", "rejects", "changes"), request
        else:
            assert from_json(met["document"]).lead or request["ask"] == "versions"
    join(fresh, "our-ngo", name="منظمة الميناء")
    (listed,) = answer(fresh, ask="agreements")["given"]["agreements"]
    assert listed["name"] == "منظمة الميناء"
    given = answer(fresh, ask="agreement", id="our-ngo")["given"]
    assert given["settings"]["ends"] == ""
    assert refused(fresh, ask="look", id="our-ngo") == "no-delivery"


def test_texts_of_cells_go_only_to_who_may_see_them(seen: Hub) -> None:
    asked = {"ask": "look", "id": "harbour-casework"}
    assert "Ukrayne" in text_of(document(seen, **asked))
    counts = document(seen, PRIVACY, **asked)
    assert "Ukrayne" not in text_of(counts)
    assert any(s.id.endswith("-texts") for s in counts.sections)
    rejected = {"ask": "rejects", "id": "harbour-casework", "date": "2026-01-15"}
    assert "Ukrayne" in text_of(document(seen, **rejected))
    assert refused(seen, PRIVACY, **rejected) == "desk-ask"


def test_lineage_ends_at_the_published_number(seen: Hub) -> None:
    found = document(seen, ask="lineage", id="gender")
    assert [s.id for s in found.sections] == ["files", "tables", "numbers"]
    assert "prs_Gender" in text_of(found)
    commit = hash_file(seen.mapping("rivage-refuge"))[:12]
    assert commit in text_of(found)
    manifest, _problems = examine(seen.releases / "2026.1")
    assert manifest is not None
    (table,) = [b for b in found.sections[2].blocks if b.kind == "table"]
    assert len(table.rows) == 4
    without = document(seen, PRIVACY, ask="lineage", id="gender")
    assert "prs_Gender" not in text_of(without)
    assert without.sections[2] == found.sections[2]
    assert refused(seen, {"contributor"}, ask="lineage", id="gender") == "desk-ask"
    assert refused(seen, ask="lineage", id="name") == "lineage-variable"


def test_drafts_are_for_who_may_read_the_ledger(hub: Hub) -> None:
    shutil.rmtree(hub.candidates, ignore_errors=True)
    policy = hub.policy_file
    policy.write_text(policy.read_text("utf-8").replace("60.0", "59.0"), "utf-8")
    pipeline.build(hub, until="protect")  # a draft that nobody published
    assert refused(hub, {"data_officer"}, ask="ledger") == "desk-ask"
    assert refused(hub, {"contributor"}, ask="ledger") == "desk-ask"
    assert "not published" in text_of(document(hub, ask="ledger"))
    assert answer(hub, ask="ledger")["given"]["charges"] == 2


def test_a_rehearsal_and_a_price_are_kept_and_known_to_be_old(hub: Hub) -> None:
    charges = answer(hub, ask="ledger")["given"]["charges"]
    asked = rehearsal.of_hub(hub)
    done = rehearsal.rehearsed(asked, 500, (2.0, 60.0), asked.delta)
    figures = rehearsal.figures(asked, 500, done, asked.delta)
    desk_files.keep(hub, desk_files.REHEARSAL, figures | {"policy": hash_file(hub.policy_file)})
    found = document(hub, ask="rehearsal")
    charts = [b for s in found.sections for b in s.blocks if b.kind == "bars"]
    for chart in charts:
        first, last = (bar.size or 0 for bar in chart.bars)
        assert first > last > 0  # more epsilon, less error
    assert not answer(hub, ask="rehearsal")["given"]["stale"]
    price = between_builds.price_of(hub, "2026.2")
    assert price.epsilon == 60.0
    desk_files.keep(hub, desk_files.PRICE, price.as_json())
    given = answer(hub, ask="price", version="2026.2")["given"]
    assert (given["known"], given["stale"], given["epsilon"]) == (True, False, 60.0)
    assert not answer(hub, ask="price", version="2026.3")["given"]["known"]
    assert answer(hub, ask="ledger")["given"]["charges"] == charges
    path = hub.work / "desk" / "price.json"
    assert path.stat().st_mode & 0o077 == 0
    hub.policy_file.write_text(hub.policy_file.read_text("utf-8") + "\n# other\n", "utf-8")
    assert answer(hub, ask="rehearsal")["given"]["stale"]


def test_the_difference_to_the_last_release_is_read_before_it_is_signed(hub: Hub) -> None:
    make_real(hub)
    candidate = drafted(hub)
    found = document(hub, ask="changes", version=candidate.name)
    assert [s.id for s in found.sections] == ["readers", "counts", "review"]
    assert not answer(hub, ask="changes", version=candidate.name)["given"]["published"]
    waiting = answer(hub, ask="versions")["given"]["versions"][0]
    assert waiting == {
        "version": candidate.name, "published": False, "missing": ["steward", "privacy_officer"],
        "state": "built",
    }  # fmt: skip
    assert refused(hub, ask="changes", version="../../etc") == "no-candidate"


def test_an_agreement_changes_where_nobody_else_changed_it(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, "our-ngo")
    path = hub.root / "contributors" / "our-ngo.yaml"
    path.write_text("# why we agreed\n" + path.read_text("utf-8"), "utf-8")
    base = agreements.hash_of_agreement(hub, "our-ngo")
    soon = date.today() + timedelta(days=10)
    agreements.write_agreement(hub, "our-ngo", {"ends": soon, "purpose": "a: b # c"}, base)
    (one,) = hub.agreements()
    assert (one.ends, one.purpose) == (soon, "a: b # c")
    assert path.read_text("utf-8").startswith("# why we agreed\n")
    assert agreements.force_of(hub, one, date.today()) == "ends_soon"
    for settings, seen, rule in (
        ({"purpose": "x"}, base, "agreement/changed"),
        ({"ends": "soon"}, agreements.hash_of_agreement(hub, "our-ngo"), "settings"),
    ):
        before = path.read_bytes()
        with pytest.raises(HubError) as met:
            agreements.write_agreement(hub, "our-ngo", settings, seen)
        assert met.value.name == rule
        assert path.read_bytes() == before
    new = {"name": "=cmd", "kind": "hotline"}
    for name in ("../x", "", ".x", "new-one"):
        with pytest.raises(HubError):
            agreements.write_agreement(hub, name, new, "")
    assert [a.id for a in hub.agreements()] == ["our-ngo"]


def test_an_agreement_that_ended_stops_the_command_line_too(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, "our-ngo")
    send(hub, "our-ngo", "2026-01-15", "1,2020,F,25,1,NGA")
    base = agreements.hash_of_agreement(hub, "our-ngo")
    ended = date.today() - timedelta(days=1)
    agreements.write_agreement(hub, "our-ngo", {"ends": ended}, base)
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert met.value.name == "agreement/ended"
    assert answer(hub, ask="agreement", id="our-ngo")["given"]["force"] == "ended"


def test_drift_tells_what_moved(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, "our-ngo")
    women = [f"{n},2020,F,{20 + n % 20},1,NGA" for n in range(60)]
    mixed = [f"{n},2020,{'FM'[n % 2]},{20 + n % 20},1,NGA" for n in range(60)]
    send(hub, "our-ngo", "2026-01-15", *women)
    send(hub, "our-ngo", "2026-06-15", *mixed)
    pipeline.build(hub, until="link")
    (table,) = [b for b in document(hub, ask="drift").sections[1].blocks if b.kind == "table"]
    assert table.rows[0][:2] == ("Gender", "50.0%")
    assert table.rows[1][1] == "0.0%"
