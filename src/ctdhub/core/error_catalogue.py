"""Errors by the name of the rule that was broken; a catalogue holds their sentences.

``errors/*.yaml`` holds one file for each room, read at the first error.  An entry is a rule, or a
variant of one (``content/markup`` is shown as rule ``content``).  What and fix are a sentence, or a
list of them::

    cell-size:
      class: HostileFile
      what: "A cell is longer than {limit} characters."
      fix: "Shorten the cell; if it is quoted text, look for a missing quotation mark."
      doc: "Why the rule is there, or its source; for the reference page only."

Names of rules are a public contract.  The value of a ``{field}`` is given where the error is
raised, and is never that of a case record; ``{file}``, ``{row}``, ``{line}`` and ``{column}``
may be those of its place.

>>> str(error("empty-file", file="in/a.csv"))
'The file is empty. Check the file, and give one that holds data. (file a.csv, rule empty-file)'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ctdhub.core import errors
from ctdhub.core.errors import HubError, printable
from ctdhub.core.i18n import Field, Text, field_as_json, field_from_json, joined

_PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z_]+)(?::[.,\w]+)?\}(?!\})")
"""A field, with the form of its number; not ``{citizenship: [CIV]}``, which is to be typed."""

_PLACES = ("file", "row", "line", "column")


@dataclass(frozen=True)
class CatalogueEntry:
    """One entry of the catalogue.

    Attributes:
        name: its rule, or ``rule/variant``.
        room: name of its file, which is the room that raises it.
        kind: the class that callers catch.
        what: the English sentences that say what is wrong.
        fix: the English sentences that say what to do.
        doc: why the rule is there, or its source; for the reference page only.
        rules: the rules as which it is shown, where what was found decides.
    """

    name: str
    room: str
    kind: type[HubError]
    what: tuple[str, ...]
    fix: tuple[str, ...]
    doc: str = ""
    rules: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule as which it is shown unless another is given."""
        return self.name.partition("/")[0]

    @property
    def shown(self) -> tuple[str, ...]:
        """All rules as which it is shown."""
        return self.rules or (self.rule,)

    @property
    def placeholders(self) -> frozenset[str]:
        """Names of the fields in its sentences."""
        return frozenset(_PLACEHOLDER.findall("".join(self.what + self.fix)))


def error(
    name: str,
    /,
    *,
    file: str | Path | None = None,
    row: int | None = None,
    line: int | None = None,
    column: str | None = None,
    rule: str | None = None,
    **fields: Field,
) -> HubError:
    """The error of an entry of the catalogue, to be raised.

    Args:
        name: the entry: a rule, or ``rule/variant``.
        file: the file concerned; only its name is shown.
        row: 1-based row as a spreadsheet shows it (the header is part of the count).
        line: 1-based line of a text.
        column: column name or letter.
        rule: the rule as which it is shown, where what was found decides.
        fields: values of the fields in its sentences; never that of a case record.

    Returns:
        An instance of the entry's class.

    Raises:
        KeyError: the catalogue has no such entry, or a field is missing.
    """
    entry = catalogue()[name]
    given: dict[str, Field] = dict(fields)
    if file is not None:
        given.setdefault("file", printable(Path(file).name))
    found = {"row": row, "line": line, "column": printable(column) if column else None}
    given |= {k: v for k, v in found.items() if v is not None}
    return entry.kind(
        _text(entry.what, given),
        _text(entry.fix, given),
        file=file,
        row=row,
        line=line,
        column=column,
        rule=rule or entry.rule,
        name=name,
        fields=fields,
    )


def _text(sentences: tuple[str, ...], given: Mapping[str, Field]) -> Text:
    texts = [Text(s, **{name: given[name] for name in _PLACEHOLDER.findall(s)}) for s in sentences]
    return texts[0] if len(texts) == 1 else joined(texts, " ")


def _sentences(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All entries by name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, CatalogueEntry] = {}
    folder = resources.files("ctdhub.core") / "errors"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        entries = yaml.load(file.read_text("utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
        room = file.name.removesuffix(".yaml")
        for name, entry in entries.items():
            found[name] = CatalogueEntry(
                name,
                room,
                getattr(errors, entry["class"]),
                _sentences(entry["what"]),
                _sentences(entry["fix"]),
                entry.get("doc", ""),
                tuple(entry.get("rules", ())),
            )
    return found


def as_json(met: HubError) -> dict[str, Any]:
    """An error as values that JSON knows: its entry and fields, and no words of any language."""
    places = {place: getattr(met, place) for place in _PLACES}
    fields = {k: field_as_json(v) for k, v in met.fields.items()}
    return {"name": met.name, "rule": met.rule, **places, "fields": fields}


def from_json(value: Mapping[str, Any]) -> HubError:
    """The error that :func:`as_json` gave, to be shown in the language of its reader.

    Raises:
        KeyError: the catalogue has no such entry, or a field is missing.
    """
    fields: dict[str, Any] = {k: field_from_json(v) for k, v in value["fields"].items()}
    places = {place: value[place] for place in _PLACES}
    return error(value["name"], rule=value["rule"], **places, **fields)
