"""One question, one answer: every way to ask a release gives the same number and interval.

The explorer's script is compared with the same answers in ``tests/browser/test_explorer.py``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from invented_release import TABLES, protected_answer

from ctdhub.api.release import PublishedRelease
from ctdhub.border import Protected, restore
from ctdhub.core.errors import HubError
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.report.brief.make import Brief, brief, make_poster
from ctdhub.report.brief.subjects import BriefPlace, Corridor
from ctdhub.report.figures import figures
from ctdhub.report.trends import trends
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION, ORIGIN, PERIOD
from ctdhub.site.api import write_api
from ctdhub.site.stories.page import say
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query
from ctdhub.stats.tables import everyone, headline, place_facts

LARGE = ("gender*age_band*citizenship", f"{PERIOD}*{ORIGIN}*{DESTINATION}")
ASKED = 200
YEARS = (2016, 2018)
Number = tuple[float | None, float | None, float | None]
"""Value (None where it is too small to show), and the ends of its interval."""


def noisy(exact: Protected, folder: Path) -> Answers:
    """Of a release whose counts are noisy, so that they are not those of its records."""
    chance, rows = Random(11), []
    for row in exact.counts.to_pylist():
        off = chance.randint(-7, 7) if row["columns"] else 0
        rows.append(row | {name: row[name] + off for name in ("count", "low", "high")})
    kept = [row for row in rows if row["low"] > 0]
    parts = {f.name: getattr(exact, f.name) for f in fields(exact) if not f.name.startswith("_")}
    parts["counts"] = pa.Table.from_pylist(kept, exact.counts.schema)
    return Answers(open_release(write_release(restore(**parts), folder, "2026.1", "")))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return noisy(protected_answer(tables=(*TABLES, *LARGE)), tmp_path_factory.mktemp("one-answer"))


@pytest.fixture(scope="module")
def interface(answers: Answers) -> PublishedRelease:
    return PublishedRelease(answers.release.path, answers)


@pytest.fixture(scope="module")
def files(answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_api(answers, folder, ["en"])
    return folder / "api"


def questions(answers: Answers) -> list[Query]:
    """Cells and sums of measured tables, those that are too few to show among them."""
    chance = Random(5)
    sigma = answers.release.protected.guarantee.sigma
    tables = [key.split("*") for key in sigma if key]
    found = [Query()]
    while len(found) < ASKED:
        names, where = chance.choice(tables), {}
        shown = [*answers.cells(*names)]
        cell = chance.choice(shown)
        for name, code in zip(names, cell, strict=True):
            every = (*answers.domain(name), "")
            several = chance.sample(every, chance.randint(1, min(len(every), 60)))
            where[name] = chance.choice(([code], [code], [chance.choice(every)], several))
        found.append(Query(where))
    return found


def plain(card: NumberCard) -> Number:
    return card.value, card.low, card.high


def by_interface(interface: PublishedRelease, query: Query) -> Number:
    found = interface.count(query.where)  # type: ignore[arg-type]
    return found.value, found.low, found.high


def ways(
    answers: Answers, interface: PublishedRelease, files: Path, query: Query
) -> Iterator[tuple[str, Number]]:
    """The number of a question by every way in which it can be asked, named."""
    yield "Python interface, count", by_interface(interface, query)
    for name, codes in query.where.items():
        if len(codes) > 1:
            continue
        rest = {n: c for n, c in query.where.items() if n != name}
        (row,) = (r for r in answers.table(Query(rest, (name,))).rows if r.codes == tuple(codes))
        yield f"table by {name}", plain(row.people)
        (one,) = interface.table(name, where=query.where).rows  # type: ignore[arg-type]
        yield f"Python interface, table by {name}", (one.count.value, one.count.low, one.count.high)
    if query.where and all(len(codes) == 1 for codes in query.where.values()):
        yield from by_file(files, query)
    yield "story", by_story(query)(answers)


def by_file(files: Path, query: Query) -> Iterator[tuple[str, Number]]:
    """A cell in the site's file of its table; tables of three variables have none."""
    cell = {name: next(iter(codes)) for name, codes in query.where.items()}
    if row := in_file(files, cell):
        yield "file of the site", (row["count"], row["low"], row["high"])


def in_file(files: Path, cell: Mapping[str, str]) -> dict[str, Any] | None:
    """The row of a cell; a cell without one is at most what each of its values has alone."""
    (first, code), *other = cell.items()
    ((by, value),) = other if len(other) == 1 else [("", "")]
    if len(other) > 1 or key_of(files, cell) is None:
        return None
    for row in read(files / "tables" / f"{first}.csv"):
        if (row["code"], row["by"], row["value"]) == (code, by, value):
            return {n: int(row[n]) for n in ("count", "low", "high")}
    alone = [in_file(files, {name: code}) for name, code in cell.items() if len(cell) > 1]
    ends = [int(key_of(files, cell)["unlisted"]), *(one["high"] for one in alone if one)]
    return {"count": None, "low": 0, "high": min(ends)}


def key_of(files: Path, cell: Mapping[str, str]) -> dict[str, str] | None:
    """The entry of a cell's table in the list."""
    listed = read(files / "tables.csv")
    return next((t for t in listed if sorted(t["table"].split("*")) == sorted(cell)), None)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def by_story(query: Query) -> Callable[[Answers], Number]:
    words = [
        f"{name}={','.join(code or 'not_recorded' for code in codes)}"
        for name, codes in query.where.items()
    ]

    def ask(answers: Answers) -> Number:
        text = say(" ".join(("people", *words)), answers)
        found = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", text)]
        if not found:
            assert "below the reporting threshold" in text
            return None, None, None
        value, low, high = found
        return value, low, high

    return ask


def test_every_way_gives_the_same_number(
    answers: Answers, interface: PublishedRelease, files: Path
) -> None:
    seen: dict[str, int] = {}
    states = set()
    for query in questions(answers):
        card = answers.card(query)
        states.add(card.state)
        assert card.state != "not_measured", query
        found = answers.count(query.where)
        assert (found.low, found.high) == (card.low, card.high)
        for way, number in ways(answers, interface, files, query):
            seen[way.partition(" by ")[0]] = seen.get(way.partition(" by ")[0], 0) + 1
            said = plain(card)
            if way == "story" and card.value is None:
                said = (None, None, None)  # a story has no numbers for what is too few to show
            assert number == said, (way, query.as_json())
    assert states == {"shown", "protected"}
    assert seen["Python interface, count"] == ASKED
    assert min(seen.values()) > 50, seen
    assert len(seen) == 5, seen


def test_what_no_table_holds_has_no_number_by_any_way(
    answers: Answers, interface: PublishedRelease
) -> None:
    query = Query({"any_means": ["yes"], "gender": ["female"]})
    assert answers.card(query).state == "not_measured"
    with pytest.raises(HubError) as fault:
        by_interface(interface, query)
    assert fault.value.rule == "not-measured"
    assert "did not measure" in say("people any_means=yes gender=female", answers)


def cards(held: object) -> Iterator[NumberCard]:
    """All number cards inside a value."""
    if isinstance(held, NumberCard):
        yield held
    elif is_dataclass(held) and not isinstance(held, type):
        for field in fields(held):
            yield from cards(getattr(held, field.name))
    elif isinstance(held, Mapping):
        for value in held.values():
            yield from cards(value)
    elif isinstance(held, list | tuple):
        for value in held:
            yield from cards(value)


def again(answers: Answers, card: NumberCard) -> NumberCard | None:
    """The question of a card, asked again; None where no single question gives it."""
    query = card.query
    if query is None or query.by:
        return None
    asked = Query.from_json(json.loads(json.dumps(query.as_json())))
    if card.unit == "people" and query.of is not None:
        return answers.outside(asked)
    return answers.card(asked)


def test_every_card_can_be_asked_again(answers: Answers) -> None:
    """Facts, tables and charts by year of everybody and of every place."""
    places = (*countries.regions(), "eu", *sorted(c for (c,) in answers.cells(ORIGIN) if c))
    held: list[object] = [headline(answers), everyone(answers), *figures(answers)]
    held += [trend.table for trend in trends(answers)]
    held += [place_facts(answers, key) for key in places]
    held += [headline(answers, YEARS), replace(everyone(answers, YEARS), corridors=())]
    unasked, asked = [], 0
    for card in (card for one in held for card in cards(one)):
        found = again(answers, card)
        if found is None:
            unasked.append(card.unit)
            continue
        asked += 1
        assert (*plain(found), found.state, found.unit, found.denominator) == (
            *plain(card), card.state, card.unit, card.denominator
        ), card.query  # fmt: skip
    assert asked > 300
    assert set(unasked) == {"nationalities", "countries", "contributors", "case_records"}


def test_largest_corridors_of_some_years_are_printed_as_asked_alone(answers: Answers) -> None:
    """They are picked by values adjusted for selection; what is printed is their own answer."""
    side = everyone(answers, YEARS)
    assert side.corridors_in_years
    assert len(side.corridors) > 2
    corridor = next(f for f in figures(answers) if f.id == "corridors")
    assert "people whose two countries are recorded" in corridor.note  # not all, not one corridor
    for origin, place, card in side.corridors:
        years = [str(year) for year in range(YEARS[0], YEARS[1] + 1)]
        assert card.query == Query({ORIGIN: [origin], DESTINATION: [place], PERIOD: years})
        alone = answers.card(card.query)
        assert (*plain(card), card.state) == (*plain(alone), alone.state)


def briefs(answers: Answers) -> Iterator[Brief]:
    for key in ("UKR", "POL", "europe"):
        yield brief(answers, BriefPlace(key), date(2026, 5, 1))
        yield make_poster(answers, BriefPlace(key), date(2026, 5, 1))
    yield brief(answers, Corridor("UKR", "POL"), date(2026, 5, 1))


def test_numbers_of_a_brief_are_those_of_the_interface(
    answers: Answers, interface: PublishedRelease
) -> None:
    """From the JSON beside the brief, which is all that a reader has."""
    seen = {"people": 0, "share": 0, "rest": 0}
    for one in briefs(answers):
        for number in json.loads(one.as_json())["numbers"]:
            if number["kind"] not in seen:
                continue
            seen[number["kind"]] += 1
            part, whole = number["part"], number["whole"]
            if number["kind"] == "people":
                assert interface.count(part).value == number["value"], number
                continue
            query = Query(part, of=Query(whole))
            if number["kind"] == "share":
                assert answers.card(query).value == number["value"], number
            else:
                assert answers.outside(query).value == number["value"], number
    assert min(seen.values()) > 5, seen


@pytest.mark.parametrize("key", ["UKR", "POL", "europe", "africa"])
def test_facts_of_a_place_are_the_same_by_every_way(
    answers: Answers, interface: PublishedRelease, files: Path, key: str
) -> None:
    facts = place_facts(answers, key)
    every = json.loads((files / "places.json").read_text("utf-8"))["places"]
    (filed,) = (place for place in every if place["key"] == key.lower())
    told = {s["id"]: s for s in interface.facts(key).to_dict()["sections"]}
    inside = (key,) if key in countries.ALPHA3 else countries.members(key)
    for name, variable in (("citizens", ORIGIN), ("exploited", DESTINATION)):
        side = facts.citizens if name == "citizens" else facts.exploited
        people = filed[name]["people"]
        assert (people["count"], people["low"], people["high"]) == plain(side.people)
        assert by_interface(interface, Query({variable: inside})) == plain(side.people)
        (card,) = (c for c in told[name]["cards"] if c["id"] == "people")
        assert (card["value"], card["low"], card["high"]) == plain(side.people)
        women = Query({variable: inside, "gender": ["female"]})
        recorded = Query({variable: inside, "gender": answers.domain("gender")})
        share = plain(answers.card(Query(women.where, of=recorded)))
        assert plain(side.women) == share
        (card,) = (c for c in told[name]["cards"] if c["id"] == "women")
        assert (card["value"], card["low"], card["high"]) == share


def test_a_count_does_not_hang_on_how_or_when_it_was_asked(answers: Answers) -> None:
    for query in questions(answers)[:50]:
        backwards = {n: tuple(reversed([*query.where[n]])) for n in reversed([*query.where])}
        assert Answers(answers.release).count(backwards) == answers.count(query.where), query
