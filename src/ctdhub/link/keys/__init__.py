"""The linkage key that contributors share: its files, its way from one to another, its shares.

Belongs here: making, keeping, wrapping, splitting and rotating the key.
Does not belong here: what it is for (``link.tokens``), keys to approve with (``release.keys``).
"""

from ctdhub.link.keys.envelope import is_envelope, make_pair, public_half, unwrap, wrap
from ctdhub.link.keys.file import (
    LinkageKey,
    holds_secret,
    is_linkage_key,
    is_locked,
    new_key,
    read_linkage_key,
    write_linkage_key,
)
from ctdhub.link.keys.shares import join_files, split_files

__all__ = [
    "LinkageKey",
    "holds_secret",
    "is_envelope",
    "is_linkage_key",
    "is_locked",
    "join_files",
    "make_pair",
    "new_key",
    "public_half",
    "read_linkage_key",
    "split_files",
    "unwrap",
    "wrap",
    "write_linkage_key",
]
