"""Assistance by group as rows, for CSV and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ctdhub.core import datafiles
from ctdhub.release.open import Release
from ctdhub.report.gaps import assistance_caveat, gap_sentence
from ctdhub.report.wording import caveat, citation
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.equity import Assistance, EquityGroup, clear_gaps

COLUMNS = (
    "assistance", "by", "group", "measure", "state", "people", "people_low", "people_high",
    "share", "share_low", "share_high", "denominator", "missing_share", "level", "release",
)  # fmt: skip
EVERYBODY, RECORDED, OF_NEED = "all", "recorded", "received_of_need"
NOT_RECORDED = "not_recorded"


def rows(found: Sequence[Assistance], release: Release) -> list[dict[str, Any]]:
    """One row for each kind, group and measure.

    ``measure`` is a status, "recorded" (people whose status is recorded), "received_of_need"
    (share who received among those recorded who did not decline), or "not_recorded" (share of all
    people of the group).  ``group`` holds the codes of
    the grouping joined with "*", empty where not recorded; "all" is everybody.
    """
    return [
        row
        for a in found
        for group in (a.everybody, *a.groups)
        for row in _of_group(a, group, release)
    ]


def as_csv(found: Sequence[Assistance], release: Release) -> str:
    """The rows as CSV (UTF-8 text, comma)."""
    return datafiles.as_csv(
        COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows(found, release))
    )


def as_data(found: Sequence[Assistance], release: Release) -> dict[str, Any]:
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
            for gap in clear_gaps(tuple(found))
        ],
        "rows": rows(found, release),
    }


def _of_group(a: Assistance, group: EquityGroup, release: Release) -> list[dict[str, Any]]:
    head = {
        "assistance": a.kind,
        "by": "*".join(a.by),
        "group": "*".join(group.codes) if group.codes else EVERYBODY,
    }
    tail: dict[str, Any] = {"missing_share": _part(group.unknown.value)}
    tail |= {"level": release.protected.guarantee.level, "release": release.version}
    found = [{**head, "measure": RECORDED, **_both(group.recorded, None), **tail}]
    for status, people in group.people.items():
        found.append({**head, "measure": status, **_both(people, group.shares[status]), **tail})
    found.append({**head, "measure": OF_NEED, **_both(None, group.of_need), **tail})
    found.append({**head, "measure": NOT_RECORDED, **_both(None, group.unknown), **tail})
    return found


def _both(people: NumberCard | None, part: NumberCard | None) -> dict[str, Any]:
    """People and share; a number that is not shown leaves its place empty, its ends stay."""
    told = people or part
    return {
        "state": told.state if told else "",
        "people": _whole(people.value if people else None),
        "people_low": _whole(people.low if people else None),
        "people_high": _whole(people.high if people else None),
        "share": _part(part.value if part else None),
        "share_low": _part(part.low if part else None),
        "share_high": _part(part.high if part else None),
        "denominator": part.denominator if part else None,
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _part(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
