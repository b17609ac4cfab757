"""One concept, one term: texts keep to the termbase and use no word of this house."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import messages
import pytest
import yaml

from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.site.render import PAGES

ROOT = Path(__file__).parents[2]
TERMBASE = resources.files("ctdhub") / "locale/termbase.yaml"
LABELS = resources.files("ctdhub") / "schema/data/labels"
MARKS = re.compile("[\u0640\u064b-\u0652\u200e\u200f\u2066-\u2069]")
"""Signs that Arabic may write or leave out, and marks of direction."""

TYPED = re.compile(r"```.*?```|`[^`]*`|\{[^{}]*\}|https?://\S+|\]\([^)]*\)", re.DOTALL)
"""What is typed, filled in or followed, and is no word of a sentence."""

DOCUMENTS = [
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
    if page.name != "CHANGELOG.md" and not {"decisions", "generated"} & set(page.parts)
]
"""All that is read today: decisions and the history of changes keep the words of their time.
Pages made from the code have its texts, which are read where they are written."""


def language_of(page: Path) -> str:
    """The language of a document: docs/fr, docs/es and docs/ar hold translations."""
    folder = page.parent.name
    return folder if folder in LANGUAGES and page.parent.parent.name == "docs" else "en"


@cache
def termbase() -> dict[str, Any]:
    given: dict[str, Any] = yaml.safe_load(TERMBASE.read_text("utf-8"))
    return given


def one_of(words: list[str], code: str) -> re.Pattern[str]:
    """Any of these as whole words; in Arabic behind a conjunction, preposition or article."""
    proclitic = "(?:[وف]?[بلك]?(?:ال|لل)?)" if code == "ar" else ""
    spelt = "|".join(re.escape(MARKS.sub("", w)).replace(r"\ ", r"\s+") for w in words)
    return re.compile(rf"(?<!\w){proclitic}(?:{spelt})(?!\w)", re.IGNORECASE)


@cache
def banned(code: str) -> re.Pattern[str]:
    """Words that no text of a language has."""
    words = [w for term in termbase()["terms"] for w in term.get("never", {}).get(code, ())]
    if code == "en":
        words += [w for entry in termbase()["house"] for w in entry["words"]]
    return one_of(words, code)


@cache
def allowed() -> re.Pattern[str]:
    return one_of([entry["phrase"] for entry in termbase()["unless"]], "en")


def found(text: str, code: str) -> list[str]:
    """The banned words in a text."""
    words = allowed().sub(" ", TYPED.sub(" ", MARKS.sub("", text).replace("’", "'")))
    return banned(code).findall(words)


@cache
def texts() -> dict[Any, list[str]]:
    """Every text of the source, and the places that say it."""
    return {m.id: [place for place, _line in m.locations] for m in messages.template() if m.id}


@cache
def messages_of(code: str) -> tuple[str, ...]:
    """Every message of a language."""
    said = {m.id: m.string for m in messages.read(code) if m.id} if code != "en" else {}
    kept = (said.get(text, ()) if said else text for text in texts())
    return tuple(form for text in kept for form in messages.as_tuple(text))


def leaves(node: Any) -> Iterator[str]:
    """Every text in what YAML holds."""
    if isinstance(node, dict):
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value)
    elif isinstance(node, str):
        yield node


def labels_of(code: str) -> Iterator[str]:
    yield from leaves(yaml.safe_load((LABELS / f"{code}.yaml").read_text("utf-8")))


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_message_has_a_word_that_is_not_to_be_used(code: str) -> None:
    hits = {text: words for text in messages_of(code) if (words := found(text, code))}
    assert not hits


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_label_has_a_word_that_is_not_to_be_used(code: str) -> None:
    hits = {text: words for text in labels_of(code) if (words := found(text, code))}
    assert not hits


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_document_has_a_word_that_is_not_to_be_used(page: Path) -> None:
    about = {"glossary.md": r"^\|.*$", "rules.md": "^## .*$"}  # words about words, names of rules
    text = re.sub(about.get(page.name, r"\Z\A"), "", page.read_text("utf-8"), flags=re.MULTILINE)
    assert not found(text, language_of(page))


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_practice_story_has_a_word_that_is_not_to_be_used(code: str) -> None:
    stories = sorted((messages.PACKAGE / "practice" / "stories").glob(f"*.{code}.md"))
    assert stories
    assert not {s.name: words for s in stories if (words := found(s.read_text("utf-8"), code))}


def test_no_practice_file_has_a_word_that_is_not_to_be_used() -> None:
    """What a hub made for practice shows: names, agreements and events, in any language."""
    folder = messages.PACKAGE / "practice"
    files = sorted(folder.glob("*.yaml")) + sorted(folder.glob("contributors/*.yaml"))
    given = {file.name: yaml.safe_load(file.read_text("utf-8")) for file in files}
    assert len(given) > 4
    hits = {
        name: words
        for name, content in given.items()
        for text in leaves(content)
        if " " in text  # a sentence or a name, not a key
        for code in LANGUAGES
        if (words := found(text, code))
    }
    assert not hits


def test_every_term_has_four_languages_and_an_owner() -> None:
    for term in termbase()["terms"]:
        assert {*LANGUAGES, "owner", "meaning"} <= set(term), term["en"]
        assert all(term[key].strip() for key in (*LANGUAGES, "owner", "meaning"))
        for code, words in term.get("never", {}).items():
            plain = allowed().sub(" ", MARKS.sub("", term[code]))
            assert not one_of(words, code).search(plain), term["en"]
    for code in LANGUAGES:
        parts = [
            re.sub(r"\s+", " ", part).strip()
            for term in termbase()["terms"]
            for part in re.split("[;؛]", term[code])
        ]
        assert len(parts) == len(set(parts)), f"{code}: one term, one concept"


SENTENCE_END = re.compile("(?<=[.!?؟])(?:[\"'”»)]|[\u00a0\u202f]»)*\\s+")
REAL, SYNTHETIC = "case record", "synthetic record"
SWAPPED = "what is said of case records is said of synthetic ones"


def sentences(text: str) -> list[str]:
    """The sentences of a message, without what is typed or filled in."""
    return SENTENCE_END.split(TYPED.sub("x", MARKS.sub("", text)).strip())


@cache
def forms(code: str) -> dict[str, re.Pattern[str]]:
    """Terms that a sentence must keep, by their English name, as a language writes them."""
    proclitic = "(?:[وف]?[بلك]?(?:ال|لل)?)?" if code == "ar" else ""
    return {
        term["en"]: re.compile(
            rf"(?<!\w){proclitic}(?:{MARKS.sub('', term['forms'][code])})(?!\w)", re.IGNORECASE
        )
        for term in termbase()["terms"]
        if "forms" in term
    }


def terms_in(sentence: str, code: str) -> set[str]:
    return {name for name, pattern in forms(code).items() if pattern.search(sentence)}


def lost(english: str, other: str, code: str) -> list[object]:
    """What a translation of a message with terms does not say sentence by sentence."""
    asked = [terms_in(part, "en") for part in sentences(english)]
    if not any(asked):
        return []
    told = [terms_in(part, code) for part in sentences(other)]
    if len(told) != len(asked):
        return [f"{len(asked)} sentences, not {len(told)}"]
    pairs = list(zip(asked, told, strict=True))
    missing = [sorted(a - t) for a, t in pairs if a - t]
    swapped = [SWAPPED for a, t in pairs if REAL in a and SYNTHETIC in t - a]
    return [*missing, *swapped]


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_each_sentence_keeps_its_terms(code: str) -> None:
    """The claims of a message are the same in each language, sentence by sentence."""
    said = messages.read(code)
    hits = {
        text: found
        for message in texts()
        if (text := messages.as_tuple(message)[-1])
        and (found := lost(text, messages.as_tuple(said.get(message).string)[-1], code))
    }
    assert not hits


def test_a_claim_that_a_translation_lost_is_found() -> None:
    english = "Noise is added to counts. The case records never left the hub."
    assert not lost(english, "Se añade ruido. Los expedientes nunca salieron.", "es")
    assert lost(english, "Se añade ruido. Los registros sintéticos nunca salieron.", "es") == [
        [REAL],
        SWAPPED,
    ]
    assert lost(english, "تضاف ضوضاء إلى الأعداد.", "ar") == ["2 sentences, not 1"]
    assert lost(english, "On ajoute de l’aléa. Les dossiers n’ont pas quitté le hub.", "fr") == [
        ["noise"]
    ]


def test_every_exception_has_a_reason_and_is_needed() -> None:
    everything = "\n".join(
        [
            *(form for text in texts() for form in messages.as_tuple(text)),
            *(text for code in LANGUAGES for text in labels_of(code)),
            *(form for code in LANGUAGES[1:] for form in messages_of(code)),
            *(page.read_text("utf-8") for page in DOCUMENTS),
        ]
    )
    plain = re.sub(r"\s+", " ", MARKS.sub("", everything).replace("’", "'"))
    for entry in termbase()["unless"]:
        assert len(entry["why"]) > 10, entry
        assert one_of([entry["phrase"]], "en").search(plain), f"take it off: {entry['phrase']}"


def test_the_glossary_shows_the_terms() -> None:
    page = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
    for term in termbase()["terms"]:
        row = " | ".join(term[key] for key in (*LANGUAGES, "meaning"))
        assert f"| {row} |" in page, term["en"]
    table = page.split("## Words of the statistics")[0]
    assert len(re.findall(r"^\|", table, re.MULTILINE)) == len(termbase()["terms"]) + 2


ALLEGED = {
    "en": (r"\bperpetrators?\b", r"alleged|accused"),
    "fr": (r"\bauteurs?\b", r"présumé"),
    "es": (r"\bautor(?:es|as?)?\b", r"presunt"),
    "ar": (r"(?:ال|لل)?(?:جان(?:ي|يا|ين)?|جناة)(?!\w)", r"مزعوم"),
}
"""A person named as responsible, and the word that states nobody's guilt."""

OTHER_AUTHORS = re.compile("«?auteur du (?:récit|fichier)|autor(?:es)? del relato", re.IGNORECASE)


@pytest.mark.parametrize("code", LANGUAGES)
def test_nobody_is_said_to_be_guilty(code: str) -> None:
    word, alleged = ALLEGED[code]
    pages = (page for page in DOCUMENTS if language_of(page) == code != "en")
    documents = [part for page in pages for part in page.read_text("utf-8").split("\n\n")]
    for text in (*messages_of(code), *labels_of(code), *documents):
        plain = OTHER_AUTHORS.sub("", TYPED.sub(" ", MARKS.sub("", text)))
        if re.search(rf"(?<!\w)[وبفك]?{word}", plain, re.IGNORECASE):
            assert re.search(alleged, plain, re.IGNORECASE), text


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_two_entries_of_the_menu_have_one_name(code: str) -> None:
    with language(code):
        names = [said(kind.menu.label) for kind in PAGES if kind.menu is not None]
    assert len(names) > 3
    assert len(names) == len(set(names))
    assert not [(a, b) for a in names for b in names if a != b and b.startswith(a + " ")]


def test_a_banned_word_is_found_in_each_language() -> None:
    assert found("The number lies beside the chart, in the third edition.", "en")
    assert found("Vos lignes fictives", "fr")
    assert found("Las ediciones", "es")
    assert found("والمجال", "ar")
    assert found("بالمواءمة", "ar")
    assert not found("`beside` and `--flag`, understand, believe; stands for", "en")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_worst_lines_do_not_come_back(code: str) -> None:
    lines = yaml.safe_load((Path(__file__).parent / "worst_lines.yaml").read_text("utf-8"))[code]
    documents = [page.read_text("utf-8") for page in DOCUMENTS if language_of(page) == code]
    everything = "\n".join([*messages_of(code), *labels_of(code), *documents])
    plain = re.sub(r"\s+", " ", MARKS.sub("", everything))
    assert len(lines) > 25
    there = [line for line in (MARKS.sub("", line) for line in lines) if line in plain]
    assert not [line for line in there if re.search(rf"(?<!\w){re.escape(line)}", plain)]
