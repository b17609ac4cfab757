"""The ledger's sums and the audit card on the page of methods: only what was paid for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from invented_release import protected_answer

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site.accounts import AUDIT, PublishedSpending, read_audit
from ctdhub.site.edition import Edition
from ctdhub.site.pages import methods
from ctdhub.site.render import render

EVIL = "<script>alert(1)</script>\u202e"
CARD: dict[str, Any] = {
    "internal": False,
    "charge": "paid",
    "epsilon": 1.0,
    "delta": 1e-9,
    "language": "ar",
    "promise": ["Promised."],
    "attacks": [
        {
            "key": "canary-release",
            "title": EVIL,
            "tried": "Tried.",
            "found": "Found.",
            "reading": "Read so.",
        }
    ],
    "limits": "Limits.",
    "sure_percent": 73.2,
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(write_release(protected_answer(), folder, "2026.1", "First."))


def shown(release: Release, edition: Edition) -> str:
    with language("en"):
        return render(methods.page(release, edition), release, ["en"])


def written(hub: Path, **changes: Any) -> Path:
    (hub / AUDIT).write_text(json.dumps(CARD | changes), "utf-8")
    return hub


def test_sums_of_the_ledger_are_shown(release: Release) -> None:
    charges = (("release", 3, 1.8312), ("evaluation", 1, 0.25))
    spending = PublishedSpending(charges, 2.5, 1.9, 12.0, 1e-8)
    text = shown(release, Edition(spending=spending))
    for words in (
        "keeps the privacy guarantee with epsilon 1.9 and delta 10⁻⁸",
        "may spend epsilon 12 in all",
        '<th scope="row">release</th><td class="n">3</td><td class="n">1.831</td>',
        '<th scope="row">evaluation</th><td class="n">1</td><td class="n">0.25</td>',
        '<th scope="row">reserve for drafts</th><td class="n">–</td><td class="n">2.5</td>',
    ):
        assert words in text, words


def test_a_release_alone_tells_of_no_ledger_and_no_audit(release: Release) -> None:
    text = shown(release, Edition())
    assert 'id="ledger"' not in text
    assert 'id="audit"' not in text


def test_a_paid_card_is_shown_in_its_language_as_text(release: Release, tmp_path: Path) -> None:
    text = shown(release, Edition.of(written(tmp_path), paid=["other", "paid"]))
    assert '<div lang="ar" dir="rtl">' in text
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "Tried. Found. <strong>Read so.</strong>" in text


def test_a_card_about_another_promise_is_not_shown(release: Release, tmp_path: Path) -> None:
    edition = Edition.of(written(tmp_path, epsilon=0.5), paid=["paid"])
    assert 'id="audit"' not in shown(release, edition)


@pytest.mark.parametrize("changes", [{"internal": True}, {"charge": "unknown"}, {"charge": ""}])
def test_nobody_shows_what_nobody_paid_for(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(HubError) as caught:
        read_audit(written(tmp_path, **changes), ["paid"])
    assert caught.value.rule == "internal"


def test_attacks_on_invented_people_cost_nothing(release: Release, tmp_path: Path) -> None:
    free = [{**CARD["attacks"][0], "key": "worlds-tables"}]
    found = read_audit(written(tmp_path, charge="", attacks=free), [])
    assert found is not None
    assert 'id="audit"' in shown(release, Edition(audit=found))
    with pytest.raises(HubError):
        read_audit(written(tmp_path, charge="", attacks=[*free, *CARD["attacks"]]), [])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"internal": false}', "\ufeff{"])
def test_what_is_no_card_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / AUDIT).write_text(text, "utf-8")
    with pytest.raises(HubError) as caught:
        read_audit(tmp_path, ["paid"])
    assert caught.value.rule == "audit-card"
    assert read_audit(tmp_path / "nowhere", []) is None
