"""Synthetic records that agree with noisy tables.

Zone: privacy.  Works on noisy tables alone.
Not here: exact counts, published counts of corridors (``dp.published``).
Public: ``fit``.
"""
