"""The age that stays when the birth date goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.text import fold
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.mapping.dates import DateForm, DateOrder

AGE = "age"

Lack = Literal["day", "birth", "before"]
"""Why a row has no age.  day: no full date to count at.  birth: no birth date that can be read.
before: the birth is after that date."""


@dataclass(frozen=True)
class AgeAt:
    """Where an age comes from: the day in ``column``, and the order of day and month.

    The age is in full years; where only the year of birth is known it may be one too high.
    """

    column: str
    order: DateOrder = "dmy"


def check_ages(raw: RawTable, plan: TokenPlan, at: AgeAt) -> None:
    """Refuse a column of days that gives no row an age: with the birth date, all ages would go.

    Raises:
        FileError: that, or a column is missing, or the file has an age that stays.
    """
    birth = plan.of("birth")
    if birth is None or at.column not in raw.table.column_names:
        raise error("age-at/no-column", file=raw.file, column=at.column)
    if AGE in plan.fated("stay") + plan.fated("code"):
        raise error("age-at/column-taken", file=raw.file, column=AGE)
    lacks: Counter[Lack] = Counter()
    for _age, lack in _counted(raw.table, birth, at):
        if lack is None:
            return
        lacks[lack] += 1
    if lacks:
        raise _nobody(raw, birth, at, lacks.most_common(1)[0][0])


def ages(rows: pa.Table, plan: TokenPlan, at: AgeAt, lacks: Counter[Lack]) -> pa.Array:
    """The age of each row; null where there is none, which is added to ``lacks``."""
    found = list(_counted(rows, plan.of("birth") or "", at))
    lacks.update(lack for _age, lack in found if lack is not None)
    return pa.array([age for age, _lack in found], pa.string())


def _counted(rows: pa.Table, birth: str, at: AgeAt) -> Iterator[tuple[str | None, Lack | None]]:
    form = DateForm(order=at.order)
    for batch in rows.select([birth, at.column]).to_batches():
        for born, then in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield _age_of(born, then, form)


def _age_of(birth: str | None, at: str | None, form: DateForm) -> tuple[str | None, Lack | None]:
    then = form.date(fold(at)) if at else None
    if then is None:
        return None, "day"
    born = form.date(fold(birth)) if birth else None
    if born is None:
        born = form.year(fold(birth)) if birth else None
    if born is None:
        return None, "birth"
    if then[: len(born)] < born:
        return None, "before"
    short_of_a_year = then[5:] < born[5:] if len(born) > 4 else False
    return str(int(then[:4]) - int(born[:4]) - short_of_a_year), None


def _nobody(raw: RawTable, birth: str, at: AgeAt, lack: Lack) -> HubError:
    if lack == "day":
        return error("age-at/no-day", file=raw.file, column=at.column)
    if lack == "birth":
        return error("age-at/no-birth", file=raw.file, column=birth)
    return error("age-at/born-after", file=raw.file, column=at.column)
