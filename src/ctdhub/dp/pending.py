"""A charge that has no answer yet: its secret, kept until the answer is stored.

Belongs here: the file of one pending charge, written, read and destroyed.
Does not belong here: what is drawn from the secret (``charge_secret``), what may be finished
(``reuse``).

The file is written and synced before the charge is, and lies for its owner alone outside of the
ledger's folder, which people copy to other places: with a release, the secret gives exact counts.
Once the answer is stored it is overwritten and deleted.  That takes it from the file system; a
drive or a copy-on-write file system may keep old blocks, so that the disk of a hub is encrypted.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.atomic import sweep, sync
from ctdhub.dp.charge_secret import ChargeSecret
from ctdhub.dp.ledger.disk import guarded, write_synced

_FILE = "charge.json"


@dataclass(frozen=True)
class Pending:
    """What it takes to finish a charge.

    Attributes:
        charge: id of the charge.
        secret: all randomness of its answer.
        exact: keyed hash of the request and of its exact tables.  For other tables the secret must
            not be used: equal noise on two tables gives their exact difference.
    """

    charge: str
    secret: ChargeSecret
    exact: str


def write(folder: Path, pending: Pending) -> None:
    """Write down a charge that is about to be made; what lay there is destroyed.

    Raises:
        LedgerError: the system refuses.
    """
    destroy(folder)
    content = {
        "charge": pending.charge,
        "secret": pending.secret.value.hex(),
        "exact": pending.exact,
    }
    with guarded(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)
    write_synced(folder / _FILE, json.dumps(content).encode())


def read(folder: Path) -> Pending | None:
    """The charge that is pending, None where there is none or its file is damaged.

    Raises:
        LedgerError: the system refuses to read.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        with guarded(path):
            found = json.loads(path.read_bytes())
        secret = ChargeSecret(bytes.fromhex(found["secret"]))
        return Pending(str(found["charge"]), secret, str(found["exact"]))
    except (ValueError, TypeError, KeyError):
        return None


def destroy(folder: Path) -> None:
    """Overwrite and delete what is pending, and what a killed run left of it.

    Raises:
        LedgerError: the system refuses.
    """
    path = folder / _FILE
    with guarded(path):
        if not folder.is_dir():
            return
        sweep(folder, _FILE)
        if path.exists():
            try:
                with path.open("r+b") as out:
                    out.write(bytes(path.stat().st_size))
                    out.flush()
                    os.fsync(out.fileno())
            finally:
                path.unlink()
        sync(folder)
        with suppress(OSError):  # something else lies there
            folder.rmdir()
