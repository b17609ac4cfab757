"""Lesson 1: what such data can and cannot say."""

from __future__ import annotations

from ctdhub.core.format import number, share, year
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.report.sentences import headline_sentence
from ctdhub.site.course.parts import Choice, Drawn, Exercise, Lesson, ends
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.headline import headline


def lesson(answers: Answers, drawn: Drawn) -> Lesson:
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
