"""``approvers.jsonl``: each change of approvers' keys, signed by an approver who stays the same.

A line is a signed statement that names both states in full and the SHA-256 of the line before it.
So whoever can write the folder, such as an administrator, cannot put a key in by himself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.release.approvals import canonical
from ctdhub.release.approvers import HASH, ROLES, Approvers, Mark, Role

FILE = "approvers.jsonl"
_LONGEST_FILE = 10 * 2**20
FIRST = "0" * 64
"""What the first line names instead of a line before it."""


class KeyChange(FrozenModel):
    """What the approver who stays signs.

    Attributes:
        kind: the form of the statement.
        hub: name of the hub.
        number: of the line, from 1.
        previous: SHA-256 of the line before it.
        release: newest version that was signed at that time, empty for none.
        role: of the person who signs.
        was, now: the approvers before and after.
        reason: such as "device lost"; public.
        date: UTC, to the second.
        practice: whether the data are fictitious.
    """

    kind: Literal["ctdhub-approvers-1"] = "ctdhub-approvers-1"
    hub: str
    number: int = Field(ge=1)
    previous: str = Field(pattern=HASH)
    release: str
    role: Role
    was: Approvers
    now: Approvers
    reason: str = Field(min_length=1, max_length=300)
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    practice: bool

    def message(self) -> bytes:
        """The bytes that are signed; their SHA-256 is the challenge that a passkey signs."""
        return canonical(self.model_dump(exclude_none=True))


class SignedChange(Mark):
    """A line of the file."""

    change: KeyChange

    @property
    def holds(self) -> bool:
        """Whether somebody signed it who was an approver and whose own keys stay the same."""
        told = self.change
        stays = told.was.keys(told.role) == told.now.keys(told.role)
        rules = told.was.rules(told.practice)
        known = self.key in told.was.keys(told.role)
        return stays and known and self.fault(told.message(), rules, told.role) is None

    def line(self) -> bytes:
        """The line, without its end."""
        return canonical(self.model_dump(exclude_none=True))


def read_changes(folder: Path) -> tuple[SignedChange, ...]:
    """All lines of the file in a hub's folder, none where there is no file.

    Raises:
        ReleaseError: a line is damaged, was taken out or put in, or is not signed by an approver
            of the state before it.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE)
    except FileNotFoundError:
        return ()
    found: list[SignedChange] = []
    previous = FIRST
    for number, line in enumerate(content.splitlines(), 1):
        try:
            one = SignedChange.model_validate(json.loads(line))
        except (ValidationError, ValueError, RecursionError):
            raise error("approvers/damaged", file=path, row=number) from None
        told = one.change
        follows = (told.number, told.previous) == (number, previous)
        goes_on = not found or found[-1].change.now == told.was
        if not (follows and goes_on and one.holds and one.line() == line):
            raise error("approvers/damaged", file=path, row=number)
        found.append(one)
        previous = hashlib.sha256(line).hexdigest()
    return tuple(found)


def add_change(folder: Path, new: SignedChange) -> None:
    """Write a line behind the others, all of it or nothing.

    Raises:
        ReleaseError: the file is damaged, or the line does not follow from it.
    """
    before = read_changes(folder)
    told, goes_on = new.change, not before or before[-1].change.now == new.change.was
    if (told.number, told.previous) != next_line(before) or not goes_on or not new.holds:
        raise error("approvers/change", file=folder / FILE)
    sweep(folder, FILE)
    lines = [*(one.line() for one in before), new.line()]
    write_whole(folder / FILE, b"".join(line + b"\n" for line in lines), 0o644)


def next_line(before: Sequence[SignedChange]) -> tuple[int, str]:
    """Number of the next line, and the hash that it names."""
    last = hashlib.sha256(before[-1].line()).hexdigest() if before else FIRST
    return len(before) + 1, last


def who_stays(was: Approvers, now: Approvers) -> tuple[Role, ...]:
    """The roles whose keys stay the same, one of which has to sign a change."""
    return tuple(role for role in ROLES if was.keys(role) == now.keys(role))
