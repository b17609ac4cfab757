"""The key that contributors share: kept, passed on, split, rotated, and never broken silently."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from ctdhub.cli.app import command, run
from ctdhub.core.errors import FileError
from ctdhub.core.keys import secret_files
from ctdhub.core.keys.envelope import make_pair, public_half, unwrap, wrap
from ctdhub.core.keys.linkage import (
    holds_secret,
    is_linkage_key,
    is_locked,
    join_files,
    new_key,
    read_linkage_key,
    split_files,
    write_linkage_key,
)
from ctdhub.core.keys.signing import make_key, read_key

KEY = new_key()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("passphrase", ["", "correct horse ü"])
def test_a_key_is_read_as_it_was_written(tmp_path: Path, passphrase: str) -> None:
    path = tmp_path / "link.key"
    write_linkage_key(path, KEY, passphrase)
    assert mode(path) == 0o600
    assert read_linkage_key(path, passphrase) == KEY
    assert is_linkage_key(path)
    assert is_locked(path) == bool(passphrase)
    if passphrase:
        assert KEY.secret not in path.read_bytes()
        with pytest.raises(FileError):
            read_linkage_key(path, "wrong")
    with pytest.raises(FileError) as error:
        write_linkage_key(path, KEY)
    assert error.value.rule == "key-exists"


def test_a_key_never_shows_itself() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert new_key().fingerprint != KEY.fingerprint


def test_rotation_leads_forward_only() -> None:
    following = KEY.rotated()
    assert following == KEY.rotated()
    assert following.generation == KEY.generation + 1
    assert following.secret != KEY.secret
    assert following.rotated().secret not in (KEY.secret, following.secret)


@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_an_envelope_opens_for_one(tmp_path: Path, passphrase: str) -> None:
    public = make_pair(tmp_path / "own.pem", passphrase)
    make_pair(tmp_path / "other.pem")
    assert mode(tmp_path / "own.pem") == 0o600
    assert public_half(tmp_path / "own.pem", passphrase) == public
    (tmp_path / "own.pub").write_text(public + "\n", "utf-8")
    wrap(KEY.rotated(), public, tmp_path / "a.key")
    wrap(KEY.rotated(), str(tmp_path / "own.pub"), tmp_path / "b.key")
    assert (tmp_path / "a.key").read_bytes() != (tmp_path / "b.key").read_bytes()
    for name in ("a.key", "b.key"):
        assert unwrap(tmp_path / name, tmp_path / "own.pem", passphrase) == KEY.rotated()
        with pytest.raises(FileError, match="somebody else"):
            unwrap(tmp_path / name, tmp_path / "other.pem")
    with pytest.raises(FileError):
        unwrap(tmp_path / "a.key", tmp_path / "own.pem", "wrong")


@pytest.mark.parametrize("to", ["", "x25519:", "x25519:AAAA", "ed25519:AAAA", "x25519:" + "A" * 44])
def test_no_envelope_to_nobody(tmp_path: Path, to: str) -> None:
    with pytest.raises(FileError) as caught:
        wrap(KEY, to, tmp_path / "a.key")
    assert (caught.value.rule, caught.value.file) == ("public-key", None)
    (tmp_path / "their.pub").write_text(to, "utf-8")
    with pytest.raises(FileError) as caught:
        wrap(KEY, str(tmp_path / "their.pub"), tmp_path / "a.key")
    assert (caught.value.rule, caught.value.file) == ("public-key", "their.pub")
    assert not (tmp_path / "a.key").exists()


def test_an_envelope_is_shown_the_way_to_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap(KEY, make_pair(tmp_path / "own.pem"), tmp_path / "a.key")
    monkeypatch.setattr("sys.argv", ["ctdhub", "key", "show", str(tmp_path / "a.key")])
    with pytest.raises(FileError, match="ctdhub key unwrap") as caught:
        run(command("key"))
    assert caught.value.file == "a.key"


def test_one_key_has_one_spelling(tmp_path: Path) -> None:
    """Base64 of 32 bytes ends in a letter of which two bits say nothing."""
    text = secret_files.encode(bytes(32))
    assert secret_files.decode(text, tmp_path) == bytes(32)
    with pytest.raises(FileError):
        secret_files.decode(text[:-2] + "B=", tmp_path)


def test_a_public_half_that_leads_to_no_secret_is_refused(tmp_path: Path) -> None:
    """The zero point of the curve makes every shared secret zero (RFC 7748, section 6.1)."""
    with pytest.raises(FileError):
        wrap(KEY, "x25519:" + "A" * 43 + "=", tmp_path / "a.key")


@pytest.mark.parametrize("kind", ["open", "locked", "envelope", "share"])
def test_a_changed_file_is_noticed(tmp_path: Path, kind: str) -> None:
    """Each letter of each field, one at a time; of a locked key a few: scrypt takes its time."""
    path, changed = tmp_path / "k", tmp_path / "changed"
    public = make_pair(tmp_path / "own.pem")
    if kind == "envelope":
        wrap(KEY, public, path)
    elif kind == "share":
        path = split_files(KEY, 2, 2, tmp_path / "s")[0]
    else:
        write_linkage_key(path, KEY, "word" if kind == "locked" else "")
    lines = path.read_text("ascii").splitlines()
    places = [
        (i, j)
        for i, line in enumerate(lines)
        if not line.startswith(("-----", "note"))
        for j in range(line.index(": ") + 2, len(line))
    ]
    reads = {
        "open": lambda: read_linkage_key(changed),
        "locked": lambda: read_linkage_key(changed, "word"),
        "envelope": lambda: unwrap(changed, tmp_path / "own.pem"),
        "share": lambda: join_files([changed, tmp_path / "s" / "share-2-of-2.key"]),
    }
    for i, j in places[:: 40 if kind == "locked" else 1]:
        letter = "B" if lines[i][j] != "B" else "C"
        altered = [*lines[:i], lines[i][:j] + letter + lines[i][j + 1 :], *lines[i + 1 :]]
        changed.write_text("\n".join(altered) + "\n", "ascii")
        with pytest.raises(FileError):
            reads[kind]()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"-----BEGIN CTDHUB LINKAGE KEY-----\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "k"
    path.write_bytes(content)
    own = tmp_path / "own.pem"
    make_pair(own)
    for read in (
        lambda: read_linkage_key(path),
        lambda: join_files([path]),
        lambda: unwrap(path, own),
        lambda: public_half(path),
        lambda: read_linkage_key(tmp_path / "nothing"),
    ):
        with pytest.raises(FileError):
            read()


def test_keys_of_other_kinds_are_not_taken(tmp_path: Path) -> None:
    make_key(tmp_path / "sign.pem")
    make_pair(tmp_path / "receive.pem")
    with pytest.raises(FileError):
        public_half(tmp_path / "sign.pem")
    with pytest.raises(FileError):
        read_key(tmp_path / "receive.pem")
    assert not is_linkage_key(tmp_path / "sign.pem")


# Shares.


def test_any_so_many_shares_give_the_key_and_fewer_do_not(tmp_path: Path) -> None:
    paths = split_files(KEY, 3, 5, tmp_path)
    assert {mode(path) for path in paths} == {0o600}
    for size in range(1, 6):
        for some in itertools.combinations(paths, size):
            if size >= 3:
                assert join_files(some) == KEY
            else:
                with pytest.raises(FileError) as error:
                    join_files(some)
                assert error.value.rule == "shares"
    with pytest.raises(FileError):
        join_files([paths[0]] * 3)


def test_shares_of_two_keys_do_not_mix(tmp_path: Path) -> None:
    one, other = (split_files(new_key(), 2, 3, tmp_path / name) for name in "ab")
    with pytest.raises(FileError, match="different keys"):
        join_files([one[0], other[1]])


@pytest.mark.parametrize(("need", "shares"), [(1, 3), (4, 3), (0, 0), (2, 256), (-1, 2)])
def test_shares_that_cannot_be(tmp_path: Path, need: int, shares: int) -> None:
    with pytest.raises(FileError):
        split_files(KEY, need, shares, tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("need", ["0", "1", "²", "9999", ""])
def test_shares_that_ask_for_a_number_that_cannot_be(tmp_path: Path, need: str) -> None:
    paths = split_files(KEY, 2, 2, tmp_path)
    for path in paths:
        text = path.read_text("ascii")
        changed = text.replace("need: 2", f"need: {need}")
        assert changed != text
        path.write_text(changed, "utf-8")
    with pytest.raises(FileError):
        join_files(paths)


# What a hub notices.


def test_a_hub_notices_keys_whatever_their_name(tmp_path: Path) -> None:
    write_linkage_key(tmp_path / "a", KEY)
    write_linkage_key(tmp_path / "b", KEY, "word")
    split_files(KEY, 2, 2, tmp_path / "s")
    text = (tmp_path / "a").read_text("ascii")
    (tmp_path / "c.txt").write_text("\ufeffPlease keep this:\n" + text, "utf-8")
    (tmp_path / "d.txt").write_text(text, "utf-16")
    for path in (
        *(tmp_path / name for name in ("a", "b", "c.txt", "d.txt")),
        *(tmp_path / "s").iterdir(),
    ):
        assert holds_secret(path), path.name
    wrap(KEY, make_pair(tmp_path / "own.pem"), tmp_path / "e")
    for name in ("own.pem", "e"):
        assert not holds_secret(tmp_path / name), "an envelope may pass through anybody's hands"
