"""The false discovery rate: which of many tests to believe."""

from __future__ import annotations

import numpy as np

from ctdhub.stats.signals.tails import Floats


def q_values(p: Floats, weights: Floats | None = None) -> Floats:
    """Adjusted p-values of Y. Benjamini and Y. Hochberg (1995), J. R. Stat. Soc. B 57:289.

    All tests with a q-value of at most ``rate`` are believed; of these the share that is false is
    expected to be at most ``rate`` where the tests are independent or positively dependent.

    Args:
        p: p-values, any shape; nan where there was no test.
        weights: same shape, positive; p-values are divided by them, after they are scaled to the
            mean 1 over all tests (C. R. Genovese, K. Roeder and L. Wasserman 2006, Biometrika
            93:509).  They may not depend on what is tested.

    Returns:
        The same shape; nan where there was no test.

    >>> q_values(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    flat = p.ravel()
    found = np.full(flat.shape, np.nan)
    (tested,) = np.nonzero(~np.isnan(flat))
    if weights is not None and tested.size:
        flat = flat * (weights.ravel()[tested].mean() / weights.ravel())
    order = tested[np.argsort(flat[tested], kind="stable")]
    ranks = np.arange(1, order.size + 1)
    scaled = flat[order] * order.size / ranks
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return found.reshape(p.shape)
