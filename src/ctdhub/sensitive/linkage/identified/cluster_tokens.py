"""The one token that stands for a cluster, from the tokens of its rows.

A cluster takes the smallest ``link_token`` of its rows, so that somebody whom one file alone knows
has the token that `ctdhub tokens` gives.  Two clusters never share a token: the hub would join
them.  Where an earlier round of the release gave a row's person a token, the cluster keeps it: a
row is known again by all its tokens, or by its ``link_token`` where that stood for one alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from ctdhub.sensitive.linkage.identified.persons import Ints
from ctdhub.sensitive.linkage.pprl.derive import Tokeniser

Own = tuple[str, tuple[str, ...]]
"""What :meth:`Tokeniser.tokens` gives for a row: ``link_token`` or "", and all tokens."""


def stand_ins(
    cluster: Ints, own: Sequence[Own], tokeniser: Tokeniser, earlier: Mapping[str, set[str]]
) -> list[str]:
    """The token of each row's cluster; empty where a row stands alone and says too little.

    Args:
        cluster: cluster of each row.
        own: tokens of each row.
        tokeniser: the key and the release.
        earlier: by ``link_token`` of a row, and by :func:`fingerprint`, the tokens that stood for
            its persons before.
    """
    order = np.argsort(cluster, kind="stable")
    ends = np.flatnonzero(np.diff(cluster[order], append=-1))
    groups = np.split(order, ends[:-1] + 1) if len(order) else []
    found = [""] * len(own)
    taken: set[str] = set()
    choices = [_choices([own[i] for i in rows], earlier) for rows in groups]
    for at in sorted(range(len(groups)), key=lambda i: (not choices[i][0], choices[i])):
        kept, plain, every = choices[at]
        if not every or (len(groups[at]) == 1 and not plain):
            continue
        free = (token for token in (*kept, *plain) if token not in taken)
        token = next(free, "") or _made(tokeniser, every, taken)
        taken.add(token)
        for i in groups[at]:
            found[int(i)] = token
    return found


Choices = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _choices(own: Sequence[Own], earlier: Mapping[str, set[str]]) -> Choices:
    """Tokens of an earlier round, link tokens and all tokens of a cluster's rows, in order."""
    plain = {first for first, _tokens in own if first}
    kept = {token for one in own if (token := _before(one, earlier))}
    every = {token for _first, tokens in own for token in tokens}
    return tuple(sorted(kept)), tuple(sorted(plain)), tuple(sorted(every))


def fingerprint(tokens: Sequence[str]) -> str:
    """What a row is known by in the next round: a hash of all its tokens, whatever their order."""
    return hashlib.sha256("\0".join(sorted(tokens)).encode()).hexdigest()[:32]


def _before(own: Own, earlier: Mapping[str, set[str]]) -> str:
    """The token that stood for a row's person; empty where there was none, or it is not certain."""
    first, tokens = own
    for known in (fingerprint(tokens), first):
        stood = earlier.get(known, set()) if known else set()
        if len(stood) == 1:
            return next(iter(stood))
    return ""


def _made(tokeniser: Tokeniser, every: Sequence[str], taken: set[str]) -> str:
    """A token of its own, where the rows have none that is free."""
    texts = ("\0".join((*every, str(n))) for n in range(len(taken) + 1))
    return next(t for text in texts if (t := tokeniser.stand_in(text)) not in taken)
