"""Files of SPSS (.sav, .zsav) and Stata (.dta), by the library pyreadstat, an extra.

A value that has a label is read as its label where the labels of its column differ from each other:
that is what the person who answered saw.  Otherwise the code is read.  Values that the file
declares as missing are kept, by label or code: whether "refused" is a blank is for the mapping to
say.  Stata's missing values .a to .z are such values, and are written as Stata writes them.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from ctdhub.core.errors import error
from ctdhub.core.i18n import many
from ctdhub.sensitive.ingest import tidy
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """Names, columns and row numbers; the first record is row 1, for there is no header row.

    Args:
        data: content of the file.
        file: its name, for errors.
        options: what is stated about it: encoding, rows that are no records.
        limits: what it must not exceed.

    Whole numbers lose ".0", dates are ISO 8601, texts lose the blanks at their end.

    Raises:
        UnreadableFile: rules ``spss-extra``, ``stata-extra``: pyreadstat is not installed;
            ``content``: the file is damaged, or not in the encoding that is stated.
        HostileFile: a limit is passed.
    """
    spss = data.startswith(b"$FL")
    try:
        library = import_module("pyreadstat")
    except ImportError:
        raise error("spss-extra" if spss else "stata-extra", file=file) from None
    meta = _opened(library, data, file, options, metadataonly=True)[1]
    if (meta.number_rows or 0) > limits.rows:
        raise error("rows", file=file, limit=limits.rows)
    names = tidy.clean_headers(list(meta.column_names), file, 1, limits)
    values, meta = _opened(library, data, file, options, row_limit=limits.rows + 1)
    columns, labelled = [], 0
    say: Callable[[Any], str | None]
    for name in meta.column_names:
        labels = _labels(meta.variable_value_labels.get(name, {}))
        labelled += bool(labels)
        period = _PERIODS.get(str(meta.original_variable_types.get(name)).replace("-", "")[:3])
        say = _text
        if meta.readstat_variable_types.get(name) != "string":
            say = partial(_period, *period) if period is not None and not spss else _number
        columns.append(_texts(values[name], labels, say))
    rows = np.arange(1, len(columns[0]) + 1 if columns else 1, dtype=np.int64)
    keep = ~np.isin(rows, np.array(sorted(options.unseen), np.int64))
    cells = ReaderResult(
        names=names,
        columns=[pa.chunked_array([column.filter(pa.array(keep))]) for column in columns],
        rows=rows[keep],
        rejects=[],
        encoding=meta.file_encoding,
    )
    if labelled:
        note = many(
            "{n} column has labels for its values: the labels were read, not the codes.",
            "{n} columns have labels for their values: the labels were read, not the codes.",
            labelled,
            n=labelled,
        )
        cells.notes.append(note)
    return cells


def _opened(
    library: Any, data: bytes, file: str, options: ReadOptions, **how: Any
) -> tuple[Mapping[str, Sequence[Any]], Any]:
    spss = data.startswith(b"$FL")
    how |= {"output_format": "dict", "user_missing": True, "encoding": options.encoding}
    try:
        content: tuple[Mapping[str, Sequence[Any]], Any] = (
            library.read_sav if spss else library.read_dta
        )(io.BytesIO(data), **how)
    except (library.ReadstatError, library.PyreadstatError, ValueError, OverflowError):
        raise error("content/spss" if spss else "content/stata", file=file) from None
    return content


def _labels(texts: Mapping[Any, str]) -> dict[Any, str]:
    """Labels by value; none where two values have one label, which could not be told apart."""
    labels = {value: label.strip() for value, label in texts.items() if label.strip()}
    return labels if len(set(labels.values())) == len(labels) else {}


def _texts(
    values: Sequence[Any], labels: Mapping[Any, str], text: Callable[[Any], str | None]
) -> pa.Array:
    return pa.array([labels.get(value) or text(value) for value in values], pa.string())


def _number(value: Any) -> str | None:
    """A value of a column of numbers; a letter is one of Stata's missing values."""
    return f".{value}" if isinstance(value, str) and value else _text(value)


def _period(mark: str, parts: int, value: Any) -> str | None:
    """A month, quarter, half-year or week, which Stata counts from January 1960."""
    number = _number(value)
    if number is None or not number.lstrip("-").isdecimal():
        return number
    year, part = divmod(int(number), parts)
    shown = f"{part + 1:02}" if mark == "-" else str(part + 1)
    return f"{1960 + year}{mark}{shown}"


_PERIODS = {"%tm": ("-", 12), "%tq": ("q", 4), "%th": ("h", 2), "%tw": ("w", 52)}
"""Formats of Stata that the library hands on as counts (Stata manual, Datetime): mark, parts of a
year."""


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime):
        moment = value.isoformat(sep=" ")
        return moment.removesuffix(" 00:00:00")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float | np.number):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value).rstrip() or None
