"""Passwords that are known, and sentences that are not."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.desk.desks import Desk


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword", "Password12345678", "qwertyuiop123456", "1234567890123456",
        "abcdefghijklmnopq", "zxcvbnmasdfghjkl", "aaaaaaaaaaaaaaaaaaaa", "iloveyouiloveyou1",
        "monkeymonkeymonkey", "ab1ab1ab1ab1ab1ab1", "azertyuiopqsdfghjklm", "9876543210987654",
    ],
)  # fmt: skip
def test_well_known_passwords_are_refused(desk: Desk, password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "a sentence that is long enough",
        "correct horse battery staple", "le chat dort sous la pluie",
        "المطر ينزل على البحر", "xK9#mPq2vL8wRt5z", "tres tristes tigres comen trigo",
    ],
)  # fmt: skip
def test_sentences_are_taken(desk: Desk, password: str) -> None:
    validate_password(password)


def test_stolen_passwords_are_refused_from_a_file(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.desk.accounts.signing_in import is_known

    known = [f"stolen sentence number {i}" for i in range(200)]
    lines = sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in known)
    counts, bare = tmp_path / "counts.txt", tmp_path / "bare.txt"
    made = random.Random(1)
    counts.write_text("\r\n".join(f"{line}:{made.randrange(10**6)}" for line in lines), "ascii")
    bare.write_text("\n".join(lines) + "\n", "ascii")
    for file in (counts, bare):
        assert all(is_known(one, file) for one in known)
        assert not any(is_known(f"{one}.", file) for one in known)
    (tmp_path / "empty").write_bytes(b"")
    assert not is_known(known[0], tmp_path / "empty")
    monkeypatch.setattr(
        desk.config, "file", desk.config.file.model_copy(update={"known_passwords": bare})
    )
    from ctdhub.desk.config import use

    use(desk.config)
    validate_password("another sentence entirely, not stolen")
    with pytest.raises(ValidationError, match="stolen"):
        validate_password(known[7])
    bare.unlink()
    with pytest.raises(ValidationError, match="cannot be read"):  # never taken unlooked at
        validate_password("another sentence entirely, not stolen")
