"""The course: five short lessons, whose numbers come from the release that is shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, zip_longest
from typing import Any

from markupsafe import Markup

from ctdhub.core.format import decimal, number, people_words, share, year
from ctdhub.core.i18n import Text, _, read_words
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure, figures
from ctdhub.report.sentences import headline_sentence
from ctdhub.report.wording import Kind, called, sized, state_words
from ctdhub.site.edition import LEARN, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row, sure_afterwards
from ctdhub.stats.tables import headline
from ctdhub.stats.trend import difference

# --------------------------------------------------------------------------------------------------
# What a lesson is made of: text, a figure, exercises that check themselves.

Labelled = tuple[str, Row]
"""A row of a figure and its label."""
Drawn = Mapping[str, Figure]
"""The figures of the release by id; those that it does not allow are missing."""


@dataclass(frozen=True)
class Choice:
    """One answer to choose; ``why`` says what is right or not quite right about it."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Exercise:
    """A question that checks itself.

    Attributes:
        question: what is asked.
        choices: answers to choose from, one of them right; empty where a number is typed.
        answer: the number to type, in people or contributors; None where one chooses.
        why: explains the number to type.
        hint: helps after a wrong number.
    """

    question: str
    choices: tuple[Choice, ...] = ()
    answer: int | None = None
    why: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        right = sum(choice.right for choice in self.choices)
        if right != (self.answer is None):
            raise ValueError("an exercise has one right answer")

    @property
    def pattern(self) -> str:
        """What a right number looks like, as the attribute of an input: any digits and grouping.

        >>> Exercise("?", answer=1205).pattern[:27]
        "\\\\s*[1١][\\\\s.,'’٬]?[2٢][0٠][5"
        """
        digits = str(self.answer)
        parts = []
        for place, digit in enumerate(digits):
            grouped = place and (len(digits) - place) % 3 == 0
            parts.append("[\\s.,'’٬]?" if grouped else "")
            parts.append(f"[{digit}{chr(0x660 + int(digit))}]")
        return f"\\s*{''.join(parts)}\\s*"


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        id: its file's name, without the ending.
        minutes: that it takes about.
        aim: what one can do afterwards.
        paragraphs: its text.
        terms: words and meanings that stand below the text.
        figure: the figure that it reads, None where the release does not allow it.
        exercises: those that the release has numbers for.
        takeaway: what to remember.
    """

    id: str
    title: str
    minutes: int
    aim: str
    paragraphs: tuple[str, ...]
    exercises: tuple[Exercise, ...]
    takeaway: str
    figure: Figure | None = None
    terms: tuple[tuple[str, str], ...] = ()


def labelled(figure: Figure | None) -> list[Labelled]:
    """Rows of a figure that show people, with their labels; "not recorded" left out."""
    if figure is None:
        return []
    pairs = zip(figure.bars, figure.table.rows, strict=True)
    return [(b.label, r) for b, r in pairs if r.kind == "value" and r.people.value is not None]


def overlap(a: NumberCard, b: NumberCard) -> bool:
    """Whether the intervals of two shown counts have a value in common."""
    return max(a.low or 0, b.low or 0) <= min(a.high or 0, b.high or 0)


def neighbours(rows: Iterable[Labelled]) -> list[tuple[Labelled, Labelled]]:
    """Rows next to each other in the order given, those whose intervals overlap first.

    Left out are pairs that no short rule decides: equal estimates, and intervals that overlap
    although the difference of the two is beyond the noise.
    """
    pairs = [pair for pair in pairwise(rows) if _decided(pair[0][1].people, pair[1][1].people)]
    return sorted(pairs, key=lambda pair: not overlap(pair[0][1].people, pair[1][1].people))


def _decided(a: NumberCard, b: NumberCard) -> bool:
    gap = difference(a, b)
    clear = gap is not None and gap.is_clear
    return a.value != b.value and overlap(a, b) != clear


def ends(card: NumberCard) -> dict[str, str]:
    """Value, low and high of a shown count, in words."""
    return {
        "value": people_words(number(card.value or 0)),
        "low": number(card.low or 0),
        "high": number(card.high or 0),
    }


# --------------------------------------------------------------------------------------------------
# The texts of `course.words.yaml` with the numbers of a release.


NOTHING: Mapping[str, str] = {}


def _course() -> dict[str, Any]:
    words: dict[str, Any] = read_words("ctdhub.site", "course")
    return words


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its values, which it escapes where one of them is mark-up."""
    marked = any(isinstance(value, Markup) for value in values.values())
    words = Markup(_(text)) if marked else _(text)  # noqa: S704  (the values are escaped)
    return words.format(**values)


def _exercise(
    lesson: str,
    name: str,
    values: Mapping[str, str] = NOTHING,
    answer: int | None = None,
    of_choices: Sequence[Mapping[str, str]] = (),
) -> Exercise:
    """An exercise with the values of all its texts, and of its first, second, … choice alone."""
    words = _course()[lesson]["exercises"][name]
    choices = []
    for choice, own in zip_longest(words.get("choices", ()), of_choices, fillvalue=NOTHING):
        fields = {**values, **own}
        text = _filled(choice.get("right") or choice["wrong"], fields)
        choices.append(Choice(text, "right" in choice, _filled(choice["why"], fields)))
    texts = {key: _filled(words[key], values) for key in ("why", "hint") if key in words}
    return Exercise(_filled(words["question"], values), tuple(choices), answer, **texts)


def _lesson(
    name: str,
    exercises: Iterable[Exercise | None],
    figure: Figure | None = None,
    values: Mapping[str, str] = NOTHING,
) -> Lesson:
    """A lesson; an exercise that has no numbers here is None, and left out."""
    words = _course()[name]
    paragraphs = (_filled(text, values) for text in words["paragraphs"])
    return Lesson(
        id=name,
        title=_filled(words["title"], values),
        minutes=words["minutes"],
        aim=_filled(words["aim"], values),
        paragraphs=tuple(filter(None, paragraphs)),
        exercises=tuple(filter(None, exercises)),
        takeaway=_filled(words["takeaway"], values),
        figure=figure,
        terms=tuple((_filled(word, values), _(text)) for word, text in words.get("terms", ())),
    )


# --------------------------------------------------------------------------------------------------
# Lesson 1: what such data can and cannot say.


def meaning_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """Identified people, not prevalence; who counts; contributors come and go."""
    first, figure = headline(answers), drawn.get("people-by-year")
    largest = figure and figure.table.largest
    exercises = (
        _number(first.people, answers.release) if first.people.value is not None else None,
        _exercise("meaning", "year", {"year": year(largest.codes[0])}) if largest else None,
        _contributors(answers.release),
    )
    return _lesson("meaning", exercises, figure, {"headline": headline_sentence(first)})


def _number(people: NumberCard, release: Release) -> Exercise:
    records = release.protected.case_records
    values = {**ends(people), "level": share(people.level)}
    counted = {"low": number(records.low), "high": number(records.high)}
    return _exercise("meaning", "number", values, of_choices=(NOTHING, NOTHING, counted))


def _contributors(release: Release) -> Exercise | None:
    """How many report on the year that fewest report on; None where all report on all years."""
    first, last = release.years
    spans = [c.years or (first, last) for c in release.facts.contributors]
    by_year = {y: sum(a <= y <= b for a, b in spans) for y in range(first, last + 1)}
    few, when = min(((n, y) for y, n in by_year.items() if n), default=(0, 0))
    if not 0 < few < len(spans):
        return None
    values = {"year": year(when), "n": number(few), "all": number(len(spans))}
    return _exercise("meaning", "contributors", values, few)


# --------------------------------------------------------------------------------------------------
# Lesson 2: reading an interval.

INTERVALS_READ = ("gender", "age", "people-by-year")
"""Figures of people whose intervals are read, the first that is there."""
RANKED = ("corridors", "age", "people-by-year", "gender")
"""Figures in whose rankings two rows are compared."""


def intervals_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """What the confidence means, overlapping intervals, rankings."""
    figure = next((drawn[name] for name in INTERVALS_READ if labelled(drawn.get(name))), None)
    rows = labelled(figure)
    level = answers.release.protected.guarantee.level
    example = ""
    if rows:
        name, row = rows[0]
        example = _filled(_course()["intervals"]["example"], {"label": name, **ends(row.people)})
    ranked = [pair for name in RANKED for pair in _pairs(drawn.get(name))]
    ranked.sort(key=lambda pair: not overlap(pair[0][1].people, pair[1][1].people))
    exercises = (
        _read(*rows[-1]) if rows else None,
        _compare(*ranked[0]) if ranked else None,
        _misses(level),
    )
    values = {"level": share(level), "n": number(100 * level), "rest": number(100 - 100 * level)}
    return _lesson("intervals", exercises, figure, {**values, "example": example})


def _pairs(figure: Figure | None) -> list[tuple[Labelled, Labelled]]:
    ranked = sorted(labelled(figure), key=lambda pair: -(pair[1].people.value or 0))
    return neighbours(ranked)


def _read(label: str, row: Row) -> Exercise:
    values = {"label": label, **ends(row.people)}
    return _exercise("intervals", "read", values, round(row.people.low or 0))


def _compare(first: Labelled, second: Labelled) -> Exercise:
    name = "overlapping" if overlap(first[1].people, second[1].people) else "apart"
    values = {"first": first[0], "second": second[0]}
    for letter, (_label, row) in (("a", first), ("b", second)):
        numbers = ends(row.people)
        values |= {letter: numbers["value"], f"{letter}_low": numbers["low"]}
        values[f"{letter}_high"] = numbers["high"]
    return _exercise("intervals", f"compare-{name}", values)


def _misses(level: float) -> Exercise | None:
    hold, miss = round(100 * level), round(100 * (1 - level))
    if len({0, hold, miss}) < 3:
        return None
    values = {"zero": number(0), "n": number(hold), "rest": number(miss), "level": share(level)}
    return _exercise("intervals", "misses", values)


# --------------------------------------------------------------------------------------------------
# Lesson 3: the four blanks, and shares of whom.

READ = ("means-of-control", "exploitation")
"""Figures of flags that the lesson reads, the first that is there."""
BLANKS: tuple[Kind, ...] = ("protected", "nobody_reports", "not_recorded")
CLEARLY, LEAST_MISSING = 1.1, 0.005
"""Shares that add up to less are not asked about, nor a base that leaves out a smaller share."""


def blanks_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """Zero, protected, nobody reports, not recorded; denominators; rows are not people."""
    figure = next((drawn[name] for name in READ if name in drawn), None)
    exercises = (_base(answers, figure), _exercise("blanks", "few"), _sum(figure))
    return _lesson(
        "blanks",
        exercises,
        figure,
        {"base": figure.note if figure else "", **{name: state_words(name) for name in BLANKS}},
    )


def _base(answers: Answers, figure: Figure | None) -> Exercise | None:
    people = headline(answers).people
    if figure is None or figure.table.base.value is None or people.value is None:
        return None
    if (figure.table.missing or 0) < LEAST_MISSING:
        return None
    bar = next(b for b in figure.bars if b.size is not None)
    everybody = {**ends(people), "share": share(figure.table.missing or 0)}
    values = {"label": bar.label, "share": bar.text}
    return _exercise(
        "blanks", "base", values, of_choices=(everybody, NOTHING, ends(figure.table.base))
    )


def _sum(figure: Figure | None) -> Exercise | None:
    total = sum(b.size for b in figure.bars if b.size is not None) if figure else 0
    least = sum(b.low or 0 for b in figure.bars if b.size is not None) if figure else 0
    if total < CLEARLY or least <= 1:
        return None
    return _exercise("blanks", "sum", {"n": number(100 * total)})


# --------------------------------------------------------------------------------------------------
# Lesson 4: contributing safely.

SURE = 0.1
"""How sure somebody is before the release, in the exercise."""


def safely_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """What to leave out; k and noise in plain words; what the hub does; consent, do no harm."""
    exercises = (
        _exercise("safely", "columns"),
        _exercise("safely", "two-tables"),
        _odds(answers),
        _exercise("safely", "consent"),
    )
    return _lesson("safely", exercises)


def _odds(answers: Answers) -> Exercise | None:
    epsilon = answers.release.protected.guarantee.epsilon
    before, after = share(SURE), share(sure_afterwards(epsilon, SURE), fine=True)
    if after in (share(SURE, fine=True), share(1, fine=True)):
        return None
    values = {"before": before, "after": after, "certain": share(1)}
    return _exercise("safely", "odds", {**values, "epsilon": decimal(epsilon, "0.####")})


# --------------------------------------------------------------------------------------------------
# Lesson 5: a signal that is none.


def signals_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """A rise that comes from a new contributor, from noise, or from better identification."""
    figure = drawn.get("people-by-year")
    exercises = (
        _joined(answers.release, figure),
        _noise(figure),
        _exercise("signals", "training"),
        _exercise("signals", "change"),
    )
    return _lesson("signals", exercises, figure)


def _joined(release: Release, figure: Figure | None) -> Exercise | None:
    """The largest rise beyond the noise into a year in which just one contributor began."""
    starts = [c.years[0] for c in release.facts.contributors if c.years]
    names = {c.years[0]: called(c) for c in release.facts.contributors if c.years}
    rises = [
        (before, after)
        for before, after in pairwise(labelled(figure))
        if starts.count(int(after[1].codes[0])) == 1
        and int(before[1].codes[0]) == int(after[1].codes[0]) - 1
        and (after[1].people.low or 0) > (before[1].people.high or 0)
    ]
    if not rises:
        return None
    before, after = max(
        rises, key=lambda p: (p[1][1].people.value or 0) - (p[0][1].people.value or 0)
    )
    name = Markup("<bdi>{}</bdi>").format(names[int(after[1].codes[0])])
    return _exercise("signals", "joined", {**_two_years(before, after), "name": name})


def _noise(figure: Figure | None) -> Exercise | None:
    """Two neighbouring years whose intervals overlap; None where there are none."""
    pair = next(iter(neighbours(labelled(figure))), None)
    if pair is None or not overlap(pair[0][1].people, pair[1][1].people):
        return None
    return _exercise("signals", "noise", _two_years(*pair))


def _two_years(before: Labelled, after: Labelled) -> dict[str, str]:
    return {
        "before": before[0],
        "a": people_words(sized(before[1].people)),
        "after": after[0],
        "b": people_words(sized(after[1].people)),
    }


LESSONS = (meaning_lesson, intervals_lesson, blanks_lesson, safely_lesson, signals_lesson)


def lessons(answers: Answers) -> tuple[Lesson, ...]:
    """All lessons in the language in force; exercises without numbers here are left out."""
    drawn = {figure.id: figure for figure in figures(answers)}
    return tuple(make(answers, drawn) for make in LESSONS)


# --------------------------------------------------------------------------------------------------
# The course on pages: its list, a page for each lesson, a summary for trainers.

LIST, TRAINER = "learn/index.html", "learn/trainer.html"
SCRIPTS = ("learn.js", *FIGURES)

KIND = PageKind(
    "course",
    lambda content: pages(content.answers),
    menu=MenuEntry(LEARN, LIST, Text("Course")),
)


def pages(answers: Answers) -> Iterator[Page]:
    """The list, the lessons in their order, the summary for trainers."""
    page = partial(Page, css="learn.css", menu=LIST)
    course = [_listed(k, lesson) for k, lesson in enumerate(lessons(answers), 1)]
    yield page(
        path=LIST,
        title=_("Learn"),
        description=_("A short course on reading and contributing such data, with exercises."),
        template="learn.html",
        values={
            "course": course,
            "minutes": number(sum(listed["lesson"].minutes for listed in course)),
        },
        scripts=SCRIPTS,
    )
    for before, listed, after in zip([None, *course], course, [*course[1:], None], strict=False):
        yield page(
            path=listed["path"],
            title=listed["title"],
            description=listed["lesson"].aim,
            template="lesson.html",
            values={**listed, "before": before, "after": after},
            scripts=SCRIPTS,
        )
    yield page(
        path=TRAINER,
        title=_("Summary for trainers"),
        description=_("All lessons and exercises with their answers, to print."),
        template="trainer.html",
        values={"course": course},
    )


def path(lesson: Lesson) -> str:
    """Where a lesson lies."""
    return f"learn/{lesson.id}.html"


def _listed(k: int, lesson: Lesson) -> dict[str, Any]:
    """A lesson in the list: where it lies, how it is called, what a script says of its progress."""
    total = len(lesson.exercises)
    return {
        "lesson": lesson,
        "path": path(lesson),
        "title": _("Lesson {n}: {title}").format(n=number(k), title=lesson.title),
        "minutes": _("About {n} minutes.").format(n=number(lesson.minutes)),
        "done": [
            _("Exercises solved: {n} of {all}.").format(n=number(n), all=number(total))
            for n in range(total + 1)
        ],
    }
