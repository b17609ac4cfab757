"""Pairs that may be one person, decided without names, and what the decisions say of all links.

The file ``linkage/decisions.jsonl`` holds a line for each decision: which pair (a keyed hash), who
decided what and when.  A decision changes the report on links and the recall that is measured by
it, never a released row: how many rows one person moves would have no bound (decision 24).

Two people may decide a pair; the second is shown the first.  Where they differ the pair counts as
not decided.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.errors import FileError, error
from ctdhub.core.files import append_chain, read_chain
from ctdhub.hub.contributions import RECORDS
from ctdhub.hub.folder import Hub, alone, timestamp
from ctdhub.hub.stages.link import PAIRS, linkage
from ctdhub.schema import model
from ctdhub.sensitive.linkage.hub_frame import SAMPLE, KeyedOrder, hub_frame, pair_ids
from ctdhub.sensitive.linkage.identified import pairs
from ctdhub.sensitive.linkage.identified.link_files import ERRORS

FOLDER, DECISIONS = "linkage", "decisions.jsonl"

Same = Literal["yes", "no", "unsure"]
SAME: tuple[Same, ...] = ("yes", "no", "unsure")


@dataclass(frozen=True)
class PairDecision:
    """One line: who decided what of a pair, and when (UTC, to the second)."""

    pair: str
    same: Same
    by: str
    time: str


@dataclass(frozen=True)
class DoublePair:
    """A pair to decide.  Sensitive: no value of a record and no name is in it.

    Attributes:
        id: keyed hash.
        contributors: of both persons.
        keys: letters of the kinds of tokens that agree, and of facts.
        probability: that it is one person, 0 to 1; None for two cases of one contributor.
        joined: whether the report counts both as one person.
        reason: why somebody is to look, None where chance drew it.
        agree, differ: variables that both recorded, by whether they say the same.
        decided: the newest decision of each person who decided, the oldest first.
    """

    id: str
    contributors: tuple[str, str]
    keys: str
    probability: float | None
    joined: bool
    reason: str | None
    agree: tuple[str, ...]
    differ: tuple[str, ...]
    decided: tuple[PairDecision, ...]

    @property
    def same(self) -> Same | None:
        """What all who decided say; None where nobody did or they differ."""
        return _agreed(self.decided)


def decisions(hub: Hub) -> tuple[PairDecision, ...]:
    """All lines, the oldest first; a line that a crash cut short is passed over.

    Raises:
        FileError: the file was changed.
    """
    path, lines = hub.root / FOLDER / DECISIONS, list[PairDecision]()
    names = [field.name for field in fields(PairDecision)]
    for one in read_chain(path):
        if not one.keys() >= {*names} or one["same"] not in SAME:
            raise error("chain", file=path, line=one["number"])
        lines.append(PairDecision(*(one[name] for name in names)))
    return tuple(lines)


def decide(hub: Hub, pair: str, same: Same, by: str, seen: int) -> None:
    """Write a decision down.

    Args:
        hub: the hub.
        pair: its id.
        same: whether both are one person.
        by: who decides.
        seen: how many decisions of others on this pair were shown to whoever decides.

    Raises:
        HubFolderError: no links were reported yet; the pair is none of the last build; somebody
            else decided it meanwhile; or the decision contradicts others, which say that both are,
            or are not, one person.
    """
    with alone(hub.root / FOLDER) as folder:
        path = folder / DECISIONS
        table, ids = _pairs(hub)
        if pair not in ids:
            raise error("pair-decisions/gone", file=path)
        known = _newest(decisions(hub))
        others = [one for one in known.get(pair, ()) if one.by != by]
        if len(others) != seen:
            raise error("pair-decisions/meanwhile", file=path)
        line = PairDecision(pair, same, by, timestamp())
        known[pair] = (*others, line)
        try:
            pairs.check_decisions(_decided(table, ids, known), path)
        except FileError:
            raise error("pair-decisions/contradiction", file=path) from None
        append_chain(path, asdict(line))


def to_decide(hub: Hub) -> list[DoublePair]:
    """Pairs that somebody should look at: doubtful ones, and a random sample of all.

    Raises:
        HubFolderError: no links were reported yet.
    """
    table, ids = _pairs(hub)
    between, _frame, sample = _drawn(hub, table, ids)
    drawn = {between[at] for at in sample}
    doubtful = {at for at, why in enumerate(table["reason"].to_pylist()) if why}
    chosen = sorted(drawn | doubtful)
    KeyedOrder(hub.person_key(), ids).shuffle(chosen)
    shown = table.take(pa.array(chosen, pa.int64())).to_pylist()
    facts = _facts(hub, {row[f"record_{side}"] for row in shown for side in "ab"})
    known = _newest(decisions(hub))
    return [_pair(ids[at], row, facts, known) for at, row in zip(chosen, shown, strict=True)]


def measured(hub: Hub) -> dict[str, Any] | None:
    """What the decisions say of all pairs that share a token; None where nobody decided anything.

    Returns:
        As ``identified.review_frame.accuracy_json``, with ``yes``, ``no``, ``differ`` (pairs
        that two people decided differently) and ``gone`` (decided pairs that the last build lacks).

    Raises:
        HubFolderError: no links were reported yet.
    """
    known = _newest(decisions(hub))
    if not known:
        return None
    table, ids = _pairs(hub)
    between, frame, sample = _drawn(hub, table, ids)
    at_pair = {ids[at]: place for place, at in enumerate(between)}
    everywhere = set(ids)
    said = {pair: _agreed(lines) for pair, lines in known.items() if pair in everywhere}
    sure = {pair: same == "yes" for pair, same in said.items() if same in ("yes", "no")}
    decided = {at_pair[pair]: same for pair, same in sure.items() if pair in at_pair}
    cells = pairs.reviewed_cells(frame, sample, decided) if between else []
    counts: dict[str, Any] = {
        "yes": sum(sure.values()),
        "no": len(sure) - sum(sure.values()),
        "differ": list(said.values()).count(None),
        "gone": len(known) - len(said),
    }
    people = int(linkage(hub)["clusters"])
    return counts | (pairs.accuracy_json(cells, 0.0, ERRORS, max(1, people)) if cells else {})


def _pairs(hub: Hub) -> tuple[pa.Table, list[str]]:
    path = hub.work / "people" / PAIRS
    if not path.is_file():
        raise error("no-report", file=path)
    table = pq.read_table(path)
    return table, pair_ids(table, hub.person_key())


def _drawn(
    hub: Hub, table: pa.Table, ids: list[str]
) -> tuple[list[int], pairs.PairFrame, set[int]]:
    """Pairs of two contributors by their places in the table, and a sample of them."""
    between = [at for at, within in enumerate(table["within"].to_pylist()) if not within]
    frame, order = hub_frame(table), KeyedOrder(hub.person_key(), [ids[at] for at in between])
    return between, frame, frame.draw(SAMPLE, order) if between else set()


def _newest(lines: tuple[PairDecision, ...]) -> dict[str, tuple[PairDecision, ...]]:
    """The newest decision of each person, by pair."""
    by_pair: dict[str, dict[str, PairDecision]] = {}
    for line in lines:
        own = by_pair.setdefault(line.pair, {})
        own.pop(line.by, None)
        own[line.by] = line
    return {pair: tuple(own.values()) for pair, own in by_pair.items()}


def _agreed(lines: tuple[PairDecision, ...]) -> Same | None:
    said = {line.same for line in lines}
    return said.pop() if len(said) == 1 else None


def _decided(
    table: pa.Table, ids: list[str], known: dict[str, tuple[PairDecision, ...]]
) -> list[pairs.DecidedPair]:
    """The decisions that hold, between persons as numbers; a row is the number of the pair."""
    numbers: dict[tuple[str, str], int] = {}
    verdicts = []
    for at, (pair, row) in enumerate(zip(ids, table.to_pylist(), strict=True), 1):
        same = _agreed(known.get(pair, ()))
        if same not in ("yes", "no"):
            continue
        sides = [(str(row[f"contributor_{s}"]), str(row[f"key_{s}"])) for s in "ab"]
        one, other = (numbers.setdefault(side, len(numbers)) for side in sides)
        verdicts.append(pairs.DecidedPair(one, other, same == "yes", at))
    return verdicts


_Facts = dict[str, dict[str, Any]]


def _facts(hub: Hub, records: set[str]) -> _Facts:
    """The public variables of some records, by id."""
    public = [v.name for v in model.load_schema().table("people") if v.public]
    facts: _Facts = {}
    wanted = pa.array(sorted(records), pa.string())
    for path in sorted((hub.work / "harmonised").glob(f"[!.]*/*/*/{RECORDS}")):
        table = pq.read_table(path, columns=["record_id"])
        mask = pc.is_in(table["record_id"], value_set=wanted)
        if not pc.any(mask).as_py():
            continue
        columns = [name for name in public if name in pq.read_schema(path).names]
        rows = pq.read_table(path, columns=["record_id", *columns]).filter(mask).to_pylist()
        facts |= {row.pop("record_id"): row for row in rows}
    return facts


_OF_THE_SENDER = frozenset(
    {model.CONTRIBUTOR, model.CONTRIBUTOR_KIND, model.DESTINATION_RULE, model.DELIVERIES}
)
"""Variables that say nothing of the person."""


def _pair(
    pair: str, row: dict[str, Any], facts: _Facts, known: dict[str, tuple[PairDecision, ...]]
) -> DoublePair:
    one, other = (facts.get(row[f"record_{side}"], {}) for side in "ab")
    both = [
        name
        for name, value in one.items()
        if value is not None and other.get(name) is not None and name not in _OF_THE_SENDER
    ]
    return DoublePair(
        id=pair,
        contributors=(row["contributor_a"], row["contributor_b"]),
        keys=row["keys"],
        probability=row["probability"],
        joined=row["joined"],
        reason=row["reason"],
        agree=tuple(name for name in both if one[name] == other[name]),
        differ=tuple(name for name in both if one[name] != other[name]),
        decided=known.get(pair, ()),
    )
