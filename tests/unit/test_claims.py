"""Words that a number allows, in four languages: the interval is inside the claim, or no words."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import messages
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.report.figures import children_headline
from ctdhub.report.sentences import estimate
from ctdhub.report.wording import (
    FRACTIONS,
    at_least,
    fraction_claim,
    is_majority,
    more_than,
    people_claim,
    ranged,
    share_words,
    surely,
)
from ctdhub.stats.cards import HEADLINE, POINT, Interval, NumberCard, State, in_headline, is_precise
from ctdhub.stats.tables import Side

ENDS = st.floats(0, 1)


def share_claim(card: NumberCard) -> str:
    """What is printed of a share: words where some are sure, else digits or a range."""
    return share_words(card) or (ranged(card) if card.has_range else "")


SIZES = st.integers(1, 10_000_000)


def of(
    value: float | None, low: float, high: float, unit: str = "share", state: State = "shown"
) -> NumberCard:
    return NumberCard(value, low, high, 0.95, unit, 100, 0.1, state, ("One",), None)  # type: ignore[arg-type]


PEOPLE = [
    ((10171, 9789, 10553), ("more than 9,700", "plus de 9 700", "más de 9700", "أكثر من 9,700")),
    ((9850, 9700, 10000), ("more than 9,600", "plus de 9 600", "más de 9600", "أكثر من 9,600")),
    ((39, 16, 62), ("more than 15", "plus de 15", "más de 15", "أكثر من 15")),
    ((14, 8, 20), ("at least 8", "au moins 8", "al menos 8", "ما لا يقل عن 8")),
    ((2, 1, 3), ("at least 1", "au moins 1", "al menos 1", "ما لا يقل عن 1")),
]
SHARES = [
    ((0.66, 0.64, 0.68),
     ("about two in three", "environ 2 personnes sur 3", "alrededor de dos de cada tres",
      "نحو الثلثين")),
    ((0.645, 0.63, 0.66),
     ("nearly two in three", "près de 2 personnes sur 3", "casi dos de cada tres",
      "ما يقرب من الثلثين")),
    ((0.69, 0.685, 0.695),
     ("nearly seven in ten", "près de 7 personnes sur 10", "casi siete de cada diez",
      "ما يقرب من سبعة أعشارهم")),
    ((0.515, 0.505, 0.525),
     ("more than half", "plus de la moitié", "más de la mitad", "أكثر من النصف")),
    ((0.5, 0.45, 0.55),
     ("about half", "environ la moitié", "alrededor de la mitad", "نحو النصف")),
    ((0.25, 0.2, 0.3),
     ("about one in four", "environ 1 personne sur 4", "alrededor de una de cada cuatro",
      "نحو الربع")),
    ((0.58, 0.54, 0.62),
     ("about three in five", "environ 3 personnes sur 5", "alrededor de tres de cada cinco",
      "نحو ثلاثة أخماسهم")),
    ((0.7, 0.56, 0.84), ("most", "la plupart", "la mayoría", "معظمهم")),
    ((0.62, 0.51, 0.73),
     ("more than half", "plus de la moitié", "más de la mitad", "أكثر من النصف")),
]  # fmt: skip
REFUSED = [(0.6, 0.49, 0.71), (0.45, 0.36, 0.54), (0.033, 0.01, 0.056), (0.97, 0.94, 1.0)]


@pytest.mark.parametrize(("ends", "told"), PEOPLE)
def test_people_as_claims(ends: tuple[float, float, float], told: tuple[str, ...]) -> None:
    for lang, text in zip(("en", "fr", "es", "ar"), told, strict=True):
        with language(lang):
            said = people_claim(of(*ends, unit="people"))
        assert said.replace("\u202f", " ").replace("\u00a0", " ") == text


@pytest.mark.parametrize(("ends", "told"), SHARES)
def test_shares_as_claims(ends: tuple[float, float, float], told: tuple[str, ...]) -> None:
    for lang, text in zip(("en", "fr", "es", "ar"), told, strict=True):
        with language(lang):
            assert share_claim(of(*ends)) == text


@pytest.mark.parametrize("ends", REFUSED)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_no_words_are_sure_of_is_said_in_digits(
    ends: tuple[float, float, float], lang: str
) -> None:
    with language(lang):
        assert share_words(of(*ends)) == "" or ends[1] > 0.5
        if not share_words(of(*ends)):
            assert "%" in share_claim(of(*ends))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_words_without_a_number(lang: str) -> None:
    wide = of(None, 0.6, 1.0, state="imprecise")
    few = of(None, 0, 0.4, state="protected")
    with language(lang):
        assert fraction_claim(wide) == share_words(wide) == share_claim(few) == ""
        assert share_claim(wide).count("%") == 2
        assert people_claim(of(None, 0, 40, "people", "protected")) == ""


@pytest.mark.parametrize(
    ("lang", "one", "several"),
    [("en", "is a", "are"), ("fr", "est un", "sont"), ("es", "es", "son")],
)
def test_what_is_said_of_a_share_agrees_with_its_words(lang: str, one: str, several: str) -> None:
    with language(lang):
        for share in (*FRACTIONS, 0.55, 0.96):
            said = children_headline(of(float(share), share - 0.01, share + 0.01), None, "")
            single = share in {Fraction(1, n) for n in (3, 4, 5, 10)}
            assert f" {one if single else several} " in said, said


def test_who_counts_twice_is_not_two_people() -> None:
    """Where a release measured how many count twice, a claim holds for people counted once."""
    people = replace(of(1000, 980, 1020, "people"), once=(700.0, 1020.0))
    share = replace(of(0.52, 0.51, 0.53), once=(0.47, 0.57))
    few = replace(of(30, 20, 40, "people"), once=(0.0, 40.0))
    with language("en"):
        assert people_claim(people) == "more than 690"
        assert surely(people) == 700
        assert share_words(share) == "about half"
        assert not is_majority(share)
        assert people_claim(few) == ""
        told = "between 700 and 1,020; recorded: between 980 and 1,020, estimate: 1,000; up to 280"
        assert estimate(people).startswith(told)


@given(SIZES)
def test_people_are_never_rounded_upwards(low: int) -> None:
    assert at_least(low) <= low
    assert at_least(low) >= 0.9 * low
    most = more_than(low)
    assert (most is None) == (low <= 1)
    if most is not None:
        assert most < low
        assert most <= at_least(low)
        assert len(str(most).rstrip("0")) <= 2


@given(st.tuples(ENDS, ENDS, ENDS))
def test_the_interval_lies_inside_the_words(three: tuple[float, float, float]) -> None:
    low, value, high = sorted(three)
    card = of(value, low, high)
    sizes = {"half": 1 / 2, "one in three": 1 / 3, "two in three": 2 / 3, "one in four": 1 / 4,
             "three in four": 3 / 4, "one in five": 1 / 5, "two in five": 2 / 5,
             "three in five": 3 / 5, "four in five": 4 / 5, "one in ten": 1 / 10,
             "three in ten": 3 / 10, "seven in ten": 7 / 10, "nine in ten": 9 / 10}  # fmt: skip
    with language("en"):
        words = share_words(card)
    if words in ("most", "more than half"):
        assert low >= 0.5
        assert is_majority(card) or low == 0.5
    elif words.startswith("more than "):
        assert low > sizes[words.removeprefix("more than ")]
    elif words.startswith("nearly "):
        assert high < sizes[words.removeprefix("nearly ")]
    elif words:
        at = sizes[words.removeprefix("about ")]
        assert abs(value - at) <= 0.0301
        assert at - 0.0701 <= low <= high <= at + 0.0701


@given(st.tuples(ENDS, ENDS, ENDS), st.floats(0, 3))
def test_the_width_before_clipping_decides(three: tuple[float, float, float], width: float) -> None:
    low, value, high = sorted(three)
    answer = Interval(value, low, high, max(width, high - low))
    assert is_precise(answer, "share") == (max(width, high - low) <= POINT)
    assert in_headline(answer) == (max(width, high - low) <= HEADLINE)


def test_main_types_are_main_if_everybody_counts_once_too() -> None:
    """Types are compared as groups of a table are: by the second interval where there is one."""
    first, second = of(0.6, 0.57, 0.63), of(0.5, 0.47, 0.53)
    side = Side(of(9, 8, 10), None, first, (("a", first), ("b", second)), (), True, "protected")
    assert side.main_types(1)
    twice = (("a", replace(first, once=(0.52, 0.68))), ("b", replace(second, once=(0.42, 0.58))))
    assert not replace(side, types=twice).main_types(1)


BASES = {
    r"\} of all people": ("personnes", "todas las personas", "جميع الأشخاص"),
    r"of those recorded": ("personnes|celles", "personas", "ممن|من سُجّلت|المسجَّل"),
    r"counted twice": (
        "deux fois(?! plus)",
        r"(cuent\w+|contarse|contado) dos veces(?! más)",
        "مرتين",
    ),
    r"largest corridors": ("plus grands", "mayores|más personas", "أكبر"),
}
"""What a number is of and how sure it is: words of a message, and how each language says them."""


@pytest.mark.parametrize("english", BASES)
def test_a_number_is_of_the_same_people_in_every_language(english: str) -> None:
    """ "Dos veces más" is twice as many, "principaux" more than the largest that were seen."""
    met = 0
    for code, pattern in zip(("fr", "es", "ar"), BASES[english], strict=True):
        for message in messages.read(code):
            *_first, text = messages.as_tuple(message.id)
            *_first, told = messages.as_tuple(message.string)
            if message.id and re.search(english, text):
                met += 1
                assert re.search(pattern, " ".join(told.split())), told
    assert met > 2
