"""What is known against the packages that are locked, and on what terms they are used.

Without a network: every package of every lock file has one version and hashes, comes from the
registry, and its licence is one of those in :data:`TERMS`.  With one: pip-audit asks the OSV
database about each.  Where that cannot be reached the last line says so: silence never means that
nothing is known.

    python tools/audit.py             both; exit code 1 where something is wrong or known
    python tools/audit.py --must      also where the database could not be asked about every package
    python tools/audit.py --licences  the list of licences
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOL = ROOT / "requirements-audit.lock"
DATABASE = ("api.osv.dev", 443)
_PATIENCE = 5.0

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)( ; .+)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

TERMS = {
    "0BSD", "Apache", "BSD", "ISC", "LGPL", "MIT", "Mozilla", "MPL", "PSF",
    "Python Software Foundation", "Redistribution and use in source and binary forms", "W3C",
    "Zope Public License",
}  # fmt: skip
"""Families of licences that go with the project's own; those of LGPL are used as they are."""

UNSTATED = {"mlcroissant": "none stated; for tests only, and not shipped"}
"""What a person found where a package says nothing."""


def locks() -> list[Path]:
    """Every lock file."""
    return sorted(ROOT.glob("requirements*.lock"))


def packages(lock: Path) -> Iterator[tuple[str, str, str]]:
    """Each entry of a lock file: name, version, and what is wrong with it ("" if nothing)."""
    text = re.sub(r"\\\n\s*", " ", lock.read_text("utf-8"))
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        stated, *hashes = line.strip().split(" --hash=")
        pin = _PIN.fullmatch(stated.strip())
        if pin is None:
            yield stated, "", "is not one version of a package of the registry"
        elif not hashes or not all(_HASH.fullmatch(f"--hash={one.strip()}") for one in hashes):
            yield pin[1], pin[2], "has no SHA-256"
        else:
            yield pin[1], pin[2], ""


def faults() -> list[str]:
    """What is wrong with the lock files."""
    return [
        f"{lock.name}: {name} {fault}"
        for lock in locks()
        for name, _version, fault in packages(lock)
        if fault
    ]


def licences() -> dict[str, str]:
    """The licence of each locked package that is installed here, as the package states it."""
    found = {}
    for lock in locks():
        for name, _version, _fault in packages(lock):
            try:
                about = metadata.metadata(name)
            except metadata.PackageNotFoundError:
                continue
            found[name] = licence_of(about) or text_of(name) or UNSTATED.get(name, "")
    return dict(sorted(found.items()))


def licence_of(about: Any) -> str:
    """An expression, else the classifiers, else the first line of the free text."""
    if stated := about.get("License-Expression"):
        return str(stated)
    classified = [
        one.rpartition(" :: ")[2]
        for one in about.get_all("Classifier") or ()
        if one.startswith("License :: ")
    ]
    first = (about.get("License") or "").strip().partition("\n")[0]
    return ", ".join(classified) if classified and classified != ["OSI Approved"] else first


def text_of(name: str) -> str:
    """The first words of the licence's own text, where a package states it nowhere else."""
    for file in metadata.files(name) or ():
        if "licens" in file.name.lower() or "copying" in file.name.lower():
            return " ".join(file.read_text("utf-8").split())[:160]
    return ""


def strangers(found: dict[str, str]) -> list[str]:
    """Packages whose licence is of no family that is known."""
    return [
        f"{name}: {licence or 'no licence stated'}"
        for name, licence in found.items()
        if name not in UNSTATED and not any(family.lower() in licence.lower() for family in TERMS)
    ]


def reachable() -> bool:
    """Whether the advisory database answers."""
    try:
        socket.create_connection(DATABASE, _PATIENCE).close()
    except OSError:
        return False
    return True


def asked(report: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What pip-audit's JSON says: weaknesses, and packages that it could not ask about.

    It ends with exit code 0 where it asked about none, so the code alone tells nothing.
    """
    weak, left = [], []
    for one in report["dependencies"]:
        if "skip_reason" in one:
            left.append(f"{one['name']}: {one['skip_reason']}")
        for known in one.get("vulns", ()):
            fixed = ", ".join(known["fix_versions"]) or "nowhere yet"
            weak.append(f"{one['name']} {one['version']}: {known['id']}, fixed in {fixed}")
    return weak, left


def tool(name: str) -> Path:
    """A command of ``requirements-audit.lock``, installed in an environment of its own.

    Raises:
        CalledProcessError: it cannot be installed.
    """
    place = ROOT / ".venv" / "audit"
    if not (place / "bin" / name).exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        words = ["install", "--quiet", "--require-hashes", "--no-deps", "-r", str(TOOL)]
        subprocess.run([place / "bin" / "python", "-m", "pip", *words], check=True)
    return place / "bin" / name


def ask() -> dict[str, Any]:
    """Let pip-audit ask about every lock file.

    Raises:
        CalledProcessError: it cannot be installed.
        ValueError: what it says is no report.
    """
    files = [word for lock in locks() for word in ("-r", str(lock))]
    words = ["--service", "osv", "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run(
        [tool("pip-audit"), "--progress-spinner", "off", *words, *files],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(words: list[str]) -> int:
    """Print what was found; gives the exit code."""
    found = licences()
    if "--licences" in words:
        for name, licence in found.items():
            print(f"{name}\t{licence}")
        return 0
    wrong = [*faults(), *strangers(found)]
    n = len({name for lock in locks() for name, _version, _fault in packages(lock)})
    print(f"audit: {n} locked packages have one version and hashes; {len(found)} licences read.")
    for line in wrong:
        print(f"audit: {line}")
    if not reachable():
        print(
            f"audit: NOT RUN: {DATABASE[0]} cannot be reached; known weaknesses were not asked for."
        )
        return 1 if wrong else 2 if "--must" in words else 0
    try:
        weak, left = asked(ask())
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as met:
        print(f"audit: NOT RUN: pip-audit failed ({type(met).__name__}).")
        return 1 if wrong else 2 if "--must" in words else 0
    for line in weak:
        print(f"audit: {line}")
    for line in left:
        print(f"audit: NOT ASKED ABOUT {line}")
    print(f"audit: {len(weak)} known weaknesses; {len(left)} packages were not asked about.")
    return 1 if wrong or weak else 2 if left and "--must" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
