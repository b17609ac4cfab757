"""The files of a table that was protected alone: records, counts and a manifest, in one folder."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

import ctdhub
from ctdhub.border import Protected
from ctdhub.core.errors import error
from ctdhub.core.files import fresh_folder
from ctdhub.release.manifest import MANIFEST
from ctdhub.release.open import sha256
from ctdhub.release.tables import COUNTS_NAME, RECORDS, write_csv, write_sets, write_tables

TABLES = tuple(f"{name}.{kind}" for name in (COUNTS_NAME, RECORDS) for kind in ("csv", "parquet"))
"""The files beside the manifest, sets for inference aside: the same for every table."""

IMPUTATIONS = "imputations"
"""The folder of sets for inference, where there are any."""


def check_ledger(ledger: Path, out: Path | None = None) -> None:
    """Refuse a ledger that lies among the protected files, or in a hub.

    Args:
        out: the folder of the protected files, None where none is written.

    Raises:
        ReleaseError: it does.
    """
    place, files = ledger.resolve(), out.resolve() if out is not None else None
    if files in (place, *place.parents) or (place.parent / "hub.yaml").exists():
        raise error("ledger-folder", file=ledger)


def check_out(out: Path) -> str | None:
    """The charge that a folder of protected files names, None where it is empty or not there.

    Raises:
        ReleaseError: the folder holds something else, or is no folder.
    """
    if out.is_dir() and not any(out.iterdir()):
        return None
    if not out.exists() and not out.is_symlink():
        return None
    try:
        return str(json.loads((out / MANIFEST).read_text("utf-8"))["charge"])
    except (OSError, ValueError, KeyError, TypeError):
        raise error("out-folder", file=out) from None


def write_alone(protected: Protected, out: Path, rows: int, max_people: int) -> Path:
    """Write records, counts and manifest; a reader sees all of them or none.

    A folder that holds the same charge gets the same files again.

    Args:
        rows: the public bound of rows per person.
        max_people: the public bound of people that delta is small enough for.

    Raises:
        ReleaseError: the folder holds something else than this charge.
    """
    charge = check_out(out)
    if charge not in (None, protected.guarantee.charge):
        raise error("out-folder/other-table", file=out)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = fresh_folder(out)
    try:
        write_tables(protected, fresh)
        if protected.records.num_columns == 1:
            _write_one_column(protected.records, fresh / f"{RECORDS}.csv")
        if protected.imputations:
            (fresh / IMPUTATIONS).mkdir()
        write_sets(protected.imputations, fresh, names_of(protected)[len(TABLES) :])
        text = json.dumps(manifest(protected, fresh, rows, max_people), indent=1)
        (fresh / MANIFEST).write_text(text + "\n", "utf-8")
        fresh.chmod(0o755)
        if charge is None:
            fresh.rename(out)
        else:
            for name in (*names_of(protected), MANIFEST):
                (out / name).parent.mkdir(exist_ok=True)
                (fresh / name).replace(out / name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return out


def manifest(protected: Protected, folder: Path, rows: int, max_people: int) -> dict[str, Any]:
    """What was promised, and every file with its hash and columns; nothing of the input."""
    g, people = protected.guarantee, protected.people
    counted = "people" if rows == 1 else f"rows; a person has at most {rows}"
    return {
        "manifest_version": 1,
        "software": f"ctdhub {ctdhub.__version__}",
        **{name: getattr(g, name) for name in ("epsilon", "delta", "rho", "unit")},
        "rows_per_person": rows,
        "max_people": max_people,
        "faults": ["max-people"] if people.value > max_people * rows else [],
        "mechanism": g.mechanism,
        "interval_level": g.level,
        "sigma": g.sigma,
        "drawn": g.drawn,
        "not_fitted": list(g.not_fitted),
        "imputations": len(protected.imputations),
        "people": {**asdict(people), "counts": counted},
        "charge": g.charge,
        "files": {
            name: {
                "sha256": sha256(folder / name),
                "bytes": (folder / name).stat().st_size,
                "columns": _columns(protected, name),
            }
            for name in names_of(protected)
        },
    }


def _columns(protected: Protected, name: str) -> list[dict[str, str]]:
    table = protected.counts if name.startswith(COUNTS_NAME) else protected.records
    joined = name == f"{COUNTS_NAME}.csv"
    return [
        {"name": f.name, "type": "string" if joined and pa.types.is_list(f.type) else str(f.type)}
        for f in table.schema
    ]


def names_of(protected: Protected) -> tuple[str, ...]:
    """The files beside the manifest: the tables, then the sets for inference.

    They depend on public settings alone.
    """
    sets = len(protected.imputations)
    return (*TABLES, *(f"{IMPUTATIONS}/{RECORDS}-{k:02}.parquet" for k in range(1, sets + 1)))


def _write_one_column(records: pa.Table, path: Path) -> None:
    """One column as CSV: a blank is quoted, for most programs pass over empty lines."""
    filled = pa.table([records.column(0).fill_null("")], names=records.column_names)
    write_csv(filled, path, "all_valid")
