"""A round by files: passed between folders, some lost, some altered; and the release of its sum."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import typer
from invented_round import NAMES, domains, lay_table, stream
from typer.testing import CliRunner, Result

from ctdhub.cli.app import command
from ctdhub.core.errors import CountError, HubError, Overspend, PolicyError
from ctdhub.dp.count import count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.mechanism import answer_to
from ctdhub.dp.plan import Plan
from ctdhub.dp.policy import Weights
from ctdhub.dp.secagg import parties
from ctdhub.dp.secagg.masks import SecaggLayout
from ctdhub.dp.secagg.messages import Round, SumRequest, Total, path_of, read_any, write
from ctdhub.dp.secagg.parties import open_keep, protected, read_sum
from ctdhub.dp.standalone.domains import DomainsFile
from ctdhub.dp.standalone.table import fit_domains
from ctdhub.dp.workload import workload
from ctdhub.sensitive.ingest.raw import read_as_is


class Table:
    """A hub and five contributors around one shared folder."""

    def __init__(self, folder: Path, known_to: int | None = 1, names: tuple[str, ...] = NAMES):
        self.folder, self.names = folder, names
        self.exchange, self.hub = folder / "exchange", folder / "hub"
        self.domains = domains(folder)
        self.lines = {n: lay_table(folder / f"{n}.csv", n) for n in names}
        self.ledger = Ledger(folder / "ledger")
        parties.new_round(
            self.exchange,
            self.hub,
            self.domains,
            names,
            known_to=known_to,
            epsilon=2,
            delta=1e-6,
            max_people=10_000,
        )

    def keep(self, name: str) -> Path:
        return self.folder / f"{name}-secret"

    def join(self, *but: str) -> Table:
        for name in set(self.names) - set(but):
            parties.join_round(self.exchange, self.keep(name), name)
        return self

    def mask(self, *but: str) -> Table:
        for name in set(self.names) - set(but):
            raw = read_as_is(self.folder / f"{name}.csv")
            parties.mask_counts(self.exchange, self.keep(name), raw)
        return self

    def reveal(self, *but: str) -> Table:
        for name in set(self.names) - set(but):
            parties.reveal_shares(self.exchange, self.keep(name))
        return self

    def started(self) -> Table:
        self.join()
        parties.start_round(self.exchange, self.hub)
        return self

    def closed(self, *but: str) -> Table:
        self.started().mask(*but)
        self.close(*but)
        return self

    def close(self, *but: str) -> SumRequest:
        return parties.close_round(self.exchange, self.hub, but, ledger=self.ledger, budget=6)

    def joined_lines(self, *but: str) -> Path:
        """One table of the records of all but some."""
        lines = [line for n, rows in self.lines.items() if n not in but for line in rows]
        path = self.folder / "all.csv"
        path.write_text("\n".join(["year,gender,age,debt", *lines]) + "\n", "utf-8")
        return path

    def exact(self, *but: str) -> Any:
        """The exact numbers of all records but those of some."""
        return parties.counted(
            read_as_is(self.joined_lines(*but)),
            read_any(path_of(self.exchange, "plan"))[0].scope(),  # type: ignore[attr-defined]
            SecaggLayout(self.domains.plan()),
            b"key",
        )


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """No noise, so that sums can be compared."""
    monkeypatch.setattr(parties, "with_noise", lambda counts, *_: counts)


# Who may be lost.


def test_a_sum_of_two_is_never_uncovered(tmp_path: Path) -> None:
    """In a sum of two each reads the other's counts: of three contributors none may be lost."""
    table = Table(tmp_path, names=NAMES[:3])
    for name in NAMES[:3]:
        parties.join_round(table.exchange, table.keep(name), name)
    with pytest.raises(CountError, match="threshold"):
        parties.start_round(table.exchange, table.hub, threshold=2)
    round_ = parties.start_round(table.exchange, table.hub)
    assert round_.threshold == 3
    with pytest.raises(ValueError, match="threshold"):
        Round(terms=round_.terms, keys=round_.keys, threshold=2)
    for name in NAMES[:2]:
        parties.mask_counts(
            table.exchange, table.keep(name), read_as_is(table.folder / f"{name}.csv")
        )
    with pytest.raises(CountError, match="2 contributors are there; 3 are needed"):
        table.close(NAMES[2])
    with pytest.raises(ValueError, match="bodies"):
        SumRequest(round=round_.hash, bodies=dict.fromkeys(NAMES[:2], ""), deals={})
    with pytest.raises(ValueError, match="contributors"):
        Total(round=round_, contributors=NAMES[:2], charge="x")


@pytest.mark.parametrize("silent", [(), ("clinic",)])
@pytest.mark.parametrize("unmasked", [(), ("hotline",)])
@pytest.mark.usefixtures("exact")
def test_one_is_lost_and_the_sum_is_recovered(
    table: Table, unmasked: tuple[str, ...], silent: tuple[str, ...]
) -> None:
    """Before masking, its counts are not in the sum; after it they are, though it never answers."""
    table.closed(*unmasked).reveal(*silent)
    path, found = parties.total_of_round(table.exchange, table.hub)
    assert found.contributors == tuple(n for n in NAMES if n not in unmasked)
    again = read_sum(path)
    assert again.total == found
    layout = found.round.terms.layout()
    assert np.array_equal(layout.flat(again.tables), table.exact(*unmasked))
    assert again.tables[()] == 200 * len(found.contributors)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_too_many_are_lost(table: Table) -> None:
    table.started().mask("clinic", "hotline")
    with pytest.raises(CountError, match="3 contributors are there; 4 are needed"):
        table.close("clinic", "hotline")
    for name in ("clinic", "hotline"):
        raw = read_as_is(table.folder / f"{name}.csv")
        parties.mask_counts(table.exchange, table.keep(name), raw)
    table.close()
    table.reveal("clinic", "refuge")
    with pytest.raises(CountError, match="3 contributors have revealed; 4 are needed") as error:
        parties.total_of_round(table.exchange, table.hub)
    assert "clinic, refuge" in error.value.fix
    assert not path_of(table.hub, "sum").exists()
    parties.reveal_shares(table.exchange, table.keep("refuge"))
    assert parties.total_of_round(table.exchange, table.hub)[1].contributors == NAMES


def test_nobody_is_left_out_by_accident(table: Table) -> None:
    table.join("clinic")
    with pytest.raises(CountError, match="clinic is not there") as error:
        parties.start_round(table.exchange, table.hub)
    assert "--without clinic" in error.value.fix
    parties.start_round(table.exchange, table.hub, ("clinic",))
    table.mask("clinic", "refuge")
    with pytest.raises(CountError, match="refuge is not there"):
        table.close()
    with pytest.raises(CountError, match="no contributor of this name: clinc"):
        table.close("clinc")
    table.close("refuge")
    table.reveal("clinic")
    found = parties.total_of_round(table.exchange, table.hub)[1]
    assert found.contributors == ("casework", "hotline", "shelter")


def test_who_comes_too_late_is_told_so_and_may_help(table: Table) -> None:
    table.closed("clinic")
    raw = read_as_is(table.folder / "clinic.csv")
    with pytest.raises(CountError, match="too late") as error:
        parties.mask_counts(table.exchange, table.keep("clinic"), raw)
    assert "count reveal" in error.value.fix
    table.reveal("hotline")
    found = parties.total_of_round(table.exchange, table.hub)[1]
    assert "clinic" not in found.contributors


# What a contributor refuses.


def test_a_second_request_is_never_answered(table: Table) -> None:
    table.closed().reveal()
    path = path_of(table.exchange, "request")
    asked, _body = read_any(path)
    first = path_of(table.exchange, "revealed", "refuge").read_bytes()
    path_of(table.exchange, "revealed", "refuge").unlink()
    parties.reveal_shares(table.exchange, table.keep("refuge"))
    assert path_of(table.exchange, "revealed", "refuge").read_bytes() == first, "the same again"
    assert isinstance(asked, SumRequest)
    path.unlink()
    less = {n: d for n, d in asked.bodies.items() if n != "clinic"}
    deals = {n: d for n, d in asked.deals.items() if n != "clinic"}
    write(path, asked.model_copy(update={"bodies": less, "deals": deals}))
    with pytest.raises(CountError, match="another request") as error:
        parties.reveal_shares(table.exchange, table.keep("refuge"))
    assert error.value.rule == "count-twice"


def test_a_key_that_has_served_is_destroyed(table: Table) -> None:
    table.closed().reveal()
    own = open_keep(table.keep("refuge"))
    assert not own.private
    path_of(table.exchange, "masked", "refuge").unlink()
    with pytest.raises(CountError, match="over"):
        parties.mask_counts(
            table.exchange, table.keep("refuge"), read_as_is(table.folder / "refuge.csv")
        )


def test_a_request_for_few_is_refused(table: Table) -> None:
    """A hub that lies about who is lost cannot have a sum of fewer than the threshold."""
    table.closed()
    path = path_of(table.exchange, "request")
    asked, _body = read_any(path)
    assert isinstance(asked, SumRequest)
    path.unlink()
    few = dict(list(asked.bodies.items())[:3])
    write(path, asked.model_copy(update={"bodies": few}))
    with pytest.raises(CountError, match="fewer contributors"):
        parties.reveal_shares(table.exchange, table.keep("refuge"))
    assert open_keep(table.keep("refuge")).request == "", "the true one can still be answered"


def test_masking_again_counts_the_better_table(table: Table) -> None:
    table.started().mask()
    mine = path_of(table.exchange, "masked", "refuge")
    raw = read_as_is(table.folder / "refuge.csv")
    with pytest.raises(CountError, match="never overwritten"):
        parties.mask_counts(table.exchange, table.keep("refuge"), raw)
    old = mine.read_bytes()
    mine.unlink()
    parties.mask_counts(table.exchange, table.keep("refuge"), raw)
    better = mine.read_bytes()
    assert better != old, "masks are fresh"
    mine.write_bytes(old)
    table.close()
    with pytest.raises(CountError, match="other masked counts"):
        parties.reveal_shares(table.exchange, table.keep("refuge"))


@pytest.mark.parametrize("what", ["another key", "another plan"])
def test_another_round_than_the_one_that_was_joined(
    table: Table, tmp_path: Path, what: str
) -> None:
    """A hub that shows each contributor another round is noticed: by it, or by the fingerprint."""
    table.started()
    path = path_of(table.exchange, "round")
    mine, _body = read_any(path)
    assert isinstance(mine, Round)
    (tmp_path / "other").mkdir()
    other = Table(tmp_path / "other").started()
    theirs, _body = read_any(path_of(other.exchange, "round"))
    assert isinstance(theirs, Round)
    assert theirs.fingerprint() != mine.fingerprint()
    keys = {**mine.keys, "refuge": theirs.keys["refuge"]}
    path.unlink()
    write(path, mine.model_copy(update={"keys": keys}) if what == "another key" else theirs)
    raw = read_as_is(table.folder / "refuge.csv")
    with pytest.raises(CountError, match="not the round that you joined"):
        parties.mask_counts(table.exchange, table.keep("refuge"), raw)
    assert not path_of(table.exchange, "masked", "refuge").exists()


def test_rounds_do_not_mix(table: Table, tmp_path: Path) -> None:
    table.started().mask()
    (tmp_path / "other").mkdir()
    other = Table(tmp_path / "other").started().mask()
    strange = path_of(other.exchange, "masked", "refuge")
    shutil.copy(strange, path_of(table.exchange, "masked", "refuge"))
    with pytest.raises(CountError, match="another round"):
        table.close()
    shutil.copy(
        path_of(table.exchange, "masked", "clinic"), path_of(table.exchange, "masked", "refuge")
    )
    with pytest.raises(CountError, match="another contributor"):
        table.close()
    shutil.copy(path_of(table.exchange, "round"), path_of(table.exchange, "masked", "refuge"))
    with pytest.raises(CountError, match="its kind is round"):
        table.close()


@pytest.mark.parametrize("kind", ["plan", "joined", "round", "masked", "request", "revealed"])
@pytest.mark.parametrize("place", [0, 100, -1])
def test_an_altered_file_is_refused(table: Table, kind: str, place: int) -> None:
    """Whatever letter changes, the step that reads the file stops."""
    steps: dict[str, Any] = {
        "plan": table.join,
        "joined": lambda: parties.start_round(table.exchange, table.hub),
        "round": table.mask,
        "masked": lambda: table.close(),
        "request": lambda: table.reveal("shelter"),
        "revealed": lambda: parties.total_of_round(table.exchange, table.hub),
    }
    for step in steps.values():
        if steps[kind] is step:
            break
        step()
    from_one = "casework" if kind in ("joined", "masked", "revealed") else ""
    path = path_of(table.exchange, kind, from_one)
    content = bytearray(path.read_bytes())
    content[place if place >= 0 else len(content) - 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CountError) as error:
        steps[kind]()
    assert error.value.rule in ("count-file", "count-altered"), error.value
    assert error.value.file == path.name
    path.unlink()
    with pytest.raises(CountError, match=r"not|needed"):
        steps[kind]()


def test_secrets_stay_out_of_the_folder_that_others_see(table: Table) -> None:
    for keep in (table.exchange, table.exchange / "mine"):
        with pytest.raises(CountError, match="others see"):
            parties.join_round(table.exchange, keep, "refuge")
    table.join()
    assert stat.S_IMODE(table.keep("refuge").stat().st_mode) == 0o700
    assert stat.S_IMODE((table.keep("refuge") / "state.json").stat().st_mode) == 0o600
    assert "refuge" in repr(open_keep(table.keep("refuge")))
    assert open_keep(table.keep("refuge")).private not in repr(open_keep(table.keep("refuge")))
    with pytest.raises(CountError, match="not empty"):
        parties.join_round(table.exchange, table.keep("refuge"), "refuge")
    with pytest.raises(CountError, match="not a folder of secrets"):
        parties.reveal_shares(table.exchange, table.folder / "nowhere")
    with pytest.raises(CountError, match="knows no contributor"):
        parties.join_round(table.exchange, table.folder / "x", "../x")


def test_rounds_that_cannot_guard_anybody(tmp_path: Path) -> None:
    found, promise = domains(tmp_path), {"epsilon": 1.0, "delta": 1e-6, "max_people": 10_000}
    for names in (("a", "b"), ("a", "b", "b"), ("a", "b", "C"), tuple(f"n{i}" for i in range(51))):
        with pytest.raises(CountError):
            parties.new_round(tmp_path / "e", tmp_path / "k", found, names, **promise)
    for bounds in ({"known_to": 6}, {"liars": 0}, {"liars": 5}):
        with pytest.raises(CountError):
            parties.new_round(tmp_path / "e", tmp_path / "k", found, NAMES, **promise, **bounds)
    with pytest.raises(PolicyError, match="delta"):
        parties.new_round(
            tmp_path / "e", tmp_path / "k", found, NAMES, **promise | {"max_people": 20_000}
        )
    table = Table(tmp_path).join()
    for threshold in (2, 3, 6):
        with pytest.raises(CountError, match="threshold"):
            parties.start_round(table.exchange, table.hub, threshold=threshold)
    with pytest.raises(CountError, match="no round can begin"):
        parties.start_round(table.exchange, table.hub, NAMES[:3])
    assert parties.start_round(table.exchange, table.hub).threshold == 4


def test_a_table_of_more_people_than_the_plan_allows_is_not_masked(tmp_path: Path) -> None:
    """By the contributor's own rows alone, before anything is sent or paid."""
    exchange, found = tmp_path / "exchange", domains(tmp_path)
    parties.new_round(exchange, tmp_path / "h", found, NAMES, epsilon=1, delta=1e-6, max_people=199)
    for name in NAMES:
        parties.join_round(exchange, tmp_path / name, name)
    parties.start_round(exchange, tmp_path / "h")
    for name, rows in (("clinic", 199), ("refuge", 200)):
        lay_table(tmp_path / f"{name}.csv", name, rows)
    parties.mask_counts(exchange, tmp_path / "clinic", read_as_is(tmp_path / "clinic.csv"))
    with pytest.raises(PolicyError, match="more than the 199 people"):
        parties.mask_counts(exchange, tmp_path / "refuge", read_as_is(tmp_path / "refuge.csv"))
    assert not path_of(exchange, "masked", "refuge").exists()


def test_a_cell_outside_its_domain_stops_masking_without_its_value(table: Table) -> None:
    table.started()
    path = table.folder / "refuge.csv"
    path.write_text("year,gender,age,debt\n2020,Zq7MARKER,0-17,no\n", "utf-8")
    with pytest.raises(PolicyError) as error:
        parties.mask_counts(table.exchange, table.keep("refuge"), read_as_is(path))
    assert "Zq7MARKER" not in str(error.value)
    assert not path_of(table.exchange, "masked", "refuge").exists()


# What is sent and what is made of it.


@pytest.mark.parametrize(
    "plan",
    [
        Plan({"a": ("x", "y"), "b": ("z",), "c": tuple("123")}, core=("a", "b", "c")),
        Plan({"a": ("x", "y"), "b": ("z",), "c": tuple("123")}, weights=Weights(pairs=0)),
        Plan({"a": ("x",), "b": ("y",), "c": ("z",), "d": ("w",)}, groups=(("a", "b", "c", "d"),)),
    ],
    ids=["triples", "no pairs", "a group"],
)
def test_every_measured_table_is_sent_once(plan: Plan) -> None:
    draw = stream(b"rows")
    rows = {n: [(*d, None)[draw(1)[0] % (len(d) + 1)] for _ in range(300)]
            for n, d in plan.domains.items()}  # fmt: skip
    codes = encode(pa.table({n: pa.array(v, pa.string()) for n, v in rows.items()}), plan.domains)
    layout = SecaggLayout(plan)
    assert layout.tables == tuple(q.columns for q in workload(plan, 0.1))
    exact = count(codes, layout.tables)
    found = layout.signed(layout.flat(exact))
    assert all(np.array_equal(exact[t], found[t]) for t in layout.tables)
    assert all(found[t].dtype == np.int32 and found[t].shape == exact[t].shape for t in found)
    assert layout.cells == sum(table.size for table in found.values())


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("lost", [(), ("clinic",)])
def test_release_from_counts_equals_the_release_from_records(
    tmp_path: Path, lost: tuple[str, ...]
) -> None:
    """At the same noise all that is published is the same."""
    table = Table(tmp_path, 3).closed(*lost).reveal()
    found = read_sum(parties.total_of_round(table.exchange, table.hub)[0])
    plan, rho = found.total.round.plan, found.total.round.rho
    raw = read_as_is(table.joined_lines(*lost))
    codes = encode(fit_domains(raw, found.total.round.terms.scope()).table, plan.domains)
    noisy = count(codes, [q.columns for q in found.workload])
    one = answer_to(noisy, found.workload, plan, stream(b"fit"), lambda text, share: None)
    two = protected(found, source=stream(b"fit"))
    assert one.records.equals(two.records)
    assert one.counts.equals(two.counts)
    assert two.guarantee.sigma == one.sigma
    assert (two.guarantee.rho, two.guarantee.epsilon) == (rho, 2)
    assert plan.rows == two.guarantee.rows == 3
    assert two.guarantee.by_rows["3"] == pytest.approx(2)
    assert two.guarantee.not_fitted == one.not_fitted
    assert found.impossible() == 0


def run(app: typer.Typer, *command: str) -> Result:
    if "--ledger" in command and not Path(command[command.index("--ledger") + 1]).exists():
        command = (*command, "--new-ledger", "fictitious people")
    result = CliRunner().invoke(app, list(command))
    if isinstance(result.exception, HubError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_the_same_sum_in_another_round_is_charged_again(tmp_path: Path) -> None:
    """A repeat that is free would tell that nothing changed at anybody's."""
    ledger = Ledger(tmp_path / "ledger")
    for number, place in enumerate(("a", "b"), start=1):
        (tmp_path / place).mkdir()
        table = Table(tmp_path / place)
        table.ledger = ledger
        table.closed()
        assert len(ledger.entries()) == number
    assert len({e.question for e in ledger.entries()}) == 2
    (tmp_path / "c").mkdir()
    third = Table(tmp_path / "c").started().mask()
    with pytest.raises(Overspend):
        parties.close_round(third.exchange, third.hub, ledger=ledger, budget=3)
    assert not path_of(third.exchange, "request").exists()
    assert len(ledger.entries()) == 2
    parties.close_round(third.exchange, third.hub, ledger=ledger, budget=6)


def test_a_round_that_was_cut_off_is_paid_once(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The charge comes first: killed after it, the same request goes out and is not paid again."""
    table.started().mask()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(parties, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            table.close()
    assert len(table.ledger.entries()) == 1
    assert not path_of(table.exchange, "request").exists()
    with pytest.raises(CountError, match="settled"):
        table.close("clinic")
    table.close()
    with pytest.raises(CountError, match="never overwritten"):
        table.close()
    [charge] = table.ledger.entries()
    assert parties.total_of_round(table.reveal().exchange, table.hub)[1].charge == charge.id


@pytest.mark.usefixtures("exact")
def test_rows_of_a_person_are_bounded_at_each_contributor(tmp_path: Path) -> None:
    found = DomainsFile.model_validate(
        {"version": 1, "columns": {"a": ["x", "y"]}, "person": "who", "rows": 2}
    )
    exchange, keep = tmp_path / "exchange", tmp_path / "hub"
    terms = parties.new_round(
        exchange, keep, found, NAMES[:3], known_to=2, epsilon=1, delta=1e-6, max_people=10_000
    )
    ledger = Ledger(tmp_path / "ledger")
    for name in NAMES[:3]:
        parties.join_round(exchange, tmp_path / name, name)
        (tmp_path / f"{name}.csv").write_text("a,who\nx,1\ny,1\nx,1\nx,1\ny,2\n", "utf-8")
    parties.start_round(exchange, keep)
    for name in NAMES[:3]:
        parties.mask_counts(exchange, tmp_path / name, read_as_is(tmp_path / f"{name}.csv"))
    parties.close_round(exchange, keep, ledger=ledger, budget=6)
    for name in NAMES[:3]:
        parties.reveal_shares(exchange, tmp_path / name)
    found_sum = read_sum(parties.total_of_round(exchange, keep)[0])
    assert found_sum.tables[()] == 9
    assert found_sum.total.round.plan.rows == terms.plan(3).rows == 4


@pytest.mark.usefixtures("exact")
def test_columns_of_the_schema(tmp_path: Path) -> None:
    """Tables that are in the hub's own schema need no domains file."""
    app = command("count")
    exchange, keep = str(tmp_path / "exchange"), str(tmp_path / "hub")
    names = NAMES[:3]
    columns = ("gender", "citizenship", "country_of_exploitation", "exploitation_forced_labour")
    given = [part for n in names for part in ("--contributor", n)]
    asked = [part for c in columns for part in ("--column", c)]
    plain = ["count", "new", exchange, "--keep", keep, "--domains", "schema", *given,
             "--epsilon", "1", "--delta", "1e-6", "--max-people", "10000"]  # fmt: skip
    with pytest.raises(PolicyError, match="not a public variable"):
        run(app, *plain, "--column", "no_such")
    run(app, *plain, *asked)
    for n in names:
        run(app, "count", "join", exchange, "--keep", str(tmp_path / n), "--name", n)
        (tmp_path / f"{n}.csv").write_text(
            "gender,citizenship,country_of_exploitation,exploitation_forced_labour\nfemale,UKR,ITA,yes\n,,,\n",
            "utf-8",
        )
    started = run(app, "count", "start", exchange, "--keep", keep)
    shown = run(app, "count", "show", str(tmp_path / "exchange/round.count"))
    digits = started.output.partition("Fingerprint of the round:")[2].partition("Next")[0].split()
    assert len(digits) == 12
    assert " ".join(digits) in " ".join(shown.output.split())
    for n in names:
        table = str(tmp_path / f"{n}.csv")
        run(app, "count", "mask", table, exchange, "--keep", str(tmp_path / n))
    closed = run(app, "count", "close", exchange, "--keep", keep, "--ledger", str(tmp_path / "l"))
    assert "epsilon 1.000 of 6 spent" in closed.output
    for n in names:
        run(app, "count", "reveal", exchange, "--keep", str(tmp_path / n))
    run(app, "count", "sum", exchange, "--keep", keep)
    found = read_sum(tmp_path / "hub/sum.count").tables
    assert found[()] == 3
    assert found["citizenship", "country_of_exploitation"].sum() == 3
    out = tmp_path / "out"
    said = run(app, "count", "release", str(tmp_path / "hub/sum.count"), "--out", str(out)).output
    assert "epsilon 1, delta 10⁻⁶" in " ".join(said.split())
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["rows_per_person"] == 3
    assert manifest["mechanism"].startswith("discrete Gaussian in shares")
    assert [manifest["charge"]] == [e.id for e in Ledger(tmp_path / "l").entries()]


def test_a_file_of_an_older_round_is_named(table: Table) -> None:
    path = path_of(table.exchange, "plan")
    path.write_bytes(path.read_bytes().replace(b"count 2", b"count 1"))
    with pytest.raises(CountError, match="another version of ctdhub"):
        parties.join_round(table.exchange, table.keep("refuge"), "refuge")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"[" * 100_000, b"{}", b'{"ctdhub": "count 2"}', b"PK\x03\x04\xff", b"null\n"],
)
def test_any_other_file_is_refused(table: Table, content: bytes) -> None:
    path_of(table.exchange, "plan").write_bytes(content)
    with pytest.raises(CountError, match="not a file of a round"):
        parties.join_round(table.exchange, table.keep("refuge"), "refuge")


def test_a_plan_cannot_name_files_elsewhere(table: Table) -> None:
    """Names become names of files: a plan that names a path is no plan."""
    path = path_of(table.exchange, "plan")
    terms, _body = read_any(path)
    path.unlink()
    write(path, terms.model_copy(update={"contributors": ("../x", "a", "b")}))
    with pytest.raises(CountError, match="altered"):
        parties.join_round(table.exchange, table.keep("refuge"), "../x")
    assert not (table.folder / "x.count").exists()
