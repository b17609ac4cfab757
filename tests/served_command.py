"""The command on the path of a shell, answered by forks of this process.

A script that is run as a reader types it starts the command a dozen times.  To load what a build
needs takes longer each time than a small build, so a thread of this process waits at a socket, and
forks a child for each command that has its words, folder, environment and files.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctdhub.cli import main, output

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


@contextmanager
def served(command: Path) -> Iterator[None]:
    """Lay an executable at a path; as long as this lasts it is the command of this source."""
    place = command.with_name(".served")
    command.write_text(CLIENT.format(python=sys.executable, place=place), "utf-8")
    command.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        serving = threading.Thread(target=_serve, args=(listener,), daemon=True)
        serving.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            asked, _address = listener.accept()
        except OSError:
            return
        with asked:
            size, files, _flags, _from = socket.recv_fds(asked, 8, 3)
            with asked.makefile("rb") as stream:
                said = json.loads(stream.read(int.from_bytes(size, "big")))
            if (child := os.fork()) == 0:
                os._exit(_run(files, *said))
            for file in files:
                os.close(file)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            asked.sendall(str(code).encode())


def _run(files: list[int], folder: str, environment: dict[str, str], words: list[str]) -> int:
    """In a child: the command with the words; gives its exit code."""
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
        main.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - whatever it is, the test is told
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code
