"""Make a folder anew: its readers see the old one until the new one is whole."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ctdhub.core.error_catalogue import error


@contextmanager
def renewed(out: Path, mark: str, told: Mapping[str, str]) -> Iterator[Path]:
    """A fresh folder to write into; it takes the place of ``out`` where nothing goes wrong.

    Args:
        out: a folder that does not exist, is empty, or holds a file named ``mark``.
        mark: this file says what the folder is, so that nothing else is ever replaced.
        told: what the file says, such as the release that the folder shows.

    Raises:
        HubError: the folder holds something else.
    """
    _require_replaceable(out, mark)
    out.parent.mkdir(parents=True, exist_ok=True)
    for kind in (".writing", ".old"):  # left behind by a killed run
        for leftover in out.parent.glob(f"{kind}-{out.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".writing-{out.name}-", dir=out.parent))
    try:
        yield fresh
        (fresh / mark).write_text(json.dumps(dict(told)), "utf-8")
        fresh.chmod(0o755)
        _swap(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _require_replaceable(out: Path, mark: str) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        free = False
    else:
        free = not out.is_dir() or not any(out.iterdir()) or (out / mark).is_file()
    if not free:
        raise error("site-folder", file=out)


def _swap(fresh: Path, out: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".old-{out.name}-", dir=out.parent))
    try:
        if out.exists():
            out.rename(old / "site")
        fresh.rename(out)
    finally:
        shutil.rmtree(old, ignore_errors=True)
