"""Record linkage where identifiers may lawfully be held, with Splink (extra ``splink``).

Zone: sensitive.  Runs at contributors or at a unit that they trust, never at the hub.
Not here: the hub, which receives tokens alone (``sensitive.linkage.review``).
Public: ``link_files``.
"""
