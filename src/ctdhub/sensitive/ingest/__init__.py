"""Contributed files to tables of text: read anything, trust nothing.

Zone: sensitive.  Formats, encodings, limits, direct identifiers.
Not here: the meaning of values (``sensitive.mapping``).
Public: ``raw.read_table``, ``raw.RawTable``, ``options.ReadOptions``.
"""
