"""The tar inside a bundle: one spelling for the same files, so that equal input gives equal bytes.

Reading takes no path from the archive.  It knows the names that a bundle has, and accepts an
archive only where writing the same files again gives the same bytes: links, devices, further
files, paths, times and anything that other programs would understand otherwise are refused so.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.bundle.manifest import DATA, MANIFEST, MAPPING, REPORT, SIGNATURE

ORDER = (MANIFEST, SIGNATURE, DATA, MAPPING, REPORT)
"""All files of a bundle, in their order."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of exactly the files in :data:`ORDER`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ORDER:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(files[name]), 0o600, 0
            archive.addfile(entry, io.BytesIO(files[name]))
    return out.getvalue()


def unpack(content: bytes, file: str = "") -> dict[str, bytes]:
    """The files of an archive by name.

    Raises:
        FileError: it is not the archive that :func:`pack` makes (rule "bundle-form").
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for name in ORDER:
                entry = archive.next()
                if entry is None or entry.name != name or not entry.isreg():
                    raise error("bundle-form", file=file)
                inside = archive.extractfile(entry)
                found[name] = inside.read() if inside else b""
    except (tarfile.TarError, EOFError, ValueError, OverflowError):
        raise error("bundle-form", file=file) from None
    if pack(found) != content:
        raise error("bundle-form", file=file)
    return found
