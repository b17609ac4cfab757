"""The command on the path of a shell, answered by forks of a process that has built a hub.

A script that is run as a reader types it starts the command a dozen times, and to load what a build
needs takes longer each time than a small build.  So a process of its own builds once, waits at a
socket, and forks a child for each command, with its words, folder, environment and files.

Not the process that runs the tests: a child would begin with what is under way in its other threads
and in what else was tested in it, a browser's greenlets, a server, a cluster's client.  One has
crashed.  This process has no thread of Python but one, and the pools of pyarrow and numpy are made
to be forked.
"""

from __future__ import annotations

import gc
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect("{place}")
    said = json.dumps([os.getcwd(), dict(os.environ), sys.argv[1:]]).encode()
    socket.send_fds(server, [len(said).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(said)
    sys.exit(int(server.recv(8) or b"70"))
"""
WIDTH = 200
ROOT = Path(__file__).parents[1]


@contextmanager
def served(command: Path, built: Path) -> Iterator[None]:
    """Lay an executable at a path; as long as this lasts it is the command of this source.

    It draws few kinds of page.

    Args:
        built: a built hub, of which the process builds a copy first.
    """
    place = command.with_name(".served")
    command.write_text(CLIENT.format(python=sys.executable, place=place), "utf-8")
    command.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno()), str(built)],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    try:
        yield
    finally:
        server.communicate()  # its input ends, and so does it
        assert server.returncode == 0


def serve(listener: socket.socket) -> None:
    """Answer whoever comes, several at once where a pipe needs them, until the input ends."""
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        asked, _address = listener.accept()
        with asked:
            assert threading.active_count() == 1, "a fork has a copy of one thread only"
            if os.fork() == 0:
                listener.close()
                _answer(asked)
                os._exit(0)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _answer(asked: socket.socket) -> None:
    size, files, _flags, _from = socket.recv_fds(asked, 8, 3)
    with asked.makefile("rb") as stream:
        said = json.loads(stream.read(int.from_bytes(size, "big")))
    if (child := os.fork()) == 0:
        asked.close()
        os._exit(_run(files, *said))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    asked.sendall(str(code).encode())


def _run(files: list[int], folder: str, environment: dict[str, str], words: list[str]) -> int:
    """In a child: the command with the words; gives its exit code."""
    from ctdhub.cli import main, output
    from tests.fixtures.hubs import FEW

    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(n, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the child lives
        for n, mode in enumerate("rww")
    )
    code = 70
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        output.console.width = output.errors.width = WIDTH
        sys.argv = ["ctdhub", *words]
        for target, name, value in FEW:
            setattr(target, name, value)
        main.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - whatever it is, the test is told
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def warm(built: Path) -> None:
    """Build once, so that children of this process have loaded what a build and a site need."""
    from ctdhub.hub import pipeline
    from ctdhub.hub.folder import Hub
    from tests.fixtures.hubs import outdated
    from tests.pinned import PINNED

    for target, name, value in PINNED:
        setattr(target, name, value)
    with tempfile.TemporaryDirectory() as folder:
        pipeline.build(outdated(Hub(built), Path(folder) / "hub"), until="release")
    import_module("ctdhub.site.build")
    gc.collect()
    gc.freeze()  # a child shares what it does not change


if __name__ == "__main__":
    warm(Path(sys.argv[2]))
    serve(socket.socket(fileno=int(sys.argv[1])))
