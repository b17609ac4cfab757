"""The ledger's sums and the figures of attacks on the page of methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from invented_release import protected_answer

from ctdhub.core.errors import ReleaseError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import ATTACKS
from ctdhub.release.open import Release, open_release, verify
from ctdhub.site.edition import Edition, PublishedSpending, read_attacks
from ctdhub.site.pages import methods
from ctdhub.site.render import render

ROW: dict[str, Any] = {
    "attack": "canary", "seen": "release", "people": 3000, "columns": 72, "epsilon": 1.0,
    "delta": 1e-6, "trials": 500, "right": 260, "others": None, "chance": 0.5, "gain": 0.02,
    "low": -0.0412, "high": 0.0811, "allowed": 0.2311, "proved": 0.0,
}  # fmt: skip
NEARER = ROW | {"epsilon": 2.0, "right": 300, "gain": 0.1, "low": 0.03, "high": 0.1612}
CARD = {"method": 1, "made": "2026-12-01", "level": 0.95, "attacks": [ROW, NEARER, ROW]}


def released(folder: Path, attacks: bytes = b"") -> Release:
    path = write_release(protected_answer(), folder, "2026.1", "First.", attacks=attacks)
    return open_release(path)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return released(tmp_path_factory.mktemp("r"), json.dumps(CARD).encode())


def shown(release: Release, edition: Edition, code: str = "en") -> str:
    with language(code):
        return render(methods.page(release, edition), release, list(LANGUAGES))


def test_sums_of_the_ledger_are_shown(release: Release) -> None:
    spending = PublishedSpending((("release", 3, 1.8312),), 2.5, 1.9, 12.0, 1e-8)
    text = shown(release, Edition(spending=spending))
    for words in (
        "keeps the privacy guarantee with epsilon 1.9 and delta 10⁻⁸",
        "may spend epsilon 12 in all",
        '<th scope="row">release</th><td class="n">3</td><td class="n">1.831</td>',
        '<th scope="row">reserve for drafts</th><td class="n">–</td><td class="n">2.5</td>',
    ):
        assert words in text, words


def test_a_release_alone_tells_of_no_ledger_and_no_attacks(tmp_path: Path) -> None:
    text = shown(released(tmp_path), Edition())
    assert 'id="ledger"' not in text
    assert 'id="attacks"' not in text


def test_of_each_attack_the_setting_nearest_to_its_limit_is_shown(release: Release) -> None:
    text = shown(release, Edition())
    cells = "".join(
        f'<td class="n">{t}</td>'
        for t in ("2", "500", "60.0%", "50.0%", "+10.0 (+3.0 to +16.2)", "23.1")
    )
    assert f"seen from the release</th>{cells}</tr>" in text
    assert "All 3 settings are in attacks.json" in text
    assert "method 1, attacked on 1 December 2026" in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_its_sentences_are_in_every_language(release: Release, code: str) -> None:
    text = shown(release, Edition(), code)
    assert 'id="attacks"' in text
    assert ("An attack can find a flaw" in text) is (code == "en")


def test_the_figures_are_signed_with_the_release(release: Release, tmp_path: Path) -> None:
    assert ATTACKS in release.manifest.files
    assert f"`{ATTACKS}`" in (release.path / "README.md").read_text("utf-8")
    assert verify(release.path) == []
    other = released(tmp_path, json.dumps(CARD).encode()).path
    (other / ATTACKS).chmod(0o644)
    (other / ATTACKS).write_text(json.dumps(CARD | {"method": 2}), "utf-8")
    assert [(p.kind, p.file) for p in verify(other)] == [("changed", ATTACKS)]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"method": 1}', "\ufeff{"])
def test_what_is_no_card_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / ATTACKS).write_text(text, "utf-8")
    with pytest.raises(ReleaseError) as caught:
        read_attacks(tmp_path)
    assert caught.value.rule == "attack-card"
    assert read_attacks(tmp_path / "nowhere") is None
