"""What a release says of its own changes: in each language, and with no number of people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, language, said
from ctdhub.release.changelog import (
    carries_note,
    changelog_text,
    in_languages,
    newest_changes,
    newest_note,
)
from ctdhub.release.changes import LEFT_OUT, changes
from ctdhub.release.facts import PublicFacts, SeriesBreak
from ctdhub.release.note_words import tells_of_withdrawals

DAY = datetime(2026, 6, 1, tzinfo=UTC)


def facts(*contributors: dict[str, Any], **more: Any) -> PublicFacts:
    given = {"hub": "A hub", "years": [2010, 2020], "schema_version": "1.1"} | more
    return PublicFacts.of(given | {"contributors": list(contributors)})


def one(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name.lower(), "name": name, "deliveries": ["2026-01-01"]} | more


def sentences(before: PublicFacts | None, now: PublicFacts, **rewritten: list[str]) -> str:
    with language("en"):
        return "\n".join(said(text) for text in changes(before, now, rewritten))


def test_the_first_release_names_its_contributors() -> None:
    assert sentences(None, facts(one("Ada"), one("Bel"))) == (
        "First release, with data of: Ada and Bel"
    )


def test_nothing_changed_says_nothing() -> None:
    assert sentences(facts(one("Ada")), facts(one("Ada"))) == ""


def test_each_kind_of_change_is_said() -> None:
    before = facts(one("Ada"), one("Bel"))
    law = {"date": "2025-03-01", "kind": "law", "note": "Act 7"}
    now = facts(
        one("Ada", deliveries=["2026-05-01", "2026-05-20"], breaks=[law]),
        one("Cid"),
        schema_version="1.2",
        years=[2010, 2026],
    )
    assert sentences(before, now, ada=["gender", LEFT_OUT], cid=["gender"]).splitlines() == [
        "New contributors: Cid",
        "No longer in the data: Bel",
        "Ada: data received on 2026-05-01 and 2026-05-20 were added.",
        "Ada: data received on 2026-01-01 are no longer read.",
        "Ada: the rules that read its files were rewritten for: Gender and which rows are left out",
        "Ada: from 2025-03-01 on the figures are not comparable with earlier ones: "
        "the law changed (Act 7)",
        "The schema is version 1.2 now; it was 1.1.",
        "The years covered are 2010 to 2026 now; they were 2010 to 2020.",
    ]


def test_a_release_of_older_software_knows_no_days() -> None:
    old = facts({"id": "ada", "name": "Ada"})
    assert sentences(old, facts(one("Ada"))) == ""


def test_the_changelog_says_it_in_every_language_of_the_hub() -> None:
    told = changes(facts(one("Ada")), facts(one("Ada", deliveries=["2026-02-03"])), {})
    text = changelog_text(Path("none"), "2026.2", DAY, "A note.", in_languages(told, LANGUAGES))
    for code in LANGUAGES:
        assert f"### {NATIVE_NAMES[code]}\n" in text
        with language(code):
            assert said(told[0]) in newest_changes(text, code).replace("\\", "")
    assert len({newest_changes(text, code) for code in LANGUAGES}) == len(LANGUAGES)
    assert newest_note(text) == "A note."
    assert carries_note(text, "A note.")
    only = changelog_text(Path("none"), "2026.2", DAY, "", in_languages(told, ["en", "fr"]))
    assert NATIVE_NAMES["ar"] not in only
    assert newest_changes(only, "ar") == newest_changes(only, "en") != ""
    assert newest_note(only) == ""


def test_the_next_entry_keeps_the_one_before(tmp_path: Path) -> None:
    told = changes(None, facts(one("Ada")), {})
    words = in_languages(told, ["en"])
    (tmp_path / "2026.1").mkdir()
    first = changelog_text(tmp_path, "2026.1", DAY, "One.", words)
    (tmp_path / "2026.1" / "CHANGELOG.md").write_text(first, "utf-8")
    (tmp_path / "2026.1" / "manifest.json").write_text("{}", "utf-8")
    second = changelog_text(tmp_path, "2026.2", DAY, "", "")
    assert newest_changes(second, "en") == "", "what an older entry says is not the newest"
    assert newest_note(second) == ""
    assert first.partition("\n")[2].strip() in second


def test_markup_in_a_name_stays_text() -> None:
    told = changes(None, facts(one("[x](http://example.org) <b> *y*")), {})
    text = in_languages(told, ["en"])
    assert "<b>" not in text
    assert "[x](" not in text


@pytest.mark.parametrize("wrong", [{"date": "2025-02-30"}, {"date": "juin"}, {"kind": "mood"}])
def test_a_break_that_is_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SeriesBreak.model_validate({"date": "2025-01-01"} | wrong)


@pytest.mark.parametrize(
    "note",
    [
        "One person withdrew.",
        "After the withdrawal of two people",
        "Two women asked to be removed.",
        "Une personne s'est retirée.",
        "Retrait d'une personne",
        "Una persona se retiró.",
        "retirada de dos personas",
        "Revocación de una persona",
        "انسحبت امرأة من البيانات",
        "بعد سحب سجل",
        "WITHDRAWN: 1",
    ],
)
def test_a_note_that_tells_of_withdrawals_is_seen(note: str) -> None:
    assert tells_of_withdrawals(note)


@pytest.mark.parametrize(
    "note",
    ["", "Adds Italy.", "adds two contributors", "Nouvelles données de 2025", "Datos de 2025",
     "بيانات جديدة", "An agreement with a third party; entretien; satire"],
)  # fmt: skip
def test_other_notes_are_not(note: str) -> None:
    assert not tells_of_withdrawals(note)


@given(st.text(max_size=200).filter(lambda t: "#" not in t))
def test_a_note_comes_back_whatever_the_hub_adds(note: str) -> None:
    told = in_languages(changes(None, facts(one("Ada")), {}), LANGUAGES)
    with_words = changelog_text(Path("none"), "2026.1", DAY, note, told)
    without = changelog_text(Path("none"), "2026.1", DAY, note)
    assert newest_note(with_words) == newest_note(without)
    assert carries_note(with_words, note)
