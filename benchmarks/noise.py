"""Exact discrete Gaussian noise, beside OpenDP's sampler in the same run.

    python benchmarks/noise.py

Prints CPU microseconds per cell for a table of a million cells; the target is 0.5.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import opendp.prelude as dp

from ctdhub.dp.noise import Sampler

CELLS, PEER_CELLS, SIGMA2 = 1_000_000, 20_000, 5_000
TARGET_MICROSECONDS = 0.5


def main() -> int:
    """Print both; 1 where the target is missed."""
    start = time.process_time()
    Sampler(Fraction(SIGMA2)).draw(CELLS)
    ours = (time.process_time() - start) / CELLS * 1e6
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=int)
    peer = dp.m.make_gaussian(*space, scale=SIGMA2**0.5)
    start = time.process_time()
    peer([0] * PEER_CELLS)
    theirs = (time.process_time() - start) / PEER_CELLS * 1e6
    print(f"{'':28}{'CPU us a cell':>14}")
    print(f"{'ctdhub, table included':28}{ours:14.3f}")
    print(f"{'opendp':28}{theirs:14.3f}")
    print(f"{'ratio':28}{theirs / ours:14.1f}")
    print(f"{'target':28}{TARGET_MICROSECONDS:14.3f}")
    return int(ours > TARGET_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
