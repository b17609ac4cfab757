"""Secrets: in shares that several people hold, and in files of their own.

Belongs here: arithmetic on secrets and files of secrets, which know nothing of what they are for.
Does not belong here: signing keys of those who approve (``release.keys``), what a secret opens.
"""

from ctdhub.keys.files import write_new
from ctdhub.keys.shares import MOST, Share, join, split

__all__ = ["MOST", "Share", "join", "split", "write_new"]
