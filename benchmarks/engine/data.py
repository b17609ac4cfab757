"""The tables that the contenders protect, and their public domains.

Belongs here: how each data set is made or found, and which values its columns may hold.  Domains
come from public code lists (the generator's own, ISO 3166, Adult's domain file), never from the
rows.  Does not belong here: anything a contender does with them.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pycountry

SHARED = Path(__file__).resolve().parents[3] / "shared"
SAMPLE_SEED = 2025
CORRIDOR = ("citizenship", "CountryOfExploitation")
FOCUS_BY = (
    "yearOfRegistration",
    "gender",
    "ageBroad",
    "isForcedLabour",
    "isSexualExploit",
    "isOtherExploit",
)
NARROW_COLUMNS = 19


class AbsentError(Exception):
    """A file that the benchmark needs is not on this machine; says which."""


@dataclass(frozen=True)
class DataSet:
    """One table as parquet (text, "" = not recorded) with its domains file and public domains."""

    name: str
    rows: int
    table: Path
    domains_file: Path
    domains: dict[str, list[str]] = field(repr=False)
    zero_is_value: bool = False

    @property
    def bound(self) -> int:
        """A public bound above the number of people, noise of the largest included."""
        return self.rows + self.rows // 50

    @property
    def delta(self) -> float:
        """The largest delta of four digits that is valid for so many people."""
        return float(f"{0.999 / (100 * self.bound):.4g}")

    @property
    def corridor(self) -> tuple[str, str] | None:
        """The two country columns, where the data set has both."""
        return CORRIDOR if set(CORRIDOR) <= set(self.domains) else None

    def read(self) -> pd.DataFrame:
        """The rows, all text."""
        return pd.read_parquet(self.table).astype(str)


def load_script(name: str) -> ModuleType:
    """A script of the shared bench folder, as a module; AbsentError where it is not there."""
    path = SHARED / "bench" / f"{name}.py"
    if not path.exists():
        raise AbsentError(f"../shared/bench/{name}.py is not there: this part is skipped")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def ctdc_domains() -> dict[str, Any]:
    """Domains of the CTDC-like columns, as a domains file has them (codebook v2, February 2024)."""
    codebook = load_script("gen_ctdc_like")
    special: dict[str, Any] = {
        "yearOfRegistration": {"years": [2002, 2022]},
        "gender": ["Woman", "Man", "Trans/Transgender/NonConforming"],
        "ageBroad": list(codebook.AGES),
        "citizenship": {"values": "countries"},
        "CountryOfExploitation": {"values": "countries"},
        "traffickMonths": ["0--12", "13--24", "25+"],
    }
    return {name: special.get(name, ["1"]) for name in codebook.COLS}


def expand(domain: Any) -> list[str]:
    """The values behind one entry of a domains file.

    >>> expand({"years": [2002, 2004]})
    ['2002', '2003', '2004']
    """
    if isinstance(domain, list):
        return domain
    if "years" in domain:
        first, last = domain["years"]
        return [str(year) for year in range(first, last + 1)]
    return sorted(country.alpha_3 for country in pycountry.countries)


def ctdc(rows: int, cache_folder: Path, *, narrow: bool = False) -> DataSet:
    """CTDC-like rows: all 27 columns, or the first 19 of those that are no country."""
    declared = ctdc_domains()
    name = f"C-{rows}"
    if narrow:
        kept = [column for column in declared if column not in CORRIDOR][:NARROW_COLUMNS]
        declared = {column: declared[column] for column in kept}
        name = f"narrow{NARROW_COLUMNS}-{rows}"
    table = cache_folder / "data" / f"{name}.parquet"
    if not table.exists():
        frame = load_script("gen_ctdc_like").generate(rows, SAMPLE_SEED)[list(declared)]
        save(frame, table)
    focus = {"corridor": list(CORRIDOR), "by": list(FOCUS_BY)} if not narrow else None
    return finish(name, rows, table, declared, focus)


def adult(cache_folder: Path) -> DataSet:
    """UCI Adult, 14 coded columns with the domain that the file beside it declares."""
    folder = SHARED / "data" / "adult"
    if not (folder / "adult.csv").exists():
        raise AbsentError("../shared/data/adult is not there: this part is skipped")
    sizes = json.loads((folder / "domain.json").read_text("utf-8"))
    declared = {column: [str(code) for code in range(size)] for column, size in sizes.items()}
    table = cache_folder / "data" / "adult.parquet"
    frame = pd.read_csv(folder / "adult.csv", dtype=str, keep_default_na=False)[list(declared)]
    if not table.exists():
        save(frame, table)
    return finish("adult", len(frame), table, declared, None, zero_is_value=True)


def save(frame: pd.DataFrame, table: Path) -> None:
    """Write whole or not at all."""
    table.parent.mkdir(parents=True, exist_ok=True)
    part = table.with_suffix(".part")
    frame.to_parquet(part, index=False)
    part.replace(table)


def finish(
    name: str,
    rows: int,
    table: Path,
    declared: dict[str, Any],
    focus: dict[str, list[str]] | None,
    *,
    zero_is_value: bool = False,
) -> DataSet:
    """Write the domains file (JSON is YAML too) and hand the data set over."""
    text: dict[str, Any] = {"version": 1, "columns": declared} | ({"focus": focus} if focus else {})
    path = table.with_suffix(".domains.yaml")
    path.write_text(json.dumps(text, indent=1), "utf-8")
    domains = {column: expand(domain) for column, domain in declared.items()}
    return DataSet(name, rows, table, path, domains, zero_is_value)
