"""A round by files: passed between folders, some lost, some altered; and the release of its sum."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import typer
from invented_round import DOMAINS, NAMES, domains, lay_table, stream
from typer.testing import CliRunner, Result

from ctdhub.cli import count as count_verbs
from ctdhub.cli import protect as protect_verbs
from ctdhub.core.errors import CountError, HubError, PolicyError
from ctdhub.dp import noise
from ctdhub.dp.count import count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import Plan
from ctdhub.dp.policy import Weights
from ctdhub.dp.secagg import contributor_side, hub_side
from ctdhub.dp.secagg.answer import read_total
from ctdhub.dp.secagg.files import named, read_any, write
from ctdhub.dp.secagg.layout import SecaggLayout
from ctdhub.dp.secagg.messages import Round, SumRequest, Total
from ctdhub.dp.secagg.party_state import open_keep
from ctdhub.dp.secagg.summed import Summed
from ctdhub.dp.standalone.domains import DomainsFile
from ctdhub.sensitive.ingest.readers import read_as_is


class Table:
    """A hub and five contributors around one shared folder."""

    def __init__(self, folder: Path, known_to: int | None = 1, names: tuple[str, ...] = NAMES):
        self.folder, self.names = folder, names
        self.exchange, self.hub = folder / "exchange", folder / "hub"
        self.domains = domains(folder)
        self.lines = {n: lay_table(folder / f"{n}.csv", n) for n in names}
        hub_side.new(self.exchange, self.hub, self.domains, names, known_to=known_to)

    def keep(self, name: str) -> Path:
        return self.folder / f"{name}-secret"

    def join(self, *but: str) -> Table:
        for name in set(self.names) - set(but):
            contributor_side.join(self.exchange, self.keep(name), name)
        return self

    def mask(self, *but: str) -> Table:
        for name in set(self.names) - set(but):
            raw = read_as_is(self.folder / f"{name}.csv")
            contributor_side.mask(self.exchange, self.keep(name), raw)
        return self

    def reveal(self, *but: str) -> Table:
        for name in set(self.names) - set(but):
            contributor_side.reveal(self.exchange, self.keep(name))
        return self

    def started(self) -> Table:
        self.join()
        hub_side.start(self.exchange, self.hub)
        return self

    def closed(self, *but: str) -> Table:
        self.started().mask(*but)
        hub_side.close(self.exchange, self.hub, but)
        return self

    def joined_lines(self, *but: str) -> Path:
        """One table of the records of all but some."""
        lines = [line for n, rows in self.lines.items() if n not in but for line in rows]
        path = self.folder / "all.csv"
        path.write_text("\n".join(["year,gender,age,debt", *lines]) + "\n", "utf-8")
        return path

    def exact(self, *but: str) -> Any:
        """The exact numbers of all records but those of some."""
        return contributor_side.counted(
            read_as_is(self.joined_lines(*but)),
            read_any(named(self.exchange, "plan"))[0].scope(),  # type: ignore[attr-defined]
            SecaggLayout(self.domains.plan()),
            b"key",
        )


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


# Who may be lost.


def test_a_sum_of_two_is_never_uncovered(tmp_path: Path) -> None:
    """In a sum of two each reads the other's counts: of three contributors none may be lost."""
    table = Table(tmp_path, names=NAMES[:3])
    for name in NAMES[:3]:
        contributor_side.join(table.exchange, table.keep(name), name)
    with pytest.raises(CountError, match="threshold"):
        hub_side.start(table.exchange, table.hub, threshold=2)
    round_ = hub_side.start(table.exchange, table.hub)
    assert round_.threshold == 3
    with pytest.raises(ValueError, match="threshold"):
        Round(terms=round_.terms, keys=round_.keys, threshold=2)
    for name in NAMES[:2]:
        contributor_side.mask(
            table.exchange, table.keep(name), read_as_is(table.folder / f"{name}.csv")
        )
    with pytest.raises(CountError, match="2 contributors are there; 3 are needed"):
        hub_side.close(table.exchange, table.hub, (NAMES[2],))
    with pytest.raises(ValueError, match="bodies"):
        SumRequest(round=round_.hash, bodies=dict.fromkeys(NAMES[:2], ""), deals={})
    with pytest.raises(ValueError, match="contributors"):
        Total(round=round_.hash, terms=round_.terms, contributors=NAMES[:2])


@pytest.mark.parametrize("silent", [(), ("clinic",)])
@pytest.mark.parametrize("unmasked", [(), ("hotline",)])
def test_one_is_lost_and_the_sum_is_recovered(
    table: Table, unmasked: tuple[str, ...], silent: tuple[str, ...]
) -> None:
    """Before masking, its counts are not in the sum; after it they are, though it never answers."""
    table.closed(*unmasked).reveal(*silent)
    path, found = hub_side.total(table.exchange, table.hub)
    assert found.contributors == tuple(n for n in NAMES if n not in unmasked)
    again, summed = read_total(path)
    assert again == found
    assert np.array_equal(summed.cells, table.exact(*unmasked))
    assert summed.rows == 200 * len(found.contributors)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_too_many_are_lost(table: Table) -> None:
    table.started().mask("clinic", "hotline")
    with pytest.raises(CountError, match="3 contributors are there; 4 are needed"):
        hub_side.close(table.exchange, table.hub, ("clinic", "hotline"))
    for name in ("clinic", "hotline"):
        raw = read_as_is(table.folder / f"{name}.csv")
        contributor_side.mask(table.exchange, table.keep(name), raw)
    hub_side.close(table.exchange, table.hub)
    table.reveal("clinic", "refuge")
    with pytest.raises(CountError, match="3 contributors have revealed; 4 are needed") as error:
        hub_side.total(table.exchange, table.hub)
    assert "clinic, refuge" in error.value.fix
    assert not named(table.hub, "sum").exists()
    contributor_side.reveal(table.exchange, table.keep("refuge"))
    assert hub_side.total(table.exchange, table.hub)[1].contributors == NAMES


def test_nobody_is_left_out_by_accident(table: Table) -> None:
    table.join("clinic")
    with pytest.raises(CountError, match="clinic is not there") as error:
        hub_side.start(table.exchange, table.hub)
    assert "--without clinic" in error.value.fix
    hub_side.start(table.exchange, table.hub, ("clinic",))
    table.mask("clinic", "refuge")
    with pytest.raises(CountError, match="refuge is not there"):
        hub_side.close(table.exchange, table.hub)
    with pytest.raises(CountError, match="no contributor of this name: clinc"):
        hub_side.close(table.exchange, table.hub, ("clinc",))
    hub_side.close(table.exchange, table.hub, ("refuge",))
    table.reveal("clinic")
    found = hub_side.total(table.exchange, table.hub)[1]
    assert found.contributors == ("casework", "hotline", "shelter")


def test_who_masked_too_late_stays_hidden_and_may_help(table: Table) -> None:
    table.closed("clinic")
    contributor_side.mask(
        table.exchange, table.keep("clinic"), read_as_is(table.folder / "clinic.csv")
    )
    table.reveal("hotline")
    found = hub_side.total(table.exchange, table.hub)[1]
    assert "clinic" not in found.contributors
    with pytest.raises(CountError, match="settled"):
        hub_side.close(table.exchange, table.hub)


# What a contributor refuses.


def test_a_second_request_is_never_answered(table: Table) -> None:
    table.closed().reveal()
    path = named(table.exchange, "request")
    asked, _body = read_any(path)
    first = named(table.exchange, "revealed", "refuge").read_bytes()
    named(table.exchange, "revealed", "refuge").unlink()
    contributor_side.reveal(table.exchange, table.keep("refuge"))
    assert named(table.exchange, "revealed", "refuge").read_bytes() == first, "the same again"
    assert isinstance(asked, SumRequest)
    path.unlink()
    less = {n: d for n, d in asked.bodies.items() if n != "clinic"}
    deals = {n: d for n, d in asked.deals.items() if n != "clinic"}
    write(path, asked.model_copy(update={"bodies": less, "deals": deals}))
    with pytest.raises(CountError, match="another request") as error:
        contributor_side.reveal(table.exchange, table.keep("refuge"))
    assert error.value.rule == "count-twice"


def test_a_key_that_has_served_is_destroyed(table: Table) -> None:
    table.closed().reveal()
    own = open_keep(table.keep("refuge"))
    assert not own.private
    named(table.exchange, "masked", "refuge").unlink()
    with pytest.raises(CountError, match="over"):
        contributor_side.mask(
            table.exchange, table.keep("refuge"), read_as_is(table.folder / "refuge.csv")
        )


def test_a_request_for_few_is_refused(table: Table) -> None:
    """A hub that lies about who is lost cannot have a sum of fewer than the threshold."""
    table.closed()
    path = named(table.exchange, "request")
    asked, _body = read_any(path)
    assert isinstance(asked, SumRequest)
    path.unlink()
    few = dict(list(asked.bodies.items())[:3])
    write(path, asked.model_copy(update={"bodies": few}))
    with pytest.raises(CountError, match="fewer contributors"):
        contributor_side.reveal(table.exchange, table.keep("refuge"))
    assert open_keep(table.keep("refuge")).request == "", "the true one can still be answered"


def test_masking_again_counts_the_better_table(table: Table) -> None:
    table.started().mask()
    mine = named(table.exchange, "masked", "refuge")
    raw = read_as_is(table.folder / "refuge.csv")
    with pytest.raises(CountError, match="never overwritten"):
        contributor_side.mask(table.exchange, table.keep("refuge"), raw)
    old = mine.read_bytes()
    mine.unlink()
    contributor_side.mask(table.exchange, table.keep("refuge"), raw)
    better = mine.read_bytes()
    assert better != old, "masks are fresh"
    mine.write_bytes(old)
    hub_side.close(table.exchange, table.hub)
    with pytest.raises(CountError, match="other masked counts"):
        contributor_side.reveal(table.exchange, table.keep("refuge"))


@pytest.mark.parametrize("what", ["another key", "another plan"])
def test_another_round_than_the_one_that_was_joined(
    table: Table, tmp_path: Path, what: str
) -> None:
    """A hub that shows each contributor another round is noticed: by it, or by the fingerprint."""
    table.started()
    path = named(table.exchange, "round")
    mine, _body = read_any(path)
    assert isinstance(mine, Round)
    (tmp_path / "other").mkdir()
    other = Table(tmp_path / "other").started()
    theirs, _body = read_any(named(other.exchange, "round"))
    assert isinstance(theirs, Round)
    assert theirs.fingerprint() != mine.fingerprint()
    keys = {**mine.keys, "refuge": theirs.keys["refuge"]}
    path.unlink()
    write(path, mine.model_copy(update={"keys": keys}) if what == "another key" else theirs)
    raw = read_as_is(table.folder / "refuge.csv")
    with pytest.raises(CountError, match="not the round that you joined"):
        contributor_side.mask(table.exchange, table.keep("refuge"), raw)
    assert not named(table.exchange, "masked", "refuge").exists()


def test_rounds_do_not_mix(table: Table, tmp_path: Path) -> None:
    table.started().mask()
    (tmp_path / "other").mkdir()
    other = Table(tmp_path / "other").started().mask()
    strange = named(other.exchange, "masked", "refuge")
    shutil.copy(strange, named(table.exchange, "masked", "refuge"))
    with pytest.raises(CountError, match="another round"):
        hub_side.close(table.exchange, table.hub)
    shutil.copy(
        named(table.exchange, "masked", "clinic"), named(table.exchange, "masked", "refuge")
    )
    with pytest.raises(CountError, match="another contributor"):
        hub_side.close(table.exchange, table.hub)
    shutil.copy(named(table.exchange, "round"), named(table.exchange, "masked", "refuge"))
    with pytest.raises(CountError, match="of kind round"):
        hub_side.close(table.exchange, table.hub)


@pytest.mark.parametrize("kind", ["plan", "joined", "round", "masked", "request", "revealed"])
@pytest.mark.parametrize("place", [0, 1, 100, -1])
def test_an_altered_file_is_refused(table: Table, kind: str, place: int) -> None:
    """Whatever letter changes, the step that reads the file stops."""
    steps: dict[str, Any] = {
        "plan": table.join,
        "joined": lambda: hub_side.start(table.exchange, table.hub),
        "round": table.mask,
        "masked": lambda: hub_side.close(table.exchange, table.hub),
        "request": lambda: table.reveal("shelter"),
        "revealed": lambda: hub_side.total(table.exchange, table.hub),
    }
    for step in steps.values():
        if steps[kind] is step:
            break
        step()
    from_one = "casework" if kind in ("joined", "masked", "revealed") else ""
    path = named(table.exchange, kind, from_one)
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
            contributor_side.join(table.exchange, keep, "refuge")
    table.join()
    assert stat.S_IMODE(table.keep("refuge").stat().st_mode) == 0o700
    assert stat.S_IMODE((table.keep("refuge") / "state.json").stat().st_mode) == 0o600
    assert "refuge" in repr(open_keep(table.keep("refuge")))
    assert open_keep(table.keep("refuge")).private not in repr(open_keep(table.keep("refuge")))
    with pytest.raises(CountError, match="not empty"):
        contributor_side.join(table.exchange, table.keep("refuge"), "refuge")
    with pytest.raises(CountError, match="no folder of secrets"):
        contributor_side.reveal(table.exchange, table.folder / "nowhere")
    with pytest.raises(CountError, match="knows no contributor"):
        contributor_side.join(table.exchange, table.folder / "x", "../x")


def test_rounds_that_cannot_guard_anybody(tmp_path: Path) -> None:
    found = domains(tmp_path)
    for names in (("a", "b"), ("a", "b", "b"), ("a", "b", "C"), tuple(f"n{i}" for i in range(51))):
        with pytest.raises(CountError):
            hub_side.new(tmp_path / "e", tmp_path / "k", found, names)
    with pytest.raises(CountError):
        hub_side.new(tmp_path / "e", tmp_path / "k", found, NAMES, known_to=6)
    table = Table(tmp_path).join()
    for threshold in (2, 6):
        with pytest.raises(CountError, match="threshold"):
            hub_side.start(table.exchange, table.hub, threshold=threshold)
    with pytest.raises(CountError, match="no round can begin"):
        hub_side.start(table.exchange, table.hub, NAMES[:3])
    assert hub_side.start(table.exchange, table.hub).threshold == 4


def test_a_cell_outside_its_domain_stops_masking_without_its_value(table: Table) -> None:
    table.started()
    path = table.folder / "refuge.csv"
    path.write_text("year,gender,age,debt\n2020,Zq7MARKER,0-17,no\n", "utf-8")
    with pytest.raises(PolicyError) as error:
        contributor_side.mask(table.exchange, table.keep("refuge"), read_as_is(path))
    assert "Zq7MARKER" not in str(error.value)
    assert not named(table.exchange, "masked", "refuge").exists()


# What is sent and what the engine makes of it.


@pytest.mark.parametrize(
    "plan",
    [
        Plan({"a": ("x", "y"), "b": ("z",), "c": tuple("123")}, core=("a", "b", "c")),
        Plan({"a": ("x", "y"), "b": ("z",), "c": tuple("123")}, weights=Weights(pairs=0)),
        Plan({"a": ("x",), "b": ("y",), "c": ("z",), "d": ("w",)}, groups=(("a", "b", "c", "d"),)),
        Plan({"a": ("x", "y"), "b": tuple(map(str, range(50))), "c": ("z",)}, core=("a", "b", "c")),
    ],
    ids=["triples", "no pairs", "a group", "wide"],
)
def test_every_measured_table_follows_from_what_is_sent(plan: Plan) -> None:
    draw = stream(b"rows")
    rows = {n: [(*d, None)[draw(1)[0] % (len(d) + 1)] for _ in range(300)]
            for n, d in plan.domains.items()}  # fmt: skip
    codes = encode(pa.table({n: pa.array(v, pa.string()) for n, v in rows.items()}), plan.domains)
    layout = SecaggLayout(plan)
    summed = Summed(layout, layout.flat(count(codes, layout.tables)))
    weights = plan.weights.model_dump()
    measured = [t for t, kind in plan.tables.items() if weights[kind] > 0]
    exact, found = count(codes, measured), summed.tables(measured)
    assert all(np.array_equal(exact[t], found[t]) for t in measured)
    assert all(found[t].dtype == np.int32 and found[t].shape == exact[t].shape for t in measured)
    assert not any(set(t) < set(u) for t in layout.tables for u in layout.tables)
    wrong = summed.cells.copy()
    wrong[0] += 1
    if len(layout.tables) > 1:
        with pytest.raises(ValueError, match="no counts"):
            Summed(layout, wrong)


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """All randomness of the engine from one seed that can be set back; the product has none."""
    draw, state = noise.Sampler.draw, {"source": stream(b"noise")}
    monkeypatch.setattr(
        noise.Sampler, "draw", lambda self, size, source=None: draw(self, size, state["source"])
    )
    words = noise.words
    monkeypatch.setattr(noise, "words", lambda size, source=None: words(size, state["source"]))
    return lambda: state.update(source=stream(b"noise"))


@pytest.mark.parametrize("known_to", [1, 3])
@pytest.mark.parametrize("lost", [(), ("clinic",)])
def test_release_from_counts_equals_the_release_from_records(
    tmp_path: Path, seeded: Any, known_to: int, lost: tuple[str, ...]
) -> None:
    """At the same noise every file is the same, letter by letter."""
    table = Table(tmp_path, known_to).closed(*lost).reveal()
    path = hub_side.total(table.exchange, table.hub)[0]
    app = typer.Typer()
    protect_verbs.register(app)
    bounded = tmp_path / "bounded.yaml"
    bounded.write_text(DOMAINS + f"rows: {known_to}\n", "utf-8")
    records = str(table.joined_lines(*lost))
    commands = {
        "records": [records, "--domains", str(bounded)],
        "counts": ["--from-counts", str(path), "--domains", str(tmp_path / "domains.yaml")],
    }
    for name, command in commands.items():
        seeded()
        promise = ["--epsilon", "2", "--delta", "1e-6", "--ledger", str(tmp_path / f"l-{name}")]
        run(app, "protect", *command, *promise, "--out", str(tmp_path / name))
    one, two = tmp_path / "records", tmp_path / "counts"
    for file in ("records.csv", "counts.csv", "records.parquet", "counts.parquet"):
        assert (one / file).read_bytes() == (two / file).read_bytes(), file
    a, b = (json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (one, two))
    assert a.pop("charge") != b.pop("charge")
    assert a == b
    assert a["rows_per_person"] == known_to
    assert Ledger(tmp_path / "l-records").spent() == Ledger(tmp_path / "l-counts").spent() > 0


def run(app: typer.Typer, *command: str) -> Result:
    result = CliRunner().invoke(app, list(command))
    if isinstance(result.exception, HubError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_the_same_sum_again_is_free_in_another_round_too(tmp_path: Path) -> None:
    app = typer.Typer()
    protect_verbs.register(app)
    said = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        table = Table(tmp_path / place).closed().reveal()
        path = hub_side.total(table.exchange, table.hub)[0]
        command = ["protect", "--from-counts", str(path), "--domains",
                   str(tmp_path / place / "domains.yaml"), "--epsilon", "1", "--delta", "1e-6",
                   "--ledger", str(tmp_path / "ledger")]  # fmt: skip
        said.append(run(app, *command, "--out", str(tmp_path / place / "out")).output)
    assert "nothing was charged" not in said[0]
    assert "nothing was charged" in said[1]
    assert len(Ledger(tmp_path / "ledger").entries()) == 1
    for file in ("records.csv", "counts.csv", "manifest.json"):
        assert (tmp_path / "a/out" / file).read_bytes() == (tmp_path / "b/out" / file).read_bytes()
    with pytest.raises(CountError):
        run(app, *(a if a != str(path) else str(table.exchange / "plan.count") for a in command),
            "--out", str(tmp_path / "c"))  # fmt: skip
    other = tmp_path / "other.yaml"
    other.write_text(DOMAINS.replace("2023", "2024"), "utf-8")
    with pytest.raises(PolicyError, match="other domains"):
        run(app, *(a if not a.endswith("domains.yaml") else str(other) for a in command),
            "--out", str(tmp_path / "c"))  # fmt: skip
    with pytest.raises(PolicyError, match="either a table or"):
        run(app, command[0], str(table.joined_lines()), *command[1:], "--out", str(tmp_path / "c"))


def test_more_contributors_may_know_a_person_than_are_in_the_sum(tmp_path: Path) -> None:
    table = Table(tmp_path, None).closed("clinic").reveal()
    found = hub_side.total(table.exchange, table.hub)[1]
    assert found.terms.known_to == 5
    assert found.terms.plan(len(found.contributors)).rows == 4


def test_rows_of_a_person_are_bounded_at_each_contributor(tmp_path: Path) -> None:
    found = DomainsFile.model_validate(
        {"version": 1, "columns": {"a": ["x", "y"]}, "person": "who", "rows": 2}
    )
    exchange, keep = tmp_path / "exchange", tmp_path / "hub"
    terms = hub_side.new(exchange, keep, found, NAMES[:3], known_to=2)
    for name in NAMES[:3]:
        contributor_side.join(exchange, tmp_path / name, name)
        (tmp_path / f"{name}.csv").write_text("a,who\nx,1\ny,1\nx,1\nx,1\ny,2\n", "utf-8")
    hub_side.start(exchange, keep)
    for name in NAMES[:3]:
        contributor_side.mask(exchange, tmp_path / name, read_as_is(tmp_path / f"{name}.csv"))
    hub_side.close(exchange, keep)
    for name in NAMES[:3]:
        contributor_side.reveal(exchange, tmp_path / name)
    _found, summed = read_total(hub_side.total(exchange, keep)[0])
    assert summed.rows == 9
    assert terms.plan(3).rows == 4


def test_columns_of_the_schema(tmp_path: Path) -> None:
    """Tables that are in the hub's own schema need no domains file."""
    app = typer.Typer()
    count_verbs.register(app)
    protect_verbs.register(app)
    exchange, keep = str(tmp_path / "exchange"), str(tmp_path / "hub")
    names = NAMES[:3]
    columns = ("gender", "citizenship", "country_of_exploitation", "exploitation_forced_labour")
    given = [part for n in names for part in ("--contributor", n)]
    asked = [part for c in columns for part in ("--column", c)]
    plain = ["count", "new", exchange, "--keep", keep, "--domains", "schema", *given]
    with pytest.raises(PolicyError, match="no public variable"):
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
    run(app, "count", "close", exchange, "--keep", keep)
    for n in names:
        run(app, "count", "reveal", exchange, "--keep", str(tmp_path / n))
    run(app, "count", "sum", exchange, "--keep", keep)
    _found, summed = read_total(tmp_path / "hub/sum.count")
    at = summed.tables([("citizenship", "country_of_exploitation")])
    assert summed.rows == 3
    assert at["citizenship", "country_of_exploitation"].sum() == 3
    out = ["--epsilon", "1", "--delta", "1e-6", "--out", str(tmp_path / "out")]
    run(app, "protect", "--from-counts", str(tmp_path / "hub/sum.count"), "--domains", "schema",
        *out)  # fmt: skip
    assert (tmp_path / "out/records.csv").is_file()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"[" * 100_000, b"{}", b'{"ctdhub": "count 1"}', b"PK\x03\x04\xff", b"null\n"],
)
def test_any_other_file_is_refused(table: Table, content: bytes) -> None:
    named(table.exchange, "plan").write_bytes(content)
    with pytest.raises(CountError, match="no file of a round"):
        contributor_side.join(table.exchange, table.keep("refuge"), "refuge")


def test_a_plan_cannot_name_files_elsewhere(table: Table) -> None:
    """Names become names of files: a plan that names a path is no plan."""
    path = named(table.exchange, "plan")
    terms, _body = read_any(path)
    path.unlink()
    write(path, terms.model_copy(update={"contributors": ("../x", "a", "b")}))
    with pytest.raises(CountError, match="altered"):
        contributor_side.join(table.exchange, table.keep("refuge"), "../x")
    assert not (table.folder / "x.count").exists()
