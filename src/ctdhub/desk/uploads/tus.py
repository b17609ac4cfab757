"""The tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload) as plain logic.

Core protocol with the extensions creation, checksum, expiration and termination; it knows nothing
of Django, of files or of who asks.  A :class:`TusStore` keeps uploads; an upload that it does not
know and one of somebody else are answered with the same bytes.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Protocol

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
_HASHES = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
"""SHA-1 is a must of the extension; it guards against damage only, never against somebody."""

PART = "application/offset+octet-stream"


@dataclass(frozen=True)
class TusAnswer:
    """What is sent back: a status and headers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TusUpload:
    """An upload as far as the protocol sees it.

    Attributes:
        offset: bytes that are kept already.
        length: of the whole, in bytes.
        expires: when it is deleted if it is not finished; None for one that is.
        metadata: as it was given, of the keys that were kept.
    """

    offset: int
    length: int
    expires: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class TusStore(Protocol):
    """Where uploads are kept."""

    def create(self, length: int, metadata: Mapping[str, str]) -> tuple[str, TusUpload]:
        """A new upload and its address; an error where it refuses."""

    def find(self, key: str) -> TusUpload | None:
        """An upload; None where there is none, or none of theirs."""

    def append(self, key: str, offset: int, body: bytes) -> int | None:
        """Keep a part on the disk, then move the offset; gives the new one.

        None if the upload has another offset by now: nothing was moved.
        """

    def end(self, key: str) -> bool:
        """Delete an upload with all that is kept of it; false if it is finished."""


def answer(
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    key: str,
    store: TusStore,
    longest: int,
) -> TusAnswer:
    """Answer a request.

    Args:
        method: of HTTP; ``X-HTTP-Method-Override`` is obeyed.
        headers: names in any case.
        key: of an upload; empty for the address at which uploads are begun.
        longest: bytes that an upload may have.

    Returns:
        201, 200 or 204 where all is well; 400 for what cannot be read, 404 for an upload that is
        not there, 405 for another method, 409 for another offset, 412 for another version, 413
        for too many bytes, 415 for another type, 460 for a wrong checksum.

    Raises:
        Exception: that with which the store refuses to take an upload.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    method = fields.get("x-http-method-override", method).upper()
    if method == "OPTIONS":
        return reply(204, **_offered(longest))
    if fields.get("tus-resumable") != VERSION:
        return reply(412, **{"Tus-Version": VERSION})
    if not key:
        return _begun(fields, store, longest) if method == "POST" else reply(405)
    upload = store.find(key)
    if upload is None:
        return reply(404, **{"Cache-Control": "no-store"})
    if method == "HEAD":
        return reply(200, **_state(upload), **_metadata(upload), **{"Cache-Control": "no-store"})
    if method == "PATCH":
        return _continued(fields, body, key, upload, store)
    if method == "DELETE":
        return reply(204 if store.end(key) else 409)
    return reply(405)


def read_metadata(text: str) -> dict[str, str] | None:
    """The pairs of an ``Upload-Metadata`` header, or None where it cannot be read.

    >>> read_metadata("kind Y3N2,sha256")
    {'kind': 'csv', 'sha256': ''}
    """
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            words = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return None
        if not name.isascii() or not name.isprintable() or name in pairs or "\0" in words:
            return None
        pairs[name] = words
    return pairs


def _offered(longest: int) -> dict[str, str]:
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(longest),
        "Tus-Checksum-Algorithm": ",".join(_HASHES),
    }


def _begun(fields: Mapping[str, str], store: TusStore, longest: int) -> TusAnswer:
    length = _number(fields.get("upload-length", ""))
    metadata = read_metadata(fields.get("upload-metadata", ""))
    if length is None or metadata is None or "upload-defer-length" in fields:
        return reply(400)
    if length > longest:
        return reply(413, **{"Tus-Max-Size": str(longest)})
    address, made = store.create(length, metadata)
    return reply(201, Location=address, **_expires(made))


def _continued(
    fields: Mapping[str, str], body: bytes, key: str, upload: TusUpload, store: TusStore
) -> TusAnswer:
    if fields.get("content-type", "").partition(";")[0].strip().lower() != PART:
        return reply(415)
    offset = _number(fields.get("upload-offset", ""))
    if offset is None:
        return reply(400)
    if offset != upload.offset:
        return reply(409, **{"Upload-Offset": str(upload.offset)})
    if offset + len(body) > upload.length:
        return reply(413)
    if "upload-checksum" in fields and (wrong := _checked(fields["upload-checksum"], body)):
        return reply(wrong)
    if not body:
        return reply(204, **{"Upload-Offset": str(offset)}, **_expires(upload))
    moved = store.append(key, offset, body)
    if moved is None:
        return reply(409)
    left = upload if moved < upload.length else TusUpload(moved, upload.length)
    return reply(204, **{"Upload-Offset": str(moved)}, **_expires(left))


def _checked(announced: str, body: bytes) -> int:
    """0, or the status of a checksum that cannot be read (400) or is another (460)."""
    name, _, value = announced.strip().partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return 400
    if name not in _HASHES:
        return 400
    return 0 if hmac.compare_digest(_HASHES[name](body).digest(), digest) else 460


def _state(upload: TusUpload) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.length),
        **_expires(upload),
    }


def _metadata(upload: TusUpload) -> dict[str, str]:
    pairs = [
        f"{name} {base64.b64encode(value.encode()).decode()}".strip()
        for name, value in upload.metadata.items()
    ]
    return {"Upload-Metadata": ",".join(pairs)} if pairs else {}


def _expires(file: TusUpload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(file.expires, usegmt=True)} if file.expires else {}


def _number(text: str) -> int | None:
    """A whole number from 0, in plain digits and no longer than 15 of them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def reply(status: int, **headers: str) -> TusAnswer:
    """An answer in this version of the protocol."""
    return TusAnswer(status, {"Tus-Resumable": VERSION, **headers})
