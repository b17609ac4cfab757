"""The course: five short lessons whose numbers come from the release that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from ctdhub.core.format import decimal, number, share, year
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure, figures
from ctdhub.report.sentences import headline_sentence
from ctdhub.report.wording import called, sized, state_words
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row, sure_afterwards
from ctdhub.stats.tables import headline
from ctdhub.stats.trend import difference

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
        aim=_("You can say what a count of identified people tells, and what it leaves open."),
        paragraphs=(
            headline_sentence(first),
            _(
                "These are people whom an organisation identified or assisted; most trafficking "
                "is never identified."
            ),
            _(
                "A person is counted when three things happen: somebody notices, an organisation "
                "writes it down, and it sends its records to this hub. Where one of the three did "
                "not happen, a person is not in these numbers."
            ),
            _(
                "So the numbers tell as much about the work of identifying people as about "
                "trafficking. Many cases in a place may mean that many look there; few may mean "
                "that nobody does."
            ),
            _(
                "Organisations come and go. Before you compare two years or two places, look at "
                "who reported. The contributors and their years are listed at the end of the page."
            ),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=_(
            "Say “people identified by the organisations that took part”, and name the years. Do "
            "not say “victims in the country”."
        ),
    )


def _number(people: NumberCard, release: Release) -> Exercise:
    told = ends(people) | {"level": share(people.level)}
    records = release.protected.case_records
    return Exercise(
        _("This release counts {value} people ({low} to {high}). What does it tell?").format(
            **told
        ),
        (
            Choice(
                _("How many people were trafficked in these years."),
                False,
                _(
                    "Many people are never identified, and nobody knows how many. The count "
                    "leaves them out."
                ),
            ),
            Choice(
                _("About how many people the contributing organisations identified."),
                True,
                _(
                    "It counts identified people. “About” matters too: with {level} "
                    "confidence the count without noise is between {low} and {high}."
                ).format(**told),
            ),
            Choice(
                _("How many case records the organisations sent."),
                False,
                _(
                    "Records are counted apart: between {low} and {high} came in. One person may "
                    "have several."
                ).format(low=number(records.low), high=number(records.high)),
            ),
        ),
    )


def _year(most: str) -> Exercise:
    return Exercise(
        _("Most people were identified in {year}. Which sentence may you write?").format(year=most),
        (
            Choice(
                _(
                    "In {year} the organisations identified more people than in any other year "
                    "shown."
                ).format(year=most),
                True,
                _("This says what was counted and by whom, and claims no more."),
            ),
            Choice(
                _("In {year} there was more trafficking than in any other year.").format(year=most),
                False,
                _(
                    "Perhaps more people looked, or another organisation joined. The count cannot "
                    "tell."
                ),
            ),
            Choice(
                _("The organisations worked best in {year}.").format(year=most),
                False,
                _(
                    "A count does not measure how well people work. New members, laws and funds "
                    "change it too."
                ),
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
        _(
            "How many contributors report on {year}? Count them in the list “Who contributed” on "
            "this page, and type the number."
        ).format(**told),
        answer=few,
        why=_(
            "Contributors that report on {year}: {n} of {all}. What the others might have found "
            "in that year is missing."
        ).format(**told),
        hint=_(
            "Count those whose first year is {year} or earlier and whose last year is {year} or "
            "later."
        ).format(**told),
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
        aim=_("You can tell why a number is missing, and name the base of a share."),
        paragraphs=(
            _(
                "A share needs a base. Here the base is the people for whom an answer is recorded. "
                "Leave the others out of the base, and say how many they are."
            ),
            *base,
            _(
                "Some answers go together: a person may have been deceived and also locked up. "
                "Such shares may add up to more than 100%, and their counts must not be added."
            ),
            _(
                "A row of a case file is not a person. Somebody who was helped by two "
                "organisations has two records. The hub counts people and records apart."
            ),
            _("A number can be missing in four ways, and each of them means something else."),
        ),
        terms=(
            (_("zero"), _("It is known that there is nobody. Protected counts never say so.")),
            (
                state_words("protected"),
                _("There may be some people or none; the number is protected. It is not zero."),
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
        takeaway=_(
            "Before you quote a share, ask: a share of whom? Before you quote a missing "
            "number, ask: which of the four kinds is it?"
        ),
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
                _(
                    "For {share} of people nothing of this kind is recorded; they are left out."
                ).format(share=share(figure.table.missing or 0)),
            ),
            Choice(
                _("Of all people who were trafficked."),
                False,
                _("Nobody knows how many they are, so nobody can give a share of them."),
            ),
            Choice(
                _(
                    "Of the people for whom something of this kind is recorded ({low} to {high})."
                ).format(**ends(figure.table.base)),
                True,
                _(
                    "The line below the title of the figure names this base; the row “Not "
                    "recorded” is outside it."
                ),
            ),
        ),
    )


def _few() -> Exercise:
    return Exercise(
        _("A row says “not shown” (below the reporting threshold). What do you know about it?"),
        (
            Choice(
                _("There is nobody."),
                False,
                _("Only a zero would say that. Here the number is small compared with the noise."),
            ),
            Choice(
                _("There may be some people or none."),
                True,
                _("The number is small or zero. Which of the two it is stays protected."),
            ),
            Choice(
                _("The answer was not written down."),
                False,
                _("That would be “not recorded”, another kind of missing value."),
            ),
        ),
    )


def _sum(figure: Figure | None) -> Exercise | None:
    total = sum(b.size for b in figure.bars if b.size is not None) if figure else 0
    least = sum(b.low or 0 for b in figure.bars if b.size is not None) if figure else 0
    if total < CLEARLY or least <= 1:
        return None
    return Exercise(
        _("The shares in this figure add up to about {n}%. Why more than 100%?").format(
            n=number(100 * total)
        ),
        (
            Choice(
                _("One person may have several of these answers."),
                True,
                _("So the shares overlap. Adding them counts some people twice."),
            ),
            Choice(
                _("The noise added too much."),
                False,
                _("The noise moves each share a little up or down. It does not explain so much."),
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
        example = [
            _(
                "An example from the figure below. {label}: {value} people, with an interval from "
                "{low} to {high}."
            ).format(label=name, **ends(row.people))
        ]
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
        aim=_("You can quote a number with its interval, and see when a ranking means nothing."),
        paragraphs=(
            _(
                "Random noise is added to every count here to protect people. So each number "
                "comes with an interval: a lower and an upper end."
            ),
            *example,
            _(
                "{level} confidence means: of 100 such intervals about {n} hold the count without "
                "noise, and about {rest} do not. You cannot see which."
            ).format(level=share(level), n=number(100 * level), rest=number(100 - 100 * level)),
            _(
                "Two numbers whose intervals overlap may be in any order. Do not rank "
                "them, and do not say that one is larger."
            ),
            _(
                "The interval covers the noise only. It does not cover people who were "
                "never identified, or of mistakes in records."
            ),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=_(
            "Quote a number with its interval. Say “larger” only where two intervals do not "
            "overlap."
        ),
    )


def _pairs(figure: Figure | None) -> list[tuple[tuple[str, Row], tuple[str, Row]]]:
    ranked = sorted(labelled(figure), key=lambda pair: -(pair[1].people.value or 0))
    return neighbours(ranked)


def _read(label: str, row: Row) -> Exercise:
    told = {"label": label, **ends(row.people)}
    return Exercise(
        _(
            "Open the table of the figure. What is the lower end of the interval for “{label}”? "
            "Type the number."
        ).format(**told),
        answer=round(row.people.low or 0),
        why=_(
            "The interval for “{label}” goes from {low} to {high}. The column “From” holds its "
            "lower end."
        ).format(**told),
        hint=_(
            "Look for the row “{label}” and the column “From”. The column “People” holds the "
            "middle, not the end."
        ).format(**told),
    )


def _compare(first: tuple[str, Row], second: tuple[str, Row]) -> Exercise:
    a, b = ends(first[1].people), ends(second[1].people)
    open_ = overlap(first[1].people, second[1].people)
    if open_:
        whys = (
            _(
                "Its estimate is higher, but the two intervals overlap. Another draw of the "
                "noise might reverse the order."
            ),
            _("Its estimate is lower, and the two intervals overlap. Nothing here supports it."),
            _("The intervals overlap, so either of the two may be larger."),
        )
    else:
        whys = (
            _("Its interval is wholly above the other one."),
            _("Its interval is wholly below the other one."),
            _("The intervals do not overlap, so here you may say which is larger."),
        )
    return Exercise(
        _(
            "{first}: {a} people ({a_low} to {a_high}). {second}: {b} people ({b_low} to "
            "{b_high}). Which of the two is larger?"
        ).format(
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
        _(
            "You read 100 numbers with intervals of {level} confidence. About how many of these "
            "intervals miss the count without noise?"
        ).format(**told),
        (
            Choice(
                number(0),
                False,
                _("An interval that never misses would be too wide to be of use."),
            ),
            Choice(
                number(hold),
                False,
                _("About so many hold the count. The question is about those that miss it."),
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
        aim=_("You can prepare case records so that sharing them puts nobody at risk."),
        paragraphs=(
            _(
                "Data about trafficking can hurt the people in them. A trafficker, a relative or a "
                "neighbour may look for one person. Do no harm comes first: when in doubt, leave "
                "it out."
            ),
            _(
                "Leave out names, telephone numbers, addresses, exact dates, shelters, small "
                "places, photographs and free text. Give a year instead of a date, an age group "
                "instead of a birthday, a country instead of a village."
            ),
            _(
                "Ask people, in words that they understand, whether their record may be shared "
                "and for what. Those who say no get the same help. Your agreement with the hub "
                "says which rule of consent holds."
            ),
            _(
                "One way to protect people is to show only groups of at least k people. It is easy "
                "to explain. Yet two tables together, or what a neighbour knows, may still point "
                "to one person."
            ),
            _(
                "So this hub adds random noise to every count (differential privacy). Whether one "
                "person is in the data or not, the numbers look nearly the same; nobody can learn "
                "much about that person from them."
            ),
            _(
                "The hub recognises records of the same person by secret codes instead of "
                "names, keeps the records to itself, and publishes only protected counts "
                "and synthetic records, after two people have agreed."
            ),
        ),
        exercises=tuple(e for e in exercises if e),
        takeaway=_("Send the least that answers the question. What was never sent cannot leak."),
    )


def _columns() -> Exercise:
    return Exercise(
        _("Your table has these columns. Which of them may go to the hub as they are?"),
        (
            Choice(
                _("Date of birth"),
                False,
                _("Together with a country it may point to one person. Send the age group."),
            ),
            Choice(
                _("Name of the shelter"),
                False,
                _("It may lead somebody to the person's door. It never belongs in shared data."),
            ),
            Choice(
                _("Age group and year of registration"),
                True,
                _("They say enough to count people, and too little to find one."),
            ),
            Choice(
                _("Notes of the conversation"),
                False,
                _("Free text nearly always holds names, places or events that others recognise."),
            ),
        ),
    )


def _two_tables() -> Exercise:
    return Exercise(
        _(
            "A table without noise shows only groups of 10 people or more. The next day it is "
            "shown again, with one person more. What can happen?"
        ),
        (
            Choice(
                _("Whoever compares the two tables learns about the person who was added."),
                True,
                _("Each table hides the person, the two together do not. Noise closes this gap."),
            ),
            Choice(
                _("Nothing, because every group is large enough."),
                False,
                _("Each table alone is. The difference between the two is a group of one."),
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
        _(
            "Somebody is {before} sure that a certain person is in this data. How sure can this "
            "release make them at most?"
        ).format(before=before),
        (
            Choice(
                before,
                False,
                _("That would be perfect secrecy, and the release would say nothing at all."),
            ),
            Choice(
                after,
                True,
                _(
                    "This follows from epsilon, which is {epsilon} here; see the page “Methods”."
                ).format(epsilon=decimal(epsilon, "0.####")),
            ),
            Choice(
                share(1),
                False,
                _("The noise prevents that, apart from a chance too small to matter."),
            ),
        ),
    )


def _consent() -> Exercise:
    return Exercise(
        _(
            "A person accepted your help. Nobody asked whether the record may be shared. What do "
            "you do?"
        ),
        (
            Choice(
                _("I send it, because the names are removed."),
                False,
                _("Removing names is needed, but it is not permission."),
            ),
            Choice(
                _("I ask in plain words, and leave the record out until I may share it."),
                True,
                _("To be helped and to be counted are two questions, and both deserve an answer."),
            ),
            Choice(
                _("I send it, because the data help others."),
                False,
                _("A good purpose is not permission. People decide what is said about them."),
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
            _(
                "A rise is a question, not an answer. Before you call it a change, look for three "
                "other reasons."
            ),
            _("First, the noise: two numbers whose intervals overlap may be the same."),
            _(
                "Second, who reports. When an organisation joins, its people appear at once, "
                "though nothing changed in the world. When one leaves, people vanish from the "
                "numbers only."
            ),
            _(
                "Third, how people are found. A new law, a training, a campaign or a hotline helps "
                "to identify people who were there before."
            ),
            _(
                "Call it a change when the intervals do not overlap, the same organisations report "
                "in both years, the definitions are the same, and people who know the place agree."
            ),
        ),
        figure=figure,
        exercises=tuple(e for e in exercises if e),
        takeaway=_(
            "Ask how wide the intervals are, who reported and how people were found, before you "
            "ask why trafficking changed."
        ),
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
    text = _(
        "From {before} to {after} the number rose from {a} to {b} people. In {after}, {name} "
        "began to report. What may you say?"
    )
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
                _("Perhaps, but the new contributor alone might explain the rise."),
            ),
            Choice(
                _("The number must be wrong."),
                False,
                _("It is right for what it counts: it counts for more organisations than before."),
            ),
            Choice(
                _("More people were identified, and the new contributor may be the reason."),
                True,
                _(
                    "To learn more, ask those who reported in both years whether they too found "
                    "more people."
                ),
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
        _("{before}: {a} people. {after}: {b} people. Did the number change?").format(
            before=before[0], a=sized(before[1].people), after=after[0], b=sized(after[1].people)
        ),
        (
            Choice(
                _("Yes, the two numbers are not the same."),
                False,
                _("The two estimates differ, but the noise alone might have made them differ."),
            ),
            Choice(
                _("That cannot be known, because the intervals overlap."),
                True,
                _("The noise may explain the gap. Wait for more years, or compare longer spans."),
            ),
            Choice(
                _("No, it is certain that nothing changed."),
                False,
                _("Intervals that overlap do not prove that two numbers are equal."),
            ),
        ),
    )


def _training() -> Exercise:
    return Exercise(
        _(
            "Border guards were trained. A year later, twice as many people were identified at "
            "their border. What is a careful reading?"
        ),
        (
            Choice(
                _("More people were found; whether more were trafficked stays open."),
                True,
                _("This separates what was seen from what may have caused it."),
            ),
            Choice(
                _("Twice as many people are trafficked there now."),
                False,
                _("The training changed how many people are found. That alone may explain it."),
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
        _("Two years differ by more than the noise. What else do you check before you report it?"),
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
                _("Whether the same organisations reported, with the same definitions."),
                True,
                _("And ask people who know the place whether they see the change too."),
            ),
        ),
    )


LESSONS = (meaning_lesson, intervals_lesson, lesson, safely_lesson, signals_lesson)


def lessons(answers: Answers) -> tuple[Lesson, ...]:
    """All lessons in the language in force; exercises without numbers here are left out."""
    drawn = {figure.id: figure for figure in figures(answers)}
    return tuple(make(answers, drawn) for make in LESSONS)


__all__ = ["Choice", "Exercise", "Lesson", "lessons"]
