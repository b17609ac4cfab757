"""The kit as a folder that is unpacked and opened, without Python on the computer.

Run by `make kit-folder`, on the system that the folder is for.  It holds what the plain install
holds and nothing of the hub's; `freezer/check.py` starts it where there is no Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
LOCKS = ("requirements.lock", "requirements-freezer.lock")
NAME = "ctdhub-kit"
MOST_UNPACKED, MOST_PACKED = 350, 150
"""Millions of bytes that the folder may take."""
LICENCES = """
import importlib.metadata as packages, json
def texts(package):
    files = [file for file in package.files or () if "licen" in file.name.lower()]
    return [file.read_text() for file in files if file.suffix in ("", ".txt", ".md")]
print(json.dumps({f"{one.name} {one.version}": texts(one) for one in packages.distributions()}))
"""


def environment(place: Path) -> Path:
    """An environment with the locked packages and ctdhub from this source; gives its Python."""
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    for lock in LOCKS:
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", ROOT / lock], check=True)
    fresh = ["--no-deps", "--no-build-isolation", "--force-reinstall", ROOT]
    subprocess.run([*pip, *fresh], check=True)
    return python


def freeze(python: Path, place: Path) -> Path:
    """Freeze the kit into a folder below a place; gives the folder."""
    words = [
        "--noconfirm",
        "--log-level",
        "ERROR",
        "--distpath",
        place,
        "--workpath",
        place / "work",
    ]
    subprocess.run([python, "-m", "PyInstaller", *words, HERE / "kit.spec"], check=True)
    shutil.rmtree(place / "work")
    folder = place / NAME
    if strip := shutil.which("strip"):  # the symbols of an interpreter are for those who mend it
        for library in folder.glob("_internal/libpython*.so*"):
            subprocess.run([strip, "--strip-unneeded", library], check=True)
    shutil.copy(HERE / "README.txt", folder)
    shutil.copy(ROOT / "LICENSE", folder)
    found = subprocess.run([python, "-c", LICENCES], check=True, capture_output=True, text=True)
    (folder / "LICENSES.txt").write_text(licences(json.loads(found.stdout)), "utf-8")
    return folder


def licences(packages: dict[str, list[str]]) -> str:
    """What the licences of the packages ask to be passed on.

    >>> print(licences({"b 2": [], "a 1": ["May be copied."]}))
    a 1
    ===
    May be copied.
    """
    parts = [
        f"{name}\n{'=' * len(name)}\n" + "\n\n".join(text.strip() for text in texts)
        for name, texts in sorted(packages.items())
        if texts
    ]
    return "\n\n".join(parts)


def size(files: Iterable[Path]) -> float:
    """Millions of bytes of the files."""
    return (
        sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink()) / 1e6
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=ROOT / "dist" / "kit")
    place = asked.parse_args().out.absolute()
    folder = freeze(environment(ROOT / ".venv" / "freezer"), place)
    form = "zip" if sys.platform == "win32" else "xztar"
    packed = Path(shutil.make_archive(str(folder), form, place, NAME))
    sizes = size(folder.rglob("*")), size([packed])
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    (place / f"{packed.name}.sha256").write_text(f"{digest}  {packed.name}\n", "ascii")
    print(f"{packed}: {sizes[1]:.0f} MB, unpacked {sizes[0]:.0f} MB, SHA-256 {digest}")
    if sizes[0] > MOST_UNPACKED or sizes[1] > MOST_PACKED:
        sys.exit(
            f"more than {MOST_UNPACKED} MB, or {MOST_PACKED} packed: see NEVER_USED in kit.spec"
        )


if __name__ == "__main__":
    main()
