"""Secrets that several people hold together.

Belongs here: arithmetic on secrets that knows nothing of what they are for.
Does not belong here: signing keys of those who approve (``release.keys``), what a secret opens.
"""

from ctdhub.keys.shares import MOST, Share, join, split

__all__ = ["MOST", "Share", "join", "split"]
