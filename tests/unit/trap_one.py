"""Trap 1 as a release: five kinds of people whose shares are 50, 50 and 25 per cent.

Types of exploitation {labour}, {sexual}, {other}, {}, {labour, sexual}: an empty flag counts as
"no" only where some flag of the group is yes.  Read naively the shares are 40, 40 and 20.
"""

from __future__ import annotations

from pathlib import Path

from invented_release import protected_answer

from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release

LABOUR, SEXUAL, OTHER = (
    "exploitation_forced_labour", "exploitation_sexual", "exploitation_other",
)  # fmt: skip
KINDS = ((LABOUR,), (SEXUAL,), (OTHER,), (), (LABOUR, SEXUAL))
SHARES = {LABOUR: 0.5, SEXUAL: 0.5, OTHER: 0.25}
TABLES = (
    "year_of_registration", "gender", "citizenship", "country_of_exploitation",
    *(
        f"{prefix}{name}"
        for prefix in ("", "citizenship*", "country_of_exploitation*", "year_of_registration*")
        for name in ("any_exploitation", LABOUR, SEXUAL, OTHER, "gender")
        if prefix or name != "gender"
    ),
)  # fmt: skip


def rows(each: int = 1000) -> list[dict[str, str | None]]:
    """So many Ukrainian women of each kind, registered in 2016, exploited in Poland."""
    return [
        {
            "year_of_registration": "2016",
            "gender": "female",
            "age_band": None,
            "citizenship": "UKR",
            "country_of_exploitation": "POL",
            **dict.fromkeys(flags, "yes"),
            "any_exploitation": "yes" if flags else None,
        }
        for flags in KINDS
        for _ in range(each)
    ]


def trap_one(folder: Path) -> Release:
    """The release, written below a folder."""
    answer = protected_answer(rows(), tables=TABLES)
    return open_release(write_release(answer, folder / "releases", "2026.1", "Trap 1."))
