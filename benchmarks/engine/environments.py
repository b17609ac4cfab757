"""Environments of the peers and of the judge, outside the project, from pinned requirements.

Belongs here: making them.  Does not belong here: what runs in them.  Standard library only, for
the benchmark starts before any environment is there.
"""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path


def build(name: str, pins: Path, cache: Path) -> Path:
    """The environment's Python; built on first use, built anew when its pins change."""
    folder = cache / "venv" / name
    python, stamp = folder / "bin" / "python", folder / "pins.txt"
    if not stamp.exists() or stamp.read_text("utf-8") != pins.read_text("utf-8"):
        print(f"building the environment of {name} …", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", pins], check=True)
        stamp.write_text(pins.read_text("utf-8"), "utf-8")
    return python
