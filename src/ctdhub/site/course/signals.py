"""Lesson 5: a signal that is none."""

from __future__ import annotations

from itertools import pairwise

from markupsafe import Markup

from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.figures import Figure
from ctdhub.report.wording import sized
from ctdhub.site.course.parts import Choice, Drawn, Exercise, Lesson, labelled, neighbours, overlap
from ctdhub.stats.answers import Answers
from ctdhub.stats.table import Row

Labelled = tuple[str, Row]


def lesson(answers: Answers, drawn: Drawn) -> Lesson:
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
