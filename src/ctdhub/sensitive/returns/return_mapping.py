"""How a contributor's own file fills the sheets of a publisher's workbook: a mapping of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.options import ReadOptions, Texts
from ctdhub.sensitive.mapping.dates import DateForm
from ctdhub.sensitive.mapping.mapping import MappingFault
from ctdhub.sensitive.mapping.mapping_file import checked, read_yaml, text_of


class CellRule(FrozenModel):
    """What stands in a column of the workbook.

    Attributes:
        source: column of the file (``from``); of several the first that is not empty.
        value: a text that stands in every row, instead of a column.
        map: texts of the file and what is written for them; a text that is not listed is not
            written, and told.
        date: whether the column holds dates; one that cannot be read is not written, and told.
        number: whether it holds numbers; likewise.
    """

    model_config = ConfigDict(populate_by_name=True)

    source: Texts = Field(default=(), alias="from")
    value: str | None = None
    map: dict[str, str | None] = Field(default={})
    date: bool = False
    number: bool = False

    @model_validator(mode="after")
    def _check(self) -> CellRule:
        if bool(self.source) == (self.value is not None):
            raise MappingFault(Text("give exactly one of: from, value"))
        if bool(self.map) + self.date + self.number > (0 if self.value is not None else 1):
            raise MappingFault(Text("at most one of map, date and number may be used with from"))
        return self


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


DayText = Annotated[date, BeforeValidator(_day)]


class DaysWithin(FrozenModel):
    """Rows whose date lies between two days, both included, such as those of a quarter.

    Attributes:
        source: column of the file with the date (``from``).
    """

    source: str = Field(alias="from")
    first: DayText
    last: DayText


class SheetRule(FrozenModel):
    """One sheet of the workbook.

    Attributes:
        header_row: 1-based row of its column names; by default the row that has most of them.
        first_row: 1-based row of the first record; by default the one below the names.
        period: which rows of the file belong into it; all by default.
        when: column of the file and the texts that a row must have, else it is left out.
        columns: by column name of the workbook.
    """

    header_row: int | None = Field(default=None, ge=1, le=1000)
    first_row: int | None = Field(default=None, ge=2, le=1001)
    period: DaysWithin | None = None
    when: dict[str, Texts] = Field(default={})
    columns: dict[str, CellRule] = Field(min_length=1)


class ReturnMapping(FrozenModel):
    """A whole mapping.

    Attributes:
        read: how to read the file.
        dates: how it writes dates.
        empty: texts that mean that nothing is recorded.
        sheets: by name of the workbook's sheet.
    """

    version: Literal["1"]
    read: ReadOptions = ReadOptions()
    dates: DateForm = DateForm()
    empty: Texts = ("",)
    sheets: dict[str, SheetRule] = Field(min_length=1)


def load_return_mapping(path: Path) -> ReturnMapping:
    """The mapping of a YAML file.

    Raises:
        MappingError: the file cannot be read, is no YAML, or something in it is wrong; the
            message names the places and the lines.
    """
    start = Text("a mapping of a report starts with version: 1 and sheets:")
    root, data = read_yaml(text_of(path), path.name, start)
    return checked(ReturnMapping, data, root, path.name)
