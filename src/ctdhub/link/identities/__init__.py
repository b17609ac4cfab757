"""Linking where identifiers may be held: at contributors or a unit that they trust, with Splink.

Belongs here: what runs left of a hub, on names and birth dates of several contributors.
Does not belong here: the hub, which sees tokens alone (``link.clusters``).
"""

from ctdhub.link.identities.account import REVIEW_FILE, SUMMARY_FILE, TOKENS_FILE
from ctdhub.link.identities.engine import check_installed
from ctdhub.link.identities.features import more_columns
from ctdhub.link.identities.join import LEAVES, Held, check_earlier, check_files, link_files

__all__ = [
    "LEAVES",
    "REVIEW_FILE",
    "SUMMARY_FILE",
    "TOKENS_FILE",
    "Held",
    "check_earlier",
    "check_files",
    "check_installed",
    "link_files",
    "more_columns",
]
