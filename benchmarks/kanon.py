"""k-anonymity by local suppression, beside dropping whole records in the same run; k = 11.

    python benchmarks/kanon.py [--only NAME]

The tables are made by the generator of records like CTDC's in ../shared/bench; without it the
benchmark says so and ends.  Prints cells lost, records dropped, seconds of CPU and peak memory.
``floor`` is a share that no choice of cells can go below: a record of a class smaller than k loses
at least one cell.  Targets: no record dropped; 90,000 x 19 in 30 s, and with at most 2 % of cells
lost unless the floor is above that.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.kanon.table import anonymise, class_sizes

GENERATOR = Path(__file__).resolve().parents[2] / "shared" / "bench" / "gen_ctdc_like.py"
K, SEED = 11, 2025
COUNTRIES = ("citizenship", "CountryOfExploitation")
TARGET_SHARE, TARGET_SECONDS = 0.02, 30.0
CASES = {
    "90,000 x 19": (90_000, COUNTRIES, slice(0, 19)),
    "90,000 x 19 flags": (90_000, COUNTRIES, slice(-19, None)),
    "200,000 x 27": (200_000, (), slice(None)),
}
"""Records, columns left out, and which of the others are taken."""


def make(name: str, path: Path) -> None:
    """Write the table of a case."""
    spec = importlib.util.spec_from_file_location("gen_ctdc_like", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    n, left_out, taken = CASES[name]
    frame = generator.generate(n, SEED).drop(columns=list(left_out))
    table = pa.Table.from_pandas(frame.iloc[:, taken], preserve_index=False)
    pq.write_table(table, path)


def measure(path: Path) -> dict[str, float]:
    """The figures of one table, in this process."""
    table = pq.read_table(path)
    start = time.process_time()
    done = anonymise(table, K)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    start = time.process_time()
    sizes = class_sizes(table)
    small = int(sizes[sizes < K].sum())
    return {
        "lost": done.account.share_lost,
        "dropped": done.account.dropped,
        "risk": done.account.risk_after,
        "seconds": seconds,
        "peak": peak,
        "small": small,
        "records": table.num_rows,
        "floor": small / table.num_rows / table.num_columns,
        "peer seconds": time.process_time() - start,
    }


def main() -> int:
    """Print all cases; the number of those that miss a target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure)))
        return 0
    if not GENERATOR.exists() or importlib.util.find_spec("pandas") is None:
        print("Left out: this needs ../shared/bench/gen_ctdc_like.py and pandas.")
        return 0
    print(f"{'k = 11':36}{'cells lost':>11}{'dropped':>9}{'risk':>7}{'CPU s':>7}{'peak MB':>9}")
    missed = 0
    for name in [asked.only] if asked.only else CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.parquet"
            make(name, path)
            command = [sys.executable, __file__, "--measure", str(path)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        f = json.loads(answer)
        print(
            f"{name + ': suppression':36}{f['lost']:11.2%}{f['dropped']:9,}{f['risk']:7.1%}"
            f"{f['seconds']:7.1f}{f['peak']:9.0f}"
        )
        print(
            f"{'    dropping whole records':36}{f['small'] / f['records']:11.2%}{f['small']:9,}"
            f"{'':7}{f['peer seconds']:7.1f}"
        )
        print(f"{'    floor':36}{f['floor']:11.2%}", flush=True)
        small_enough = f["lost"] <= TARGET_SHARE or f["floor"] > TARGET_SHARE
        in_time = f["seconds"] <= TARGET_SECONDS or f["records"] > 90_000
        missed += not (f["dropped"] == 0 and small_enough and in_time)
    return missed


if __name__ == "__main__":
    sys.exit(main())
