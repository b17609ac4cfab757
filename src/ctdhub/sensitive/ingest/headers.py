"""Column names: trimmed, present, unique; group prefixes of Kobo exports taken off.

Errors of the readers name columns by their letters: in a file without a header row the "names" are
a person's data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.tabular import ROW
from ctdhub.sensitive.ingest.options import Limits

KOBO = frozenset(("_uuid", "_submission_time"))
"""Columns that every table of submissions from a KoboToolbox server has."""

_SPACE = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff\u2060"
_SPACE += "".join(chr(code) for code in range(0x2000, 0x2010))


def clean(cells: Sequence[str | None], file: str, row: int, limits: Limits) -> list[str]:
    """Header cells without surrounding white space (no-break space included); "" where empty.

    Raises:
        HostileFile: more columns than allowed, or a name longer than a cell may be.
        UnreadableFile: no name at all, a name twice, or the reserved name ``_row``.

    >>> clean(["\\xa0Age ", "Sex", ""], "a.csv", 1, Limits())
    ['Age', 'Sex', '']
    """
    if len(cells) > limits.columns:
        raise error("columns", file=file, row=row, n=len(cells), limit=limits.columns)
    names = [_trim(cell) for cell in cells]
    if not any(names):
        raise error("no-header/empty", file=file, row=row)
    for position, name in enumerate(names):
        if len(name) > limits.cell_characters:
            raise error(
                "cell-size/name",
                file=file,
                row=row,
                column=letter(position),
                limit=limits.cell_characters,
            )
    count = Counter(names)
    twice = [letter(i) for i, name in enumerate(names) if name and count[name] > 1]
    if twice:
        raise error("duplicate-header", file=file, row=row, column=", ".join(twice[:8]))
    if ROW in names:
        raise error("reserved-header", file=file, row=row, column=ROW, name=ROW)
    return names


def unnamed(position: int, file: str, row: int) -> HubError:
    """The error for a column that holds values and has no name."""
    return error("empty-header", file=file, row=row, column=letter(position))


def letter(position: int) -> str:
    """The letters a spreadsheet shows for a 0-based column.

    >>> letter(0), letter(25), letter(26), letter(701), letter(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name


def without_groups(names: Sequence[str], wanted: bool | None) -> list[str]:
    """Names without the group prefixes that Kobo and other XLSForm servers put before them.

    ``group/field`` becomes ``field``.  A ``field/option`` column of a select_multiple question
    keeps the name of its field.  Names that would no longer be unique stay as they are.

    Args:
        names: the column names.
        wanted: yes, no, or None to find out.

    >>> without_groups(["_uuid", "_submission_time", "a/sex", "a/why", "a/why/war"], None)
    ['_uuid', '_submission_time', 'sex', 'why', 'why/war']
    >>> without_groups(["a/sex", "b/sex"], True)
    ['a/sex', 'b/sex']
    """
    if not (wanted or (wanted is None and set(names) >= KOBO)):
        return list(names)
    fields = set(names)

    def short(name: str) -> str:
        parent, _slash, last = name.rpartition("/")
        if parent in fields:
            return f"{short(parent)}/{last}"
        return last or name

    shorter = [short(name) for name in names]
    count = Counter(shorter)
    mixed = [s if count[s] == 1 else name for s, name in zip(shorter, names, strict=True)]
    return mixed if len(set(mixed)) == len(mixed) else list(names)


def _trim(cell: str | None) -> str:
    return (cell or "").strip(_SPACE)
