"""Sets of records for inference: read them, and pool what was estimated from each.

Belongs here: Rubin's rule for one number, and the reader of the sets beside protected records.
Does not belong here: how the sets are made (``dp.synth.imputations``), any model.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.client.shape import damage, damaged, frame, read_json
from ctdhub.client.source import Folder
from ctdhub.core.error_catalogue import error

_LARGEST = 2**30
"""Bytes."""


@dataclass(frozen=True)
class Pooled:
    """One estimate from several sets.

    Attributes:
        estimate: the mean over the sets.
        standard_error: of sampling and of the noise of privacy together.
        low, high: the confidence interval.
        df: degrees of freedom of the t distribution that the interval is made with; infinite where
            the sets agree.
        noise_share: share of the variance that the noise of privacy makes, 0 to 1.
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    df: float
    noise_share: float


def pool(estimates: Sequence[float], variances: Sequence[float], *, level: float = 0.95) -> Pooled:
    """Pool one number that was estimated from each set by itself.

    With U the mean of the variances and B the variance of the m estimates between the sets, the
    variance is T = U + (1 + 1/m) B, and the interval is of a t distribution with
    (m - 1) (1 + U / ((1 + 1/m) B))^2 degrees of freedom (Rubin 1987, chapter 3).  With few sets
    the interval is wide where noise matters; 10 are usually enough.

    Args:
        estimates: one from each set, at least two.  The estimate should be about normal: the
            logarithm of an odds ratio, not the ratio.
        variances: their squared standard errors, as if the records of a set were real; above 0.
        level: of the interval, between 0 and 1.

    Raises:
        SiteError: fewer than two sets, not as many variances, a number that is none
            (``pool-numbers``).

    >>> found = pool([0.52, 0.47, 0.55, 0.50, 0.46], [0.0025] * 5)
    >>> round(found.estimate, 3), round(found.standard_error, 4), round(found.df)
    (0.5, 0.0642, 26)
    >>> round(found.low, 3), round(found.high, 3), round(found.noise_share, 2)
    (0.368, 0.632, 0.39)
    """
    from scipy.special import ndtri, stdtrit

    m = len(estimates)
    numbers = [float(x) for x in (*estimates, *variances)]
    if m < 2 or len(variances) != m or not all(map(math.isfinite, numbers)):
        raise error("pool-numbers")
    if min(numbers[m:]) <= 0 or not 0 < level < 1:
        raise error("pool-numbers")
    mean, inside = math.fsum(numbers[:m]) / m, math.fsum(numbers[m:]) / m
    between = (1 + 1 / m) * math.fsum((x - mean) ** 2 for x in numbers[:m]) / (m - 1)
    total = inside + between
    df = (m - 1) * (total / between) ** 2 if between > 0 else math.inf
    tail = 0.5 + level / 2
    reach = float(stdtrit(df, tail) if math.isfinite(df) else ndtri(tail)) * math.sqrt(total)
    return Pooled(mean, math.sqrt(total), mean - reach, mean + reach, df, between / total)


SET = "imputation-{k:02}.parquet"
"""A set in a release of a hub."""


def open_imputations(folder: str | Path, *, arrow: bool = False) -> Iterator[Any]:
    """The sets for inference of a table that was protected, one after the other.

    Args:
        folder: what ``ctdhub protect --imputations`` wrote, or the folder of a release of a hub
            whose policy asks for sets; of a site take :meth:`Site.imputations`.
        arrow: give pyarrow Tables even where pandas is installed.

    Yields:
        A set: one row per made-up person, missing where not recorded.  Sets differ in their number
        of rows.

    Raises:
        SiteError: there are no sets (``no-imputations``); a file is missing or was changed.
    """
    import pyarrow.parquet as pq

    source = Folder(Path(folder))
    manifest = read_json(source, "manifest.json")
    with damage():
        sets, files = int(manifest.get("imputations", 0)), dict(manifest["files"])
    if not sets:
        raise error("no-imputations")
    for k in range(1, sets + 1):
        name = f"imputations/records-{k:02}.parquet"
        if name not in files:  # a release has no folders
            name = SET.format(k=k)
        content = source.read(name, _LARGEST)
        with damage():
            right = hashlib.sha256(content).hexdigest() == files[name]["sha256"]
        if not right:
            raise damaged(name)
        with damage():
            table = pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)
        yield frame(table, {"set": k, "sets": sets}, arrow=arrow)
