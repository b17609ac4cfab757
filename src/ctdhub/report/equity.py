"""The charts of assistance in the words of one language, their gaps, and their files."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ctdhub.core import tables
from ctdhub.core.format import decimal, inline, interval, listed, share_ranged
from ctdhub.core.i18n import _, current
from ctdhub.core.tables import write_json
from ctdhub.release.open import Release
from ctdhub.report.figures import Chart, Figure, FigureBar
from ctdhub.report.sentences import whom
from ctdhub.report.wording import caveat, citation, file_numbers, paragraph, sized, state_words
from ctdhub.schema.labels import code_label, definition, group_definition, label
from ctdhub.schema.model import DESTINATION, SERVICE
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Table
from ctdhub.stats.equity import RECEIVED, Assistance, By, EquityGroup, Gap, NotCompared, clear_gaps

# --------------------------------------------------------------------------------------------------
# Who is recorded less often as having received assistance, and who cannot be compared, in the
# language in force.

words_of = partial(paragraph, "equity.txt")
"""What a part of the template says, by the name of the part."""
DECIMALS = 3
"""Of percentage points, the most."""
EXACT = 1e-9
"""Below it a remainder comes of binary fractions alone and is not rounded away from."""


assistance_caveat = partial(words_of, "caveat")
"""What must be said wherever assistance is shown."""


def group_name(by: By, codes: tuple[str, ...]) -> str:
    """A group in words."""
    words = [
        code_label(v, code, current()) if code else _("group not recorded")
        for v, code in zip(by, codes, strict=True)
    ]
    return " · ".join(words)


def people_of(by: By, codes: tuple[str, ...]) -> str:
    """The people of a group, inside a sentence."""
    return words_of("people", list(map(whom, by, codes)))


def gap_sentence(gap: Gap) -> str:
    """Who was recorded less often as having received it, beside whom and by how much, and what is
    open for it was not recorded."""
    lang, groups = current(), _groups(gap)
    if gap.by == (DESTINATION,):
        place = _("{question}: {answers}").format(question=label(DESTINATION, lang), answers="{}")
        groups = [(place.format(name), part) for name, part in groups]
    return words_of("gap", label(gap.kind, lang), *groups, _points(gap), gap, _bounds(gap))


def _groups(gap: Gap) -> list[tuple[str, str]]:
    """The two groups, each with its share."""
    return [
        (people_of(gap.by, codes), share_ranged(part, *ends))
        for codes, part, ends in zip((gap.least, gap.most), gap.shares, gap.ends, strict=True)
    ]


def _bounds(gap: Gap) -> list[tuple[str, str]]:
    """Between which shares each group may have received it, whatever was not recorded."""
    return [interval(*bounds) for bounds in gap.bounds]


def gap_headline(gap: Gap) -> str:
    """Who was recorded as having received it, in one line with both intervals."""
    (least, low_share), (most, high_share) = _groups(gap)
    return _("{kind}: {least}, {low_share}; {most}, {high_share}").format(
        kind=label(gap.kind, current()),
        least=least,
        most=most,
        low_share=low_share,
        high_share=high_share,
    )


def gap_difference(gap: Gap) -> str:
    """The difference of the two shares, in percentage points, and what is open."""
    return words_of("difference", _points(gap), gap, _bounds(gap))


def not_compared_sentence(left: NotCompared) -> str:
    """Which groups the gaps leave out, because their share is too small to be shown; empty where
    there are none."""
    return words_of("not_compared", *(_names(left.by, x) for x in (left.never, left.partly)))


def _names(by: By, groups: tuple[tuple[str, ...], ...]) -> str:
    return _("; ").join(people_of(by, codes) for codes in groups)


def _points(gap: Gap) -> dict[str, str]:
    """The difference and its ends in percentage points, the ends rounded outwards.

    They are whole, or have up to three decimals where a clear gap would seem to begin at zero.
    """
    digits = next((d for d in range(DECIMALS) if 100 * gap.low * 10**d >= 1), DECIMALS)
    steps, pattern = 10**digits, f"{0:.{digits}f}"
    return {
        "points": decimal(100 * gap.difference, pattern),
        "low": decimal(math.floor(100 * gap.low * steps + EXACT) / steps, pattern),
        "high": decimal(math.ceil(100 * gap.high * steps - EXACT) / steps, pattern),
    }


# --------------------------------------------------------------------------------------------------
# Assistance by group as rows, for CSV and JSON.

COLUMNS = (
    "assistance", "by", "group", "measure", "state", "people", "people_low", "people_high",
    "share", "share_low", "share_high", "denominator", "missing_share", "level", "release",
)  # fmt: skip
EVERYBODY, RECORDED, OF_NEED = "all", "recorded", "received_of_need"
NOT_RECORDED = "not_recorded"


def rows(by_kind: Sequence[Assistance], release: Release) -> list[dict[str, Any]]:
    """One row for each kind, group and measure.

    ``measure`` is a status, "recorded" (people whose status is recorded), "received_of_need"
    (share who received among those recorded who did not decline), or "not_recorded" (share of all
    people of the group).  ``group`` holds the codes of
    the grouping joined with "*", empty where not recorded; "all" is everybody.
    """
    return [
        row
        for a in by_kind
        for group in (a.everybody, *a.groups)
        for row in _of_group(a, group, release)
    ]


def as_csv(by_kind: Sequence[Assistance], release: Release) -> str:
    """The rows as CSV (UTF-8 text, comma)."""
    return tables.as_csv(
        COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows(by_kind, release))
    )


def as_data(by_kind: Sequence[Assistance], release: Release) -> dict[str, Any]:
    """The rows with the clear gaps and what must stand with them, ready for JSON."""
    return {
        "release": release.version,
        "level": release.protected.guarantee.level,
        "caveat": caveat(),
        "about": assistance_caveat(),
        "citation": citation(release),
        "contributors": [c.name for c in release.facts.contributors],
        "invented": release.facts.invented,
        "gaps": [
            {
                **{k: v for k, v in asdict(gap).items() if k not in ("by", "least", "most")},
                "by": "*".join(gap.by),
                "least": "*".join(gap.least),
                "most": "*".join(gap.most),
                "sentence": gap_sentence(gap),
            }
            for gap in clear_gaps(tuple(by_kind))
        ],
        "rows": rows(by_kind, release),
    }


def _of_group(a: Assistance, group: EquityGroup, release: Release) -> list[dict[str, Any]]:
    head = {
        "assistance": a.kind,
        "by": "*".join(a.by),
        "group": "*".join(group.codes) if group.codes else EVERYBODY,
    }
    tail: dict[str, Any] = {"missing_share": file_numbers(group.unknown, 4)[0]}
    tail |= {"level": release.protected.guarantee.level, "release": release.version}
    measures = {
        RECORDED: (group.recorded, None),
        **{status: (people, group.shares[status]) for status, people in group.people.items()},
        OF_NEED: (None, group.of_need),
        NOT_RECORDED: (None, group.unknown),
    }
    return [{**head, "measure": name, **_both(*pair), **tail} for name, pair in measures.items()]


def _both(people: NumberCard | None, part: NumberCard | None) -> dict[str, Any]:
    """People and share; a number that is not shown leaves its place empty, its ends stay."""
    card = people or part
    numbers = (*file_numbers(people), *file_numbers(part, 4))
    return {
        "state": card.state if card else "",
        **dict(zip(COLUMNS[5:11], numbers, strict=True)),
        "denominator": part.denominator if part else None,
    }


# --------------------------------------------------------------------------------------------------
# The charts of assistance in the words of one language, and their files.


@dataclass(frozen=True, kw_only=True)
class AssistanceChart(Chart):
    """One grouping: a panel for each kind of assistance, on one scale, and the table of all.

    Attributes:
        panels: figures of the share who received; each has the id of the chart and a number.
        heads: names of the table's columns.
        lines: the table's rows, texts; the first two cells are headings.
        gaps: sentences, the surest first; ``heads_of_gaps`` the same as one line each.
    """

    panels: tuple[Figure, ...]
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    gaps: tuple[str, ...]
    heads_of_gaps: tuple[str, ...] = ()


def file_of(by: By) -> str:
    """Name of the file of a grouping, without its ending."""
    return "assistance-" + "-".join(name.replace("_", "-") for name in by)


def charts(answers: Answers) -> tuple[AssistanceChart, ...]:
    """A chart for each grouping that was measured, in the language in force."""
    return tuple(
        _chart(answers, by, equity.assistance(answers, by)) for by in equity.groupings(answers)
    )


def write_assistance(folder: Path, answers: Answers) -> None:
    """Write ``<file>.csv`` and ``<file>.metadata.json`` of every grouping into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for by in equity.groupings(answers):
        by_kind, name = equity.assistance(answers, by), file_of(by)
        (folder / f"{name}.csv").write_text(as_csv(by_kind, answers.release), "utf-8")
        facts = as_data(by_kind, answers.release)
        del facts["rows"]
        facts |= {"id": name, "title": _subtitle(by), "definition": _meaning(by)}
        facts["denominator"] = "people of the group whose status of this kind is recorded"
        facts["method"] = words_of("method", answers.release.protected.guarantee.level)
        write_json(folder / f"{name}.metadata.json", facts)


def _chart(answers: Answers, by: By, by_kind: tuple[Assistance, ...]) -> AssistanceChart:
    name, subtitle = file_of(by), _subtitle(by)
    clear = equity.clear_gaps(by_kind)
    gaps = tuple(gap_sentence(gap) for gap in clear)
    statuses, left_out = answers.domain(by_kind[0].kind), equity.not_compared(by_kind)
    return AssistanceChart(
        id=name,
        file=name,
        headline=gap_headline(clear[0]) if clear else subtitle,
        subtitle=subtitle,
        panels=tuple(_panel(a, f"{name}-{k}", subtitle) for k, a in enumerate(by_kind, 1)),
        heads=(
            _("Assistance"),
            _("Group"),
            _("Recorded"),
            state_words("not_recorded"),
            *(code_label(by_kind[0].kind, status, current()) for status in statuses),
            _("received, of those who needed it"),
        ),
        lines=tuple(_line(a, group) for a in by_kind for group in (a.everybody, *a.groups)),
        note=words_of(
            "note",
            [a.everybody.unknown.value for a in by_kind if a.everybody.unknown.value is not None],
            answers.release.protected.guarantee.level,
            not_compared_sentence(left_out),
            equity.MOST if by == (DESTINATION,) else 0,
        ),
        definition=_meaning(by),
        gaps=gaps,
        heads_of_gaps=tuple(gap_headline(gap) for gap in clear),
    )


def _subtitle(by: By) -> str:
    names = listed([inline(label(name, current())) for name in by])
    return _(
        "Received assistance: share of the people whose status is recorded, by {variable}"
    ).format(variable=names)


def _meaning(by: By) -> str:
    lang = current()
    return " ".join([group_definition(SERVICE, lang), *(definition(n, lang) for n in by)])


def _panel(a: Assistance, id_: str, subtitle: str) -> Figure:
    bars = [_bar(a, group) for group in a.groups]
    unknown = a.everybody.unknown
    if unknown.value is not None:
        ends = unknown.value, unknown.low, unknown.high
        name = _("nothing recorded, of all people")
        bars.append(FigureBar(name, sized(unknown), *ends, True, "not_recorded"))
    empty = Table(a.by, (), a.everybody.recorded, unknown.value)
    return Figure(
        id=id_,
        headline=label(a.kind, current()),
        subtitle=subtitle,
        bars=tuple(bars),
        table=empty,
    )


def _bar(a: Assistance, group: EquityGroup) -> FigureBar:
    name, part = group_name(a.by, group.codes), group.shares[RECEIVED]
    if part.state != "shown":
        return FigureBar(name, sized(part), kind=part.state)
    return FigureBar(name, sized(part), part.value, part.low, part.high)


def _line(a: Assistance, group: EquityGroup) -> tuple[str, ...]:
    name = group_name(a.by, group.codes) if group.codes else _("All people")
    parts = (*group.shares.values(), group.of_need)
    return (
        label(a.kind, current()),
        name,
        sized(group.recorded),
        sized(group.unknown),
        *(sized(part) for part in parts),
    )
