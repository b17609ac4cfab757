"""The course: its right answers are those of the release, and every page of it is safe text."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from invented_release import people_rows, protected_answer
from test_site_page import EVIL, Page, made

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.labels import code_label
from ctdhub.site import course as learn
from ctdhub.site.course import Exercise, Lesson, lessons
from ctdhub.site.frame import inlined
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers

LESSON_IDS = ("meaning", "intervals", "blanks", "safely", "signals")
CONTRIBUTORS = [
    {"name": "One", "kind": "hotline", "years": [2015, 2018]},
    {"name": "Two", "kind": "hotline", "years": [2017, 2018]},
]
FRAME = 2
"""Scripts of every page: the exit and the search."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"), contributors=CONTRIBUTORS)


@pytest.fixture(scope="module")
def course(release: Release) -> dict[str, Lesson]:
    with language("en"):
        return {lesson.id: lesson for lesson in lessons(Answers(release))}


def published(release: Release, column: str) -> dict[str, tuple[int, int, int]]:
    """Counts of one column as the release has them: count, low, high by value."""
    return {
        cell["values"][0]: (cell["count"], cell["low"], cell["high"])
        for cell in release.protected.counts.to_pylist()
        if cell["columns"] == [column]
    }


def asked(lesson: Lesson, words: str) -> Exercise:
    """The exercise whose question has these words."""
    return next(e for e in lesson.exercises if words in e.question)


def right(exercise: Exercise) -> str:
    return next(c.text for c in exercise.choices if c.right)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_five_lessons_with_two_to_four_exercises(course: dict[str, Lesson]) -> None:
    assert tuple(course) == LESSON_IDS
    for lesson in course.values():
        assert 2 <= len(lesson.exercises) <= 4
        for exercise in lesson.exercises:
            assert exercise.answer is not None or len(exercise.choices) >= 3
            texts = [choice.text for choice in exercise.choices]
            assert len(set(texts)) == len(texts)
            assert all(choice.why for choice in exercise.choices)


def test_right_answers_do_not_stand_in_one_place(course: dict[str, Lesson]) -> None:
    places = [
        [choice.right for choice in exercise.choices].index(True)
        for lesson in course.values()
        for exercise in lesson.exercises
        if exercise.choices
    ]
    assert max(places.count(place) for place in range(3)) <= len(places) / 2


def test_most_people_in_the_year_that_the_counts_say(
    release: Release, course: dict[str, Lesson]
) -> None:
    years = published(release, "year_of_registration")
    most = max((y for y in years if y), key=lambda y: years[y][0])
    exercise = asked(course["meaning"], "Which sentence may you write?")
    assert most in exercise.question
    assert right(exercise).startswith(f"In {most} the organisations identified more people")


def test_contributors_of_a_year_are_those_whose_years_hold_it(course: dict[str, Lesson]) -> None:
    exercise = asked(course["meaning"], "How many contributors")
    when = int(re.search(r"\d{4}", exercise.question)[0])  # type: ignore[index]
    spans = [c["years"] for c in CONTRIBUTORS]
    assert exercise.answer == sum(first <= when <= last for first, last in spans) == 1


def test_the_end_to_read_is_the_published_one(release: Release, course: dict[str, Lesson]) -> None:
    exercise = asked(course["intervals"], "lower end")
    label = re.search("“(.*)”", exercise.question)[1]  # type: ignore[index]
    cells = published(release, "gender")
    lows = {code_label("gender", code, "en"): cell[1] for code, cell in cells.items() if code}
    assert exercise.answer == lows[label]


def test_two_rows_are_compared_by_their_published_intervals(
    release: Release, course: dict[str, Lesson]
) -> None:
    exercise = asked(course["intervals"], "Which of the two is larger?")
    found = re.findall(r"([\d,]+) people \(([\d,]+) to ([\d,]+)\)", exercise.question)
    (a, a_low, a_high), (b, b_low, b_high) = ([number(x) for x in row] for row in found)
    cells = {(c["count"], c["low"], c["high"]) for c in release.protected.counts.to_pylist()}
    assert {(a, a_low, a_high), (b, b_low, b_high)} <= cells
    open_ = a_low <= b_high
    assert (right(exercise) == "That cannot be known from these numbers.") is open_
    assert open_, "the release has rows that overlap, and those are asked about"


def test_rows_far_apart_may_be_ranked(tmp_path: Path) -> None:
    rows = [{**row, "age_band": None} for row in people_rows()]
    answer = protected_answer(rows, sigma=0.4, tables=("gender",))
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    with language("en"):
        reading = next(x for x in lessons(Answers(release)) if x.id == "intervals")
    exercise = asked(reading, "Which of the two is larger?")
    counts = published(release, "gender")
    found = [number(n) for n in re.findall(r"([\d,]+) people", exercise.question)]
    assert {counts["female"][0], counts["male"][0]} >= {found[0]}
    assert found[0] > found[1]
    assert right(exercise) == exercise.question.split(":")[0]


def test_misses_follow_from_the_level(course: dict[str, Lesson]) -> None:
    assert right(asked(course["intervals"], "miss the count")) == "5"


def test_base_of_a_share_is_those_with_any_answer(
    release: Release, course: dict[str, Lesson]
) -> None:
    _n, low, high = published(release, "any_means")["yes"]
    exercise = asked(course["blanks"], "A share of whom?")
    assert f"({low:,} to {high:,})" in right(exercise)
    people = release.protected.people
    assert f"({people.low:,} to {people.high:,})" in exercise.choices[0].text


def test_sum_of_shares_is_the_one_of_the_counts(
    release: Release, course: dict[str, Lesson]
) -> None:
    base = published(release, "any_means")["yes"][0]
    flags = ("means_threats", "means_withholds_documents", "means_false_promises")
    total = sum(published(release, flag)["yes"][0] for flag in flags) / base
    said = re.search(r"about (\d+)%", asked(course["blanks"], "add up").question)
    assert said is not None
    assert abs(int(said[1]) - 100 * total) < 0.51


def test_suspicion_grows_as_bayes_and_epsilon_say(course: dict[str, Lesson]) -> None:
    odds = 2.718281828 * 0.1 / 0.9
    told = float(right(asked(course["safely"], "10% sure")).rstrip("%")) / 100
    assert 0 <= told - odds / (1 + odds) < 0.001


def test_a_rise_with_a_new_contributor_is_told_with_published_numbers(
    release: Release, course: dict[str, Lesson]
) -> None:
    exercise = asked(course["signals"], "began to report")
    years = published(release, "year_of_registration")
    assert "<bdi>Two</bdi>" in exercise.question
    assert f"From 2016 to 2017 the number rose from {years['2016'][0]:,}" in exercise.question
    assert f"to {years['2017'][0]:,} ±" in exercise.question
    assert years["2017"][1] > years["2016"][2]


def test_years_that_noise_can_explain_overlap(tmp_path: Path) -> None:
    rows = people_rows()
    for k, row in enumerate(rows):
        row["year_of_registration"] = "2016" if k % 2 or k < 4 else "2017"
    answer = protected_answer(rows, facts={"contributors": ["One"]})
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    with language("en"):
        signals = {x.id: x for x in lessons(Answers(release))}["signals"]
    exercise = asked(signals, "Did the number change?")
    assert "2016: 2,002 ±" in exercise.question
    assert right(exercise) == "That cannot be known, because the intervals overlap."
    assert not any("began to report" in e.question for e in signals.exercises)


def test_without_tables_the_lessons_are_words(tmp_path: Path) -> None:
    answer = protected_answer(tables=())
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    for code in LANGUAGES:
        with language(code):
            for page in learn.pages(Answers(release)):
                assert "<svg" not in render(page, release, LANGUAGES)
            assert all(lesson.paragraphs for lesson in lessons(Answers(release)))


def test_numbers_may_be_typed_in_any_digits_and_grouping() -> None:
    pattern = re.compile(Exercise("?", answer=12045).pattern)
    for text in ("12045", "12,045", "12.045", "12 045", "12\u202f045", " 12'045 ", "١٢٬٠٤٥"):
        assert pattern.fullmatch(text), text
    for text in ("1245", "12046", "120,45", "12045.5", "", "112045"):
        assert not pattern.fullmatch(text), text


def test_an_exercise_has_one_right_answer() -> None:
    with pytest.raises(ValueError, match="one right answer"):
        Exercise("?")


def test_trainers_find_every_exercise_with_its_answer(release: Release) -> None:
    with language("en"):
        *_rest, summary = learn.pages(Answers(release))
        text = render(summary, release, ["en"])
        course = lessons(Answers(release))
    assert text.count("✓") == sum(len(lesson.exercises) for lesson in course)
    assert inlined("learn.js")[0] not in text


def test_pages_and_script_are_small(release: Release) -> None:
    with language("en"):
        for page in learn.pages(Answers(release)):
            assert len(gzip.compress(render(page, release, LANGUAGES).encode())) <= 100_000
    assert len(gzip.compress(inlined("learn.js")[0].encode())) <= 2_000


def test_hostile_contributors_are_text(tmp_path: Path) -> None:
    evil = [{**c, "name": EVIL} for c in CONTRIBUTORS]
    release = made(tmp_path, contributors=evil)
    with language("en"):
        for page in learn.pages(Answers(release)):
            found = Page(render(page, release, ["en"]))
            assert sum(tag == "script" for tag, _ in found.tags) == len(page.scripts) + FRAME
            assert "<script>alert" not in found.text
