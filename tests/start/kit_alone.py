"""The kit, used from the first page to a bundle by one process that also is the browser.

``python kit_alone.py FOLDER CARD FILE``: without ``fcntl`` and what only a hub needs, and with
locks as Windows has them.  Prints the name of the bundle.
"""

from __future__ import annotations

import http.client
import re
import sys
import threading
import types
from pathlib import Path
from urllib.parse import urlencode, urlsplit

BOUNDARY = "part"


class Visitor:
    """A browser that knows the address and nothing else."""

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc
        self.at = urlsplit(address).path

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> str:
        """A page, after the redirects to it."""
        line = http.client.HTTPConnection(self.host)
        headers = {"Origin": f"http://{self.host}", **({"Content-Type": kind} if kind else {})}
        line.request(method, path, body or None, headers)
        answer = line.getresponse()
        content = answer.read()
        if answer.status == 303 or answer.status == 302:
            self.at = answer.headers["Location"]
            return self.ask("GET", self.at)
        assert answer.status == 200, (answer.status, path, content[-2000:])
        return content.decode("utf-8", "replace")

    def form(self, path: str, **fields: str) -> str:
        """Send a form."""
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", path, urlencode(fields).encode(), kind)

    def file(self, path: str, field: str, given: Path) -> str:
        """Send a file."""
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; '
            f'filename="{given.name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        body = head.encode() + given.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.ask("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")


def as_windows() -> None:
    """No ``fcntl``, nothing of a hub; locks on bytes."""
    import subprocess  # which would take a module msvcrt for Windows itself

    from barred import Barred  # next to this script

    del subprocess
    from ctdhub.cli.main import OF_A_HUB

    absent = {"fcntl", *OF_A_HUB}
    for name in absent:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Barred(absent))
    held = types.ModuleType("msvcrt")
    held.LK_NBLCK, held.LK_UNLCK = 2, 0  # type: ignore[attr-defined]
    held.locking = lambda handle, mode, size: None  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = held


def main(folder: Path, card: Path, file: Path) -> None:
    as_windows()
    from ctdhub.kit.server import serve

    addresses: list[str] = []
    ready = threading.Event()

    def tell(address: str) -> None:
        addresses.append(address)
        ready.set()

    running = threading.Thread(target=serve, args=(folder, tell))
    running.start()
    assert ready.wait(60)
    visitor = Visitor(addresses[0])
    visitor.ask("GET", visitor.at)
    home = visitor.at
    visitor.file(f"{home}card/", "card", card)
    visitor.form(f"{home}card/", act="compared")
    visitor.file(f"{home}drop/", "file", file)
    columns = visitor.at
    for other in (
        "0/",
        "../identifiers/",
        "../problems/",
        "../history/",
        "../text/",
        "../numbers/",
    ):
        up, name = (1, other[3:]) if other.startswith("../") else (0, other)
        visitor.ask("GET", (columns.rsplit("/", 2)[0] + "/" if up else columns) + name)
    leaving = columns.rsplit("/", 2)[0] + "/leaving/"
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', visitor.ask("GET", leaving))
    assert digest, "nothing can leave"
    visitor.form(leaving, digest=digest[1])
    visitor.ask("GET", f"{visitor.at}file/")
    visitor.form(f"{home}end/")
    running.join(20)
    assert not running.is_alive()
    sys.stdout.write(next((folder / "bundles").iterdir()).name)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
