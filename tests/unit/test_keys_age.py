"""age files: opened by their holder alone, proven to the last byte, nothing left of what failed."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import FileError, HubError
from ctdhub.core.keys import age

WORDS = os.urandom(200_000)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, str]:
    return tmp_path / "own.key", age.make_identity(tmp_path / "own.key")


def closed(recipients: list[str]) -> bytes:
    out = io.BytesIO()
    age.encrypt(io.BytesIO(WORDS), out, recipients)
    return out.getvalue()


def test_opened_by_each_recipient_and_by_nobody_else(
    pair: tuple[Path, str], tmp_path: Path
) -> None:
    own, recipient = pair
    second, third = tmp_path / "second.key", tmp_path / "third.key"
    sealed = closed([recipient, age.make_identity(second)])
    age.make_identity(third)
    for key in (own, second):
        age.decrypt(io.BytesIO(sealed), tmp_path / "plain", [third, key])
        assert (tmp_path / "plain").read_bytes() == WORDS
        assert (tmp_path / "plain").stat().st_mode & 0o777 == 0o600
        (tmp_path / "plain").unlink()
    with pytest.raises(FileError, match="somebody else"):
        age.decrypt(io.BytesIO(sealed), tmp_path / "plain", [third])
    assert own.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileError, match="never overwritten"):
        age.make_identity(own)


def test_nothing_is_left_of_what_was_changed_or_cut(pair: tuple[Path, str], tmp_path: Path) -> None:
    own, recipient = pair
    sealed, room = closed([recipient]), tmp_path / "room"
    room.mkdir()
    (room / "plain").write_bytes(b"the one before")
    places = [0, 30, 150, 210, 70_000, len(sealed) - 1]
    flipped = [sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :] for n in places]
    cut = [sealed[:n] for n in (0, 100, 65_000, 65_752, len(sealed) - 1)]
    for bad in (*flipped, *cut, sealed + b"x", b"no age file", b"PK\x03\x04"):
        with pytest.raises(FileError) as met:
            age.decrypt(io.BytesIO(bad), room / "plain", [own])
        assert met.value.rule == "age-unreadable"
        assert [f.name for f in room.iterdir()] == ["plain"]
        assert (room / "plain").read_bytes() == b"the one before"


def test_a_full_disk_is_no_damaged_file(
    pair: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, recipient = pair
    sealed = closed([recipient])

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        age.encrypt(io.BytesIO(WORDS), Full(), [recipient])
    monkeypatch.setattr(age.os, "fdopen", lambda handle, _: os.close(handle) or Full())
    with pytest.raises(OSError, match="No space"):
        age.decrypt(io.BytesIO(sealed), tmp_path / "plain", [own])
    assert [f.name for f in tmp_path.iterdir()] == ["own.key"]


def test_keys_are_read_as_the_age_tool_writes_them(pair: tuple[Path, str], tmp_path: Path) -> None:
    own, recipient = pair
    file = tmp_path / "recipients.txt"
    file.write_text(f"# worker\r\n\n  {recipient}\n")
    assert age.read_recipients(file) == (recipient,) == age.recipients_of(own)
    age.write_recipients(file, [recipient])
    assert age.read_recipients(file) == (recipient,)
    for text in ("", "# none\n", f"{recipient}x\n", own.read_text(), "ünïcode", "age1\n"):
        file.write_text(text)
        with pytest.raises(FileError) as met:
            age.read_recipients(file)
        assert met.value.rule == "age-key"
        assert "SECRET-KEY-1Q" not in str(met.value)
    for text in ("", recipient, "AGE-SECRET-KEY-1", "\0" * 1000):
        file.write_text(text)
        with pytest.raises(FileError):
            age.recipients_of(file)
    for nobody in ([], ["age1"], [recipient, ""]):
        with pytest.raises(FileError):
            age.encrypt(io.BytesIO(b""), io.BytesIO(), nobody)
        with pytest.raises(FileError):
            age.write_recipients(file, nobody)


@pytest.mark.skipif(not shutil.which("age"), reason="needs Debian's package age")
def test_the_age_tool_and_we_open_each_other(pair: tuple[Path, str], tmp_path: Path) -> None:
    own, recipient = pair
    (tmp_path / "ours.age").write_bytes(closed([recipient]))
    opened = subprocess.run(
        ["age", "-d", "-i", own, tmp_path / "ours.age"], capture_output=True, check=True
    )
    assert opened.stdout == WORDS
    theirs = subprocess.run(["age", "-r", recipient], input=WORDS, capture_output=True, check=True)
    age.decrypt(io.BytesIO(theirs.stdout), tmp_path / "plain", [own])
    assert (tmp_path / "plain").read_bytes() == WORDS


def test_the_command_makes_an_identity_without_a_passphrase(tmp_path: Path) -> None:
    own = tmp_path / "inbox.key"
    making = ["key", "new", "--for", "inbox", "--out", str(own)]
    run = CliRunner()
    refused = run.invoke(command(), [*making, "--passphrase"])
    assert isinstance(refused.exception, HubError)
    assert refused.exception.rule == "usage"
    assert not own.exists()
    made = run.invoke(command(), making)
    assert age.recipients_of(own)[0] in made.output.replace("\n", "")
