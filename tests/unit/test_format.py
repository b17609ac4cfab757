"""Numbers of readers: one formatter, and what each language does with signs and groups."""

from __future__ import annotations

import ast
import re
from datetime import date

import messages
import pytest
from signs_of_numbers import astray
from tests.source import Nodes, Question, modules, none

from ctdhub.core.format import clock, day, decimal, exact, number, people_words, share, signed
from ctdhub.core.i18n import Numeral, Percent, Text, _, language, said

WRITTEN = {
    "en": ("5,068", "60,006", "1,234,567", "0.5", "12.5%", "60,006.5", "26 November 2026"),
    "fr": ("5 068", "60 006", "1 234 567", "0,5", "12,5 %", "60 006,5", "26 novembre 2026"),
    "es": ("5068", "60 006", "1 234 567", "0,5", "12,5 %", "60 006,5", "26 de noviembre de 2026"),
    "ar": ("5,068", "60,006", "1,234,567", "0.5", "12.5%", "60,006.5", "26 نوفمبر 2026"),
}


@pytest.mark.parametrize("code", WRITTEN)
def test_each_language_writes_numbers_and_dates_its_own_way(code: str) -> None:
    with language(code):
        texts = (
            number(5068), number(60006), number(1234567), exact(0.5), share(0.125, fine=True),
            decimal(60006.5), day(date(2026, 11, 26)),
        )  # fmt: skip
    spaced = tuple(re.sub("[\u00a0\u202f]", " ", re.sub("[\u2066\u2069]", "", t)) for t in texts)
    assert spaced == WRITTEN[code]


COUNTED = (0, 1, 2, 3, 10, 11, 26, 99, 100, 101, 103, 111, 1000, 1002)
PEOPLE = {
    "en": ["people", "person", *["people"] * 12],
    "fr": ["personne", "personne", *["personnes"] * 12],
    "es": ["personas", "persona", *["personas"] * 12],
    "ar": [
        "شخص", "شخص واحد", "شخصان", "أشخاص", "أشخاص", "شخصاً", "شخصاً", "شخصاً", "شخص", "شخص",
        "أشخاص", "شخصاً", "شخص", "شخص",
    ],
}  # fmt: skip


@pytest.mark.parametrize("code", PEOPLE)
def test_people_agree_with_their_number(code: str) -> None:
    unwritten = ("شخص واحد", "شخصان")
    with language(code):
        for n, noun in zip(COUNTED, PEOPLE[code], strict=True):
            assert people_words(number(n)) == (noun if noun in unwritten else f"{number(n)} {noun}")


@pytest.mark.parametrize(
    ("low", "high", "noun"),
    [(0, 2, "أشخاص"), (90, 103, "أشخاص"), (3, 26, "شخصاً"), (5, 1000, "شخص")],
)
def test_people_agree_with_the_end_of_a_range(low: int, high: int, noun: str) -> None:
    with language("ar"):
        span = _("between {low} and {high}").format(low=number(low), high=number(high))
        assert people_words(span) == f"{span} {noun}"
        assert people_words(f"{number(103)} ({span})") == f"{number(103)} أشخاص ({span})"
        assert number(1) in people_words(_("at most {n}").format(n=number(1)))


def test_spanish_groups_do_not_break_and_hold_no_point() -> None:
    with language("es"):
        assert number(60006) == "60\u202f006"
        assert share(15.5) == "1550\u00a0%"
        assert said(Text("row {row}", row=Numeral(1234567))) == "fila 1\u202f234\u202f567"


def test_in_arabic_every_sign_stays_with_its_number() -> None:
    with language("ar"):
        assert astray("من 8.3% إلى 9%") == ["من 8.3% إلى 9%", "من 8.3% إلى 9%"]
        for text in (share(0.083), share(0.00001), signed(-3.25, 1), signed(7), exact(1e-9)):
            assert not astray(f"من {text} إلى")
            assert text.count("\u2066") == text.count("\u2069") == 1
        assert said(Text("row {row}", row=Percent(0.95))).count("\u2066") == 1
        assert "\u2066" not in number(60006)
        assert not astray(messages.marked("بنسبة 50% و{n}%"))


def test_a_number_of_a_text_that_was_kept_is_read_again() -> None:
    text = Text("row {row}", row=Numeral(0.25, 3), other=Percent(0.5))
    assert Text.from_json(text.as_json()) == text
    assert said(Text("row {row}", row=0.25)) == "row 0.25"
    with language("fr"):
        assert said(Text("row {row}", row=0.25)) == "ligne 0,25"


def test_hours_are_of_a_day() -> None:
    assert clock("15:05") == "15:05"
    with language("fr"):
        assert [clock("9:00"), clock("00:05")] == ["9\u00a0h", "0\u00a0h\u00a005"]


def test_no_message_formats_a_number_itself() -> None:
    formatted = re.compile(r"(?<!\{)\{[a-z_]*:[^ {}][^{}]*\}")
    texts = (t for m in messages.template() if m.id for t in messages.as_tuple(m.id))
    assert not [text for text in texts if formatted.search(re.sub("`[^`]*`", "", text))]


SPECS = re.compile(r"[+,]?(?:,|\.\d)[\d]*[fg%e]?$|^[eg%]$")


@Question
def specs(nodes: Nodes) -> list[str]:
    """How a module formats numbers, with their lines."""
    return [
        f"{node.lineno}: {spec}"
        for node in nodes
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None
        if SPECS.search(spec := ast.unparse(node.format_spec).strip("f'\""))
    ]


def test_no_verb_formats_a_number_itself() -> None:
    """What a verb prints is read by people of four languages; JSON and CSV write no spec."""
    none(f"{module.place}:{spec}" for module in modules("cli/") for spec in specs(module))
