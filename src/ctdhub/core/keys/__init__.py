"""Secrets and their files: signing keys, the linkage key, shares and envelopes of either.

Zone: ground.
Not here: what a key opens (``sensitive.linkage.pprl``, ``release.approvals``).
Public: ``signing``, ``linkage``, ``envelope``.
"""
