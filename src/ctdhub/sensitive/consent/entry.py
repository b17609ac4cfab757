"""One line of the register of withdrawals."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

Kind = Literal["withdrawal", "undo", "renewal", "raw_deleted", "decided"]
"""What a line says: somebody withdrew; she or it is back; the contributor told the hub anew who
withdrew, after its tokens were made anew or, with a mark, that a row of a shared case is not hers;
the contributor's raw files were deleted; the steward decided that its withdrawals of a quarter may
take out so many people of other contributors."""

Scope = Literal["person", "records", "contributor", "delivery"]
"""How far it reaches: a person at every contributor, the contributor's records of a person, all
records of the contributor, those of one of its deliveries."""

Reason = Literal["asked", "consent", "agreement", "mistake", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why.  A closed list: no free text, so that nothing about a person can be written down."""

WAY = "by-"
"""How texts of :attr:`Withdrawal.made` begin that say what kind of key the mark was made of."""

FIRST = "0" * 64
"""What the first line names as the hash of the one before it."""


@dataclass(frozen=True)
class Withdrawal:
    """One line.

    Attributes:
        kind, scope: see :data:`Kind` and :data:`Scope`.
        contributor: id of the contributor that told the hub.
        mark: keyed hash of the key of a person or a case, of the id of a record without a person
            key, or of a delivery's file, hexadecimal; empty for a contributor.
        because: where the number of a case was told, the mark of that case on the lines of the
            person keys that it found, and of the rows that were chosen where several people share
            it; empty on what was told.
        reason: see :data:`Reason`.
        made: what says with which key and for which release the contributor's tokens were made, and
            how its files told people apart (:data:`WAY`, the kind of key and a digest of its
            columns); of a decision its quarter and number, as ``2026-Q1:25``.
        number: 1, 2, 3, …
        time: UTC, ISO 8601; lines that were written together have one time.
        key: which person key the mark was made with, without telling the key.
        charges, ledger: number and hash of the last line of the privacy ledger at that time; 0 and
            zeros before the first charge.
        previous, hash: of the line before (zeros for the first), and of this one.
    """

    kind: Kind
    scope: Scope
    contributor: str
    mark: str = ""
    because: str = ""
    reason: Reason = "asked"
    made: tuple[str, ...] = ()
    number: int = 0
    time: str = ""
    key: str = ""
    charges: int = 0
    ledger: str = FIRST
    previous: str = FIRST
    hash: str = ""

    def sealed(self) -> Withdrawal:
        """The entry with the hash of its other fields."""
        content = {k: v for k, v in vars(self).items() if k != "hash"}
        return replace(self, hash=hashlib.sha256(_canonical(content)).hexdigest())

    def line(self) -> bytes:
        """The entry as it lies in the register, without the end of the line."""
        return _canonical(vars(self))


def read(line: bytes, before: Withdrawal | None) -> Withdrawal | None:
    """The entry of a line that follows ``before``, or None where it is none."""
    try:
        fields = json.loads(line)
        entry = Withdrawal(**(fields | {"made": tuple(fields["made"])}))
        whole = entry.sealed() == entry and entry.line() == line
        known = entry.kind in get_args(Kind) and entry.scope in get_args(Scope)
        known = known and entry.reason in REASONS
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    follows = (before.number + 1, before.hash) if before else (1, FIRST)
    return entry if whole and known and (entry.number, entry.previous) == follows else None


def mark(secret: bytes, key: str) -> str:
    """What stands in the register for the key of a person or a case.

    HMAC-SHA256 (RFC 2104) under the hub's person key.  No message of another use begins with a
    zero byte, for ids of contributors are not empty.

    >>> mark(b"k" * 32, "a") == mark(b"k" * 32, "a") != mark(b"k" * 32, "b")
    True
    """
    return hmac.digest(secret, b"\0withdrawal\0" + key.encode(), hashlib.sha256).hex()


def delivery_mark(secret: bytes, contributor: str, date: str, digest: str) -> str:
    """What stands in the register for a file of a delivery.

    The same bytes of another day are another delivery.

    Args:
        secret: the hub's person key.
        contributor: whose.
        date: day of the delivery, as its folder is named.
        digest: SHA-256 of the file, hexadecimal.
    """
    return mark(secret, f"\0delivery\0{contributor}\0{date}\0{digest}")


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
