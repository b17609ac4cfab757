"""A delivery opened: its parts joined, its SHA-256 compared, its table laid where case data may be.

What is opened has a private name until its last byte was compared.  It may be done again: the same
parts give the same file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from ctdhub.core import atomic
from ctdhub.core.error_catalogue import error
from ctdhub.core.keys import age
from ctdhub.desk.uploads.inbox import Inbox, StoredPart

_CHUNK = 2**20


def join(
    inbox: Inbox,
    key: str,
    parts: Sequence[tuple[StoredPart, int]],
    identities: Sequence[Path],
    to: Path,
    announced: tuple[int, str],
) -> str:
    """Join the parts of a delivery into a file; gives its SHA-256.

    Args:
        parts: each with the bytes of its plain text, in their order.
        to: the file; one that is there is replaced.
        announced: bytes of the whole and their SHA-256, which may be "".

    Raises:
        FileError: a part is missing, was changed or does not follow (rule "delivery-parts"), or
            the whole is not what the sender announced (rule "delivery-hash").
    """
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic.sweep(to.parent)
    fresh, piece = (to.with_name(f"{atomic.WRITING}{to.name}-{end}") for end in ("whole", "part"))
    digest, offset = hashlib.sha256(), 0
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as whole:
            for part, size in parts:
                _open_part(inbox.place(key) / part.name, part, identities, piece)
                if part.offset != offset or piece.stat().st_size != size:
                    raise error("delivery-parts")
                with piece.open("rb") as plain:
                    while block := plain.read(_CHUNK):
                        digest.update(block)
                        whole.write(block)
                offset += size
            whole.flush()
            os.fsync(whole.fileno())
        if offset != announced[0]:
            raise error("delivery-parts")
        if announced[1] and digest.hexdigest() != announced[1]:
            raise error("delivery-hash")
        fresh.replace(to)
    finally:
        for left in (fresh, piece):
            left.unlink(missing_ok=True)
    atomic.sync(to.parent)
    return digest.hexdigest()


def _open_part(file: Path, part: StoredPart, identities: Sequence[Path], to: Path) -> None:
    try:
        with file.open("rb") as sealed:
            if hashlib.file_digest(sealed, "sha256").hexdigest() != part.sha256:
                raise error("delivery-parts")
            sealed.seek(0)
            age.decrypt(sealed, to, identities)
    except FileNotFoundError:
        raise error("delivery-parts") from None
