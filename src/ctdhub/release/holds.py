"""A candidate that one of the two people holds back, or has refused.

``candidates/<version>.hold`` lies next to the candidate's folder, so that a candidate that is made
anew stays held.  Each role has a hold of its own, which only that role lifts.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.release.approvers import HASH, Role

_LONGEST_FILE = 20_000
LONGEST_REASON = 1_000
"""Characters of a reason."""


class Hold(FrozenModel):
    """Why a candidate must not be published.

    Attributes:
        role: of the person who holds it.
        reason: in the person's words; for the hub alone.
        date: UTC, to the second.
        refused: SHA-256 of ``SHA256SUMS`` of a candidate that was refused; a candidate that is made
            anew is another one.  None: whatever has this version is held until it is lifted.
    """

    role: Role
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    refused: str | None = Field(default=None, pattern=HASH)


class Holds(FrozenModel):
    """The file: one hold a role."""

    holds: tuple[Hold, ...] = Field(default=(), max_length=2)

    @classmethod
    def read(cls, candidate: Path) -> Holds:
        """The holds of a candidate, none where there is no file.

        Raises:
            ReleaseError: the file is damaged; it holds the candidate back all the same.
        """
        path = hold_file(candidate)
        try:
            with path.open("rb") as file:
                return cls.model_validate_json(file.read(_LONGEST_FILE))
        except FileNotFoundError:
            return cls()
        except (ValidationError, RecursionError, OSError):
            raise error("hold/damaged", file=path) from None

    def about(self, digest: str) -> tuple[Hold, ...]:
        """Those that count for the candidate with this digest."""
        return tuple(h for h in self.holds if h.refused in (None, digest))

    def having(self, hold: Hold) -> Holds:
        """These and one more, which takes the place of an earlier one of its role."""
        return Holds(holds=(*self.without(hold.role).holds, hold))

    def without(self, role: Role) -> Holds:
        """These without that of a role."""
        return Holds(holds=tuple(h for h in self.holds if h.role != role))

    def write(self, candidate: Path) -> None:
        """Put the file next to the candidate, whole or not at all; without a hold there is none."""
        path = hold_file(candidate)
        sweep(path.parent, path.name)
        if self.holds:
            write_whole(path, (self.model_dump_json(indent=1, exclude_none=True) + "\n").encode())
        else:
            path.unlink(missing_ok=True)


def hold_file(candidate: Path) -> Path:
    """Where the holds of a candidate lie."""
    return candidate.parent / f"{candidate.name}.hold"
