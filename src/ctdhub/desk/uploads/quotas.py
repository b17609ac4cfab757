"""How much an organisation may send: answers that depend on what it sent itself, and on no other.

The room on the disk is kept for each organisation beforehand, so that no refusal tells how much
others sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.desk.config import DeskLimits


@dataclass(frozen=True)
class SentSoFar:
    """What an organisation sent.

    Attributes:
        open_uploads: begun, neither finished nor ended.
        open_bytes: that those still have to bring.
        day_bytes: of all deliveries of the last 24 hours, whatever became of them.
        room: bytes that the disk keeps for it; None where nothing is kept.
    """

    open_uploads: int = 0
    open_bytes: int = 0
    day_bytes: int = 0
    room: int | None = None


def refusal(size: int, sent: SentSoFar, limits: DeskLimits) -> tuple[int, HubError] | None:
    """Why a file cannot be taken now: a status of HTTP and what to say; None if it can.

    >>> refusal(10, SentSoFar(), DeskLimits())
    """
    if size > limits.file_bytes:
        return 413, error("upload-size", limit=_mib(limits.file_bytes))
    if sent.open_uploads >= limits.open_uploads:
        return 429, error("upload-open", limit=limits.open_uploads, hours=limits.hours_to_finish)
    if sent.day_bytes + size > limits.day_bytes:
        return 429, error("upload-day", limit=_mib(limits.day_bytes))
    if sent.room is not None and sent.open_bytes + size > sent.room:
        return 429, error("upload-room")
    return None


def _mib(size: int) -> int:
    return size // 2**20
