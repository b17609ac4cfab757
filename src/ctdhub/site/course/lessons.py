"""The course: five short lessons whose numbers come from the release that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from ctdhub.core.format import decimal, number, share, year
from ctdhub.core.i18n import _, wordings
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure, figures
from ctdhub.report.sentences import headline_sentence
from ctdhub.report.wording import called, sized, state_words
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row, sure_afterwards
from ctdhub.stats.tables import headline
from ctdhub.stats.trend import difference

prose = wordings("ctdhub.site.course", "lessons")
"""``lessons.words.yaml``."""

# --------------------------------------------------------------------------------------------------
# What a lesson is made of: text, a figure, exercises that check themselves.

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


def labelled(figure: Figure | None) -> list[tuple[str, Row]]:
    """Rows of a figure that show people, with their labels; "not recorded" left out."""
    if figure is None:
        return []
    pairs = zip(figure.bars, figure.table.rows, strict=True)
    return [(b.label, r) for b, r in pairs if r.kind == "value" and r.people.value is not None]


def overlap(a: NumberCard, b: NumberCard) -> bool:
    """Whether the intervals of two shown counts have a value in common."""
    return max(a.low or 0, b.low or 0) <= min(a.high or 0, b.high or 0)


def neighbours(rows: Iterable[tuple[str, Row]]) -> list[tuple[tuple[str, Row], tuple[str, Row]]]:
    """Rows next to each other in the order given, those whose intervals overlap first.

    Left out are pairs that no short rule decides: equal estimates, and intervals that overlap
    although the difference of the two is beyond the noise.
    """
    found = [pair for pair in pairwise(rows) if _decided(pair[0][1].people, pair[1][1].people)]
    return sorted(found, key=lambda pair: not overlap(pair[0][1].people, pair[1][1].people))


def _decided(a: NumberCard, b: NumberCard) -> bool:
    found = difference(a, b)
    clear = found is not None and found.is_clear
    return a.value != b.value and overlap(a, b) != clear


def ends(card: NumberCard) -> dict[str, str]:
    """Value, low and high of a shown count, in words."""
    return {
        "value": number(card.value or 0),
        "low": number(card.low or 0),
        "high": number(card.high or 0),
    }


# --------------------------------------------------------------------------------------------------
# Lesson 1: what such data can and cannot say.


def meaning_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """Identified cases, not prevalence; who counts; contributors come and go."""
    first, figure = headline(answers), drawn.get("people-by-year")
    largest = figure and figure.table.largest
    exercises = [
        _number(first.people, answers.release) if first.people.value is not None else None,
        _year(year(largest.codes[0])) if largest else None,
        _contributors(answers.release),
    ]
    return Lesson(
        id="meaning",
        title=_("What this data can and cannot say"),
        minutes=8,
        aim=prose("you-can-say"),
        paragraphs=(
            headline_sentence(first),
            prose("people-whom-organisation"),
            prose("person-counted-when"),
            prose("so-numbers-tell"),
            prose("organisations-come-go"),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=prose("say-people-identified"),
    )


def _number(people: NumberCard, release: Release) -> Exercise:
    told = ends(people) | {"level": share(people.level)}
    records = release.protected.case_records
    return Exercise(
        prose("release-counts-people").format(**told),
        (
            Choice(
                _("How many people were trafficked in these years."),
                False,
                prose("many-people-never"),
            ),
            Choice(
                prose("about-how-many"),
                True,
                prose("counts-identified-people").format(**told),
            ),
            Choice(
                _("How many case records the organisations sent."),
                False,
                prose("records-counted-apart").format(
                    low=number(records.low), high=number(records.high)
                ),
            ),
        ),
    )


def _year(most: str) -> Exercise:
    return Exercise(
        prose("most-people-were").format(year=most),
        (
            Choice(
                prose("organisations-identified-more").format(year=most),
                True,
                _("This says what was counted and by whom, and claims no more."),
            ),
            Choice(
                prose("there-was-more").format(year=most),
                False,
                prose("perhaps-more-people"),
            ),
            Choice(
                _("The organisations worked best in {year}.").format(year=most),
                False,
                prose("count-does-not"),
            ),
        ),
    )


def _contributors(release: Release) -> Exercise | None:
    """How many report on the year that fewest report on; None where all report on all years."""
    first, last = release.years
    spans = [c.years or (first, last) for c in release.facts.contributors]
    by_year = {y: sum(a <= y <= b for a, b in spans) for y in range(first, last + 1)}
    few, when = min(((n, y) for y, n in by_year.items() if n), default=(0, 0))
    if not 0 < few < len(spans):
        return None
    told = {"year": year(when), "n": number(few), "all": number(len(spans))}
    return Exercise(
        prose("how-many-contributors").format(**told),
        answer=few,
        why=prose("contributors-report-what").format(**told),
        hint=prose("count-those-whose").format(**told),
    )


# --------------------------------------------------------------------------------------------------
# Lesson 3: the four blanks, and shares of whom.

READ = ("means-of-control", "exploitation")
"""Figures of flags that the lesson reads, the first that is there."""
CLEARLY, SEEN = 1.1, 0.005
"""Shares that add up to less are not asked about, nor a base that leaves out a smaller share."""


def lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """Zero, protected, nobody reports, not recorded; denominators; rows are not people."""
    figure = next((drawn[name] for name in READ if name in drawn), None)
    base = [figure.note] if figure and figure.note else []
    exercises = [_base(answers, figure), _few(), _sum(figure)]
    return Lesson(
        id="blanks",
        title=_("Four kinds of missing value, and shares of whom"),
        minutes=9,
        aim=prose("you-can-tell"),
        paragraphs=(
            prose("share-needs-base"),
            *base,
            prose("some-answers-go"),
            prose("row-case-file"),
            prose("number-can-missing"),
        ),
        terms=(
            (_("zero"), prose("known-there-nobody")),
            (
                state_words("protected"),
                prose("there-may-some"),
            ),
            (
                state_words("nobody_reports"),
                _("No contributor covers this year or place."),
            ),
            (
                state_words("not_recorded"),
                _("The person is counted, but this answer is not known."),
            ),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=prose("before-you-quote"),
    )


def _base(answers: Answers, figure: Figure | None) -> Exercise | None:
    people = headline(answers).people
    if figure is None or figure.table.base.value is None or people.value is None:
        return None
    if (figure.table.missing or 0) < SEEN:
        return None
    bar = next(b for b in figure.bars if b.size is not None)
    return Exercise(
        _("“{label}” has a share of {share}. A share of whom?").format(
            label=bar.label, share=bar.text
        ),
        (
            Choice(
                _("Of all people in this release ({low} to {high}).").format(**ends(people)),
                False,
                prose("people-nothing-kind").format(share=share(figure.table.missing or 0)),
            ),
            Choice(
                _("Of all people who were trafficked."),
                False,
                prose("nobody-knows-how"),
            ),
            Choice(
                prose("people-whom-something").format(**ends(figure.table.base)),
                True,
                prose("line-below-title"),
            ),
        ),
    )


def _few() -> Exercise:
    return Exercise(
        prose("row-says-not"),
        (
            Choice(
                _("There is nobody."),
                False,
                prose("only-zero-would"),
            ),
            Choice(
                _("There may be some people or none."),
                True,
                prose("number-small-zero"),
            ),
            Choice(
                _("The answer was not written down."),
                False,
                prose("would-not-recorded"),
            ),
        ),
    )


def _sum(figure: Figure | None) -> Exercise | None:
    total = sum(b.size for b in figure.bars if b.size is not None) if figure else 0
    least = sum(b.low or 0 for b in figure.bars if b.size is not None) if figure else 0
    if total < CLEARLY or least <= 1:
        return None
    return Exercise(
        prose("shares-figure-add").format(n=number(100 * total)),
        (
            Choice(
                _("One person may have several of these answers."),
                True,
                prose("so-shares-overlap"),
            ),
            Choice(
                _("The noise added too much."),
                False,
                prose("noise-moves-each"),
            ),
            Choice(
                _("People without a recorded answer were counted too."),
                False,
                _("They have a row of their own, outside the shares."),
            ),
        ),
    )


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
    example = []
    if rows:
        name, row = rows[0]
        example = [prose("example-from-figure").format(label=name, **ends(row.people))]
    ranked = [pair for name in RANKED for pair in _pairs(drawn.get(name))]
    ranked.sort(key=lambda pair: not overlap(pair[0][1].people, pair[1][1].people))
    exercises = [
        _read(*rows[-1]) if rows else None,
        _compare(*ranked[0]) if ranked else None,
        _misses(level),
    ]
    return Lesson(
        id="intervals",
        title=_("Reading an interval"),
        minutes=8,
        aim=prose("you-can-quote"),
        paragraphs=(
            prose("random-noise-added"),
            *example,
            prose("confidence-means-100").format(
                level=share(level), n=number(100 * level), rest=number(100 - 100 * level)
            ),
            prose("two-numbers-whose"),
            prose("interval-covers-noise"),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=prose("quote-number-interval"),
    )


def _pairs(figure: Figure | None) -> list[tuple[tuple[str, Row], tuple[str, Row]]]:
    ranked = sorted(labelled(figure), key=lambda pair: -(pair[1].people.value or 0))
    return neighbours(ranked)


def _read(label: str, row: Row) -> Exercise:
    told = {"label": label, **ends(row.people)}
    return Exercise(
        prose("open-table-figure").format(**told),
        answer=round(row.people.low or 0),
        why=prose("interval-goes-from").format(**told),
        hint=prose("look-row-column").format(**told),
    )


def _compare(first: tuple[str, Row], second: tuple[str, Row]) -> Exercise:
    a, b = ends(first[1].people), ends(second[1].people)
    open_ = overlap(first[1].people, second[1].people)
    if open_:
        whys = (
            prose("estimate-higher-but"),
            prose("estimate-lower-two"),
            _("The intervals overlap, so either of the two may be larger."),
        )
    else:
        whys = (
            _("Its interval is wholly above the other one."),
            _("Its interval is wholly below the other one."),
            prose("intervals-do-not"),
        )
    return Exercise(
        prose("people-people-two").format(
            first=first[0],
            a=a["value"],
            a_low=a["low"],
            a_high=a["high"],
            second=second[0],
            b=b["value"],
            b_low=b["low"],
            b_high=b["high"],
        ),
        (
            Choice(first[0], not open_, whys[0]),
            Choice(second[0], False, whys[1]),
            Choice(_("That cannot be known from these numbers."), open_, whys[2]),
        ),
    )


def _misses(level: float) -> Exercise | None:
    hold, miss = round(100 * level), round(100 * (1 - level))
    if len({0, hold, miss}) < 3:
        return None
    told = {"level": share(level), "n": number(hold)}
    return Exercise(
        prose("you-read-100").format(**told),
        (
            Choice(
                number(0),
                False,
                prose("interval-never-misses"),
            ),
            Choice(
                number(hold),
                False,
                prose("about-so-many"),
            ),
            Choice(
                number(miss),
                True,
                _("About {n} of 100 hold the count, and the others miss it.").format(**told),
            ),
        ),
    )


# --------------------------------------------------------------------------------------------------
# Lesson 4: contributing safely.

SURE = 0.1
"""How sure somebody is before the release, in the exercise."""


def safely_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """What to leave out; k and noise in plain words; what the hub does; consent, do no harm."""
    exercises = [_columns(), _two_tables(), _odds(answers), _consent()]
    return Lesson(
        id="safely",
        title=_("Contributing safely"),
        minutes=10,
        aim=prose("you-can-prepare"),
        paragraphs=(
            prose("data-about-trafficking"),
            prose("leave-out-names"),
            prose("ask-people-words"),
            prose("one-way-protect"),
            prose("so-hub-adds"),
            prose("hub-recognises-records"),
        ),
        exercises=tuple(e for e in exercises if e),
        takeaway=prose("send-least-answers"),
    )


def _columns() -> Exercise:
    return Exercise(
        prose("your-table-has"),
        (
            Choice(
                _("Date of birth"),
                False,
                prose("together-country-may"),
            ),
            Choice(
                _("Name of the shelter"),
                False,
                prose("may-lead-somebody"),
            ),
            Choice(
                _("Age group and year of registration"),
                True,
                prose("say-enough-count"),
            ),
            Choice(
                _("Notes of the conversation"),
                False,
                prose("free-text-nearly"),
            ),
        ),
    )


def _two_tables() -> Exercise:
    return Exercise(
        prose("table-without-noise"),
        (
            Choice(
                prose("whoever-compares-two"),
                True,
                prose("each-table-hides"),
            ),
            Choice(
                _("Nothing, because every group is large enough."),
                False,
                prose("each-table-alone"),
            ),
            Choice(
                _("One of the two tables becomes wrong."),
                False,
                _("Both are exact, and that is the difficulty."),
            ),
        ),
    )


def _odds(answers: Answers) -> Exercise | None:
    epsilon = answers.release.protected.guarantee.epsilon
    before, after = share(SURE), share(sure_afterwards(epsilon, SURE), fine=True)
    if after in (share(SURE, fine=True), share(1, fine=True)):
        return None
    return Exercise(
        prose("somebody-sure-certain").format(before=before),
        (
            Choice(
                before,
                False,
                prose("would-perfect-secrecy"),
            ),
            Choice(
                after,
                True,
                prose("follows-from-epsilon").format(epsilon=decimal(epsilon, "0.####")),
            ),
            Choice(
                share(1),
                False,
                prose("noise-prevents-apart"),
            ),
        ),
    )


def _consent() -> Exercise:
    return Exercise(
        prose("person-accepted-your"),
        (
            Choice(
                _("I send it, because the names are removed."),
                False,
                _("Removing names is needed, but it is not permission."),
            ),
            Choice(
                prose("i-ask-plain"),
                True,
                prose("helped-counted-two"),
            ),
            Choice(
                _("I send it, because the data help others."),
                False,
                prose("good-purpose-not"),
            ),
        ),
    )


# --------------------------------------------------------------------------------------------------
# Lesson 5: a signal that is none.

Labelled = tuple[str, Row]


def signals_lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """A rise that comes from a new contributor, from noise, or from better identification."""
    figure = drawn.get("people-by-year")
    exercises = [_joined(answers.release, figure), _noise(figure), _training(), _change()]
    return Lesson(
        id="signals",
        title=_("False alarms: a change that is not a change"),
        minutes=8,
        aim=_("You can test a rise or fall before you call it a change."),
        paragraphs=(
            prose("rise-question-not"),
            prose("first-noise-two"),
            prose("second-who-reports"),
            prose("third-how-people"),
            prose("call-change-when"),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=prose("ask-how-wide"),
    )


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
    text = prose("from-number-rose")
    return Exercise(
        Markup(text).format(  # noqa: S704  (the values are escaped)
            before=before[0],
            after=after[0],
            a=sized(before[1].people),
            b=sized(after[1].people),
            name=Markup("<bdi>{}</bdi>").format(names[int(after[1].codes[0])]),
        ),
        (
            Choice(
                _("Trafficking rose."),
                False,
                prose("perhaps-but-new"),
            ),
            Choice(
                _("The number must be wrong."),
                False,
                prose("right-what-counts"),
            ),
            Choice(
                prose("more-people-were"),
                True,
                prose("learn-more-ask"),
            ),
        ),
    )


def _gap(before: Labelled, after: Labelled) -> float:
    return (after[1].people.value or 0) - (before[1].people.value or 0)


def _noise(figure: Figure | None) -> Exercise | None:
    """Two neighbouring years whose intervals overlap; None where there are none."""
    pair = next(iter(neighbours(labelled(figure))), None)
    if pair is None or not overlap(pair[0][1].people, pair[1][1].people):
        return None
    before, after = pair
    return Exercise(
        prose("people-people-did").format(
            before=before[0], a=sized(before[1].people), after=after[0], b=sized(after[1].people)
        ),
        (
            Choice(
                _("Yes, the two numbers are not the same."),
                False,
                prose("two-estimates-differ"),
            ),
            Choice(
                _("That cannot be known, because the intervals overlap."),
                True,
                prose("noise-may-explain"),
            ),
            Choice(
                _("No, it is certain that nothing changed."),
                False,
                prose("intervals-overlap-do"),
            ),
        ),
    )


def _training() -> Exercise:
    return Exercise(
        prose("border-guards-were"),
        (
            Choice(
                prose("more-people-were-found"),
                True,
                _("This separates what was seen from what may have caused it."),
            ),
            Choice(
                _("Twice as many people are trafficked there now."),
                False,
                prose("training-changed-how"),
            ),
            Choice(
                _("The training failed, because numbers went up."),
                False,
                _("Finding more people was its purpose."),
            ),
        ),
    )


def _change() -> Exercise:
    return Exercise(
        prose("two-years-differ"),
        (
            Choice(
                _("Nothing: the intervals do not overlap."),
                False,
                _("They show that the counts differ. They do not show why."),
            ),
            Choice(
                _("Whether others have already reported a rise."),
                False,
                _("Others may have read the same numbers in the same hurry."),
            ),
            Choice(
                prose("whether-same-organisations"),
                True,
                prose("ask-people-who"),
            ),
        ),
    )


LESSONS = (meaning_lesson, intervals_lesson, lesson, safely_lesson, signals_lesson)


def lessons(answers: Answers) -> tuple[Lesson, ...]:
    """All lessons in the language in force; exercises without numbers here are left out."""
    drawn = {figure.id: figure for figure in figures(answers)}
    return tuple(make(answers, drawn) for make in LESSONS)


__all__ = ["Choice", "Exercise", "Lesson", "lessons"]
