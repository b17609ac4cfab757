"""Lesson 2: reading an interval."""

from __future__ import annotations

from ctdhub.core.format import number, share
from ctdhub.core.i18n import _
from ctdhub.report.figures import Figure
from ctdhub.site.course.parts import (
    Choice,
    Drawn,
    Exercise,
    Lesson,
    ends,
    labelled,
    neighbours,
    overlap,
)
from ctdhub.stats.answers import Answers
from ctdhub.stats.table import Row

READ = ("gender", "age", "people-by-year")
"""Figures of people whose intervals are read, the first that is there."""
RANKED = ("corridors", "age", "people-by-year", "gender")
"""Figures in whose rankings two rows are compared."""


def lesson(answers: Answers, drawn: Drawn) -> Lesson:
    """What the confidence means, overlapping intervals, rankings."""
    figure = next((drawn[name] for name in READ if labelled(drawn.get(name))), None)
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
