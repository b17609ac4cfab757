"""The course: five short lessons whose numbers come from the release that is shown."""

from __future__ import annotations

from ctdhub.report.figures import figures
from ctdhub.site.course import blanks, intervals, meaning, safely, signals
from ctdhub.site.course.parts import Choice, Exercise, Lesson
from ctdhub.stats.answers import Answers

LESSONS = (meaning.lesson, intervals.lesson, blanks.lesson, safely.lesson, signals.lesson)


def lessons(answers: Answers) -> tuple[Lesson, ...]:
    """All lessons in the language in force; exercises without numbers here are left out."""
    drawn = {figure.id: figure for figure in figures(answers)}
    return tuple(make(answers, drawn) for make in LESSONS)


__all__ = ["Choice", "Exercise", "Lesson", "lessons"]
