"""Lesson 3: the four blanks, and shares of whom."""

from __future__ import annotations

from ctdhub.core.format import number, share
from ctdhub.core.i18n import _
from ctdhub.report.figures import Figure
from ctdhub.report.wording import state_words
from ctdhub.site.course.parts import Choice, Drawn, Exercise, Lesson, ends
from ctdhub.stats.answers import Answers
from ctdhub.stats.headline import headline

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
