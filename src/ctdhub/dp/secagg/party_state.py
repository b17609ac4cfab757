"""What a party of a round keeps to itself: its private key, and which steps it took."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.dp.noise import Bits
from ctdhub.dp.secagg.channel import Secret, data, text

STATE = "state.json"


@dataclass(frozen=True)
class Keep:
    """The secret folder of one party in one round.

    Attributes:
        folder: readable by its owner alone.
        party: the contributor's name, "" for the hub.
        plan: hash of the plan.
        private: the private key, base64; "" once it has served.
        rows: secret key that chooses which rows of a person are kept, base64.
        round, masked, request: hashes of the round, of the sealed counts that were made last, and
            of the request that was answered (at the hub: made); "" before that.
        charge: at the hub, the charge that pays for the sum.
    """

    folder: Path
    party: str
    plan: str
    private: str = field(repr=False)
    rows: str = field(repr=False)
    round: str = ""
    masked: str = ""
    request: str = ""
    charge: str = ""

    @property
    def secret(self) -> Secret:
        """The private key.

        Raises:
            CountError: it was destroyed when it had served.
        """
        if not self.private:
            raise error("count-over", file=self.folder)
        return Secret(data(self.private))

    def noted(self, **changes: str) -> Keep:
        """The same with changes, written to disk before anything else happens."""
        after = replace(self, **changes)  # type: ignore[arg-type]
        _write(after)
        return after


def new_keep(folder: Path, exchange: Path, party: str, plan: str, source: Bits) -> Keep:
    """Make the folder of a party with a fresh key.

    Raises:
        CountError: the folder holds something already, or lies where files are exchanged.
    """
    if folder.resolve() == exchange.resolve() or exchange.resolve() in folder.resolve().parents:
        raise error("count-keep/exposed", file=folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise error("count-keep/not-empty", file=folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    keep = Keep(folder, party, plan, text(Secret.new(source).private), text(source(32)))
    _write(keep)
    return keep


def open_keep(folder: Path) -> Keep:
    """Read the folder of a party.

    Raises:
        CountError: it is none, or damaged.
    """
    try:
        held: dict[str, Any] = json.loads((folder / STATE).read_text("utf-8"))
        return Keep(folder, **held)
    except (OSError, ValueError, TypeError):
        raise error("count-keep", file=folder) from None


def _write(keep: Keep) -> None:
    held = asdict(keep)
    del held["folder"]
    sweep(keep.folder, STATE)
    write_whole(keep.folder / STATE, json.dumps(held, indent=1).encode())
