"""Contributed files read by a process of their own, with bounds on its memory and time.

What somebody sent may make a parser run wild: it then stops the process that reads, and the build
goes on with an error that names the file.  The process serves one caller, reads one file after
another, and is begun anew where it died or has read a large file, whose memory it would keep.

Each request is a line of JSON.  The answer is a line of JSON, then the tables as Arrow streams
through the same pipe: no case record is written to a disk on the way, and nothing that the process
says is run.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from ctdhub.core.errors import HubError, as_json, error, from_json, printable
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable, read_table

if TYPE_CHECKING:
    import subprocess

LEAST_MEMORY, MOST_MEMORY, MEMORY_PER_BYTE = 2**30, 2**34, 60
"""Bytes that reading may take beyond what the process has: 1 GiB and 60 times the file, a workbook
being compressed some 10 times and its grid some 5 times its text; 16 GiB at most."""

LEAST_SECONDS, SECONDS_PER_MIB = 60, 10
"""Processor seconds that reading may take; a workbook takes some 2 a MiB, text a tenth."""

_LARGE = 2**26
"""A process that has read so many bytes is not kept."""

_COMMAND = (sys.executable, "-P", "-m", "ctdhub.sensitive.ingest.isolated")
_STATED = ("file", "sha256", "rows_read", "encoding", "delimiter", "sheet", "sums")


def read_isolated(
    path: Path, options: ReadOptions | None = None, limits: Limits | None = None
) -> RawTable:
    """Read one contributed table as :func:`ctdhub.sensitive.ingest.raw.read_table` does, in a
    process of its own.

    Raises:
        UnreadableFile, HostileFile: see there; or reading took more memory or time than a file of
            its size may take.
    """
    options, limits = options or ReadOptions(), limits or Limits()
    asked = {
        "path": str(path.absolute()),
        "options": options.model_dump(mode="json"),
        "limits": limits.model_dump(mode="json"),
    }
    reader = _reader()
    try:
        return _answer(reader, asked)
    except (OSError, ValueError, pa.ArrowException):
        _end(reader)
        raise error("reader-stopped", file=printable(path.name)) from None
    except BaseException as met:
        if not isinstance(met, HubError):  # interrupted between question and answer
            _end(reader)
        raise


def _answer(reader: subprocess.Popen[bytes], request: dict[str, Any]) -> RawTable:
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(json.dumps(request).encode() + b"\n")
    reader.stdin.flush()
    answer = json.loads(reader.stdout.readline())
    if "error" in answer:
        raise from_json(answer["error"])
    table, rejects, *rows = (_received(reader.stdout) for _ in range(2 + len(answer["children"])))
    if not answer["stays"]:
        _end(reader)
    return RawTable(
        **answer["stated"],
        table=table,
        rejects=rejects,
        notes=tuple(map(Text.from_json, answer["notes"])),
        children=dict(zip(answer["children"], rows, strict=True)),
    )


def _received(pipe: IO[bytes]) -> pa.Table:
    with pa.ipc.open_stream(pipe) as stream:
        return stream.read_all()


_readers: dict[int, subprocess.Popen[bytes]] = {}


def _reader() -> subprocess.Popen[bytes]:
    """The process that reads for this one; a fork has another one."""
    import subprocess

    reader = _readers.get(os.getpid())
    if reader is None or reader.poll() is not None:
        reader = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a parser's last words may hold cells
        )
        _readers[os.getpid()] = reader
    return reader


def _end(reader: subprocess.Popen[bytes]) -> None:
    _readers.pop(os.getpid(), None)
    reader.kill()
    with reader:  # closes the pipes and waits
        pass


@atexit.register
def _end_all() -> None:
    if reader := _readers.get(os.getpid()):
        with contextlib.suppress(OSError):
            _end(reader)


# What the process runs.


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    for line in requests:
        request = json.loads(line)
        path = Path(request["path"])
        try:
            with _bounded(path):
                raw = read_table(
                    path,
                    ReadOptions.model_validate(request["options"]),
                    Limits.model_validate(request["limits"]),
                )
        except HubError as met:
            _say(answers, {"error": as_json(met)})
            continue
        stays = raw.table.nbytes < _LARGE
        _say(
            answers,
            {
                "stated": {name: getattr(raw, name) for name in _STATED},
                "notes": [note.as_json() for note in raw.notes],
                "children": list(raw.children),
                "stays": stays,
            },
        )
        for table in (raw.table, raw.rejects, *raw.children.values()):
            with pa.ipc.new_stream(answers, table.schema) as stream:
                stream.write_table(table)
        answers.flush()
        if not stays:
            return


def _say(pipe: IO[bytes], answer: dict[str, Any]) -> None:
    pipe.write(json.dumps(answer).encode() + b"\n")
    pipe.flush()


@contextlib.contextmanager
def _bounded(path: Path) -> Iterator[None]:
    """Bound memory and processor time, where the system can, by the size of the file."""
    try:
        import resource

        size = path.stat().st_size if path.is_file() else 0
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (ImportError, OSError, ValueError, IndexError):
        yield
        return
    memory = min(MOST_MEMORY, LEAST_MEMORY + MEMORY_PER_BYTE * size)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = LEAST_SECONDS + SECONDS_PER_MIB * (size >> 20)
    bounds = {
        resource.RLIMIT_AS: pages * resource.getpagesize() + memory,
        resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime) + 1 + seconds,
    }
    before = {kind: resource.getrlimit(kind) for kind in bounds}
    for kind, bound in bounds.items():
        hard = before[kind][1]
        soft = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (soft, hard))
    try:
        yield
    finally:
        for kind, was in before.items():
            resource.setrlimit(kind, was)


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
