"""Make a version: raise its number, then seal what was built from it.  Nothing is pushed.

    make release VERSION=0.3.0              raise, make dist, seal
    python tools/release.py raise 0.3.0     changelog, version, CITATION.cff; needs a clean tree
    python tools/release.py seal 0.3.0      bills of materials and SHA256SUMS beside dist's packages
    python tools/release.py open 0.4.0      after the tag: what follows calls itself 0.4.0.dev0

The bills of materials are CycloneDX, made by cyclonedx-bom from the locks of what is installed,
in the environment that `tools/audit.py` keeps beside the project's own.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import audit
import changelog

ROOT = Path(__file__).resolve().parents[1]
SOURCE, CITATION = ROOT / "src" / "ctdhub" / "__init__.py", ROOT / "CITATION.cff"
DIST, SUMS = ROOT / "dist", "SHA256SUMS"
BILLS = {"": "requirements.lock", "-hub": "requirements-hub.lock"}
"""What is added to the name of a bill of materials, and the lock that it is made of."""

VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
STATED = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)

NEXT = """
dist/ holds version {version}. Nothing was committed or pushed. Go on only if .ci/run and
`python tools/audit.py --must` passed on the commit before this. What you do next:
  1. read the section {version} of CHANGELOG.md once more
  2. git add -A && git commit -m "release: {version}" -m "What CHANGELOG.md says."
  3. git tag -s v{version} -m "ctdhub {version}"
  4. gpg --armor --detach-sign dist/SHA256SUMS
  5. push the commit and the tag, and publish all files of dist/ with the signature
  6. python tools/release.py open {after}, and commit that"""


def higher(version: str, than: str) -> bool:
    """Whether a version is one, and comes after another or after what led to it.

    >>> higher("0.3.0", "0.3.0.dev0"), higher("0.10.0", "0.9.1"), higher("0.3.0", "0.3.0")
    (True, True, False)
    """
    asked, stands = VERSION.fullmatch(version), VERSION.match(than)
    if asked is None or stands is None:
        return False
    new, old = ([int(part) for part in found.groups()] for found in (asked, stands))
    return new > old or (new == old and ".dev" in than)


def with_version(source: str, version: str) -> str:
    """The source of the package with another version.

    Raises:
        ValueError: it does not state one version.
    """
    if len(STATED.findall(source)) != 1:
        raise ValueError("one line must say __version__")
    return STATED.sub(f'__version__ = "{version}"', source)


def cited(citation: str, version: str, date: str = "") -> str:
    """CITATION.cff with another version, and the day on which it was released, if it was."""
    lines = [line for line in citation.splitlines() if not line.startswith("date-released:")]
    at = next(i for i, line in enumerate(lines) if line.startswith("version:"))
    lines[at : at + 1] = [f"version: {version}", *([f"date-released: {date}"] if date else [])]
    return "\n".join(lines) + "\n"


def sums(files: Sequence[Path]) -> str:
    """What ``sha256sum --check`` reads."""
    found = sorted((file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files)
    return "".join(f"{digest}  {name}\n" for name, digest in found)


def bill(text: str, version: str, lock: Path) -> str:
    """A bill of materials with the version of what it is for.

    Raises:
        ValueError: it does not hold exactly what the lock holds.
    """
    found = json.loads(text)
    held = {(one["name"], one["version"]) for one in found["components"]}
    locked = {(name, number) for name, number, _fault in audit.packages(lock)}
    if held != locked:
        raise ValueError(f"{lock.name}: the bill differs in {sorted(held ^ locked)}")
    found["metadata"]["component"]["version"] = version
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def state(version: str, date: str = "") -> None:
    """Write a version where it is stated."""
    SOURCE.write_text(with_version(SOURCE.read_text("utf-8"), version), "utf-8")
    CITATION.write_text(cited(CITATION.read_text("utf-8"), version, date), "utf-8")


def raised(version: str) -> None:
    """Assemble the changelog and raise the version.

    Raises:
        SystemExit: the tree is not what is committed.
    """
    words = ["git", "status", "--porcelain"]
    changed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    if changed:
        raise SystemExit(f"commit or put away what is not committed:\n{changed}")
    date = datetime.now(UTC).date().isoformat()
    changelog.assemble(version, date)
    state(version, date)


def seal(version: str) -> None:
    """Write what lies beside the packages of a version, and say what a person does next."""
    packages = [DIST / f"ctdhub-{version}.tar.gz", DIST / f"ctdhub-{version}-py3-none-any.whl"]
    if missing := [file.name for file in packages if not file.is_file()]:
        raise SystemExit(f"dist/ has no {' and no '.join(missing)}: make release VERSION={version}")
    made = []
    for mark, name in BILLS.items():
        file, lock = DIST / f"ctdhub-{version}{mark}.cdx.json", ROOT / name
        words = ["requirements", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible"]
        done = subprocess.run(
            [audit.tool("cyclonedx-py"), *words, "--output-format", "JSON", lock],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        file.write_text(bill(done.stdout, version, lock), "utf-8")
        made.append(file)
    (DIST / SUMS).write_text(sums([*packages, *made]), "utf-8")
    print((DIST / SUMS).read_text("utf-8"), end="")
    major, minor, _patch = version.split(".")
    print(NEXT.format(version=version, after=f"{major}.{int(minor) + 1}.0"))


def main(words: Sequence[str]) -> None:
    """Do one step."""
    steps = {"raise": raised, "seal": seal, "open": lambda version: state(f"{version}.dev0")}
    if len(words) != 2 or words[0] not in steps:
        raise SystemExit(__doc__)
    step, version = words
    stands = STATED.findall(SOURCE.read_text("utf-8"))[0]
    if version != stands if step == "seal" else not higher(version, stands):
        raise SystemExit(f"{step} {version}: the version is {stands}; state one such as 0.3.0")
    steps[step](version)


if __name__ == "__main__":
    main(sys.argv[1:])
