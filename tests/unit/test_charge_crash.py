"""One charge, one answer: a crash or a full disk at any moment, and whatever happens next."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from invented_people import FACTS, people, protect, small_policy
from tests import killer
from tests.forked import Child, needs_fork

from ctdhub.border import Protected
from ctdhub.core.errors import HubError, WouldCharge
from ctdhub.core.i18n import Text, said
from ctdhub.dp import answer_store, engine
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.noise import ChargeSecret
from ctdhub.dp.quote import Price, up_to

POLICY = small_policy(
    columns=("gender",), epsilon=1.0, perpetrators={"share": 0}, sources={"share": 0}
)
FIXED = ChargeSecret(bytes(range(32)))
N = 30

pytestmark = [needs_fork, pytest.mark.usefixtures("warm")]


def ask(root: Path, n: int = N, pay: object = None, given: Iterable[str] = ()) -> Protected:
    ledger = Ledger(root / "ledger", pending=root / "work" / "pending")
    found = people(n, POLICY)
    return protect(found, POLICY, ledger, FACTS, pay=pay, past=tuple(given))  # type: ignore[arg-type]


def ask_with_fixed_secret(root: Path) -> int:
    """In a child: what is drawn is known, so that equal bytes show that it was finished."""
    engine.ChargeSecret = type("Known", (), {"fresh": lambda: FIXED})  # type: ignore[assignment,misc]
    ask(root)
    return 0


def content(answer: Protected) -> tuple[pa.Table, ...]:
    return answer.records, answer.counts, answer.measurements


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """This process has answered once, so that its children need not load what that takes."""
    ask(tmp_path_factory.mktemp("warm"))


@pytest.fixture(scope="module")
def whole(warm: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Protected]:
    """Every point of one answer, and the answer of the fixed secret."""
    root = tmp_path_factory.mktemp("whole")
    found = killer.points(root, lambda: ask_with_fixed_secret(root))
    return found, ask(root)


def entries(root: Path) -> int:
    return len(Ledger(root / "ledger").entries())


def leftovers(root: Path) -> list[Path]:
    secrets = [p for p in root.rglob("*") if p.is_file() and "pending" in str(p)]
    return secrets + list(root.rglob(".new-*"))


@pytest.mark.parametrize("fate", ["killed", "full"])
def test_one_charge_and_equal_bytes_wherever_it_is_cut_off(
    whole: tuple[list[str], Protected], tmp_path: Path, fate: killer.Fate
) -> None:
    found, expected = whole
    events = {line.split(" ")[0] for line in found}
    assert {"open", "os.mkdir", "os.rename", "os.remove", "fsync"} <= events
    finished = 0
    for point in range(1, len(found) + 1):
        root = tmp_path / str(point)
        root.mkdir()
        code, err = killer.struck(root, lambda root=root: ask_with_fixed_secret(root), point, fate)
        if fate == "full" and code == 0:
            continue  # what was deleted needs no room
        assert code == (killer.KILLED if fate == "killed" else killer.FULL), (point, err)
        assert fate == "killed" or "The disk is full" in err, (point, err)
        charged = entries(root)
        answer = ask(root)
        assert entries(root) == 1, (point, found[point - 1])
        if charged:
            finished += 1
            assert all(map(pa.Table.equals, content(answer), content(expected))), point
        assert leftovers(root) == [], (point, found[point - 1])
        shutil.rmtree(root)
    assert finished > 15


def cut_off(root: Path) -> None:
    """A charge whose answer was not stored, and whose secret is known."""
    code, _err = killer.struck(root, lambda: ask_with_fixed_secret(root), first_of(root), "killed")
    assert code == killer.KILLED
    assert entries(root) == 1
    assert (root / "work" / "pending" / "charge.json").is_file()


def first_of(root: Path) -> int:
    """The point at which an answer begins to be stored."""
    copy = root.with_name(f"{root.name}-whole")
    found = killer.points(copy, lambda: ask_with_fixed_secret(copy))
    return next(
        n for n, line in enumerate(found, 1) if "answers/.new-" in line and "room" not in line
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a charge that was cut off."""
    found = tmp_path / "hub"
    found.mkdir()
    (tmp_path / "hub-whole").mkdir()
    cut_off(found)
    return found


def test_the_secret_is_for_its_owner_alone_and_not_in_the_ledger(root: Path) -> None:
    [file] = (root / "work" / "pending").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    secret = json.loads(file.read_text())["secret"]
    ledger = b"".join(p.read_bytes() for p in (root / "ledger").rglob("*") if p.is_file())
    assert secret.encode() not in ledger
    assert bytes.fromhex(secret) not in ledger


def test_other_people_meanwhile_get_other_noise_and_pay(
    root: Path, whole: tuple[list[str], Protected]
) -> None:
    """Equal noise on two tables would give their exact difference."""
    answer = ask(root, N + 1)
    assert entries(root) == 2
    assert Ledger(root / "ledger").spent() == pytest.approx(2 * rho_of(1.0, POLICY.delta))
    assert "charged again" in Ledger(root / "ledger").entries()[-1].what
    assert leftovers(root) == []
    assert not answer.counts.equals(whole[1].counts)
    again = ask(root)  # and the first people are drawn anew: their secret is gone
    assert entries(root) == 3
    assert not again.counts.equals(whole[1].counts)


def test_a_look_at_the_price_destroys_no_secret(
    root: Path, whole: tuple[list[str], Protected]
) -> None:
    with pytest.raises(WouldCharge):
        ask(root, N + 1, up_to(0))
    prices: list[Price] = []
    told: list[Text] = []
    ledger = Ledger(root / "ledger", pending=root / "work" / "pending")
    answer = protect(
        people(N, POLICY), POLICY, ledger, FACTS, lambda text, share: told.append(text),
        pay=prices.append,
    )  # fmt: skip
    assert [(p.epsilon, p.because) for p in prices] == [(0.0, ("unfinished",))]
    assert any("finishing it" in said(text) for text in told)
    assert all(map(pa.Table.equals, content(answer), content(whole[1])))
    assert entries(root) == 1


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"charge": "x", "secret": "00", "exact": ""}'])
def test_a_damaged_secret_is_a_new_charge(root: Path, damage: bytes) -> None:
    (root / "work" / "pending" / "charge.json").write_bytes(damage)
    ask(root)
    assert entries(root) == 2
    assert leftovers(root) == []


def test_a_deleted_secret_is_a_new_charge(root: Path) -> None:
    shutil.rmtree(root / "work")
    ask(root)
    assert entries(root) == 2


@pytest.mark.spine("a kill between charge and answer")
def test_two_processes_finish_one_charge(root: Path, whole: tuple[list[str], Protected]) -> None:
    def work() -> int:
        answer = ask(root)
        return 0 if answer.counts.equals(whole[1].counts) else 1

    ended = [child.communicate() for child in [Child(work), Child(work)]]
    assert [(code, err) for code, _out, err in ended] == [(0, "")] * 2
    assert entries(root) == 1


def test_the_clock_decides_nothing(root: Path, whole: tuple[list[str], Protected]) -> None:
    """Set back by years between the crash and the retry."""
    for path in [*root.rglob("*"), root]:
        os.utime(path, (1, 1))
    answer = ask(root)
    assert entries(root) == 1
    assert answer.counts.equals(whole[1].counts)


def test_a_secret_is_overwritten_before_it_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_store.write_pending(tmp_path / "p", answer_store.Pending("id", FIXED, "exact"))
    os.link(tmp_path / "p" / "charge.json", tmp_path / "kept")
    answer_store.destroy_pending(tmp_path / "p")
    assert set((tmp_path / "kept").read_bytes()) == {0}
    assert not (tmp_path / "p").exists()


def test_room_is_taken_before_the_charge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for the answer: nothing is charged, and nothing holds the room."""
    monkeypatch.setattr(engine, "_most_bytes", lambda *_: 2**62)
    with pytest.raises(HubError, match="disk is full"):
        ask(tmp_path)
    assert entries(tmp_path) == 0
    assert leftovers(tmp_path) == []


def test_a_published_answer_is_never_given_again(tmp_path: Path) -> None:
    """Two versions of unchanged people differ and cost two charges; so do A, A + 1, A."""
    first = ask(tmp_path)
    assert ask(tmp_path).guarantee.charge == first.guarantee.charge, "not published: it holds"
    second = ask(tmp_path, given=[first.guarantee.charge])
    assert entries(tmp_path) == 2
    assert not second.records.equals(first.records) or not second.counts.equals(first.counts)
    for n in (N + 1, N):
        ask(tmp_path, n)
    assert entries(tmp_path) == 4
    charges = {e.id for e in Ledger(tmp_path / "ledger").entries()}
    assert len(charges) == 4
    questions = {e.question for e in Ledger(tmp_path / "ledger").entries()}
    assert len(questions) == 1, "what was asked is public: it does not know the people"
