"""Start a contender as its users would, under the meter, with a limit of CPU time.

Belongs here: how ours and the peers are called.  Does not belong here: scoring.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.data import DataSet
from engine.environments import build
from engine.store import Run

PEERS = Path(__file__).resolve().parents[1] / "peers"
CPU_LIMIT = 30 * 60
START = ("ctdhub", "start", 0.0, 0)
THREADS = ("OPENBLAS", "OMP", "MKL", "NUMBA", "RAYON")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in THREADS}


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


def run_peer(peer: Peer, data: DataSet, run: Run, limit: int = CPU_LIMIT) -> None:
    """One run of a peer; what it used is stored even where it did not finish."""
    python = build(peer.requirements, PEERS / f"{peer.requirements}.txt", run.cache)
    run.clear()
    job = {
        "table": str(data.table),
        "domains": data.domains,
        "epsilon": run.epsilon,
        "delta": data.delta,
        "seed": run.repetition,
        "out": str(run.folder),
    }
    (run.folder / "job.json").write_text(json.dumps(job), "utf-8")
    metered(run, [str(python), str(PEERS / peer.runner), str(run.folder / "job.json")], limit)


def run_ours(data: DataSet, run: Run, support: str | None, limit: int = CPU_LIMIT) -> None:
    """`ctdhub protect` as a user calls it; the outputs lie in the run's folder `out`."""
    run.clear()
    command = [ctdhub(), "protect", str(data.table), "--domains", str(data.domains_file)]
    command += ["--epsilon", f"{run.epsilon:g}", "--delta", f"{data.delta:g}"]
    command += ["--max-people", str(data.bound), "--budget", "100"]
    command += ["--out", str(run.folder / "out")]
    command += ["--ledger", str(run.folder / "ledger"), "--new-ledger", "people of the benchmark"]
    os.environ["CTDHUB_STATE"] = str(run.folder / "state")
    metered(run, command + (["--support", support] if support else []), limit)


def ctdhub() -> str:
    """The command: the one beside the Python that started the benchmark."""
    return os.environ.get("CTDHUB_BENCH_COMMAND", "ctdhub")


def start_up(cache: Path) -> None:
    """Meter `ctdhub protect --help`: what starting costs, to be taken off for the peers' clock."""
    run = Run(*START, cache)
    run.clear()
    metered(run, [ctdhub(), "protect", "--help"], CPU_LIMIT)


def engine_state() -> str:
    """First signs of a digest of the engine's source, to tell runs of different states apart."""
    digest = hashlib.sha256()
    for module in sorted((PEERS.parents[1] / "src" / "ctdhub" / "dp").rglob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:10]


def version() -> str:
    """What is measured, e.g. `ctdhub 0.1.0`."""
    said = subprocess.run([ctdhub(), "--version"], capture_output=True, text=True, check=False)
    return f"ctdhub {said.stdout.strip().removeprefix('ctdhub').strip()}".strip()


def metered(run: Run, command: list[str], limit: int) -> None:
    """Run under the meter; output goes to log.txt in the run's folder."""
    used = run.folder / "used.json"
    meter = [sys.executable, "-S", str(PEERS / "meter.py"), str(limit), f"{used}.part", *command]
    with (run.folder / "log.txt").open("w", encoding="utf-8") as log:
        subprocess.run(
            meter, check=True, stdout=log, stderr=subprocess.STDOUT, env=os.environ | ONE_THREAD
        )
    Path(f"{used}.part").replace(used)
