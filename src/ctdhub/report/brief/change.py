"""Did the world change or the data?  A brief's section on what explains a rise or a fall."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctdhub.core.format import number, year
from ctdhub.core.i18n import _
from ctdhub.document.document import Section, Words
from ctdhub.document.numbers import Notebook
from ctdhub.release.facts import PublicFacts
from ctdhub.report.brief.subjects import Corridor
from ctdhub.report.coverage import turned
from ctdhub.report.decomposition import measured_apart, question_label, recorded_share, signed, told
from ctdhub.schema.roles import PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.breaks import breaks_between
from ctdhub.stats.decomposition.panel import last_whole_year
from ctdhub.stats.decomposition.report import BACK, Report, report
from ctdhub.stats.decomposition.split import ChangePart, Split
from ctdhub.stats.decomposition.subject import EVERYBODY, ChangeSubject
from ctdhub.stats.query import Query, Where
from ctdhub.stats.trend import covering, difference

KEEP = 62
WHOLE_ONLY = frozenset({"undivided", "unmeasured", "unclear"})
"""Kinds of parts that stand for a change that cannot be split."""


def changed(
    answers: Answers, questions: Sequence[ChangeSubject], notebook: Notebook
) -> tuple[Section, ...]:
    """The changes of some people, split where the release allows it; () where nothing is clear."""
    blocks: list[Words] = []
    apart = False
    unsplit: dict[tuple[int, int], list[str]] = {}
    for question in questions:
        found = report(answers, question)
        if found is None or all(row.people.value is None for row in found.rows):
            continue
        if texts := _texts(found, answers.release.facts, notebook):
            blocks.append(Words(tuple(texts), question_label(question)))
            apart = apart or (found.apart and not found.moved)
        for split in reversed(found.splits):
            years = split.earlier, split.later
            if not _can_be_split(split) and not _same_contributors(answers, *years):
                unsplit.setdefault(years, []).append(question_label(question))
    if apart:
        blocks.append(Words((measured_apart(),)))
    for years, labels in unsplit.items():
        title = _("; ").join(labels)
        before = blocks.pop().paragraphs if blocks and blocks[-1].title == title else ()
        blocks.append(Words((*before, _not_split(answers, *years)), title))
    return _section(blocks)


def on_corridor(answers: Answers, corridor: Corridor, notebook: Notebook) -> tuple[Section, ...]:
    """The same of a corridor, whose people are not counted by contributor.

    Where the same contributors report on both years the change is told, else who joined or left.
    """
    release, last = answers.release, last_whole_year(answers.release)
    texts = []
    for earlier in (last - n for n in reversed(BACK) if last - n >= release.years[0]):
        before, after = (
            answers.card(Query({**corridor.where, PERIOD: [str(y)]})) for y in (earlier, last)
        )
        found = difference(before, after)
        if found is None:
            continue
        if not _same_contributors(answers, earlier, last):
            texts.append(_not_split(answers, earlier, last))
        elif found.is_clear:
            level = release.protected.guarantee.level
            ends = round(found.value), math.floor(found.low), math.ceil(found.high)
            met = breaks_between(release, tuple(corridor.where), earlier, last)
            split = Split(earlier, last, *ends, (), None, False, level, met)
            _note(corridor.where, "change.corridor", split, notebook)
            same = _(
                "The same contributors report on both years. What they record, policing, funding "
                "or outreach may still have changed."
            )
            texts.append(" ".join((*told(EVERYBODY, split, release.facts), same)))
    return _section([Words(tuple(texts))] if texts else [])


def _section(blocks: Sequence[Words]) -> tuple[Section, ...]:
    if not blocks:
        return ()
    title = _("Did the world change or the data?")
    return (Section("change", title, tuple(blocks), KEEP),)


def _texts(found: Report, facts: PublicFacts, notebook: Notebook) -> list[str]:
    """A paragraph for each span of years of which something is clear, the longest first."""
    texts = []
    for split in reversed(found.splits):
        clear = split.is_clear or any(part.is_clear for part in split.parts)
        if clear and _can_be_split(split):
            id = f"change.{found.question.code or 'all'}"
            _note(found.question.where, id, split, notebook)
            texts.append(" ".join(told(found.question, split, facts)))
    return texts


def _can_be_split(split: Split) -> bool:
    return not {part.kind for part in split.parts} <= WHOLE_ONLY


def _same_contributors(answers: Answers, earlier: int, later: int) -> bool:
    return covering(answers.release, earlier) == covering(answers.release, later)


def _not_split(answers: Answers, earlier: int, later: int) -> str:
    """Who joined or left between two years, where nothing else can be told apart."""
    first = _(
        "{later} compared with {earlier}: contributors changed, and this release does not say "
        "which of them registered these people, so a change cannot be split."
    ).format(earlier=year(earlier), later=year(later))
    return " ".join((first, *turned(answers.release, (earlier, later))))


def _note(where: Where, id: str, split: Split, notebook: Notebook) -> None:
    """Note a change and its parts as they are told."""
    id = f"{id}.{split.earlier}-{split.later}"
    after: Where = {**where, PERIOD: [str(split.later)]}
    before: Where = {**where, PERIOD: [str(split.earlier)]}
    notebook.add(id, "change", split.value, _printed(split), after, before)
    for n, part in enumerate(split.parts):
        name = f"{id}.{n}-{part.kind}"
        notebook.add(name, "change_part", part.value, _printed(part), after, before)
    for name, value in zip(("before", "after"), split.shares or (), strict=False):
        printed = (recorded_share(value),)
        notebook.add(f"{id}.recorded-{name}", "change_part", value.value, printed, after, before)


def _printed(found: ChangePart | Split) -> tuple[str, ...]:
    """The number of people where it is told, and the ends of its interval."""
    ends = signed(found.low), signed(found.high)
    return (number(abs(found.value)), *ends) if found.is_clear else ends
