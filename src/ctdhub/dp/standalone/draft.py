"""A first domains file out of a table, for a person to check against public knowledge.

Values that are taken from the data are not private: that a rare value is in the list tells that
somebody has it.  So a draft says ``checked: false``, and nothing is protected by it until a person
has compared it with a code book.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.errors import printable
from ctdhub.core.i18n import _
from ctdhub.core.tabular import ROW, Tabular
from ctdhub.dp.standalone.domains import COUNTRY_CODES, DomainColumn, read_column
from ctdhub.dp.standalone.focus import proposed
from ctdhub.schema import countries

MOST_VALUES = 300
"""Columns with more values are commented out."""

LONGEST = 80
"""Characters of a value; columns with longer ones are commented out as free text."""

BLANKS = {"-99", "n/a", "unknown", "not specified", "not known", "missing", "null", "none", "nan"}
"""Texts, in small letters, that a draft proposes as "not recorded"; "NA" may be Namibia."""

_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def draft(raw: Tabular, suspects: Mapping[str, str]) -> str:
    """The text of a drafted domains file; see the reference page "The domains file".

    Args:
        suspects: by column that is likely a direct identifier, the reason; it is commented out.
    """
    lines = [
        *_comment(
            _(
                "Drafted from a table. Values taken from data are not private: compare "
                "every line with public documents (the code book, the form), add what is "
                "missing, remove what is known from the data alone; then set checked: true."
            )
        ),
        "version: 1",
        "checked: false",
        "columns:",
    ]
    kept: dict[str, DomainColumn] = {}
    for name in raw.table.column_names:
        if name == ROW:
            continue
        reason, entry = _entry(raw.table.column(name), suspects.get(name))
        if "*" in name:
            reason = _("The name holds the sign *; rename the column.")
        if reason:
            lines.append(f"  # {_quoted(printable(name))}: {reason}")
        else:
            kept[name] = read_column(entry)
            lines.append(f"  {_quoted(name)}: {entry}")
    if not kept:
        lines[lines.index("columns:")] = "columns: {}"
    lines += [
        "",
        *_focus(kept),
        *_comment(
            _(
                "Where a person may have several rows, name the column that identifies a "
                "person and the most rows of one person that are kept:"
            )
        ),
        "# person: case_number",
        "# rows: 1",
    ]
    return "\n".join(lines) + "\n"


def _focus(kept: Mapping[str, DomainColumn]) -> list[str]:
    focus = proposed(kept)
    if focus is None:
        return []
    text = _(
        "The pair of columns that readers use most, and what it is divided by: these tables get "
        "the largest share of the budget. Name another pair where readers need it."
    )
    corridor, by = _listed(focus.corridor), _listed(focus.by)
    return [*_comment(text), f"focus: {{corridor: {corridor}, by: {by}}}", ""]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 96)]


def _entry(column: pa.ChunkedArray, suspect: str | None) -> tuple[str, str]:
    """The reason why a column is commented out, or else its entry."""
    if suspect:
        return suspect, ""
    found = pc.unique(column.drop_null())
    if len(found) > MOST_VALUES:
        return _("More than {n} values; group them first.").format(n=MOST_VALUES), ""
    values = found.to_pylist()
    if any(len(value) > LONGEST for value in values):
        return _("Cells look like free text."), ""
    blanks = sorted(v for v in values if " ".join(v.split()).casefold() in BLANKS)
    rest = [v for v in values if v not in blanks]
    if not rest:
        return _("No value is found; list those that the column may hold."), ""
    domain = _domain(rest)
    if blanks:
        return "", f"{{{domain}, not_recorded: {_listed(['', *blanks])}}}"
    plain = domain.startswith("values: [")
    return "", domain.removeprefix("values: ") if plain else f"{{{domain}}}"


def _domain(values: Sequence[str]) -> str:
    if len(values) >= COUNTRY_CODES / 4 and set(values) <= set(countries.ALPHA3):
        return "values: countries"
    if len(values) > 2 and all(re.fullmatch(r"(?:19|20)\d\d", v) for v in values):
        return f"years: [{min(values)}, {max(values)}]"
    return f"values: {_listed(sorted(values, key=_natural))}"


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _quoted(text: str) -> str:
    r"""A text as YAML in quotation marks; what YAML takes for a line end or refuses is escaped.

    >>> print(_quoted('no "\x85'))
    "no \"\u0085"
    """
    return _ESCAPED.sub(lambda c: f"\\u{ord(c[0]):04x}", json.dumps(text, ensure_ascii=False))


def _natural(value: str) -> list[tuple[int, float, str]]:
    """Sorts numbers inside texts by their size.

    >>> sorted(["10-19", "9", "0-8"], key=_natural)
    ['0-8', '9', '10-19']
    """
    parts = re.findall(r"\d{1,15}|\D+|\d", value)
    return [(0, float(p), "") if p[0] in "0123456789" else (1, 0.0, p) for p in parts]
