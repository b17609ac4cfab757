"""The witness of a ledger: a copy of its lines outside of the folder that it guards.

In the state folder of the user, ``ledgers/<id of the population>/`` has ``ledger.jsonl`` (the lines
that were charged on this machine), ``lease`` (the folder that may charge), ``population.json`` and
``key`` (a copy of the key of the MACs).  A ledger that lacks one of these lines was put back or
replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.lock import locked
from ctdhub.core.state import state_folder
from ctdhub.dp.ledger.charge import Charge, read
from ctdhub.dp.ledger.population import POPULATION, LedgerPopulation, population_in

_LINES, _LEASE, _KEY, _LOCK = "ledger.jsonl", "lease", "key", "lock"


@dataclass(frozen=True)
class Witness:
    """What this machine knows of one ledger; the folder need not exist."""

    folder: Path

    @property
    def known(self) -> bool:
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
        found = self._read(_LEASE)
        return Path(found.decode("utf-8", "surrogateescape")) if found else None

    def entries(self) -> tuple[Charge, ...]:
        """The lines; all that was charged on this machine."""
        found: list[Charge] = []
        for line in (self._read(_LINES) or b"").splitlines():
            entry = read(line, found[-1] if found else None)
            if entry is None:
                raise error("ledger-witness", file=self.folder)
            found.append(entry)
        return tuple(found)

    def remember(self, population: LedgerPopulation, key: bytes) -> None:
        """Know a ledger; its lines and its lease are told apart."""
        with self._writing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(_KEY, key)
            self._write(POPULATION, population.text())

    def keep(self, entries: Iterable[Charge]) -> None:
        """Take these lines in place of those that are known; nothing is written if they are."""
        lines = b"".join(entry.line() + b"\n" for entry in entries)
        if (self._read(_LINES) or b"") != lines:
            with self._writing():
                self._write(_LINES, lines)

    def lease_to(self, place: Path) -> None:
        """Let this folder charge, and no other; what else was leased to it is no more."""
        for other in witnesses():
            if other.folder != self.folder and other.lease == place:
                other.release()
        with self._writing():
            self._write(_LEASE, str(place).encode("utf-8", "surrogateescape"))

    def release(self) -> None:
        """Let no folder charge until the ledger is adopted."""
        with self._writing():
            (self.folder / _LEASE).unlink(missing_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the witness against every other process."""
        with ExitStack() as held:
            with self._writing():
                held.enter_context(locked(self.folder / _LOCK))
            yield

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            raise error("state-folder/refused", file=path) from None

    def _write(self, name: str, content: bytes) -> None:
        sweep(self.folder, name)
        write_whole(self.folder / name, content)

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
