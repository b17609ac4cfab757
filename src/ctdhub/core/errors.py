"""One error tree for the whole product, and a catalogue that holds the sentences of each rule."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ctdhub.core import i18n

# --------------------------------------------------------------------------------------------------
# One error tree for the whole product; each error is data that knows how to be shown.
#
#     HubError                  something the user can put right; the command ends with exit code 2
#     ├── FileError             a contributed or configured file cannot be used
#     │   ├── UnreadableFile        its bytes are not what its name or content claims
#     │   ├── HostileFile           it passes a limit or carries active content
#     │   └── IdentifierFound       likely direct identifiers that no rule deals with
#     ├── SchemaError           the schema's own data files contradict themselves
#     ├── MappingError          a mapping is wrong, or its own tests fail
#     ├── PolicyError           hub.yaml, policy.yaml or an agreement is wrong
#     ├── HubFolderError        the folder is not a hub, or another build holds it
#     ├── StoryError            a story of the hub is wrong
#     ├── LedgerError           the privacy ledger refuses or is damaged
#     │   ├── Overspend             the question costs more than what is left
#     │   ├── WouldCharge           going on would spend what nobody said may be spent
#     │   └── LedgerTampered        a line of the ledger does not hash to its successor
#     ├── WithdrawalError       a withdrawal cannot be written down, or their register was changed
#     ├── QuestionError         what is asked about is not there: a place, a year, a series
#     ├── CountError            a round of counts without records cannot go on
#     ├── SparkError            the cluster that hub.yaml asks for is missing or broke off
#     ├── ReleaseError          a release is missing, damaged or would be rewritten
#     ├── DocumentError         a document cannot be made or set
#     └── SiteError             a published site cannot be read
#
# An error names file, row or line, column, rule and remedy.  It never carries the value of a case
# record.  ``error`` makes each of them; ``InvalidSetting`` is one fault of a file
# of settings, which becomes part of an error about the file.


class HubError(Exception):
    """An error with a remedy; :func:`ctdhub.core.errors.error` makes it from its rule.

    Args:
        what: what is wrong, one sentence or several.
        fix: what to do.
        file: the file concerned; only its name is shown.
        row: 1-based row as a spreadsheet shows it (the header is part of the count).
        line: 1-based line of a text.
        column: column name or letter.
        rule: short identifier of the rule that was broken, for example ``cell-size``.
        name: name of its entry in the catalogue of errors, for example ``content/markup``.
        fields: values of the fields in its sentences.

    Attributes:
        fault, remedy: what is wrong and what to do as data; ``what`` and ``fix`` are their words.
        spoken: the language of whoever met it: the one in force when it was made.

    >>> wrong, remedy = i18n.Text("The file is empty."), i18n.Text("Give another.")
    >>> str(HubError(wrong, remedy, file="a.csv", rule="empty-file"))
    'The file is empty. Give another. (file a.csv, rule empty-file)'
    """

    exit_code = 2

    def __init__(  # noqa: PLR0913
        self,
        what: i18n.Text,
        fix: i18n.Text,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        rule: str | None = None,
        name: str | None = None,
        fields: Mapping[str, i18n.Field] | None = None,
    ) -> None:
        self.name = name or rule
        self.fields = dict(fields or {})
        self.fault = what
        self.remedy = fix
        self.file = printable(Path(file).name) if file is not None else None
        self.row = row
        self.line = line
        self.column = printable(column) if column is not None else None
        self.rule = rule
        self.spoken = i18n.current()
        super().__init__(what.message)

    @property
    def what(self) -> str:
        """What is wrong, in the language in force."""
        return i18n.said(self.fault)

    @property
    def fix(self) -> str:
        """What to do, in the language in force."""
        return i18n.said(self.remedy)

    def where(self) -> str:
        """The place of the fault in words, empty where none is known."""
        parts = [
            i18n._("file {file}").format(file=self.file) if self.file else "",
            i18n._("row {row}").format(row=self.row) if self.row is not None else "",
            i18n._("line {line}").format(line=self.line) if self.line is not None else "",
            i18n._("column {column}").format(column=self.column) if self.column else "",
            i18n._("rule {rule}").format(rule=self.rule) if self.rule else "",
        ]
        return i18n._(", ").join(part for part in parts if part)

    def __str__(self) -> str:
        place = self.where()
        return f"{self.what} {self.fix}" + (f" ({place})" if place else "")

    def __reduce__(self) -> tuple[Any, ...]:
        """An error crosses from one process to another with all that it says."""
        return type(self).__new__, (type(self), *self.args), vars(self)


def printable(text: str, limit: int = 80) -> str:
    r"""Text that came from outside, safe to show in a terminal: no control or bidi characters.

    >>> printable("a\x1b[31m\u202eb.csv")
    'a·[31m·b.csv'
    """
    shown = "".join(
        c if c in _NO_BREAK or (c.isprintable() and c not in _BIDI) else "·" for c in text
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


_NO_BREAK = {"\u00a0", "\u202f"}
_BIDI = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class InvalidSetting(ValueError):
    """One thing that is wrong in a file of settings; the error about the file says them all.

    Args:
        text: what is wrong, without a full stop.
    """

    def __init__(self, text: i18n.Text) -> None:
        self.text = text
        super().__init__(i18n.said(text))


def setting_fault(detail: Mapping[str, Any], choices: Collection[str] = ()) -> i18n.Text:
    """What is wrong with a setting of a file, behind its place.

    Args:
        detail: one of those that pydantic gives of a file.
        choices: parts of a place that name a kind of value and no setting.
    """
    place = printable(".".join(str(part) for part in detail["loc"] if part not in choices))
    raised = detail.get("ctx", {}).get("error")
    if isinstance(raised, InvalidSetting) and not place:
        return raised.text
    usual = i18n.Text("the value is of the wrong kind or out of range")
    fault = _SETTING_FAULTS.get(detail["type"], usual)
    if isinstance(raised, InvalidSetting):
        fault = raised.text
    return i18n.Text("{place}: {part}", place=place or "-", part=fault)


_SETTING_FAULTS = {
    "extra_forbidden": i18n.Text("there is no such setting"),
    "missing": i18n.Text("this is missing"),
}


class FileError(HubError):
    """A contributed or configured file cannot be used."""


class UnreadableFile(FileError):
    """The bytes are not what the name or the content claims."""


class HostileFile(FileError):
    """The file passes a limit or carries active content."""


class IdentifierFound(FileError):
    """Likely direct identifiers that no rule of the mapping deals with."""


class SchemaError(HubError):
    """The schema's own data files contradict themselves."""


class MappingError(HubError):
    """A mapping is wrong, or its own tests fail."""


class PolicyError(HubError):
    """hub.yaml, policy.yaml or an agreement is wrong."""


class HubFolderError(HubError):
    """The folder is not a hub, or another build holds it."""


class StoryError(HubError):
    """A story of the hub is wrong: its name, its first lines, a number or a chart in it."""


class LedgerError(HubError):
    """The privacy ledger refuses or is damaged."""


class Overspend(LedgerError):
    """The question costs more than what is left."""


class WouldCharge(LedgerError):
    """Going on would spend privacy budget, and nobody said that it may."""


class LedgerTampered(LedgerError):
    """A line of the ledger does not hash to its successor."""


class WithdrawalError(HubError):
    """A withdrawal cannot be written down, or the register of withdrawals was changed."""


class QuestionError(HubError):
    """What is asked about is not there: a place, a year, a series of people."""


class CountError(HubError):
    """A round of counts without records cannot go on: a file is missing, altered or another's."""


class SparkError(HubError):
    """The Spark cluster that hub.yaml asks for is missing, cannot be reached, or broke off."""


class ReleaseError(HubError):
    """A release is missing, damaged or would be rewritten."""


class SiteError(HubError):
    """A published site cannot be read: it is missing, damaged, or leads elsewhere."""


class DocumentError(HubError):
    """A document cannot be made: its subject is unknown, a font or the typesetter is missing."""


# --------------------------------------------------------------------------------------------------
# Errors by the name of the rule that was broken; a catalogue holds their sentences.
#
# ``errors/*.yaml`` holds one file for each room, read at the first error.  An entry is a rule, or a
# variant of one (``content/markup`` is shown as rule ``content``).  What and fix are a sentence, or
# a list of them::
#
#     cell-size:
#       class: HostileFile
#       what: "A cell is longer than {limit} characters."
#       fix: "Shorten the cell; if it is quoted text, look for a missing quotation mark."
#       doc: "Why the rule is there, or its source; for the reference page only."
#
# Names of rules are a public contract.  The value of a ``{field}`` is given where the error is
# raised, and is never that of a case record; ``{file}``, ``{row}``, ``{line}`` and ``{column}``
# may be those of its place.

_CLASSES = {
    name: kind
    for name, kind in globals().items()
    if isinstance(kind, type) and issubclass(kind, HubError)
}

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
    **fields: i18n.Field,
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
    shown = printable(Path(file).name) if file is not None else None
    places = {"file": shown, "row": row, "line": line, "column": column and printable(column)}
    values = fields | {k: v for k, v in places.items() if v not in (None, "")}
    return entry.kind(
        _text(entry.what, values),
        _text(entry.fix, values),
        file=file,
        row=row,
        line=line,
        column=column,
        rule=rule or entry.rule,
        name=name,
        fields=fields,
    )


def _text(sentences: tuple[str, ...], values: Mapping[str, i18n.Field]) -> i18n.Text:
    texts = [
        i18n.Text(s, **{name: values[name] for name in _PLACEHOLDER.findall(s)}) for s in sentences
    ]
    return texts[0] if len(texts) == 1 else i18n.joined(texts, " ")


def _sentences(sentences: str | list[str]) -> tuple[str, ...]:
    return (sentences,) if isinstance(sentences, str) else tuple(sentences)


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All entries by name."""
    entries: dict[str, CatalogueEntry] = {}
    folder = resources.files("ctdhub.core") / "errors"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        for name, entry in i18n.read_shipped(file).items():
            entries[name] = CatalogueEntry(
                name,
                file.name.removesuffix(".yaml"),
                _CLASSES[entry["class"]],
                _sentences(entry["what"]),
                _sentences(entry["fix"]),
                entry.get("doc", ""),
                tuple(entry.get("rules", ())),
            )
    return entries


def as_json(met: HubError) -> dict[str, Any]:
    """An error as values that JSON knows: its entry and fields, and no words of any language."""
    places = {place: getattr(met, place) for place in _PLACES}
    fields = {k: i18n.field_as_json(v) for k, v in met.fields.items()}
    return {"name": met.name, "rule": met.rule, **places, "fields": fields}


def from_json(value: Mapping[str, Any]) -> HubError:
    """The error that :func:`as_json` gave, to be shown in the language of its reader.

    Raises:
        KeyError: the catalogue has no such entry, or a field is missing.
    """
    fields: dict[str, Any] = {k: i18n.field_from_json(v) for k, v in value["fields"].items()}
    places = {place: value[place] for place in _PLACES}
    return error(value["name"], rule=value["rule"], **places, **fields)
