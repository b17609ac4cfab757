"""A world without chance: bits, keys and the clock are fixed, and the command runs in this process.

Belongs here: what a golden run fixes, how a command is run and what it said.
Does not belong here: which commands are run (``left``, ``middle``, ``right``, ``faults``).

What is random by law in the product is seeded here, in a tool, and nowhere else:

* noise, orders, masks, salts and linkage keys: ``os.urandom``;
* the person key, the ledger's secret, charge ids, names of unfinished files: ``secrets``;
* keys of approvers and envelopes: Ed25519 and X25519 keys of ``cryptography``;
* dates of charges, approvals, withdrawals, releases and briefs: ``datetime.now``.

Each kind of draw has a stream of its own, told by its caller's function and its size, so that one
more unfinished file does not change the noise.  Noise therefore changes only if what is drawn
changes: number, size or order of the tables' draws.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import importlib
import io
import os
import random
import shlex
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

REPOSITORY = Path(__file__).parents[2]
LANGUAGES = ("en", "fr", "es", "ar")
NOW = datetime.datetime(2026, 1, 20, 12, 0, 0, tzinfo=datetime.UTC)
"""When everything happens: after the practice contributions, before the days of its calendar."""

VERSION = "0.1.0"
"""The version that manifests name, so that a new one changes no output by itself."""

ENVIRONMENT = {
    "COLUMNS": "4000",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore",
    "TERM": "dumb",
    "TERMINAL_WIDTH": "100",
    "TZ": "UTC",
}
"""Variables of a golden run; of the caller's only ``KEPT`` stay."""
KEPT = ("PATH", "HOME", "NUMBA_CACHE_DIR", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")

STATE = "state"
"""The state folder of the command, in the working folder and apart from the user's own."""

_BEFORE = (
    "babel.dates", "cryptography.hazmat.primitives.asymmetric.ed25519", "defusedxml", "duckdb",
    "jinja2", "markdown_it", "numba", "numpy", "openpyxl", "pandas", "pyarrow.parquet",
    "pyarrow.csv", "pyarrow.json", "pycountry", "pydantic", "python_calamine", "rich.console",
    "scipy.stats", "typer", "yaml",
)  # fmt: skip
"""Loaded before the clock is fixed: their types must be the real ones."""

_Real = datetime.datetime


class _Alike(type):
    """Every moment is one of the fixed clock's, whoever made it."""

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, _Real)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _Real)


class _Clock(_Real, metaclass=_Alike):
    """``datetime`` whose now is always :data:`NOW`."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return NOW.astimezone(tz) if tz else NOW.replace(tzinfo=None)


class _Stream:
    """Bits that look random and are not: the k-th draw of so many bytes is always the same."""

    def __init__(self, name: str) -> None:
        self._name, self._drawn = name, Counter[int]()

    def __call__(self, size: int) -> bytes:
        self._drawn[size] += 1
        seed = f"{self._name} {size} {self._drawn[size]}"
        return hashlib.shake_256(seed.encode()).digest(size)


def environment() -> dict[str, str]:
    """The environment of a golden run, the same whoever starts it."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | ENVIRONMENT | {"PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"}


@dataclass(frozen=True)
class Outcome:
    """What a command gave: exit code, what it printed, what it complained."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- printed\n{self.out}--- complained\n{self.err}"


class World:
    """The command in a folder where nothing is left to chance.

    One to a process: it changes the process for good.

    Args:
        folder: the working folder of every command.
        seed: names the streams of bits.
    """

    def __init__(self, folder: Path, seed: str) -> None:
        self.folder = folder.resolve()
        self.requests: list[bytes] = []
        """What the ledger was asked to tell requests by, in turn: messages of its keyed hash."""
        os.chdir(folder)
        os.environ["CTDHUB_STATE"] = str(self.folder / STATE)
        os.umask(0o022)
        sys.modules["__main__"].__package__ = None  # so that the command's name is `ctdhub`
        self._fix_chance(seed)
        self._command = self._load_command()

    def run(self, *words: object, lang: str = "en", typed: str = "") -> Outcome:
        """Run ``ctdhub`` with these words; paths of this machine are taken out of what it says.

        Args:
            lang: language of the messages.
            typed: what the user types.
        """
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
        argv = ["ctdhub", *map(str, words)]
        with (
            patch.object(sys, "argv", argv),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), "utf-8")),
            patch.dict(os.environ, {"CTDHUB_LANG": lang}),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                self._command()
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        return Outcome(code, self._said(out), self._said(err))

    def done(self, *words: object, lang: str = "en", typed: str = "", codes: Any = (0,)) -> Outcome:
        """The same for a command that must not fail.

        Raises:
            RuntimeError: it ended with another exit code.
        """
        outcome = self.run(*words, lang=lang, typed=typed)
        if outcome.code not in codes:
            raise RuntimeError(f"ctdhub {shlex.join(map(str, words))}\n{outcome}")
        return outcome

    @contextmanager
    def inside(self, folder: Path) -> Iterator[None]:
        """Run commands in a folder below the world's own."""
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(self.folder)

    def without_paths(self, text: str) -> str:
        """The text with this machine's folders replaced."""
        for path, word in ((self.folder, "HERE"), (REPOSITORY, "REPOSITORY")):
            text = text.replace(str(path), word)
        return text

    def _said(self, stream: io.TextIOWrapper) -> str:
        stream.flush()
        text = stream.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]
        lines = self.without_paths(text).splitlines()
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _fix_chance(self, seed: str) -> None:
        for name in _BEFORE:
            try:
                importlib.import_module(name)
            except ImportError:
                continue
        from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

        os.urandom = _Stream(f"{seed} urandom")
        random._urandom = _Stream(f"{seed} secrets")  # type: ignore[attr-defined]
        keys = _Stream(f"{seed} keys")
        for kind in (ed25519.Ed25519PrivateKey, x25519.X25519PrivateKey):
            made = classmethod(lambda cls: cls.from_private_bytes(keys(32)))
            kind.generate = made  # type: ignore[assignment, method-assign]
        datetime.datetime = _Clock  # type: ignore[misc]
        real, requests = hmac.new, self.requests

        def noted(key: Any, msg: Any = None, digestmod: Any = "") -> Any:
            if msg and msg.rstrip().endswith(b"]") and b"[" in msg:
                requests.append(bytes(msg))
            return real(key, msg, digestmod)

        hmac.new = noted  # type: ignore[assignment]

    @staticmethod
    def _load_command() -> Callable[[], Any]:
        """The command that ``pyproject.toml`` names: the only thing of ours that is imported."""
        sys.path.insert(0, str(REPOSITORY / "src"))
        settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
        module, _colon, name = settings["project"]["scripts"]["ctdhub"].partition(":")
        importlib.import_module("ctdhub")
        sys.modules["ctdhub"].__version__ = VERSION  # type: ignore[attr-defined]
        command: Callable[[], Any] = getattr(importlib.import_module(module), name)
        return command
