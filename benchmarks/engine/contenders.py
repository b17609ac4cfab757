"""Start a contender as its users would, under the meter, with a limit of CPU time.

Belongs here: how ours and the peers are called, and the peers' own environments, made from the
pinned files in benchmarks/peers.  Does not belong here: scoring.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from engine.data import DataSet
from engine.store import Run

PEERS = Path(__file__).resolve().parents[1] / "peers"
CPU_LIMIT = 30 * 60
DELTA = 1e-6
ONE_THREAD = {
    name: "1"
    for name in (
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "RAYON_NUM_THREADS",
    )
}


@dataclass(frozen=True)
class Peer:
    """A library of others: its pinned requirements (the venv's name) and its runner."""

    name: str
    requirements: str
    runner: str

    @property
    def version(self) -> str:
        """As pinned, e.g. `pac-synth 0.0.8`."""
        pins = (PEERS / f"{self.requirements}.txt").read_text("utf-8").splitlines()
        return next(p for p in pins if p.startswith(f"{self.requirements}==")).replace("==", " ")


PAC = Peer("pac-synth", "pac-synth", "pac_synth.py")
AIM = Peer("aim", "dpmm", "dpmm_aim.py")


def environment(peer: Peer, cache: Path) -> Path:
    """The Python of the peer's environment; built on first use, rebuilt when its pins change."""
    folder = cache / "venv" / peer.requirements
    pins = PEERS / f"{peer.requirements}.txt"
    python, stamp = folder / "bin" / "python", folder / "pins.txt"
    if not stamp.exists() or stamp.read_text("utf-8") != pins.read_text("utf-8"):
        print(f"building the environment of {peer.name} …", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", pins], check=True)
        stamp.write_text(pins.read_text("utf-8"), "utf-8")
    return python


def run_peer(peer: Peer, data: DataSet, run: Run, limit: int = CPU_LIMIT) -> None:
    """One run of a peer; what it used is stored even where it did not finish."""
    python = environment(peer, run.cache)
    run.clear()
    job = {
        "table": str(data.table),
        "domains": data.domains,
        "epsilon": run.epsilon,
        "delta": DELTA,
        "seed": run.repetition,
        "out": str(run.folder),
    }
    (run.folder / "job.json").write_text(json.dumps(job), "utf-8")
    metered(run, [str(python), str(PEERS / peer.runner), str(run.folder / "job.json")], limit)


def run_ours(data: DataSet, run: Run, support: str | None, limit: int = CPU_LIMIT) -> None:
    """`ctdhub protect` as a user calls it; the outputs lie in the run's folder `out`."""
    run.clear()
    command = [*ctdhub(), "protect", str(data.table), "--domains", str(data.domains_file)]
    command += ["--epsilon", f"{run.epsilon:g}", "--delta", f"{DELTA:g}"]
    command += ["--out", str(run.folder / "out")]
    metered(run, command + (["--support", support] if support else []), limit)


def ctdhub() -> list[str]:
    """The command beside the Python that runs the benchmark."""
    return [str(Path(sys.executable).with_name("ctdhub"))]


def metered(run: Run, command: list[str], limit: int) -> None:
    """Run under the meter; output goes to log.txt in the run's folder."""
    used = run.folder / "used.json"
    meter = [sys.executable, "-S", str(PEERS / "meter.py"), str(limit), f"{used}.part", *command]
    with (run.folder / "log.txt").open("w", encoding="utf-8") as log:
        subprocess.run(
            meter, check=True, stdout=log, stderr=subprocess.STDOUT, env=os.environ | ONE_THREAD
        )
    Path(f"{used}.part").replace(used)
