"""Parts of a site that are as they were: taken from the site before, not drawn again.

A part is what one kind of page writes of one release in one language, pages or files.  It is made
of the release, of the program, and of those parts of the edition that it read while it was drawn,
which its edition notes.  A record outside the site says what they were, and the SHA-256 of each
file that came of them.  Where all are the same, the files are taken from the site before; a file
that is not what the record says is never taken, and its part is drawn again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ctdhub.core.atomic import write_whole
from ctdhub.release.open import Release
from ctdhub.site.edition import Edition
from ctdhub.stats.answers import Answers

Titles = dict[str, str]
"""The title of each page by its path in the folder of its language."""
FORM = 1
"""Of the record; one of another form is as good as none."""


@dataclass(frozen=True)
class Before:
    """What a hub keeps of the site that it built last.

    Attributes:
        site: the folder of the site; whatever lies there is trusted for nothing.
        record: the file that says what the site was made of, where readers of the site cannot
            write; it is written anew with each site, and need not exist.
        software: hash of the program that draws.
    """

    site: Path
    record: Path
    software: str


class Parts:
    """Draws the parts of a site, or takes them from the site before.

    Args:
        before: None to draw everything and to note nothing.
        fresh: folder of the new site.
    """

    def __init__(self, before: Before | None, fresh: Path) -> None:
        self._before, self._fresh = before, fresh
        self._held = {} if before is None else _read(before)
        self._made: dict[str, Any] = {}
        self._digests: dict[int, tuple[object, str]] = {}
        self.taken: list[str] = []
        """Names of the parts that were not drawn."""

    def part(
        self, name: str, given: object, edition: Edition, draw: Callable[[Edition, Path], Titles]
    ) -> Titles:
        """Write a part of the site.

        Args:
            name: of the part, the same in every site.
            given: all that the part is made of besides program and edition.
            draw: writes the files of the part into a folder as into that of the site, with the
                edition that it is given and no other; says the titles of its pages.
        """
        if self._before is None:
            return draw(edition, self._fresh)
        key = digest(given)
        found = self._held.get(name)
        if not (found and found["key"] == key and self._take(self._before.site, found, edition)):
            found = {"key": key, **self._draw(edition, draw)}
        else:
            self.taken.append(name)
        self._made[name] = found
        return dict(found["titles"])

    def _draw(self, edition: Edition, draw: Callable[[Edition, Path], Titles]) -> dict[str, Any]:
        noted = Noted.watching(edition)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=self._fresh) as name:
            folder = Path(name)
            titles = draw(noted, folder)
            files = dict(_hashes(folder))
            _move(folder, self._fresh)
        read = {part: self._digest(getattr(edition, part)) for part in sorted(noted.read)}
        return {"read": read, "titles": titles, "files": files}

    def _take(self, site: Path, found: dict[str, Any], edition: Edition) -> bool:
        """Take the files of a part from the site before; whether it and they are the same."""
        for part, was in found["read"].items():
            if self._digest(getattr(edition, part)) != was:
                return False
        held = {}
        for name, hash_ in found["files"].items():
            try:
                content = (site / name).read_bytes()
            except OSError:
                return False
            if hashlib.sha256(content).hexdigest() != hash_:
                return False
            held[name] = content
        for name, content in held.items():
            target = self._fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return True

    def _digest(self, value: object) -> str:
        """The digest of a part of the edition, made once; the value is kept, so its id stays."""
        if id(value) not in self._digests:
            self._digests[id(value)] = value, digest(value)
        return self._digests[id(value)][1]

    def close(self) -> None:
        """Write the record of this site; the parts that it does not have are forgotten."""
        if self._before is not None:
            found = {"form": FORM, "software": self._before.software, "parts": self._made}
            write_whole(self._before.record, json.dumps(found, ensure_ascii=False).encode())


def _read(before: Before) -> dict[str, Any]:
    """The parts of the record that are of this program."""
    try:
        found = json.loads(before.record.read_text("utf-8"))
        same = (found["form"], found["software"]) == (FORM, before.software)
        return dict(found["parts"]) if same else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _hashes(folder: Path, inside: str = "") -> Iterator[tuple[str, str]]:
    """Each file below a folder, by its path from there, and its SHA-256."""
    for path in folder.iterdir():
        if path.is_dir():
            yield from _hashes(path, f"{inside}{path.name}/")
        else:
            yield f"{inside}{path.name}", hashlib.sha256(path.read_bytes()).hexdigest()


def _move(folder: Path, there: Path) -> None:
    """Move all that is in a folder into another one, which may have folders of the same names."""
    for path in folder.iterdir():
        target = there / path.name
        if target.is_dir():
            _move(path, target)
        else:
            path.replace(target)


@dataclass(frozen=True)
class Noted(Edition):
    """An edition that notes which of its parts are read.

    Attributes:
        read: their names.
    """

    read: set[str] = field(default_factory=set)

    @classmethod
    def watching(cls, edition: Edition) -> Noted:
        """The same edition, of which nothing was read yet."""
        return cls(**{part: getattr(edition, part) for part in _names()})

    def __getattribute__(self, name: str) -> Any:
        if name in _names():
            object.__getattribute__(self, "read").add(name)
        return object.__getattribute__(self, name)


@cache
def _names() -> frozenset[str]:
    return frozenset(part.name for part in fields(Edition))


def digest(value: object) -> str:
    """SHA-256 of a value by what it holds: of texts, numbers, days, models, releases, and of
    lists, mappings and dataclasses of such.

    Raises:
        TypeError: it holds something else.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """The value as JSON has it; two that differ are never the same."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Answers):
        return _plain(value.release)
    if isinstance(value, Release):
        return {"release": fingerprint(value)}
    if isinstance(value, date | Path):
        return {type(value).__name__: str(value)}
    if isinstance(value, BaseModel):
        return {type(value).__name__: value.model_dump_json()}
    if is_dataclass(value) and not isinstance(value, type):
        held = [_plain(getattr(value, part.name)) for part in fields(value)]
        return {type(value).__name__: held}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key), _plain(part)] for key, part in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_plain(part) for part in value]
    if isinstance(value, Set):
        return {"set": sorted(json.dumps(_plain(part)) for part in value)}
    raise TypeError(f"no value that a part of a site is made of: {type(value).__name__}")


def fingerprint(release: Release) -> str:
    """SHA-256 of all that a release holds: its files, and the notices about it."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(release.path.iterdir())
        if path.is_file() and path.name not in release.manifest.files
    }
    return digest([release.version, release.manifest, files, release.errata])
