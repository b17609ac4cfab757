"""A file that is dropped goes straight into the kit's folder, and nowhere else on the disk."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from ctdhub.core.atomic import WRITING


class DroppedFile(UploadedFile):
    """A file on its way: already in the folder, under a name that only a killed run leaves behind.

    Attributes:
        place: where it is.
        sha256: of its bytes.
    """

    def __init__(self, place: Path, name: str, size: int, sha256: str) -> None:
        super().__init__(None, name, None, size, None, None)
        self.place, self.sha256 = place, sha256


class IntoTheFolder(FileUploadHandler):
    """Django's handler of files: each part is written as it comes."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        folder: Path = settings.KIT_FOLDER / "files"
        self._place = folder / f"{WRITING}{secrets.token_hex(8)}"
        handle = os.open(self._place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._out = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A part of it."""
        self._out.write(raw_data)
        self._hash.update(raw_data)

    def file_complete(self, file_size: int) -> DroppedFile:
        """It is whole."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        return DroppedFile(self._place, self.file_name or "", file_size, self._hash.hexdigest())

    def upload_interrupted(self) -> None:
        """It broke off."""
        self._out.close()
        self._place.unlink(missing_ok=True)
