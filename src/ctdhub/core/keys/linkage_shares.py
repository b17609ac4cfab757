"""The linkage key in shares: any k of n give it back, fewer say nothing about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.keys import pem
from ctdhub.core.keys.linkage import SHARE, SIZE, LinkageKey, checked
from ctdhub.core.keys.shamir import MOST, Share, join, split


def split_files(key: LinkageKey, need: int, shares: int, folder: Path) -> tuple[Path, ...]:
    """Write one file per share into a folder, which is made if it is not there.

    Raises:
        FileError: need or shares are out of range, or a file exists.
    """
    if not 2 <= need <= shares <= MOST:
        raise error("shares")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = []
    for number, share in split(key.secret, shares, need):
        paths.append(folder / f"share-{number}-of-{shares}.key")
        pem.write(
            paths[-1],
            SHARE,
            {
                "note": f"any {need} of {shares} shares give the key; a hub never holds one",
                "generation": str(key.generation),
                "fingerprint": key.fingerprint,
                "need": str(need),
                "number": str(number),
                "share": pem.encode(share),
            },
        )
    return tuple(paths)


def join_files(paths: Sequence[Path]) -> LinkageKey:
    """The key out of files of shares.

    Raises:
        FileError: a file is no share or is damaged, shares belong to different keys, or they are
            too few.
    """
    points: dict[int, bytes] = {}
    seen: dict[str, str] = {}
    for path in paths:
        label, fields = pem.read(path)
        number = fields.get("number", "")
        if label != SHARE or not _number(number):
            raise pem.broken(path)
        same = {name: fields.get(name, "") for name in ("generation", "fingerprint", "need")}
        seen = seen or same
        if same != seen:
            raise error("key-unreadable/different-keys", file=path)
        if not 1 <= int(number) <= MOST:
            raise pem.broken(path)
        points[int(number)] = pem.decode(fields.get("share", ""), path, SIZE)
    need = seen.get("need", "")
    if not _number(need) or not 2 <= int(need) <= len(points):
        raise error("shares/too-few", need=need or "2")
    found = [Share(number, content) for number, content in points.items()]
    return checked(paths[0], join(found, int(need)), seen)


def _number(text: str) -> bool:
    """Whether a text is a whole number of at most three digits."""
    return text.isascii() and text.isdigit() and len(text) < 4
