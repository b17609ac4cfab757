"""When a share is precise enough for a decimal: one rule for numbers, sentences and charts."""

from __future__ import annotations

FINE = 0.02
"""Half-widths of shares below this are written with one decimal."""


def is_narrow(value: float, low: float, high: float) -> bool:
    """Whether a share is written with a decimal: where its interval is that narrow.

    >>> is_narrow(0.5, 0.49, 0.51), is_narrow(0.5, 0.49, 0.52)
    (True, False)
    """
    return max(high - value, value - low) < FINE
