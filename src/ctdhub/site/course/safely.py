"""Lesson 4: contributing safely."""

from __future__ import annotations

from ctdhub.core.format import decimal, share
from ctdhub.core.i18n import _
from ctdhub.site.course.parts import Choice, Drawn, Exercise, Lesson
from ctdhub.stats.answers import Answers
from ctdhub.stats.guarantee import sure_afterwards

SURE = 0.1
"""How sure somebody is before the release, in the exercise."""


def lesson(answers: Answers, drawn: Drawn) -> Lesson:
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
