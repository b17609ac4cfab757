"""Files of secrets: text files with a first line that says what they are, written once, for their
owner alone.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ctdhub.core import files
from ctdhub.core.errors import HubError, error

# --------------------------------------------------------------------------------------------------
# Files of secrets: written once, for their owner alone.


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read, and sync it.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    try:
        files.write_new(path, content)
    except FileExistsError:
        raise error("key-exists", file=path) from None


def write_private(path: Path, private: Any, passphrase: str) -> None:
    """Write the private half of a pair to a new file (PEM, PKCS #8).

    Args:
        passphrase: encrypts the file; without it the file lies open.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    write_new(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))


def read_private(path: Path, passphrase: str) -> object:
    """The private half in a file; None where it holds none, or the passphrase is wrong."""
    try:
        return load_pem_private_key(start(path), passphrase.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def start(path: Path) -> bytes:
    """The first bytes of a file, which are all of a secret's."""
    with path.open("rb") as file:
        return file.read(LONGEST)


# --------------------------------------------------------------------------------------------------
# Secrets as text files with a first line that says what they are, as PEM does (RFC 7468).

LONGEST = 10_000
_FIELD = re.compile(r"^([a-z-]+): (.*)$")


def write(path: Path, label: str, fields: Mapping[str, str | bytes]) -> None:
    """Write a new file that its owner alone can read.

    Args:
        label: for example "CTDHUB LINKAGE KEY".
        fields: name (small letters) to text of one line, or to bytes.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    texts = {k: v if isinstance(v, str) else encode(v) for k, v in fields.items()}
    lines = [f"-----BEGIN {label}-----", *(f"{k}: {v}" for k, v in texts.items())]
    lines.append(f"-----END {label}-----\n")
    write_new(path, "\n".join(lines).encode("ascii"))


def read(path: Path) -> tuple[str, dict[str, str]]:
    """Label and fields; an empty label where the file is none of ours.

    Raises:
        FileError: there is no such file.
    """
    if not path.is_file():
        raise error("key-missing/linkage", file=path)
    text = start(path).decode("ascii", "replace")
    match = re.fullmatch(
        r"\s*-----BEGIN (CTDHUB [A-Z ]+)-----\n(.*)\n-----END \1-----\s*",
        text.replace("\r\n", "\n"),
        re.DOTALL,
    )
    if match is None:
        return "", {}
    lines = [_FIELD.match(line) for line in match[2].splitlines()]
    return match[1], {line[1]: line[2].strip() for line in lines if line}


def broken(path: Path) -> HubError:
    """The error for a file that holds no key, or a damaged one."""
    return error("key-unreadable", file=path)


def encode(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode()


def decode(text: str, path: Path, size: int | None = None) -> bytes:
    """The bytes of base64, written as :func:`encode` writes it (RFC 4648, section 3.5).

    Raises:
        FileError: it is none, or not of that size.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise broken(path) from None
    if encode(content) != text or size not in (None, len(content)):
        raise broken(path)
    return content
