"""What a file is, told by its first bytes; what its name says is only compared."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.formats import FORMATS, Format, format_of
from ctdhub.sensitive.ingest.options import Limits

_BINARY = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"PAR1\x15", "Parquet"),
    (b"SQLite format 3\0", "SQLite"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!\x1a", "RAR"),
    (b"(\xb5/\xfd", "Zstandard"),
    (b"\x7fELF", "ELF"),
    (b"{\\rtf", "RTF"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|\?xml|html|table|head|body|!--)", re.I)


def load(path: Path, file: str, limits: Limits) -> bytes:
    """The bytes of a regular file that is neither empty nor too large; links are not followed.

    Raises:
        UnreadableFile: there is no such file, it may not be read, or it is empty.
        HostileFile: it is a link, a folder or a device, or too large.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        if path.is_symlink():
            raise _not_regular(file)
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise error("no-file", file=file) from None
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise no_access(file) from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise _not_regular(file)
    with os.fdopen(descriptor, "rb") as stream:
        if facts.st_size > limits.file_bytes:
            raise _too_large(file, limits)
        data = stream.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise _too_large(file, limits)
    if not data:
        raise error("empty-file", file=file)
    return data


def kind(data: bytes, file: str) -> Format:
    """The format that the content belongs to.

    Raises:
        UnreadableFile: the content is of a kind that holds no table, or none this reads.
    """
    found = format_of(data[:4096])
    if found is not FORMATS[-1] and found.name != "json":
        return found  # a signature of its own
    if data.startswith(_OLE):
        raise _ole(data, file)
    for signature, name in _BINARY:
        if data.startswith(signature):
            raise error("content/other-format", file=file, format=name)
    if _MARKUP.match(data[:4096]):
        raise error("content/markup", file=file)
    return found


def mismatch(file: str, found: Format) -> Text | None:
    """A note where the name promises another format than the content is; content decides."""
    suffix = Path(file).suffix.lower()
    if suffix in found.suffixes or not any(suffix in known.suffixes for known in FORMATS):
        return None
    return Text(
        "The name ends in {suffix} but the content is {content}; it was read as such.",
        suffix=suffix,
        content=found.content,
    )


def _ole(data: bytes, file: str) -> HubError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return encrypted(file)
    return error("content/old-office", file=file)


def encrypted(file: str) -> HubError:
    """The error for a workbook that needs a password."""
    return error("encrypted", file=file)


def no_access(file: str) -> HubError:
    """The error for a file the system does not hand out."""
    return error("no-access", file=file)


def _not_regular(file: str) -> HubError:
    return error("not-a-file", file=file)


def _too_large(file: str, limits: Limits) -> HubError:
    return error("file-size", file=file, limit=limits.file_bytes // 2**20)
