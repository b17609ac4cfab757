"""Whose ledger it is: the population of a ledger, in a file beside its lines.

A ledger adds up what can be learned about the same people.  Which people these are, nobody can see
from the lines, so it is written down once, when the ledger begins, with a random id that the MAC of
every line covers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ctdhub.dp.ledger.charge import Charge
from ctdhub.dp.ledger.disk import guarded, write_synced

POPULATION = "population.json"
"""Name of the file, in the folder of the ledger."""


@dataclass(frozen=True)
class LedgerPopulation:
    """The people whom a ledger is about.

    Attributes:
        id: random, 32 hexadecimal digits.
        name: of the hub, or as whoever began the ledger named these people.
        purpose: "hub" or "table".
        contributors: ids of those that were known to send records when it began.
        began: UTC, ISO 8601.
        mac: HMAC-SHA256 (RFC 2104) of the other fields under the ledger's key.
    """

    id: str
    name: str
    purpose: str
    contributors: tuple[str, ...]
    began: str
    mac: str = ""

    def sealed(self, key: bytes) -> LedgerPopulation:
        """The population with its MAC."""
        return replace(self, mac=_mac(key, b"population\0" + self._content()))

    def vouched(self, key: bytes) -> bool:
        """Whether the MAC is right under this key."""
        return hmac.compare_digest(self.mac, self.sealed(key).mac)

    def mac_of(self, entry: Charge, key: bytes) -> str:
        """The MAC of a line: it covers the population and, by the hash, all lines up to it."""
        return _mac(key, f"line\0{self.id}\0{entry.hash}".encode())

    def text(self) -> bytes:
        """As it lies in its file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=True).encode() + b"\n"

    def write(self, folder: Path) -> None:
        """Write it into the folder of a ledger, synced.

        Raises:
            LedgerError: the system refuses.
        """
        write_synced(folder / POPULATION, self.text())

    def _content(self) -> bytes:
        fields = {k: v for k, v in asdict(self).items() if k != "mac"}
        return json.dumps(fields, sort_keys=True, ensure_ascii=True).encode()


def new_population(name: str, purpose: str, contributors: Iterable[str] = ()) -> LedgerPopulation:
    """A population that no ledger was about so far."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return LedgerPopulation(secrets.token_hex(16), name, purpose, tuple(sorted(contributors)), now)


def population_in(file: Path) -> LedgerPopulation | None:
    """The population in a file, None where there is none or the file is damaged.

    Raises:
        LedgerError: the system refuses to read.
    """
    with guarded(file):
        content = file.read_bytes() if file.is_file() else b"{}"
    try:
        fields = json.loads(content)
        found = LedgerPopulation(**(fields | {"contributors": tuple(fields["contributors"])}))
        known = bytes.fromhex(found.id)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if len(known) == 16 and found.id == known.hex() else None


def _mac(key: bytes, content: bytes) -> str:
    return hmac.digest(key, b"ctdhub ledger\0" + content, hashlib.sha256).hex()
