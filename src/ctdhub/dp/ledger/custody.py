"""Who vouches for a ledger, whose it is, its witness outside of the folder, and how it goes on in
another place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ctdhub.core.errors import error
from ctdhub.core.files import locked, rewrite, state_folder
from ctdhub.dp.ledger import file as ledger_file

# --------------------------------------------------------------------------------------------------
# Whose ledger it is: the population of a ledger, in a file beside its lines.
#
# A ledger adds up what can be learned about the same people.  Which people these are, nobody can
# see from the lines, so it is written down once, when the ledger begins, with a random id that the
# MAC of every line covers.

POPULATION = "population.json"
"""Name of the file, in the folder of the ledger."""


@dataclass(frozen=True)
class LedgerPopulation:
    """The people whom a ledger is about.

    Attributes:
        id: random, 32 hexadecimal digits.
        name: of the hub, or as whoever began the ledger named these people.
        purpose: "hub" or "table".
        began: UTC, ISO 8601.
        mac: HMAC-SHA256 (RFC 2104) of the other fields under the ledger's key.
    """

    id: str
    name: str
    purpose: str
    began: str
    mac: str = ""

    def sealed(self, key: bytes) -> LedgerPopulation:
        """The population with its MAC."""
        return replace(self, mac=_mac(key, b"population\0" + self._content()))

    def vouched(self, key: bytes) -> bool:
        """Whether the MAC is right under this key."""
        return hmac.compare_digest(self.mac, self.sealed(key).mac)

    def mac_of(self, entry: ledger_file.Charge, key: bytes) -> str:
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
        ledger_file.write_synced(folder / POPULATION, self.text())

    def _content(self) -> bytes:
        fields = {k: v for k, v in asdict(self).items() if k != "mac"}
        return json.dumps(fields, sort_keys=True, ensure_ascii=True).encode()


def new_population(name: str, purpose: str) -> LedgerPopulation:
    """A population that no ledger was about so far."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return LedgerPopulation(secrets.token_hex(16), name, purpose, now)


def population_in(file: Path) -> LedgerPopulation | None:
    """The population in a file, None where there is none or the file is damaged.

    Raises:
        LedgerError: the system refuses to read.
    """
    with ledger_file.guarded(file):
        content = file.read_bytes() if file.is_file() else b"{}"
    try:
        population = LedgerPopulation(**json.loads(content))
        known = bytes.fromhex(population.id)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return population if len(known) == 16 and population.id == known.hex() else None


def _mac(key: bytes, content: bytes) -> str:
    return hmac.digest(key, b"ctdhub ledger\0" + content, hashlib.sha256).hex()


# --------------------------------------------------------------------------------------------------
# The witness of a ledger: a copy of its lines outside of the folder that it guards.
#
# In the state folder of the user, ``ledgers/<id of the population>/`` has ``ledger.jsonl`` (the
# lines that were charged on this machine), ``lease`` (the folder that may charge),
# ``population.json`` and ``key`` (a copy of the key of the MACs).  A ledger that lacks one of these
# lines was put back or replaced.

_LINES, _LEASE, _KEY, _LOCK = "ledger.jsonl", "lease", "key", "lock"


@dataclass(frozen=True)
class Witness:
    """What this machine knows of one ledger; the folder need not exist."""

    folder: Path

    @property
    def knows_ledger(self) -> bool:
        """Whether this machine knows the ledger."""
        return self._read(POPULATION) is not None

    @property
    def population(self) -> LedgerPopulation | None:
        """Whose ledger it is, None where the machine does not know it."""
        return population_in(self.folder / POPULATION)

    @property
    def key(self) -> bytes | None:
        """The key of its MACs."""
        return self._read(_KEY)

    @property
    def lease(self) -> Path | None:
        """The folder that may charge, None where that was taken from it."""
        content = self._read(_LEASE)
        return Path(content.decode("utf-8", "surrogateescape")) if content else None

    def entries(self) -> tuple[ledger_file.Charge, ...]:
        """The lines; all that was charged on this machine."""
        charges: list[ledger_file.Charge] = []
        for line in (self._read(_LINES) or b"").splitlines():
            entry = ledger_file.read(line, charges[-1] if charges else None)
            if entry is None:
                raise error("ledger-witness", file=self.folder)
            charges.append(entry)
        return tuple(charges)

    def remember(self, population: LedgerPopulation, key: bytes) -> None:
        """Know a ledger; its lines and its lease are told apart."""
        with self._writing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            rewrite(self.folder / _KEY, key)
            rewrite(self.folder / POPULATION, population.text())

    def keep(self, entries: Iterable[ledger_file.Charge]) -> None:
        """Take these lines in place of those that are known; nothing is written if they are."""
        lines = b"".join(entry.line() + b"\n" for entry in entries)
        if (self._read(_LINES) or b"") != lines:
            with self._writing():
                rewrite(self.folder / _LINES, lines)

    def lease_to(self, place: Path) -> None:
        """Let this folder charge, and no other; what else was leased to it is no more."""
        for other in witnesses():
            if other.folder != self.folder and other.lease == place:
                other.release()
        with self._writing():
            rewrite(self.folder / _LEASE, str(place).encode("utf-8", "surrogateescape"))

    def release(self) -> None:
        """Let no folder charge until the ledger is adopted."""
        with self._writing():
            (self.folder / _LEASE).unlink(missing_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the witness against every other process."""
        with ExitStack() as locks:
            with self._writing():
                locks.enter_context(locked(self.folder / _LOCK))
            yield

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            raise error("state-folder/refused", file=path) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise error("state-folder/refused", file=self.folder) from None


def witness_of(population: str) -> Witness:
    """The witness of a population's ledger.

    Raises:
        LedgerError: there is no state folder.
    """
    return Witness(_folder() / population)


def witnesses() -> tuple[Witness, ...]:
    """All ledgers that this machine knows."""
    try:
        return tuple(Witness(place) for place in sorted(_folder().glob("[0-9a-f]*")))
    except OSError:
        raise error("state-folder/refused", file=_folder()) from None


def leased(place: Path) -> Witness | None:
    """The ledger that a folder may charge, None where this machine knows none."""
    return next((w for w in witnesses() if w.lease == place), None)


def _folder() -> Path:
    return state_folder() / "ledgers"


# --------------------------------------------------------------------------------------------------
# Who vouches for a ledger: the key of its lines, its witness, and the folder that may charge.
#
# The key and the witness lie outside of the ledger's folder.  A line that was rewritten with all
# hashes made anew lacks its MAC; a ledger that was put back, or was replaced, lacks lines that the
# witness knows; a copy lies in a folder that the ledger was not leased to.
#
# A charge is written to the ledger, then to the witness, then noise is drawn: so a ledger may be
# ahead of its witness by what was cut off between, and is never behind.

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

    def sealed(self, entry: ledger_file.Charge) -> ledger_file.Charge:
        """A line with its MAC."""
        return replace(entry, mac=self.population.mac_of(entry, self.key))

    def vouches(self, entry: ledger_file.Charge) -> bool:
        """Whether the MAC of a line is right."""
        return hmac.compare_digest(entry.mac, self.population.mac_of(entry, self.key))

    def check(self, entries: Sequence[ledger_file.Charge]) -> None:
        """Refuse a copy, and a ledger that lacks what the witness knows.

        Raises:
            LedgerTampered: it is one, or this machine does not know the ledger.
        """
        refuse_inside(self.witness.folder, self.place)
        if not self.witness.knows_ledger:
            raise error("ledger-unknown", file=self.place)
        lease = self.witness.lease
        if lease is None:
            raise error("ledger-copy/replaced", file=self.place)
        if lease != self.place:
            raise error("ledger-copy", file=self.place, place=lease)
        known = self.witness.entries()
        if [e.hash for e in known] != [e.hash for e in entries[: len(known)]]:
            raise error("ledger-behind", file=self.place)

    def take_over(self, entries: Iterable[ledger_file.Charge]) -> None:
        """Let this place charge from now on, and the witness know these lines and no others."""
        self.witness.remember(self.population, self.key)
        self.witness.keep(entries)
        self.witness.lease_to(self.place)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the witness: nobody else charges this ledger, wherever a copy lies."""
        if not self.witness.knows_ledger:
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
    population = population_in(folder / POPULATION)
    if population is None:
        raise error("ledger-key", file=folder / POPULATION)
    witness = witness_of(population.id)
    key = witness.key if key_file is None else key_of(key_file)
    if key is None and key_file is None:
        raise error("ledger-unknown", file=place)
    if key is None or not population.vouched(key):
        raise error("ledger-key", file=key_file or folder / POPULATION)
    return Custody(population, key, place, witness)


def begin(
    folder: Path,
    place: Path,
    population: LedgerPopulation,
    key_file: Path | None = None,
    *,
    entries: Iterable[ledger_file.Charge] = (),
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
    with ledger_file.guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if key_file is not None:
        write_key(key_file, key)
    ledger_file.LedgerFile(folder).replace(lines)
    custody.take_over(lines)
    custody.population.write(folder)
    return custody


def write_key(file: Path, key: bytes) -> None:
    """Write the key of a ledger for its owner alone.

    Raises:
        LedgerError: the system refuses.
    """
    with ledger_file.guarded(file):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        rewrite(file, key.hex().encode() + b"\n")


def key_of(file: Path) -> bytes | None:
    """The key in a file, None where there is none.

    Raises:
        LedgerError: the system refuses to read.
    """
    with ledger_file.guarded(file):
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


# --------------------------------------------------------------------------------------------------
# A ledger that was copied, moved, put back or lost goes on in this place.
#
# What the witness of this machine knows and the ledger here lacks counts as spent: it is written
# behind the last line. Then this place alone may charge. Killed at any point, asked again, it
# ends the same.


@dataclass(frozen=True)
class Adopted:
    """What became of a ledger.

    Attributes:
        population: whose ledger it is.
        before: the folder that could charge until now, None where this machine knew of none.
        charges: how many the ledger has now.
        counted: those that this copy lacked.
        known: whether this machine knew the ledger, so that it can be said what was lacking.
        vouched: whether the lines were proved by their MACs, or by the witness; else they were
            taken as they stood.
    """

    population: LedgerPopulation
    before: Path | None
    charges: int
    counted: tuple[ledger_file.Charge, ...]
    known: bool
    vouched: bool


def adopt(
    folder: Path,
    place: Path,
    key_file: Path | None = None,
    check: Callable[[Sequence[ledger_file.Charge]], None] = lambda _lines: None,
) -> Adopted:
    """Let the ledger in a folder go on there.

    Args:
        folder, place, key_file: see ``custody.open_custody``.
        check: refuses lines that cannot be the ledger's, before anything is written.

    Raises:
        LedgerTampered: a line was changed, also by who has the key (``ledger-chain``); the key is
            another (``ledger-key``); there is no ledger and this machine knows none of this place
            (``ledger-gone``), or it charged another one there (``ledger-other``).
        LedgerError: there is no state folder; the system refuses.
    """
    place = place.resolve()
    population, witness = _whose(folder, place, key_file)
    refuse_inside(witness.folder, place)
    owner = leased(place)
    if owner is not None and owner.folder != witness.folder and owner.entries():
        raise error("ledger-other", file=folder)
    with _locks(folder, witness):
        file, known, before = ledger_file.LedgerFile(folder), witness.knows_ledger, witness.lease
        there = witness.entries()
        here = () if file.lost({e.hash for e in there}) else file.entries()
        key = _key(population, witness, key_file)
        if key is None:
            if known and [e.hash for e in here] != [e.hash for e in there[: len(here)]]:
                raise error("ledger-key", file=key_file or folder)
            counted = _missing(here, there)
            lines = [replace(e, mac="") for e in _continued(here, counted)]
            check(lines)
            begin(folder, place, replace(population, mac=""), key_file, entries=lines)
            return Adopted(population, before, len(lines), counted, known, vouched=known)
        custody = Custody(population, key, place, witness)
        known_as = {entry.id: _lasting(entry) for entry in there}
        for entry in here:
            core = _lasting(entry)
            if not custody.vouches(entry) or known_as.get(entry.id, core) != core:
                raise file.tampered(entry.number)
        counted = _missing(here, there)
        lines = _continued(here, counted)
        check(lines)
        for entry in lines[len(here) :]:
            file.append(custody.sealed(entry))
        if key_file is not None and key_of(key_file) != key:
            write_key(key_file, key)
        custody.take_over(file.entries())
        if population_in(folder / POPULATION) != population:  # gone, or damaged
            population.write(folder)
        return Adopted(population, before, len(here) + len(counted), counted, known, vouched=True)


@contextmanager
def _locks(folder: Path, witness: Witness) -> Iterator[None]:
    with ExitStack() as locks:
        with ledger_file.guarded(folder):
            folder.mkdir(parents=True, exist_ok=True)
            locks.enter_context(locked(folder / ledger_file.LOCK))
        if witness.knows_ledger:
            locks.enter_context(witness.exclusive())
        yield


def _whose(folder: Path, place: Path, key_file: Path | None) -> tuple[LedgerPopulation, Witness]:
    """Whose ledger it is, by its own file, else by what this machine knows of place or key."""
    population = population_in(folder / POPULATION)
    if population is not None:
        return population, witness_of(population.id)
    key = key_of(key_file) if key_file is not None else None
    witness = leased(place)
    if witness is None and key is not None:
        witness = next((w for w in witnesses() if w.key == key), None)
    if witness is not None and (known := witness.population) is not None:
        return known, witness
    raise error("ledger-gone", file=folder)


def _key(population: LedgerPopulation, witness: Witness, key_file: Path | None) -> bytes | None:
    """The key that vouches for the population, None where it is lost.

    Raises:
        LedgerTampered: there is a key, and it does not.
    """
    keys = [k for k in (key_of(key_file) if key_file else None, witness.key) if k is not None]
    for key in keys:
        if population.vouched(key):
            return key
    if keys:
        raise error("ledger-key", file=key_file or witness.folder)
    return None


def _lasting(entry: ledger_file.Charge) -> ledger_file.Charge:
    """What a charge keeps wherever it is told: all but its place, and the words on that."""
    return replace(entry, number=0, previous="", hash="", what="", mac="")


def _missing(
    here: Sequence[ledger_file.Charge], there: Sequence[ledger_file.Charge]
) -> tuple[ledger_file.Charge, ...]:
    """What the witness knows and the ledger lacks; a charge keeps its id wherever it is told."""
    ids = {entry.id for entry in here}
    return tuple(entry for entry in there if entry.id not in ids)


def _continued(
    here: Sequence[ledger_file.Charge], missing: Sequence[ledger_file.Charge]
) -> list[ledger_file.Charge]:
    """The lines with those that were missing behind them.

    One that followed the last line stays as it was, with its hash; any other is told anew.
    """
    lines = list(here)
    for entry in missing:
        previous = lines[-1].hash if lines else ledger_file.FIRST
        if (entry.number, entry.previous) != (len(lines) + 1, previous):
            what = ledger_file.written("adopted", purpose=entry.what)
            entry = replace(
                entry, number=len(lines) + 1, previous=previous, what=what, mac=""
            ).sealed()
        lines.append(entry)
    return lines
