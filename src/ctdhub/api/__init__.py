"""The Python interface: what ``import ctdhub`` offers to researchers and programs.

Zone: assembly.  Opening hubs and releases, counts and tables with their intervals, facts in words,
protection of any table, drafts of mappings and harmonised files.
Not here: the work itself; what a contributor's program needs stays in ``sensitive`` and ``dp``.
Public: ``release``, ``protection``, ``records``; each module loads
its own zones only, so that reading a release loads no engine.
"""
