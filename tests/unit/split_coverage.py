"""How often the intervals of a split change hold the truth, by kind of part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from practice_releases import Practice

from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import Interval
from ctdhub.stats.decomposition import ChangeSubject, counts, split

SPANS = range(2009, 2026)
BACK = 1, 5


def coverage(
    practice: Practice, held: Iterable[Answers], questions: Sequence[ChangeSubject]
) -> dict[str, tuple[int, int]]:
    """Intervals that hold the truth, and all, by kind: "change", "share" and kinds of parts.

    Args:
        held: releases of the practice people under other noise.
    """
    found: dict[str, tuple[int, int]] = {}

    def add(kind: str, said: Interval, true: float) -> None:
        hit = (said.low or 0) <= true <= (said.high or 0)
        found[kind] = found.get(kind, (0, 0))[0] + hit, found.get(kind, (0, 0))[1] + 1

    for answers in held:
        for question in questions:
            noisy = counts(answers, question)
            assert noisy is not None
            assert noisy.apart
            exact = practice.truth(noisy, answers)
            for later in SPANS:
                for earlier in (later - back for back in BACK):
                    said, true = split(noisy, earlier, later), split(exact, earlier, later)
                    assert said is not None
                    assert true is not None
                    assert said.value == sum(part.value for part in said.parts)
                    add("change", Interval(said.value, said.low, said.high), true.value)
                    if [p.kind for p in said.parts] != [p.kind for p in true.parts]:
                        continue  # a group near the limit of what can be split
                    for a, b in zip(said.parts, true.parts, strict=True):
                        add(a.kind, Interval(a.value, a.low, a.high), b.value)
                    for c, d in zip(said.shares or (), true.shares or (), strict=False):
                        add("share", c, d.value or 0)
    return found
