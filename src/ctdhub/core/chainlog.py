"""A log of JSON lines, each of which names the hash of the one before it.

Lines are only ever added.  A line that was changed, taken out or moved is found; that the last ones
are missing is not, which is why whoever needs that keeps the last hash elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctdhub.core.atomic import sync
from ctdhub.core.error_catalogue import error

FIRST = "0" * 64
"""What the first line names as the hash before it."""


def read_chain(path: Path) -> tuple[dict[str, Any], ...]:
    """All lines, each with ``number``, ``previous`` and ``hash``; none where there is no file.

    A torn last line, left by a kill, was never told to anybody and is passed over.

    Raises:
        HubError: a line does not follow from the one before it (rule "chain").
    """
    found: list[dict[str, Any]] = []
    before = FIRST
    for number, line in enumerate(_lines(path), 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or entry.get("number") != number:
            raise error("chain", file=path, line=number)
        if entry.get("previous") != before or entry.get("hash") != _hash(entry):
            raise error("chain", file=path, line=number)
        before = entry["hash"]
        found.append(entry)
    return tuple(found)


def append_chain(path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Write a line behind the last one and force it to disk; the caller holds a lock.

    Args:
        path: the log; made where there is none, in a folder that is there, for its owner alone.
        entry: what JSON knows; ``number``, ``previous`` and ``hash`` are filled in.

    Returns:
        The whole line.

    Raises:
        HubError: see :func:`read_chain`.
    """
    before = read_chain(path)
    last = before[-1]["hash"] if before else FIRST
    whole = {**entry, "number": len(before) + 1, "previous": last}
    whole["hash"] = _hash(whole)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as out:
        out.seek(sum(len(line) + 1 for line in _lines(path)))
        out.truncate()
        out.write(_canonical(whole) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    sync(path.parent)
    return whole


def _lines(path: Path) -> list[bytes]:
    """Whole lines; what stands behind the last line end is torn."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _hash(entry: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(_canonical(rest)).hexdigest()


def _canonical(entry: Mapping[str, Any]) -> bytes:
    said = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return said.encode("ascii")
