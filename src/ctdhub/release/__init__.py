"""A release: an immutable, versioned, self-describing folder of protected files.

Belongs here: writing, describing, opening and verifying releases.
Does not belong here: statistics (``insight``), pages (``portal``), any unprotected value.
"""

from ctdhub.release.bundle import latest_release, next_version, write_release
from ctdhub.release.facts import Contributor, PublicFacts
from ctdhub.release.manifest import FileEntry, Manifest
from ctdhub.release.opening import Release, open_release
from ctdhub.release.verify import Problem, digest, verify

__all__ = [
    "Contributor",
    "FileEntry",
    "Manifest",
    "Problem",
    "PublicFacts",
    "Release",
    "digest",
    "latest_release",
    "next_version",
    "open_release",
    "verify",
    "write_release",
]
