"""The linkage key of a kit over HTTP: taken, kept, replaced only where the form says so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctdhub.core.keys.linkage import (
    is_locked,
    new_key,
    read_linkage_key,
    stated_fingerprint,
    write_linkage_key,
)


class Kit:
    """A kit in a process of its own, and a browser without scripts."""

    def __init__(self, once: str) -> None:
        self.origin = "/".join(once.split("/")[:3])
        with urllib.request.urlopen(once, timeout=60) as home:
            self.home: str = home.url

    def post(self, path: str, **given: str | Path) -> tuple[int, str, str]:
        """Status, where it led and the page."""
        body = b""
        for name, value in given.items():
            file = f'; filename="{value.name}"' if isinstance(value, Path) else ""
            content = value.read_bytes() if isinstance(value, Path) else value.encode()
            body += f'--x7\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
            body += content + b"\r\n"
        told = {"Content-Type": "multipart/form-data; boundary=x7", "Origin": self.origin}
        asked = urllib.request.Request(self.home + path, body + b"--x7--\r\n", told)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as met:
            return met.code, met.url, met.read().decode()


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    run = "from ctdhub.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", run, "kit", "--no-browser", "--folder", str(tmp_path / "kit")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CTDHUB_LANG": "en"},
    )
    assert process.stdout is not None
    yield Kit(next(line.strip() for line in process.stdout if line.startswith("http://")))
    process.terminate()
    process.wait(20)


def test_another_key_takes_the_place_only_where_the_form_says_so(kit: Kit, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("Name,Born\nSecret,1999-01-02\n", "utf-8")
    _status, there, _page = kit.post("drop/", file=table)
    key = re.search(r"deliveries/([0-9a-f]{32})/", there)
    assert key
    page = f"deliveries/{key[1]}/tokens/"
    kept, files = tmp_path / "kit" / "linkage.key", [tmp_path / f"{i}.key" for i in range(3)]
    for file, passphrase in zip(files, ("", "", "four small words here"), strict=True):
        write_linkage_key(file, new_key(), passphrase)
    assert kit.post(page, key=files[0])[0] == 200
    first = kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600
    status, _where, text = kit.post(page, key=files[1])
    assert (status, kept.read_bytes()) == (422, first)
    assert "There is a problem" in text
    assert kit.post(page, key=table, replace="yes")[0] == 422, "no key"
    assert kit.post(page, key=files[2], replace="yes", passphrase="wrong")[0] == 422
    assert kept.read_bytes() == first
    assert kit.post(page, key=files[1], replace="yes")[0] == 200
    assert stated_fingerprint(kept) == stated_fingerprint(files[1])
    assert kit.post(page, key=files[2], replace="yes", passphrase="four small words here")[0] == 200
    assert is_locked(kept)
    assert read_linkage_key(kept, "four small words here").secret
    left = {path.name for path in (tmp_path / "kit").rglob("*") if path.is_file()}
    assert not [name for name in left if name.startswith(".")], left
