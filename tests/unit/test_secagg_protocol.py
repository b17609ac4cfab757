"""Masks cancel, lost contributors are recovered, and nobody learns more than the sum."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, combinations_with_replacement, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_round import NAMES, Play, numbers, stream

from ctdhub.core.keys.linkage import Share, join
from ctdhub.dp.secagg import masks, messages
from ctdhub.dp.secagg.masks import (
    SEED,
    Cells,
    Purpose,
    Secret,
    data,
    guarding,
    least_threshold,
    mask,
    unmask,
    unseal,
)
from ctdhub.dp.secagg.messages import Masked, Revealed, SumRequest

CELLS = 40


@settings(deadline=None, max_examples=25)
@given(data=st.data(), n=st.integers(3, 7))
def test_the_sum_is_exact_whoever_is_lost(data: st.DataObject, n: int) -> None:
    """Anybody may be lost before masking or before revealing, down to the threshold."""
    names = tuple(f"c{i}" for i in range(n))
    threshold = data.draw(st.integers(max(3, least_threshold(n, 1)), n))
    play = Play(names, threshold, data.draw(st.binary(min_size=1, max_size=8)))
    most = data.draw(st.sampled_from([1, 50, 2**32 - 1]))
    counts = {name: numbers(name, CELLS, most) for name in names}
    enough = st.integers(threshold, n)
    inside = data.draw(st.permutations(names))[: data.draw(enough)]
    answering = data.draw(st.permutations(names))[: data.draw(enough)]
    sent = play.masked({name: counts[name] for name in inside})
    asked = play.request(sent)
    found = play.total(sent, asked, play.revealed(asked, answering))
    assert np.array_equal(found, np.sum([counts[name] for name in inside], 0, dtype=np.uint32))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=30), st.integers(2, 6), st.data())
def test_masks_cancel_in_pairs(cells: list[int], n: int, data: st.DataObject) -> None:
    names = [f"c{i}" for i in range(n)]
    pair = {frozenset((a, b)): f"{a}{b}".ljust(SEED)[:SEED].encode() for a in names for b in names}
    own = {name: name.ljust(SEED).encode() for name in names}
    x = {name: np.array(cells, dtype=np.uint32) * np.uint32(i) for i, name in enumerate(names)}
    y = {
        a: mask(x[a], own[a], {b: pair[frozenset((a, b))] for b in names if b != a}, a)
        for a in names
    }
    gone = data.draw(st.sets(st.sampled_from(names), max_size=n - 1))
    there = [name for name in names if name not in gone]
    left = {(a, b): pair[frozenset((a, b))] for a in there for b in gone}
    total = np.sum([y[a] for a in there], 0, dtype=np.uint32)
    found = unmask(total, {a: own[a] for a in there}, left)
    assert np.array_equal(found, np.sum([x[a] for a in there], 0, dtype=np.uint32))


def test_a_long_mask_is_one_stream() -> None:
    """The parts in which a mask is made do not show."""
    cells = masks._AT_ONCE * 2 + 5
    whole = mask(np.zeros(cells, dtype=np.uint32), b"s" * SEED, {}, "a")
    start = mask(np.zeros(10, dtype=np.uint32), b"s" * SEED, {}, "a")
    assert np.array_equal(whole[:10], start)
    assert not np.array_equal(whole[masks._AT_ONCE : masks._AT_ONCE + 10], start)


def test_too_few_answers_give_no_seed() -> None:
    play = Play()
    sent = play.masked({name: numbers(name, CELLS) for name in NAMES})
    asked = play.request(sent)
    with pytest.raises(ValueError, match="too few"):
        play.total(sent, asked, play.revealed(asked, NAMES[:3]))


def test_nobody_reveals_both_seeds_that_guard_a_contributor() -> None:
    """Of one who is in the sum: its own seed, and none with another who is in it."""
    play = Play()
    for gone in (set(), {"clinic"}):
        asked = play.request(play.masked({n: numbers(n, CELLS) for n in NAMES if n not in gone}))
        for dealer in asked.bodies:
            others = messages.others(play.round, dealer)
            shown = {others[p - 1] for p in messages._seed_owners(play.round, asked, dealer) if p}
            assert shown == gone


# Four of five together, without the hub.


def readable(
    play: Play,
    who: tuple[str, ...],
    sent: dict[str, tuple[Masked, bytes]],
    asked: SumRequest,
    answers: dict[str, Revealed],
) -> dict[Any, Any]:
    """All that some parties can read of a round: every message, opened wherever one has the key.

    What nobody of them can open is told by its length.
    """
    secrets = {n: play.hub if n == messages.HUB else play.secrets[n] for n in who}
    public = {**play.round.keys, messages.HUB: play.round.terms.hub}

    def tried(sealed: bytes, purpose: Purpose, a: str, b: str, about: bytes) -> Any:
        for me, other in ((a, b), (b, a)):
            if me in secrets:
                key = secrets[me].agreed(public[other], play.round.digest, purpose)
                return unseal(key, sealed, about)
        for key in [s.agreed(p, play.round.digest, purpose)
                    for s in secrets.values() for p in public.values()]:  # fmt: skip
            with pytest.raises(ValueError, match="altered"):
                unseal(key, sealed, about)
        return len(sealed)

    side = play.side(messages.HUB)
    found: dict[Any, Any] = {"round": play.round.header(), "secrets": secrets}
    for name, (message, body) in sent.items():
        about = side.about("masked", name)
        found["masked", name] = tried(body, "masked", name, messages.HUB, about)
        for holder, sealed in message.deals.items():
            about = side.about("shares", name, holder, asked.bodies[name])
            found["share", name, holder] = tried(data(sealed), "shares", name, holder, about)
    for name, answer in answers.items():
        about = side.about("revealed", name, asked.hash)
        found["revealed", name] = tried(data(answer.sealed), "revealed", name, messages.HUB, about)
    return found


def played(play: Play, counts: dict[str, Cells], who: tuple[str, ...]) -> dict[Any, Any]:
    sent = play.masked(counts)
    asked = play.request(sent)
    return readable(play, who, sent, asked, play.revealed(asked, play.names))


def test_four_without_the_hub_read_the_same_whatever_the_fifth_counts() -> None:
    """They hold enough shares of its own seed; its masked counts are sealed for the hub."""
    play, four = Play(), tuple(n for n in NAMES if n != "refuge")
    theirs = {n: numbers(n, CELLS) for n in four}
    views = [
        played(play, {**theirs, "refuge": numbers(seed, CELLS)}, four) for seed in ("one", "two")
    ]
    assert views[0] == views[1]
    assert isinstance(views[0]["masked", "refuge"], int), "nobody of the four can open it"
    shares = [
        Share(play.round.names.index(n) + 1, views[0]["share", "refuge", n][:SEED]) for n in four
    ]
    assert len(join(shares, 4)) == SEED, "its own seed, and nothing to take it off"


def test_all_four_with_the_hub_know_the_sum_and_no_more_can_be_asked() -> None:
    """Sum minus their own is the fifth's: no protocol hides that.  With it they know its masks."""
    play = Play()
    counts = {n: numbers(n, CELLS) for n in NAMES}
    sent = play.masked(counts)
    asked = play.request(sent)
    total = play.total(sent, asked, play.revealed(asked, NAMES))
    rest = np.sum([counts[n] for n in NAMES if n != "refuge"], 0, dtype=np.uint32)
    assert np.array_equal(total - rest, counts["refuge"])


@pytest.mark.parametrize("honest", [("casework", "shelter"), ("clinic", "hotline")])
def test_hub_and_three_cannot_tell_how_a_sum_is_made_up(
    monkeypatch: pytest.MonkeyPatch, honest: tuple[str, str]
) -> None:
    """By construction: moving counts between two others leaves all that is read the same.

    For any difference d there is one mask of the pair for each mask, G - d for G, under which the
    two worlds look alike letter by letter.  If G is uniform, so is G - d: the worlds are read with
    the same probability.  Nothing else that is read depends on the counts.
    """
    play = Play()
    a, b = honest
    adversary = (messages.HUB, *(n for n in NAMES if n not in honest))
    counts = {n: numbers(n, CELLS) for n in NAMES}
    d = numbers("moved", CELLS, 2**32 - 1)
    moved = {**counts, a: counts[a] + d, b: counts[b] - d}
    pair = play.side(a).key(b, "mask")
    stream_of = masks._stream

    def shifted(seed: bytes, cells: int) -> Any:
        parts = list(stream_of(seed, cells))
        return iter([parts[0] - d] if seed == pair else parts)

    first = played(play, counts, adversary)
    assert played(play, moved, adversary) != first, "with the same mask the move would show"
    monkeypatch.setattr(masks, "_stream", shifted)
    assert played(play, moved, adversary) == first
    assert played(play, {**moved, a: counts[a]}, adversary) != first, "another sum is another view"


def test_what_hub_and_three_see_of_a_table_is_uniform() -> None:
    """All masks that they know taken off, the numbers of two honest contributors look random."""
    play, cells = Play(), 400_000
    honest = ("refuge", "shelter")
    for level in (0, 1000):
        counts = {n: np.full(cells, level, dtype=np.uint32) for n in NAMES}
        seen = play.masked({"refuge": counts["refuge"]})["refuge"][1]
        _marks, masked = messages.opened(play.side(messages.HUB), "refuge", seen)
        own = stream(play.seed + b"mask" + b"refuge")(SEED)
        known = {n: play.side("refuge").key(n, "mask") for n in NAMES if n not in honest}
        bare = unmask(masked, {"refuge": own}, {("refuge", n): s for n, s in known.items()})
        for shift in (0, 8, 16, 24):
            tally = np.bincount((bare >> np.uint32(shift)) & np.uint32(255), minlength=256)
            chi2 = float(((tally - cells / 256) ** 2 / (cells / 256)).sum())
            assert 150 < chi2 < 350, (level, shift)
        shelter = play.side("refuge").key("shelter", "mask")
        assert (unmask(bare, {}, {("refuge", "shelter"): shelter}) == level).all()


def test_as_many_as_the_threshold_with_the_hub_can_uncover_somebody() -> None:
    """The limit that the documentation states, shown: it is why the threshold is high."""
    play = Play((*NAMES, "town"))
    counts = {n: numbers(n, CELLS) for n in play.names}
    four = ("casework", "clinic", "hotline", "town")
    view = played(play, counts, (messages.HUB, *four))
    places = {n: i + 1 for i, n in enumerate(play.round.names)}

    def seed(dealer: str, place: int) -> bytes:
        cut = slice(SEED * place, SEED * (place + 1))
        return join([Share(places[n], view["share", dealer, n][cut]) for n in four], 4)

    numbers_at = SEED * len(play.names)
    masked = np.frombuffer(view["masked", "refuge"][numbers_at:], "<u4").astype(np.uint32)
    others = messages.others(play.round, "refuge")
    pairs = {("refuge", n): seed("refuge", i) for i, n in enumerate(others, start=1)}
    bare = unmask(masked, {"refuge": seed("refuge", 0)}, pairs)
    assert np.array_equal(bare, counts["refuge"])


def uncovered(n: int, t: int, c: int) -> set[int]:
    """Sizes of the sets of honest contributors whose sum a hub that lies can uncover.

    It tells each honest contributor what it likes about who is in the sum, in all possible ways,
    and has c contributors on its side who answer everything.
    """
    play = Play(tuple(f"c{i}" for i in range(n)), t)
    names = play.round.names
    honest, sizes = names[: n - c], set()
    told = [
        set(names[n - c :]) | set(some)
        for k in range(t - c, n - c + 1)
        for some in combinations(honest, k)
    ]
    shown = []  # which seeds of honest contributors an answer to each request helps to rebuild
    for inside in told:
        asked = SumRequest(round="", bodies=dict.fromkeys(sorted(inside), ""), deals={})
        # A seed of a pair is dealt by either side: shares of the one do not add to the other's.
        shown.append(
            {
                (d, p)
                for d in inside.intersection(honest)
                for p in messages._seed_owners(play.round, asked, d)
            }
        )
    pairs = {
        (i, j): (
            (i, messages.others(play.round, i).index(j) + 1),
            (j, messages.others(play.round, j).index(i) + 1),
        )
        for i, j in permutations(honest, 2)
    }
    for answers in combinations_with_replacement(shown, len(honest)):  # whoever gives which
        seen = Counter(seed for answer in answers for seed in answer)
        known = {seed for seed, times in seen.items() if times >= t - c}
        own = [i for i in honest if (i, 0) in known]
        for size in range(1, len(own) + 1):
            for group in combinations(own, size):
                rest = [j for j in honest if j not in group]
                if all(known & {*pairs[i, j]} for i in group for j in rest):
                    sizes.add(size)
    return sizes


@pytest.mark.parametrize(
    ("n", "t", "c", "least"),
    [
        (3, 3, 0, 3),
        (3, 3, 1, 2),
        (4, 3, 0, 3),
        (4, 3, 1, 2),
        (5, 4, 1, 3),
        (5, 4, 2, 2),
        (6, 4, 1, 2),
        (4, 3, 2, 1),
    ],
)
def test_a_hub_that_lies_singles_nobody_out(n: int, t: int, c: int, least: int) -> None:
    """In all ways to lie, where c < 2t - n; the last goes beyond, and there it does."""
    assert (c < 2 * t - n) == (least > 1)
    assert min(uncovered(n, t, c)) == least
    if c < 2 * t - n:  # so many shares of noise are in whatever it uncovers
        assert guarding(n, t, c) == least


def test_another_round_gives_other_keys_and_masks() -> None:
    a, b = Secret.new(stream(b"a")), Secret.new(stream(b"b"))
    keys = {
        a.agreed(b.public, round_, purpose)
        for round_ in (b"1" * 32, b"2" * 32)
        for purpose in ("mask", "shares", "masked", "revealed")
    }
    assert len(keys) == 8
    with pytest.raises(ValueError, match="32 bytes"):
        a.agreed("AAAA", b"1" * 32, "mask")


def change_body(play: Play, sent: dict[str, tuple[Masked, bytes]]) -> None:
    body = bytearray(sent["refuge"][1])
    body[100] ^= 1
    messages.opened(play.side(messages.HUB), "refuge", bytes(body))


def change_holder(play: Play, sent: dict[str, tuple[Masked, bytes]]) -> None:
    message, body = sent["refuge"]
    deals = {**message.deals, "clinic": message.deals["hotline"]}
    changed = {**sent, "refuge": (message.model_copy(update={"deals": deals}), body)}
    messages.revealed(play.side("clinic"), play.request(changed))


def change_counts(play: Play, sent: dict[str, tuple[Masked, bytes]]) -> None:
    changed = {**sent, "refuge": (sent["refuge"][0], sent["clinic"][1])}
    messages.revealed(play.side("clinic"), play.request(changed))


def change_request(play: Play, sent: dict[str, tuple[Masked, bytes]]) -> None:
    answer = play.revealed(play.request(sent), ["refuge"])["refuge"]
    less = play.request({n: s for n, s in sent.items() if n != "clinic"})
    messages.shares_of(play.side(messages.HUB), less, answer)


@pytest.mark.parametrize("change", [change_body, change_holder, change_counts, change_request])
def test_what_does_not_belong_is_noticed(change: Any) -> None:
    play = Play()
    sent = play.masked({n: numbers(n, CELLS) for n in NAMES})
    with pytest.raises(messages.Mismatch) as error:
        change(play, sent)
    assert error.value.party == "refuge"


def test_shares_of_another_seed_are_noticed() -> None:
    """A contributor that lies about shares can spoil a round; it cannot pass a wrong sum."""
    play = Play()
    sent = play.masked({n: numbers(n, CELLS) for n in NAMES})
    asked = play.request(sent)
    hub = play.side(messages.HUB)
    opened = [(n, *messages.opened(hub, n, sent[n][1])) for n in asked.bodies]
    shares = {
        n: messages.shares_of(hub, asked, a) for n, a in play.revealed(asked, NAMES[:4]).items()
    }
    shares["clinic"][list(shares["clinic"])[2]] = bytes(SEED)
    with pytest.raises(messages.Mismatch):
        messages.total(hub, asked, shares, opened)
