"""Privacy-preserving record linkage at the contributor: identifiers become keyed tokens.

Zone: sensitive.  What a contributor runs before a file is sent.
Not here: the hub's side (``sensitive.linkage.review``), the key itself (``core.keys``).
Public: ``tokenise``, ``derive``.
"""
