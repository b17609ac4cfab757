"""The clerical review in a round of links: what is asked for, and what its decisions change."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.tabular import ROW
from ctdhub.core.text import trim
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.identified.cluster_tokens import Own
from ctdhub.sensitive.linkage.identified.persons import IdentifiedPersons
from ctdhub.sensitive.linkage.identified.resolve import Resolved
from ctdhub.sensitive.linkage.identified.review_accuracy import accuracy_json, reviewed_cells
from ctdhub.sensitive.linkage.identified.review_book import (
    Decisions,
    ShownRow,
    read_review_book,
    write_review_book,
)
from ctdhub.sensitive.linkage.identified.review_frame import PairFrame, frame_of, script_of
from ctdhub.sensitive.linkage.identified.scoring import Scored
from ctdhub.sensitive.linkage.pprl.columns import ROLES, TokenPlan
from ctdhub.sensitive.linkage.settings import LinkageSettings

BOOK_FILE = "pairs.xlsx"
"""The workbook in the folder of a round; unlike all else there, it holds names."""

ERRORS = 0.05
"""Share of decisions that may be wrong, at most, where nobody has measured it."""


@dataclass(frozen=True)
class ReviewAsked:
    """What a round is asked to do.

    Attributes:
        sample: pairs of the random sample of a workbook to write; 0 for none.
        decisions: a workbook that came back, or None.
        by: column of each file by which pairs are grouped, empty for the script of the names.
        errors: share of decisions that may be wrong, at most, 0 to 0.5.
    """

    sample: int = 0
    decisions: Path | None = None
    by: Sequence[str] = ()
    errors: float = ERRORS

    def __bool__(self) -> bool:
        return bool(self.sample or self.decisions)


def check_groups(asked: ReviewAsked, raws: Sequence[RawTable]) -> None:
    """Refuse a column to group by that a file does not have.

    Raises:
        FileError: names the file and the column.
    """
    for raw, column in zip(raws, asked.by, strict=bool(asked.by)):
        if column and column not in raw.column_names():
            raise error("review-book/group", file=raw.file, column=column)


@dataclass(frozen=True)
class RoundReview:
    """The pairs of a round and, of a workbook that came back, the decisions."""

    frame: PairFrame
    shown: list[ShownRow]
    decisions: Decisions | None
    errors: float

    def write(self, folder: Path, unsure: Resolved, persons: IdentifiedPersons, size: int) -> None:
        """Write the workbook.

        Args:
            folder: of the round.
            unsure: of the model alone; its doubtful pairs are asked for.
            persons: of all files.
            size: pairs of the random sample.
        """
        pairs = zip(self.frame.one.tolist(), self.frame.other.tolist(), strict=True)
        at = {pair: i for i, pair in enumerate(pairs)}
        doubtful = [
            tuple(sorted(persons.of_row[[row.one, row.other]].tolist()))
            for row in unsure.review
            if row.probability is not None  # two cases of one file are one by their token
        ]
        chance = secrets.SystemRandom()
        drawn = self.frame.draw(size, chance)
        asked = {at[pair] for pair in doubtful}
        write_review_book(folder / BOOK_FILE, self.frame, self.shown, asked, drawn, chance)

    def account(self, unseen: float, people: int) -> dict[str, Any]:
        """What the decisions say, as JSON.

        Args:
            unseen: share of links that no rule made a pair, by the model.
            people: clusters after the decisions.
        """
        if self.decisions is None:
            return {}
        decided = {at: pair.same for at, pair in self.decisions.decided.items()}
        cells = reviewed_cells(self.frame, self.decisions.drawn, decided)
        yes = sum(decided.values())
        return {
            "yes": yes,
            "no": len(decided) - yes,
            **accuracy_json(cells, unseen, self.errors, people),
        }


def review_of(
    asked: ReviewAsked,
    files: Sequence[tuple[RawTable, TokenPlan]],
    more: Sequence[Sequence[str | None]],
    persons: IdentifiedPersons,
    scored: Scored,
    found: Resolved,
    own: Sequence[Own],
    settings: LinkageSettings,
) -> RoundReview:
    """The review of a round, with decisions where a workbook came back.

    Args:
        asked: what is asked for.
        files: each file as read and what its columns are.
        more: further columns that are compared, of each file, None where one has none.
        persons, scored: of all files.
        found: by the model alone.
        own: tokens of each row.
        settings: cut-offs.

    Raises:
        FileError: the workbook cannot be taken, see ``read_review_book``.
    """
    shown: list[ShownRow] = []
    labels: list[str] = []
    by = asked.by or [""] * len(files)
    for (raw, plan), column, further in zip(files, by, more, strict=True):
        rows = _shown(raw, plan, further)
        shown += rows
        if column:
            labels += [trim(cell or "") for cell in raw.table[column].to_pylist()]
        else:
            labels += [_script(row) for row in rows]
    said = [f"{raw.file} {raw.sha256} {plan}" for raw, plan in files]
    frame = frame_of(
        persons, scored, found.cluster, own, labels, "\0".join([*said, str(settings.cut)])
    )
    decisions = read_review_book(asked.decisions, frame, shown) if asked.decisions else None
    return RoundReview(frame, shown, decisions, asked.errors)


def _shown(raw: RawTable, plan: TokenPlan, more: Sequence[str | None]) -> list[ShownRow]:
    columns: dict[str, str] = {role: column for role in ROLES if (column := plan.of(role))}
    columns |= {column: column for column in more if column}
    cells = [raw.table[column].fill_null("").to_pylist() for column in columns.values()]
    every = zip(*cells, strict=True) if cells else [()] * raw.table.num_rows
    return [
        ShownRow(raw.file, row, dict(zip(columns, some, strict=True)))
        for row, some in zip(raw.table[ROW].to_pylist(), every, strict=True)
    ]


def _script(row: ShownRow) -> str:
    return script_of("".join(row.cells.get(role, "") for role in ("name", "given", "family")))
