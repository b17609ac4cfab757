"""A release: an immutable, versioned, self-describing folder of protected files.

Zone: right of the border.  Writing, describing, approving, opening and verifying releases.
Not here: statistics (``stats``), pages (``site``), any unprotected value.
Public: ``open.open_release``, ``verify``, ``bundle``.
"""
