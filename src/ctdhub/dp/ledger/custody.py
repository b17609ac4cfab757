"""Who vouches for a ledger: the key of its lines, its witness, and the folder that may charge.

The key and the witness lie outside of the ledger's folder.  A line that was rewritten with all
hashes made anew lacks its MAC; a ledger that was put back, or was replaced, lacks lines that the
witness knows; a copy lies in a folder that the ledger was not leased to.

A charge is written to the ledger, then to the witness, then noise is drawn: so a ledger may be
ahead of its witness by what was cut off between, and is never behind.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.dp.ledger.charge import Charge
from ctdhub.dp.ledger.disk import guarded
from ctdhub.dp.ledger.file import LedgerFile
from ctdhub.dp.ledger.population import POPULATION, LedgerPopulation, population_in
from ctdhub.dp.ledger.witness import Witness, witness_of

_KEY_BYTES = 32


@dataclass(frozen=True)
class Custody:
    """What vouches for one ledger.

    Attributes:
        population: whose ledger it is.
        key: of the MACs.
        place: the folder that may charge: of the hub, or of the ledger of a lone table.
        witness: what this machine knows of the ledger.
    """

    population: LedgerPopulation
    key: bytes = field(repr=False)
    place: Path
    witness: Witness

    def sealed(self, entry: Charge) -> Charge:
        """A line with its MAC."""
        return replace(entry, mac=self.population.mac_of(entry, self.key))

    def vouches(self, entry: Charge) -> bool:
        """Whether the MAC of a line is right."""
        return hmac.compare_digest(entry.mac, self.population.mac_of(entry, self.key))

    def check(self, entries: Sequence[Charge]) -> None:
        """Refuse a copy, and a ledger that lacks what the witness knows.

        Raises:
            LedgerTampered: it is one, or this machine does not know the ledger.
        """
        refuse_inside(self.witness.folder, self.place)
        if not self.witness.known:
            raise error("ledger-unknown", file=self.place)
        lease = self.witness.lease
        if lease is None:
            raise error("ledger-copy/replaced", file=self.place)
        if lease != self.place:
            raise error("ledger-copy", file=self.place, place=lease)
        known = self.witness.entries()
        if [e.hash for e in known] != [e.hash for e in entries[: len(known)]]:
            raise error("ledger-behind", file=self.place)

    def keep(self, entries: Iterable[Charge]) -> None:
        """Let the witness know the lines."""
        self.witness.keep(entries)

    def take_over(self, entries: Iterable[Charge]) -> None:
        """Let this place charge from now on, and the witness know these lines and no others."""
        self.witness.remember(self.population, self.key)
        self.witness.keep(entries)
        self.witness.lease_to(self.place)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the witness: nobody else charges this ledger, wherever a copy lies."""
        if not self.witness.known:
            raise error("ledger-unknown", file=self.place)
        with self.witness.exclusive():
            yield


def open_custody(folder: Path, place: Path, key_file: Path | None = None) -> Custody | None:
    """What vouches for the ledger in a folder, None where the ledger has not begun.

    Args:
        folder: of the ledger.
        place: the folder that may charge.
        key_file: where its key lies; in the state folder, if None.

    Raises:
        LedgerTampered: the population was changed, or this is not its key (``ledger-key``); this
            machine does not know the ledger of a lone table (``ledger-unknown``).
        LedgerError: there is no state folder; the system refuses.
    """
    place = place.resolve()
    if not (folder / POPULATION).exists():
        return None
    found = population_in(folder / POPULATION)
    if found is None:
        raise error("ledger-key", file=folder / POPULATION)
    witness = witness_of(found.id)
    key = witness.key if key_file is None else key_of(key_file)
    if key is None and key_file is None:
        raise error("ledger-unknown", file=place)
    if key is None or not found.vouched(key):
        raise error("ledger-key", file=key_file or folder / POPULATION)
    return Custody(found, key, place, witness)


def begin(
    folder: Path,
    place: Path,
    population: LedgerPopulation,
    key_file: Path | None = None,
    *,
    entries: Iterable[Charge] = (),
) -> Custody:
    """Begin a ledger, or let one go on under a new key; what lies there is replaced.

    The file of the population is written last, so that a ledger that has one has all.

    Args:
        folder, place, key_file: see :func:`open_custody`.
        population: whose ledger it is.
        entries: its lines, a chain; they get MACs.

    Raises:
        LedgerError: there is no state folder, or it lies in ``place``; the system refuses.
    """
    place = place.resolve()
    witness = witness_of(population.id)
    refuse_inside(witness.folder, place)
    key = secrets.token_bytes(_KEY_BYTES)
    custody = Custody(population.sealed(key), key, place, witness)
    lines = tuple(map(custody.sealed, entries))
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if key_file is not None:
        write_key(key_file, key)
    LedgerFile(folder).replace(lines)
    custody.take_over(lines)
    custody.population.write(folder)
    return custody


def write_key(file: Path, key: bytes) -> None:
    """Write the key of a ledger for its owner alone.

    Raises:
        LedgerError: the system refuses.
    """
    with guarded(file):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(file.parent, file.name)
        write_whole(file, key.hex().encode() + b"\n")


def key_of(file: Path) -> bytes | None:
    """The key in a file, None where there is none.

    Raises:
        LedgerError: the system refuses to read.
    """
    with guarded(file):
        text = file.read_bytes().strip() if file.is_file() else b""
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None
    return key if len(key) == _KEY_BYTES else None


def refuse_inside(state: Path, place: Path) -> None:
    """Refuse a witness that lies in what it guards, where a copy or a rollback takes it along.

    Raises:
        LedgerError: it does.
    """
    if state.resolve().is_relative_to(place):
        raise error("state-folder/inside", file=state)
