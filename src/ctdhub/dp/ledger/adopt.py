"""A ledger that was copied, moved, put back or lost goes on in this place.

What the witness of this machine knows and the ledger here lacks counts as spent: it is written
behind the last line.  Then this place alone may charge.  Killed at any point, asked again, it ends
the same.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ctdhub.core.errors import error
from ctdhub.core.files import locked
from ctdhub.dp.ledger.book import LOCK
from ctdhub.dp.ledger.custody import (
    POPULATION,
    Custody,
    LedgerPopulation,
    Witness,
    begin,
    key_of,
    leased,
    population_in,
    refuse_inside,
    witness_of,
    witnesses,
    write_key,
)
from ctdhub.dp.ledger.file import FIRST, Charge, LedgerFile, guarded, written


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
    counted: tuple[Charge, ...]
    known: bool
    vouched: bool


def adopt(
    folder: Path,
    place: Path,
    key_file: Path | None = None,
    check: Callable[[Sequence[Charge]], None] = lambda _lines: None,
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
    held = leased(place)
    if held is not None and held.folder != witness.folder and held.entries():
        raise error("ledger-other", file=folder)
    with _held(folder, witness):
        file, known, before = LedgerFile(folder), witness.known, witness.lease
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
            told = _lasting(entry)
            if not custody.vouches(entry) or known_as.get(entry.id, told) != told:
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
def _held(folder: Path, witness: Witness) -> Iterator[None]:
    with ExitStack() as held:
        with guarded(folder):
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder / LOCK))
        if witness.known:
            held.enter_context(witness.exclusive())
        yield


def _whose(folder: Path, place: Path, key_file: Path | None) -> tuple[LedgerPopulation, Witness]:
    """Whose ledger it is, by its own file, else by what this machine knows of place or key."""
    found = population_in(folder / POPULATION)
    if found is not None:
        return found, witness_of(found.id)
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


def _lasting(entry: Charge) -> Charge:
    """What a charge keeps wherever it is told: all but its place, and the words on that."""
    return replace(entry, number=0, previous="", hash="", what="", mac="")


def _missing(here: Sequence[Charge], there: Sequence[Charge]) -> tuple[Charge, ...]:
    """What the witness knows and the ledger lacks; a charge keeps its id wherever it is told."""
    told = {entry.id for entry in here}
    return tuple(entry for entry in there if entry.id not in told)


def _continued(here: Sequence[Charge], missing: Sequence[Charge]) -> list[Charge]:
    """The lines with those that were missing behind them.

    One that followed the last line stays as it was, with its hash; any other is told anew.
    """
    lines = list(here)
    for entry in missing:
        previous = lines[-1].hash if lines else FIRST
        if (entry.number, entry.previous) != (len(lines) + 1, previous):
            what = written("adopted", purpose=entry.what)
            entry = replace(
                entry, number=len(lines) + 1, previous=previous, what=what, mac=""
            ).sealed()
        lines.append(entry)
    return lines
