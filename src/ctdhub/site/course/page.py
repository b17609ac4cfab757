"""The course on pages: its list, a page for each lesson, a summary for trainers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctdhub.core.format import number
from ctdhub.core.i18n import Text, _
from ctdhub.site.chart_files import plot
from ctdhub.site.course.lessons import Lesson, lessons
from ctdhub.site.edition import LEARN, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page, about
from ctdhub.stats.answers import Answers

LIST, TRAINER = "learn/index.html", "learn/trainer.html"
SCRIPTS = ("learn.js", *FIGURES)

KIND = PageKind(
    "course",
    lambda content: pages(content.answers),
    menu=MenuEntry(LEARN, LIST, Text("Course")),
)


def pages(answers: Answers) -> Iterator[Page]:
    """The list, the lessons in their order, the summary for trainers."""
    course = lessons(answers)
    listed = [_listed(k, lesson) for k, lesson in enumerate(course, 1)]
    yield Page(
        path=LIST,
        title=_("Learn"),
        description=_("A short course on reading and contributing such data, with exercises."),
        template="learn.html",
        css="learn.css",
        values={
            "course": listed,
            "trainer": TRAINER,
            "minutes": number(sum(lesson.minutes for lesson in course)),
        },
        menu=LIST,
        scripts=SCRIPTS,
    )
    for k, lesson in enumerate(course):
        yield _lesson(answers, lesson, listed, k)
    yield Page(
        path=TRAINER,
        title=_("Summary for trainers"),
        description=_("All lessons and exercises with their answers, to print."),
        template="trainer.html",
        css="learn.css",
        values={
            "course": [
                {"name": words, "lesson": lesson, "exercises": _numbered(lesson)}
                for words, lesson in zip(listed, course, strict=True)
            ],
            **about(answers.release),
        },
        menu=LIST,
    )


def path(lesson: Lesson) -> str:
    """Where a lesson lies."""
    return f"learn/{lesson.id}.html"


def _listed(k: int, lesson: Lesson) -> dict[str, Any]:
    """A lesson in the list: where it lies, how it is called, what a script says of its progress."""
    total = len(lesson.exercises)
    return {
        "id": lesson.id,
        "path": path(lesson),
        "title": _("Lesson {n}: {title}").format(n=number(k), title=lesson.title),
        "aim": lesson.aim,
        "minutes": _("About {n} minutes.").format(n=number(lesson.minutes)),
        "done": [
            _("Exercises solved: {n} of {all}.").format(n=number(n), all=number(total))
            for n in range(total + 1)
        ],
    }


def _lesson(answers: Answers, lesson: Lesson, listed: Sequence[dict[str, Any]], k: int) -> Page:
    figure = lesson.figure
    return Page(
        path=path(lesson),
        title=listed[k]["title"],
        description=lesson.aim,
        template="lesson.html",
        css="learn.css",
        values={
            "lesson": lesson,
            "listed": listed[k],
            "figure": figure,
            "svg": figure and plot(figure),
            "exercises": _numbered(lesson),
            "before": listed[k - 1] if k else None,
            "after": listed[k + 1] if k + 1 < len(listed) else None,
            "list": LIST,
            "trainer": TRAINER,
            **about(answers.release),
        },
        menu=LIST,
        scripts=SCRIPTS,
    )


def _numbered(lesson: Lesson) -> list[dict[str, Any]]:
    """Exercises with their ids and names."""
    return [
        {
            "id": f"{lesson.id}-{k}",
            "name": _("Exercise {n}").format(n=number(k)),
            "exercise": exercise,
            "answer": "" if exercise.answer is None else number(exercise.answer),
        }
        for k, exercise in enumerate(lesson.exercises, 1)
    ]
