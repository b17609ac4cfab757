"""One error tree for the whole product; each error is data that knows how to be shown.

    HubError                  something the user can put right; the command ends with exit code 2
    ├── FileError             a contributed or configured file cannot be used
    │   ├── UnreadableFile        its bytes are not what its name or content claims
    │   ├── HostileFile           it passes a limit or carries active content
    │   └── IdentifierFound       likely direct identifiers that no rule deals with
    ├── SchemaError           the schema's own data files contradict themselves
    ├── MappingError          a mapping is wrong, or its own tests fail
    ├── PolicyError           hub.yaml, policy.yaml or an agreement is wrong
    ├── HubFolderError        the folder is not a hub, or another build holds it
    ├── StoryError            a story of the hub is wrong
    ├── LedgerError           the privacy ledger refuses or is damaged
    │   ├── Overspend             the question costs more than what is left
    │   ├── WouldCharge           going on would spend what nobody said may be spent
    │   └── LedgerTampered        a line of the ledger does not hash to its successor
    ├── WithdrawalError       a withdrawal cannot be written down, or their register was changed
    ├── QuestionError         what is asked about is not there: a place, a year, a series
    ├── CountError            a round of counts without records cannot go on
    ├── SparkError            the cluster that hub.yaml asks for is missing or broke off
    ├── ReleaseError          a release is missing, damaged or would be rewritten
    ├── DocumentError         a document cannot be made or set
    └── SiteError             a published site cannot be read

An error names file, row or line, column, rule and remedy.  It never carries the value of a case
record.  ``error_catalogue.error`` makes each of them; ``InvalidSetting`` is one fault of a file of
settings, which becomes part of an error about the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctdhub.core.i18n import Field, Text, _, current, said


class HubError(Exception):
    """An error with a remedy; :func:`ctdhub.core.error_catalogue.error` makes it from its rule.

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

    >>> wrong, remedy = Text("The file is empty."), Text("Give another.")
    >>> str(HubError(wrong, remedy, file="a.csv", rule="empty-file"))
    'The file is empty. Give another. (file a.csv, rule empty-file)'
    """

    exit_code = 2

    def __init__(
        self,
        what: Text,
        fix: Text,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        rule: str | None = None,
        name: str | None = None,
        fields: Mapping[str, Field] | None = None,
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
        self.spoken = current()
        super().__init__(what.message)

    @property
    def what(self) -> str:
        """What is wrong, in the language in force."""
        return said(self.fault)

    @property
    def fix(self) -> str:
        """What to do, in the language in force."""
        return said(self.remedy)

    def where(self) -> str:
        """The place of the fault in words, empty where none is known."""
        parts = [
            _("file {file}").format(file=self.file) if self.file else "",
            _("row {row}").format(row=self.row) if self.row is not None else "",
            _("line {line}").format(line=self.line) if self.line is not None else "",
            _("column {column}").format(column=self.column) if self.column else "",
            _("rule {rule}").format(rule=self.rule) if self.rule else "",
        ]
        return _(", ").join(part for part in parts if part)

    def __str__(self) -> str:
        place = self.where()
        return f"{self.what} {self.fix}" + (f" ({place})" if place else "")

    def __reduce__(self) -> tuple[Any, ...]:
        """An error crosses from one process to another with all that it says."""
        return _again, (type(self), self.args, vars(self))


def _again(kind: type[HubError], args: tuple[Any, ...], held: dict[str, Any]) -> HubError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(held)
    return error


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

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(said(text))


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
