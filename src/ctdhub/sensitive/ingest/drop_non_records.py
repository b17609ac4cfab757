"""Rows below the header that are no records: labels and tags."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.sensitive.ingest.options import ReadOptions

_TAG = re.compile(r"#[A-Za-z]\w*(\s*\+\s*[A-Za-z]\w*)*")


def is_label_row(
    names: Sequence[str],
    columns: Sequence[pa.ChunkedArray],
    rows: NDArray[np.int64],
    options: ReadOptions,
) -> NDArray[np.bool_]:
    """Which rows are those of ``skip_rows`` and hold a text that ``skip_if`` names.

    >>> a = pa.chunked_array([["Gender", "F"]])
    >>> given = ReadOptions(skip_rows=(2,), skip_if={"sex": "Gender"})
    >>> is_label_row(["sex"], [a], np.array([2, 3]), given).tolist()
    [True, False]
    """
    found = np.zeros(len(rows), bool)
    for place in np.flatnonzero(np.isin(rows, list(options.skip_rows))):
        for name, column in zip(names, columns, strict=True):
            text = column[int(place)].as_py()
            if name in options.skip_if and text is not None:
                found[place] |= _plain(text) == _plain(options.skip_if[name])
    return found


def is_tag_row(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether the first row holds HXL tags (``#adm1+name``), two or more and nothing else.

    Source: the HXL standard 1.1, which tools such as KoboToolbox write below the names.

    >>> is_tag_row([pa.chunked_array([["#adm1 +name"]]), pa.chunked_array([["#date"]])])
    True
    """
    first = [column[0].as_py() for column in columns if len(column)]
    cells = [cell for cell in first if cell and cell.strip()]
    return len(cells) > 1 and all(_TAG.fullmatch(cell.strip()) for cell in cells)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
