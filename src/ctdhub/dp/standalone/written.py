"""Which answers about lone tables were written into a folder: from then on they count as published.

A lone table has no versions and nobody approves it.  What was written is taken to be published, so
that the same answer never lies in a second folder: a reader of both would learn that nothing
changed.  The folder that holds an answer may be filled again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.disk import damaged, guarded, write_synced

_FILE = "written.json"


def given(ledger: Ledger, out: Path | None = None, holds: str | None = None) -> frozenset[str]:
    """Charges whose answers are not to be given again.

    Args:
        out: the folder that the answer is for; None where it is for no folder yet.
        holds: the charge of the answer that lies there, None where there is none.

    Raises:
        LedgerError: a mark is damaged, or the system refuses to read.
    """
    found = set()
    for path in (ledger.folder / "answers").glob(f"[!.]*/{_FILE}"):
        place, whole = _marked(path)
        charge = path.parent.name
        here = out is not None and place == str(out.absolute())
        if not (here and (not whole or holds == charge)):
            found.add(charge)
    return frozenset(found)


@contextmanager
def writing(ledger: Ledger, charge: str, out: Path) -> Iterator[None]:
    """Note that the block writes the answer of a charge into a folder.  Inside ``exclusive()``.

    A run that is cut off inside may be repeated for this folder, and for no other; where the block
    refuses, nothing was written.

    Raises:
        ReleaseError: somebody wrote it into another folder meanwhile (``out-folder/written``).
        LedgerError: the mark is damaged, or the system refuses to write.
    """
    path = ledger.folder / "answers" / charge / _FILE
    new = not path.exists()
    if new:
        _mark(path, out, whole=False)
    elif _marked(path)[0] != str(out.absolute()):
        raise error("out-folder/written", file=out)
    try:
        yield
    except (HubError, OSError):
        if new:
            path.unlink()
        raise
    _mark(path, out, whole=True)


def _marked(path: Path) -> tuple[str, bool]:
    """Where an answer was written, and whether all of it was."""
    try:
        with guarded(path):
            mark = json.loads(path.read_bytes())
        return str(mark["out"]), bool(mark["whole"])
    except (ValueError, TypeError, KeyError):
        raise damaged(path.parent) from None


def _mark(path: Path, out: Path, *, whole: bool) -> None:
    write_synced(path, json.dumps({"out": str(out.absolute()), "whole": whole}).encode())
