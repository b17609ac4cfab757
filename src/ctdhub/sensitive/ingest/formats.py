"""The formats that can be read: one entry each, which says how content is recognised and read;
apart from ``raw``, since readers import that, and each is imported when a file of its format comes.

A new format is one module with a function ``read`` and one entry here (how-to "Add a format").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from ctdhub.core.i18n import Text

if TYPE_CHECKING:
    from ctdhub.sensitive.ingest.options import Limits, ReadOptions

_JSON = re.compile(rb"""(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*(?:[\[{\]"\d-]|true|false|null))""")

_STATA = re.compile(rb"<stata_dta>|[\x69-\x73][\x01\x02]\x01\x00")
"""Releases 117 and later; 105 to 115 begin with release, order of bytes, kind 1 and a zero."""


Purpose = Literal["read", "views", "shape"]


@dataclass(frozen=True)
class Format:
    """One format of contributed tables.

    Attributes:
        name: short, for programs; its endings are in :data:`ctdhub.core.tables.ENDINGS`.
        content: what such a file is called in a sentence.
        starts: whether the first 4 KiB of a file are of this format.
        read: name of the function that makes cells of the content, the name of the file, what is
            stated about it and what it must not exceed.  It raises UnreadableFile and HostileFile,
            and no error of a library.
        views: of that which shows the first rows of each sheet, for formats whose names may be in
            another row than the first; same arguments, same errors.
        shape: of that which says what is to be stated so that nested records become a table, for
            formats that have them; same arguments, same errors.
    """

    name: str
    content: Text
    starts: Callable[[bytes], bool]
    read: str = "read"
    views: str = ""
    shape: str = ""

    def function(self, purpose: Purpose) -> Callable[[bytes, str, ReadOptions, Limits], Any] | None:
        """Its function for a purpose, None where it has none."""
        name = getattr(self, purpose)
        return getattr(_module(self.name), name) if name else None


def _module(name: str) -> ModuleType:
    """The module of a format, and what it loads."""
    if name == "workbook":
        from ctdhub.sensitive.ingest import workbook

        return workbook
    if name == "json":
        from ctdhub.sensitive.ingest import json_rows

        return json_rows
    from ctdhub.sensitive.ingest import delimited, labelled

    return labelled if name in ("spss", "stata") else delimited


_ZIP, _TABLE = b"PK\x03\x04", (b".csv", b".tsv", b".txt")


def _begins_with_a_table(start: bytes) -> bool:
    """Whether the first part of a zip archive is a text table, as in no workbook.

    >>> _begins_with_a_table(_ZIP + bytes(22) + b"\\x05\\x00\\x00\\x00a.csv")
    True
    """
    name = start[30 : 30 + int.from_bytes(start[26:28], "little")]
    return start.startswith(_ZIP) and name.lower().endswith(_TABLE)


FORMATS = (
    Format(
        "csv-archive",
        Text("a zip archive of text tables"),
        _begins_with_a_table,
        "read_archive",
        shape="archive_shape",
    ),
    Format(
        "workbook",
        Text("a workbook"),
        lambda start: start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")),
        views="views",
    ),
    Format("spss", Text("an SPSS file"), lambda start: start.startswith((b"$FL2", b"$FL3"))),
    Format("stata", Text("a Stata file"), lambda start: _STATA.match(start) is not None),
    Format("json", Text("JSON"), lambda start: _JSON.match(start) is not None, shape="shape"),
    Format("delimited", Text("delimited text"), lambda _start: True, views="views"),
)
"""In the order in which they are tried; the last takes any text."""


def format_of(start: bytes) -> Format:
    """The first format that takes a file which begins so."""
    return next(kind for kind in FORMATS if kind.starts(start))
