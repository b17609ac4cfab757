"""Errata: signed notices about a release that was published, whose bytes never change.

    errata/<version>/<n>.json    in a hub, next to its folder ``releases``
    ERRATA.json, ERRATA.md       all of them, in copies that are handed on, and on the site

A notice names the SHA-256 of ``SHA256SUMS``, as an approval does, so it speaks of these bytes and
no others.  It is in force once the steward and the privacy officer have both signed it; until then
no reader is shown it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ctdhub.core.errors import printable
from ctdhub.core.files import rewrite
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.core.keys.signing import SigningKey
from ctdhub.core.tables import as_json
from ctdhub.release import approvals
from ctdhub.release.passkey import DeviceRules

ERRATA, ERRATA_JSON, ERRATA_MD = "errata", "ERRATA.json", "ERRATA.md"
Sort = Literal["correction", "withdrawn"]
LONGEST_NOTE = 2000
"""Characters of a note in one language."""
_LONGEST_FILE = 4 * 2**20
_HASH = r"^[0-9a-f]{64}$"
_SECOND = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


def cleaned(text: str) -> str:
    r"""A note on one line, without characters that hide or turn other text.

    >>> cleaned(" No\u202e table\nof <b>2021</b>\x1b[31m ")
    'No table of <b>2021</b>[31m'
    """
    kept = ("" if printable(c) == "·" != c and not c.isspace() else c for c in text)
    return " ".join("".join(kept).split())


class Notice(FrozenModel):
    """What both people sign.

    Attributes:
        kind: the form of the statement.
        hub, version: as in the manifest of the release.
        digest: SHA-256 of ``SHA256SUMS`` of the release.
        number: 1 for the first notice about the version, then 2, without a gap.
        sort: ``correction``, or ``withdrawn``: the numbers must not be used any more.
        date: the day on which it was written, UTC, such as 2026-11-27.
        note: what readers must know, by language.
        concerns: columns, measured tables (``a*b``) and charts that it is about; none: all.
        practice: whether the data are fictitious.
    """

    kind: Literal["ctdhub-erratum-1"] = "ctdhub-erratum-1"
    hub: str
    version: str
    digest: str = Field(pattern=_HASH)
    number: int = Field(ge=1)
    sort: Sort
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    note: dict[str, str] = Field(min_length=1, max_length=20)
    concerns: tuple[str, ...] = Field(default=(), max_length=50)
    practice: bool = False

    @field_validator("note")
    @classmethod
    def _plain(cls, note: dict[str, str]) -> dict[str, str]:
        for code, text in note.items():
            if not re.fullmatch(r"[a-z]{2,3}", code) or text != cleaned(text) or not text:
                raise ValueError("a note is one line of plain text in a language")
            if len(text) > LONGEST_NOTE:
                raise ValueError("a note is short")
        return note

    @field_validator("concerns")
    @classmethod
    def _check_names(cls, concerns: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_*.-]{0,199}", name) for name in concerns):
            raise ValueError("a column, a table or a chart")
        return concerns

    def text(self, lang: str) -> tuple[str, str]:
        """The note and its language: the one asked for, else English, else the first."""
        code = next(c for c in (lang, "en", *self.note) if c in self.note)
        return self.note[code], code


class NoticeStatement(Notice, approvals.Signable):
    """What one person signs: the notice, in which role, when (UTC)."""

    role: approvals.Role
    signed: str = Field(pattern=_SECOND)


class Signed(approvals.Envelope):
    """One signature under a notice."""

    statement: NoticeStatement

    @property
    def role(self) -> approvals.Role:
        """In which the person signed."""
        return self.statement.role


class Erratum(FrozenModel):
    """A notice and its signatures."""

    notice: Notice
    signatures: tuple[Signed, ...] = Field(default=(), max_length=len(approvals.ROLES))

    @model_validator(mode="after")
    def _each_once(self) -> Erratum:
        if len({s.role for s in self.signatures}) < len(self.signatures):
            raise ValueError("a role signed twice")
        if any(s.statement != self.statement(s.role, s.statement.signed) for s in self.signatures):
            raise ValueError("another notice was signed")
        return self

    def statement(self, role: approvals.Role, date: str) -> NoticeStatement:
        """What a role signs."""
        return NoticeStatement(**self.notice.model_dump(), role=role, signed=date)

    def signed(self, role: approvals.Role, date: str, key: SigningKey) -> Erratum:
        """The same with one signature more."""
        statement = self.statement(role, date)
        mark = approvals.Mark.of(statement.message(), key)
        signature = Signed(statement=statement, **mark.model_dump())
        return Erratum(notice=self.notice, signatures=(*self.signatures, signature))

    @property
    def missing(self) -> tuple[approvals.Role, ...]:
        """Roles that have not signed yet; none once it is in force."""
        return tuple(r for r in approvals.ROLES if r not in {s.role for s in self.signatures})

    def faults(
        self, version: str, number: int, digest: str, approvers: approvals.Approvers | None
    ) -> list[Text]:
        """What is wrong with it, given the release that it lies next to."""
        notice, faults = self.notice, []
        if (notice.version, notice.number, notice.digest) != (version, number, digest):
            faults.append(Text("The notice is not about this release."))
        for signature in self.signatures:
            role, message = approvals.ROLE_NAMES[signature.role], signature.statement.message()
            practice = DeviceRules(practice=notice.practice)
            rules = approvers.rules(notice.practice) if approvers else practice
            if (fault := signature.fault(message, rules, signature.role)) is not None:
                faults.append(fault)
            elif approvers and not approvers.count(signature.role, signature.key, message):
                faults.append(Text("The key of the {role} is not the one in hub.yaml.", role=role))
        if len({approvals.identity(s.key) for s in self.signatures}) < len(self.signatures):
            faults.append(Text("Both signatures were made with the same key."))
        return faults

    def write(self, hub: Path) -> Path:
        """Put it into the folder of a hub: whole or not at all."""
        file = hub / ERRATA / self.notice.version / f"{self.notice.number}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        rewrite(file, self.file_content(), 0o644)
        return file


@dataclass(frozen=True)
class Errata:
    """What was found about one release.

    Attributes:
        notices: in force, by number.
        waiting: the last one, where a signature is missing.
        faults: what is wrong, by file; where there are any, none is to be trusted.
    """

    notices: tuple[Erratum, ...] = ()
    waiting: Erratum | None = None
    faults: tuple[tuple[str, Text], ...] = ()

    @property
    def next_number(self) -> int:
        """Number of the next notice about the release."""
        return len(self.notices) + 1


def errata_of(release: Path, digest: str, approvers: approvals.Approvers | None = None) -> Errata:
    """The notices about a release: those of its hub, else those that were handed on with it.

    Args:
        release: its folder.
        digest: SHA-256 of its ``SHA256SUMS``.
        approvers: the hub's keys, where the hub is at hand; without them a signature is compared
            with the key that stands next to it.
    """
    place = release.resolve()
    folder = place.parent.parent / ERRATA / place.name
    if folder.is_dir():
        return _checked(_files(folder), place.name, digest, approvers)
    if not (place / ERRATA_JSON).exists() and not (place / ERRATA_MD).exists():
        return Errata()
    errata = _checked(handed_on(place / ERRATA_JSON), place.name, digest, approvers)
    if errata.faults or errata.waiting:
        return Errata(faults=((ERRATA_JSON, Text("The notices are damaged.")), *errata.faults))
    for name, content in (
        (ERRATA_JSON, as_data(place.name, errata.notices)),
        (ERRATA_MD, as_markdown(place.name, errata.notices)),
    ):
        file = place / name
        if file.is_file() and file.read_bytes() != content.encode():
            return Errata(faults=((name, Text("The file was changed after the release.")),))
    return errata


def status(errata: Sequence[Erratum]) -> Sort | None:
    """What became of a release; None where there is no notice."""
    sorts = {e.notice.sort for e in errata}
    return "withdrawn" if "withdrawn" in sorts else "correction" if sorts else None


def as_data(version: str, errata: Sequence[Erratum]) -> str:
    """``ERRATA.json``: all notices with their signatures."""
    notices = [e.model_dump(mode="json", exclude_none=True) for e in errata]
    return as_json({"version": version, "status": status(errata), "errata": notices})


def plain_data(errata: Sequence[Erratum]) -> list[dict[str, Any]]:
    """Notices for files of the interface for programs, without their signatures."""
    kept = {"number", "sort", "date", "note", "concerns"}
    return [e.notice.model_dump(mode="json", include=kept) for e in errata]


def as_markdown(version: str, errata: Sequence[Erratum]) -> str:
    """``ERRATA.md``: the same to read, every note in the languages that it was given in."""
    lines = [f"# Notices about release {version}", ""]
    lines += ["The files of the release were not changed.", ""]
    for e in errata:
        what = "Withdrawn: do not use its numbers" if e.notice.sort == "withdrawn" else "Correction"
        lines += [f"## {e.notice.number}. {what} ({e.notice.date})", ""]
        if e.notice.concerns:
            lines += [f"Concerns: {', '.join(map(_literal, e.notice.concerns))}", ""]
        for code, text in e.notice.note.items():
            lines += [f"{code}: {_literal(text)}", ""]
    return "\n".join(lines)


def _literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~$<>&:@])", r"\\\1", text)


def _files(folder: Path) -> Mapping[str, Erratum | None]:
    """What lies in the folder, None where it is no notice; files that are being written are not."""
    notices: dict[str, Erratum | None] = {}
    for file in sorted(folder.iterdir()):
        if not file.name.startswith("."):
            name = f"{ERRATA}/{folder.name}/{printable(file.name)}"
            regular = file.is_file() and not file.is_symlink()
            notices[name] = None
            if regular and file.stat().st_size <= _LONGEST_FILE:
                with suppress(ValidationError, OSError, RecursionError):
                    notices[name] = Erratum.model_validate_json(file.read_bytes())
    return notices


def handed_on(file: Path) -> Mapping[str, Erratum | None]:
    """What a file ``ERRATA.json`` holds, None where it is no notice or cannot be read."""
    try:
        with file.open("rb") as handle:
            entries = json.loads(handle.read(_LONGEST_FILE))["errata"]
        return {f"{ERRATA_JSON} ({n})": Erratum.model_validate(e) for n, e in enumerate(entries, 1)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {ERRATA_JSON: None}


def _checked(
    files: Mapping[str, Erratum | None],
    version: str,
    digest: str,
    approvers: approvals.Approvers | None,
) -> Errata:
    damaged = [(n, Text("This is not a notice.")) for n, e in files.items() if e is None]
    whole = [(name, e) for name, e in files.items() if e is not None]
    ordered = sorted(whole, key=lambda item: item[1].notice.number)
    for i, (name, erratum) in enumerate(ordered, 1):
        if erratum.notice.number != i:
            damaged.append((name, Text("The notice with number {n} is missing.", n=i)))
            break
        damaged += [(name, text) for text in erratum.faults(version, i, digest, approvers)]
        if erratum.missing and i < len(ordered):
            damaged.append((name, Text("The notice is not signed by two people.")))
    if damaged:
        return Errata(faults=tuple(damaged))
    notices = tuple(e for _name, e in ordered if not e.missing)
    return Errata(notices, next((e for _name, e in ordered if e.missing), None))
