"""The drawer of signed papers: each a file of ciphertext by its key, which the web cannot open.

They lie beside the inbox, encrypted to an identity of their own that is never destroyed.
"""

from __future__ import annotations

from pathlib import Path

from ctdhub.core import atomic
from ctdhub.desk.uploads.inbox import checked_key, sealed

_FOLDER = ".papers"
_FILE = 0o660
"""The web process puts papers in and the worker takes them out: two users of one group."""


class PaperDrawer:
    """The folder of papers.

    Args:
        inbox: the folder of the inbox, in which it is; made where there is none.
    """

    def __init__(self, inbox: Path) -> None:
        self.folder = inbox / _FOLDER
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o770)

    @property
    def recipients_file(self) -> Path:
        """Whom papers are encrypted to; the worker writes it."""
        return self.folder / "recipients.txt"

    def place(self, key: str) -> Path:
        """The file of a paper.

        Args:
            key: of its row, 32 hexadecimal digits; anything else is no place.
        """
        return self.folder / f"{checked_key(key)}.age"

    def keep(self, key: str, plain: bytes) -> None:
        """Encrypt a paper and force it to the disk.

        Raises:
            FileError: the worker has not said yet to whom to encrypt (rule "inbox-closed").
            OSError: the disk is full, or refuses.
        """
        atomic.write_new(self.place(key), sealed(plain, self.recipients_file), _FILE)
        atomic.sync(self.folder)

    def remove(self, key: str) -> None:
        """Delete a paper; nothing happens where there is none."""
        self.place(key).unlink(missing_ok=True)
        atomic.sync(self.folder)
