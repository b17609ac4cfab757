"""One person, one row, whatever her name: recall by culture, at the noise of one more token.

Goals of the project: recall .90 in each culture and .05 between best and worst, precision .998,
.75 with the year alone, .2 % hidden among 20,000.  ``benchmarks/cultures.py`` measures them at full
size, and ``docs/explanation/linkage.md`` says which are missed: the budgets here are the goals
where they are met, else what must not get worse.
"""

from __future__ import annotations

import pytest
from cultures_source import Recipe, cultures, hidden, sampled

from ctdhub.sensitive.linkage.pprl.derive import Identity, composite_keys, read_birth
from ctdhub.sensitive.linkage.pprl.names import names_of

PLACED = Recipe(place=0.9)
YEAR = Recipe((0.0, 0.0, 1.0, 0.0), 0.9)
TUNED = [name for name, culture in cultures().items() if culture.tuned]


def test_one_token_finds_nine_in_ten_in_each_culture() -> None:
    found = {name: sampled(cultures()[name], 350, 7, PLACED, 1) for name in TUNED}
    assert {n: round(m.recall, 3) for n, m in found.items() if m.recall < 0.88} == {}
    assert min(m.precision for m in found.values()) >= 0.998
    recalls = [m.recall for m in found.values()]
    assert max(recalls) - min(recalls) <= 0.10, "the goal is .05"
    assert max(m.rows for m in found.values()) <= 1.09


def test_the_year_with_a_place_finds_most() -> None:
    for name in TUNED:
        found = sampled(cultures()[name], 250, 7, YEAR, 1)
        assert found.recall >= (0.60 if name == "arabic" else 0.68), name
        assert found.precision >= 0.99, name


@pytest.mark.parametrize(("name", "most"), [("vietnamese", 0.004), ("arabic", 0.002)])
def test_few_are_hidden_by_false_links(name: str, most: float) -> None:
    """A fifth of the people of the goal, so a fifth of the share."""
    assert hidden(cultures()[name], 4_000, 7, Recipe(), 1, "female") <= most / 5 + 2 / 4_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Thị Lan", "Nguyễn"), ("Nguyen", "Lan")),
        (("Lê Thị", "Hoa"), ("Hoa", "Le")),
        (("Sheikh Khaled", "Haddad"), ("خالد", "حداد")),
        (("Umm Maryam", "al-Khatib"), ("مريم", "الخطيب")),
        (("Oluwatosin", "Okafor"), ("Tosin", "Okafo")),
        (("Chief Emeka", "Okeke"), ("Chukwuemeka", "Okeke")),
        (("María Fernanda", "Gómez Ruiz"), ("Maria", "Gomez")),
        (("Elizabteh", "Smith"), ("Liz", "Smyth")),
        (("Md. Rahim", "Khan"), ("Rahim", "Khan")),
    ],
)
def test_one_person_has_one_own_and_one_family_name(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    first, second = names_of(*one), names_of(*other)
    assert first is not None
    assert second is not None
    assert {first.own, first.family} == {second.own, second.family}


def test_lan_and_linh_are_two_names_of_one_family() -> None:
    names = [names_of(given, "Nguyễn") for given in ("Thị Lan", "Thị Linh", "Thị Loan", "Thị Liên")]
    assert len({name.own for name in names if name}) == 4


@pytest.mark.parametrize("birth", ["1990-05-03", "01/01/1990", "1990", "", "none"])
@pytest.mark.parametrize("place", ["", "Lima"])
@pytest.mark.parametrize("family", ["", "Cruz"])
def test_no_key_is_of_names_alone_or_of_no_name(birth: str, place: str, family: str) -> None:
    """What joins released rows needs two names, and a whole birth date or a year with a place."""
    kinds = {kind for kind, _text in composite_keys(Identity("Marta", family, birth, place))}
    born = read_birth(birth)
    joins = bool(family and born and (born.full or place))
    assert bool(kinds & set("jm")) == joins
    assert "i" not in kinds
    if not born:
        assert kinds <= {"e", "n"}, "two names and a place"
