"""Content-hashed steps: run what is stale, leave the rest, survive a kill at any time.

A step writes into a fresh folder that is synced and renamed into place when it is whole.  Its key
file lies inside, so a folder with a key is a finished one and a folder without is none.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.atomic import sync
from ctdhub.core.i18n import _

Progress = Callable[[str, float], None]

KEY_FILE = ".step.json"
_FRESH, _OLD = ".new-", ".old-"
LEFTOVERS = (_FRESH, _OLD, ".writing-")
"""Beginnings of the names of folders that only a killed run leaves behind."""


@dataclass(frozen=True)
class Step:
    """One pure function from inputs to a folder.

    Attributes:
        name: what the steward sees.
        inputs: content hash of every input, by a name that a steward understands.
        output: the folder that the step makes.
        run: writes the result into the (fresh, empty) folder it is given.
    """

    name: str
    inputs: Mapping[str, str]
    output: Path
    run: Callable[[Path], None]

    @property
    def key(self) -> str:
        """Content hash of the inputs: equal keys mean equal outputs."""
        return hash_of({"step": self.name, **self.inputs})

    def reason(self) -> str | None:
        """Why the step must run, in words; None where its output is up to date."""
        try:
            before = json.loads((self.output / KEY_FILE).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return _("it has not run yet, or its output was deleted")
        if before == dict(self.inputs):
            return None
        changed = sorted(
            k for k in before.keys() | self.inputs.keys() if before.get(k) != self.inputs.get(k)
        )
        return _("changed: {inputs}").format(inputs=", ".join(map(input_name, changed)))

    def refresh(self) -> bool:
        """Run the step if it is stale; say whether it ran."""
        if self.reason() is None:
            return False
        fresh = self.output.with_name(f"{_FRESH}{self.output.name}-{secrets.token_hex(4)}")
        fresh.mkdir(parents=True)
        try:
            self.run(fresh)
            (fresh / KEY_FILE).write_text(json.dumps(dict(self.inputs), sort_keys=True), "utf-8")
            if self.reason() is not None:  # another worker may have been faster
                swap(fresh, self.output)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return True


def input_name(key: str) -> str:
    """An input as the steward reads it; contributed files keep their names."""
    words = {
        "file": _("file"),
        "mapping": _("mapping"),
        "years": _("years"),
        "person key": _("person key"),
        "code": _("software"),
        "linkage": _("linkage"),
        "withdrawals": _("withdrawals"),
        "people": _("people"),
        "policy": _("policy"),
        "protected answer": _("protected answer"),
        "hub.yaml and agreements": _("hub.yaml and agreements"),
        "version": _("version"),
        "candidate": _("candidate"),
        "release": _("release"),
        "events": _("events"),
        "helpline": _("helpline"),
    }
    return words.get(key, key)


def swap(fresh: Path, output: Path) -> None:
    """Put a finished folder in its place; what lay there is set aside, then deleted."""
    for path in (*walk(fresh), fresh):
        sync(path)
    old = output.with_name(f"{_OLD}{output.name}-{secrets.token_hex(4)}")
    if output.exists():
        output.rename(old)
    fresh.rename(output)
    sync(output.parent)
    shutil.rmtree(old, ignore_errors=True)


def sweep(paths: Iterable[Path]) -> None:
    """Delete what a killed run left behind among ``paths``."""
    for path in list(paths):
        if path.name.startswith(LEFTOVERS) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(LEFTOVERS):
            path.unlink(missing_ok=True)


def walk(folder: Path) -> Iterator[Path]:
    """Every file and folder below ``folder``, in a fixed order, links not followed."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and not path.is_symlink():
            yield from walk(path)
        yield path


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_of(value: object) -> str:
    """SHA-256 of a value that JSON can hold, hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files below ``folder``, compiled code left out."""
    files = [p for p in walk(folder) if p.is_file() and "__pycache__" not in p.parts]
    return hash_of([[p.relative_to(folder).as_posix(), hash_file(p)] for p in files])


def hash_path(path: Path) -> str:
    """SHA-256 of a file, or of a folder of files that are parts of one table."""
    return hash_folder(path) if path.is_dir() else hash_file(path)
