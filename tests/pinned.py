"""What is the same in every process of the tests, whatever the machine and the day."""

from __future__ import annotations

import os
from datetime import date

from ctdhub.release.bundle import next_version

DAY = date(2026, 11, 27)
"""The day that names a release, for whoever says no other: tests and documents know the names that
hubs gave in this year."""


def checked(handle: int) -> None:
    """In place of ``os.fsync``: nobody waits for a disk.

    A test can kill a process, which loses nothing that was written, but not cut the power.  That
    data are forced to the disk before they count is seen by the calls themselves (``killer``).
    """
    os.fstat(handle)


PINNED = ((os, "fsync", checked), (next_version, "__defaults__", (DAY, None)))
"""Of what, which attribute, and its value."""
