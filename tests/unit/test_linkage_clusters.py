"""Who several contributors know: how sure, what contradicts, and what never changes."""

from __future__ import annotations

import csv
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.practice.naming import LISTS, write_names
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.people import link
from ctdhub.sensitive.linkage.pprl.derive import Identity, Tokeniser
from ctdhub.sensitive.linkage.review import Clusters, cluster, letters
from ctdhub.sensitive.linkage.settings import LinkageSettings
from ctdhub.sensitive.mapping.identifiers import TOKENS

FEBRL = Path(__file__).parents[2].parent / "shared" / "data" / "febrl4"
MAKER = Tokeniser(bytes(range(32)), "2026.1")
CUT, LOOK = LinkageSettings().cut, LinkageSettings().look

Row = dict[str, object]


def tables(rows: Iterable[Row]) -> tuple[pa.Table, pa.Table]:
    """Records and tokens of rows: ``id``, ``by`` (contributor), ``tokens``, and facts."""
    rows = list(rows)
    schema = load_schema()
    columns: dict[str, pa.Array] = {
        "record_id": pa.array([r["id"] for r in rows], pa.string()),
        "person_key": pa.array([r.get("key") for r in rows], pa.string()),
    }
    for v in schema.records:
        kind = pa.int16() if v.kind == "year" else pa.string()
        said = [r.get(v.name) for r in rows]
        columns[v.name] = pa.array(said, kind)
    columns["reporting_entity"] = pa.array([r["by"] for r in rows], pa.string())
    flat = [(r["id"], r["by"], t) for r in rows for t in r["tokens"]]  # type: ignore[attr-defined]
    arrays = [pa.array([f[i] for f in flat], pa.string()) for i in range(3)]
    return pa.table(columns), pa.table(arrays, schema=TOKENS)


def token(kind: str, text: object) -> str:
    return MAKER._token(kind, str(text))


def crowd(n: int = 60) -> list[Row]:
    """People whom two contributors know, so that strong patterns are common and certain."""
    return [
        {"id": f"{by}{i:03d}", "by": by, "tokens": [token(kind, i) for kind in "abcdf"]}
        for by in ("x", "y")
        for i in range(n)
    ]


def found(rows: Iterable[Row], cut: float = CUT, look: float = LOOK) -> Clusters:
    return cluster(*tables(rows), cut, look)


def together(made: Clusters, *ids: str) -> bool:
    of = dict(
        zip(made.members["record_id"].to_pylist(), made.members["cluster"].to_pylist(), strict=True)
    )
    return len({of[i] for i in ids}) == 1


def reasons(made: Clusters) -> list[str]:
    return made.review["reason"].to_pylist()  # type: ignore[no-any-return]


def test_people_whom_two_know_are_found() -> None:
    made = found(crowd())
    assert (made.persons, made.clusters, made.links) == (120, 60, 60)
    assert made.overlap == {"x+y": 60}
    assert made.review.num_rows == 0
    assert all(p.probability > CUT for p in made.patterns)


def test_between_look_and_cut_people_are_shown_and_never_joined() -> None:
    (pattern,) = found(crowd()).patterns
    assert 0.9 < pattern.probability < 1
    made = found(crowd(), cut=1.0, look=0.5)
    assert (made.links, made.clusters, made.review.num_rows) == (0, 120, 60)
    assert set(reasons(made)) == {"Likely, not certain."}
    assert found(crowd(), cut=1.0, look=1.0).review.num_rows == 0


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (({"gender": "female"}, {"gender": "male"}), "genders"),
        (
            (
                {"age_band": "9-17", "year_of_registration": 2020},
                {"age_band": "39-47", "year_of_registration": 2021},
            ),
            "ages",
        ),
        (
            (
                {"year_of_registration": 2005},
                {"age_band": "9-17", "year_of_registration": 2025},
            ),
            "born",
        ),
    ],
)
def test_what_contradicts_is_not_joined_but_shown(facts: tuple[Row, Row], reason: str) -> None:
    rows = crowd()
    rows[5] |= facts[0]
    rows[65] |= facts[1]
    made = found(rows)
    assert not together(made, "x005", "y005")
    assert made.clusters == 61
    (said,) = reasons(made)
    assert reason in said
    (row,) = made.review.to_pylist()
    assert {row["record_a"], row["record_b"]} == {"x005", "y005"}
    values = {str(v) for f in facts for v in f.values()}
    assert not values & set(map(str, row.values())), "no value of a record in the list"


@pytest.mark.parametrize(
    "facts",
    [
        (
            {"age_band": "9-17", "year_of_registration": 2014},
            {"age_band": "18-20", "year_of_registration": 2017},
        ),
        (
            {"age_band": "48+", "year_of_registration": 2014},
            {"age_band": "48+", "year_of_registration": 2024},
        ),
        ({"gender": "female"}, {"gender": "transgender_nonconforming"}),
        ({"gender": "female"}, {}),
    ],
)  # fmt: skip
def test_what_can_be_one_person_is_joined(facts: tuple[Row, Row]) -> None:
    rows = crowd()
    rows[5] |= facts[0]
    rows[65] |= facts[1]
    assert together(found(rows), "x005", "y005")


def test_one_person_of_each_contributor_at_most() -> None:
    """x5 and x6 are two people by x's own count, whatever a third contributor's tokens say."""
    rows = crowd()
    bridge = [token(kind, i) for i in (5, 6) for kind in "abcdf"]
    made = found([*rows, {"id": "z1", "by": "z", "tokens": bridge}])
    assert not together(made, "x005", "x006")
    assert any("one contributor" in r or "as likely" in r for r in reasons(made))
    of = defaultdict(set)
    for row in made.members.to_pylist():
        assert row["contributor"] not in of[row["cluster"]]
        of[row["cluster"]].add(row["contributor"])


def test_equal_candidates_are_left_to_the_steward() -> None:
    rows = [r for r in crowd() if r["id"] not in ("x005", "y005")]
    rows = [r | {"tokens": [*r["tokens"], token("h", r["id"][1:])]} for r in rows]  # type: ignore
    one = token("b", 5)
    either: list[Row] = [
        {"id": "x005", "by": "x", "tokens": [one, token("d", 5), token("f", "g"), token("f", "h")]},
        {"id": "y005", "by": "y", "tokens": [token("d", 5), token("f", "g")]},
        {"id": "y905", "by": "y", "tokens": [token("d", 5), token("f", "h")]},
    ]
    strong: list[Row] = [
        {"id": f"{by}s{i}", "by": by, "tokens": [token("d", f"s{i}"), token("f", f"s{i}")]}
        for by in ("x", "y")
        for i in range(60)
    ]
    made = found([*rows, *strong, *either])
    assert not together(made, "x005", "y005")
    assert not together(made, "x005", "y905")
    assert len(reasons(made)) == 2
    assert all("as likely" in reason for reason in reasons(made))


def test_who_is_held_twice_is_linked_once_and_shown() -> None:
    twice: Row = {"id": "y905", "by": "y", "tokens": [token(k, 5) for k in "abcdf"]}
    made = found([*crowd(), twice])
    assert together(made, "x005", "y005")
    assert not together(made, "x005", "y905")
    (pair,) = [row for row in made.review.to_pylist() if row["probability"] is None]
    assert {pair["record_a"], pair["record_b"]} == {"y005", "y905"}
    assert "two cases" in pair["reason"]


def test_a_case_number_makes_one_person_of_records() -> None:
    rows = [{**r, "key": r["id"]} for r in crowd()]
    again: Row = {"id": "x905", "by": "x", "key": "x005", "tokens": [token("a", "else")]}
    made = found([*rows, again])
    assert made.persons == 120
    assert together(made, "x005", "x905", "y005")


def test_chance_is_learnt_from_people_who_are_two() -> None:
    """Within contributors many share a key of kind f: so between them it is worth little."""
    rows = crowd()
    for by in ("x", "y"):
        rows += [
            {"id": f"{by}c{i:03d}", "by": by, "tokens": [token("f", f"common {i % 40}")]}
            for i in range(200)
        ]
    made = found(rows)
    worth = {p.kinds: p.probability for p in made.patterns}
    assert worth["abcdf"] > 0.95
    assert worth["f"] < 0.2
    assert made.links == 60


def test_doubles_inside_contributors_do_not_spoil_what_is_certain() -> None:
    """A tenth of the people came twice, as two cases: that looks like chance and is not."""
    rows = crowd(100)
    rows += [{**r, "id": f"{r['id']}d"} for r in rows if str(r["id"]).endswith("7")]
    worth = {p.kinds: p.probability for p in found(rows).patterns}
    assert worth["abcdf"] > 0.95


def test_tokens_of_different_keys_are_noticed() -> None:
    rows = crowd()
    for row in rows:
        check = "z-" + ("a" if row["by"] == "x" else "b") * 24
        row["tokens"] = [*row["tokens"], check]  # type: ignore[misc]
    assert found(rows).made_apart == (("x",), ("y",))
    assert found(crowd()).made_apart == ()


def test_tokens_of_everybody_tell_nobody_apart() -> None:
    rows: list[Row] = [
        {"id": f"{by}{i}", "by": by, "tokens": [token("e", "everybody")]}
        for by in ("x", "y")
        for i in range(60)
    ]
    made = found(rows)
    assert (made.too_common, made.links) == (1, 0)


def test_nobody_and_nothing() -> None:
    assert found([]).clusters == 0
    assert found([{"id": "a", "by": "x", "tokens": []}]).persons == 0
    alone = found([{"id": "a", "by": "x", "tokens": [token("b", 1)]}])
    assert (alone.persons, alone.clusters, alone.links) == (1, 1, 0)


def test_order_does_not_matter() -> None:
    rows = crowd()
    rng = np.random.default_rng(1)
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    one, other = found(rows), found(shuffled)
    assert (one.clusters, one.links, one.overlap) == (other.clusters, other.links, other.overlap)
    assert letters(0b1011) == "abd"


# Decision 24: why rows of people do not come from clusters.


def test_one_person_can_bridge_others_in_clusters_but_never_in_rows() -> None:
    """Adding z's one record changes who is one person among x and y: clusters may, rows may not."""
    rows = crowd()
    parts: list[Row] = [
        {"id": "p1", "by": "x", "gender": "female", "tokens": [token(k, "one") for k in "abcdf"]},
        {"id": "p2", "by": "y", "gender": "female", "tokens": [token(k, "two") for k in "abcdf"]},
    ]
    bridge: Row = {
        "id": "z1", "by": "z", "gender": "female",
        "tokens": [token(k, who) for who in ("one", "two") for k in "abcdf"],
    }  # fmt: skip
    known_to_z: list[Row] = [
        {"id": f"z{i:03d}", "by": "z", "tokens": [token(k, i) for k in "abcdf"]} for i in range(60)
    ]
    before = [*rows, *known_to_z, *parts]
    assert not together(found(before), "p1", "p2")
    assert together(found([*before, bridge]), "p1", "p2")
    schema = load_schema()
    without = link(tables(before)[0], schema).people
    whole = link(tables([*before, bridge])[0], schema).people
    assert whole.num_rows == without.num_rows + 1
    left = whole.to_pylist()
    for row in without.to_pylist():
        left.remove(row)
    assert len(left) == 1


# Figures: the cut-offs are the defaults; keys were chosen on fictitious people.


def truth_of(made: Clusters, person: dict[str, str], by: dict[str, str]):  # type: ignore[no-untyped-def]
    """(precision, recall) for all pairs of contributors, and by pair."""

    def pairs(groups: dict[object, list[str]]) -> dict[tuple[str, str], set[tuple[str, str]]]:
        made_: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for ids in groups.values():
            for a, b in itertools.combinations(sorted(ids), 2):
                if by[a] != by[b]:
                    made_[tuple(sorted((by[a], by[b])))].add((a, b))  # type: ignore[index]
        return made_

    said: dict[object, list[str]] = defaultdict(list)
    true: dict[object, list[str]] = defaultdict(list)
    for row in made.members.to_pylist():
        said[row["cluster"]].append(row["record_id"])
    for record, who in person.items():
        true[who].append(record)
    found_, real = pairs(said), pairs(true)
    return {
        between: (
            len(found_[between] & real[between]) / max(len(found_[between]), 1),
            len(found_[between] & real[between]) / len(real[between]),
        )
        for between in real
    }


def febrl() -> tuple[list[Row], dict[str, str]]:
    """Rows of two lists, and the person behind each."""
    rows: list[Row] = []
    for by in "ab":
        with (FEBRL / f"febrl4{by}.csv").open(encoding="utf-8") as file:
            for r in csv.DictReader(file):
                who = Identity(r["given_name"], r["surname"], r["date_of_birth"], r["suburb"])
                rows.append({"id": r["rec_id"], "by": by, "tokens": MAKER.tokens(who)[1]})
    with (FEBRL / "febrl4_links.csv").open(encoding="utf-8") as file:
        links = {r["b"]: r["a"] for r in csv.DictReader(file)}
    return rows, {str(r["id"]): links.get(str(r["id"]), str(r["id"])) for r in rows}


@pytest.mark.skipif(
    not FEBRL.is_dir(), reason="a public data set is missing: lay febrl4 into ../shared/data"
)
def test_febrl_by_tokens(record_property: Callable[[str, object], None]) -> None:
    begin = time.perf_counter()
    rows, person = febrl()
    made = found(rows)
    took = time.perf_counter() - begin
    by_ = {str(r["id"]): str(r["by"]) for r in rows}
    ((precision, recall),) = truth_of(made, person, by_).values()
    record_property("febrl4", f"precision {precision:.4f}, recall {recall:.4f}, {took:.1f} s")
    assert precision >= 0.998
    assert recall >= 0.90


def invented(folder: Path, people: int, seed: int) -> tuple[list[Row], dict[str, str]]:
    """Rows of five fictitious lists, and the person behind each case."""
    rows: list[Row] = []
    sexes = {"F": "female", "M": "male"}
    for office, path in write_names(folder, people, seed).items():
        with path.open(encoding="utf-8") as file:
            for r in csv.DictReader(file):
                who = Identity(r["given_name"], r["family_name"], r["birth_date"], r["town"])
                rows.append(
                    {
                        "id": r["case_number"], "by": office, "tokens": MAKER.tokens(who)[1],
                        "gender": sexes[r["sex"]], "citizenship": r["citizenship"] or None,
                    }
                )  # fmt: skip
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        return rows, {r["case"]: r["person"] for r in csv.DictReader(file)}


@pytest.mark.parametrize(("people", "seed"), [(2_000, 11), (500, 12)])
def test_invented_people_in_four_scripts(
    tmp_path: Path, people: int, seed: int, record_property: Callable[[str, object], None]
) -> None:
    rows, person = invented(tmp_path, people, seed)
    figures = truth_of(found(rows), person, {str(r["id"]): str(r["by"]) for r in rows})
    for between, (precision, recall) in figures.items():
        scripts = " and ".join(LISTS[name] for name in between)
        record_property(scripts, f"precision {precision:.4f}, recall {recall:.4f}")
        assert precision >= 0.995, scripts
        assert recall >= 0.85, scripts
    assert len(figures) == 10, "every pair of lists"
    assert {LISTS[n] for b in figures for n in b} == {"latin", "cyrillic", "greek", "arabic"}


def test_people_held_twice_in_other_spellings_do_not_spoil_the_rest(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Rows of one list stand in the others too, under a number of their own: no copies.

    Of people whom nobody holds twice almost the same pairs are found as without them.
    """
    rows, person = invented(tmp_path, 1_200, 13)
    by = {str(r["id"]): str(r["by"]) for r in rows}
    holds: dict[str, str] = {}
    for i, office in by.items():
        holds.setdefault(person[i], office if office != "lantern" else "")
    rest = [r for r in rows if r["by"] != "lantern"]
    spelt = [r for r in rows if r["by"] == "lantern" and holds[person[str(r["id"])]]]

    def recall(share: float) -> float:
        more = [{**r, "by": holds[person[str(r["id"])]]} for r in spelt[: round(share * len(rest))]]
        own = {str(r["id"]) for r in rest}
        made = found([*rest, *more])
        kept = pa.array([i in own for i in made.members["record_id"].to_pylist()])
        links = made.members.filter(kept).group_by("cluster").aggregate([("record_id", "list")])
        groups = [set(ids) for ids in links["record_id_list"].to_pylist()]
        pairs = [p for g in groups for p in itertools.combinations(sorted(g), 2)]
        right = [p for p in pairs if person[p[0]] == person[p[1]]]
        twice = {person[str(r["id"])] for r in more}
        lone = [p for p in right if person[p[0]] not in twice]
        true = [i for i in own if person[i] not in twice]
        real = sum(n * (n - 1) // 2 for n in Counter(person[i] for i in true).values())
        told = sum(people for _persons, people in made.held_twice.values())
        record_property(f"{share}", f"{len(lone) / real:.4f}; told {told} of {len(more)}")
        assert len(right) > 0.99 * len(pairs)
        assert abs(told - len(more)) <= 0.35 * len(more) + 10
        return len(lone) / real

    plain = recall(0)
    for share, lost in ((0.02, 0.04), (0.05, 0.08), (0.12, 0.12)):
        assert recall(share) >= plain - lost, "a few weak agreements of some forty pairs go"


@pytest.mark.skipif(
    not FEBRL.is_dir(), reason="a public data set is missing: lay febrl4 into ../shared/data"
)
def test_febrl_over_three_contributors_with_people_held_twice(
    record_property: Callable[[str, object], None],
) -> None:
    """A person's two records fall to three contributors, so many of them to one and the same."""
    rows, person = febrl()
    recall = {}
    for share in (0.0, 0.01, 0.02, 0.05):
        rng = np.random.default_rng(5)
        left, first = round(share * len(rows)), dict[str, int]()
        for r in rng.permutation(np.array(rows, object)):
            who = person[str(r["id"])]
            step = int(rng.integers(3)) if left else int(rng.integers(1, 3))
            left -= who in first and not step
            at = (first[who] + step) % 3 if who in first else int(rng.integers(3))
            first.setdefault(who, at)
            r["by"] = "xyz"[at]
        made = found(rows)
        by = {str(r["id"]): str(r["by"]) for r in rows}
        figures = truth_of(made, person, by).values()
        recall[share] = min(found_ for _right, found_ in figures)
        told = sum(people for _persons, people in made.held_twice.values())
        record_property(
            f"{share}",
            f"{[f'{p:.4f} {r:.4f}' for p, r in figures]}, told {told}",
        )
        assert min(right for right, _found in figures) >= 0.997
        assert abs(told - round(share * len(rows))) <= 0.2 * share * len(rows) + 25
    for share, lost in ((0.01, 0.02), (0.02, 0.02), (0.05, 0.035)):
        assert recall[share] >= recall[0.0] - lost


def plain(persons: dict[int, frozenset[int]]) -> set[frozenset[int]]:
    """Clusters that any equal token makes."""
    clusters: list[set[int]] = []
    for person, tokens in persons.items():
        touched = [c for c in clusters if any(persons[p] & tokens for p in c)]
        clusters = [c for c in clusters if c not in touched]
        clusters.append({person}.union(*touched))
    return {frozenset(c) for c in clusters}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.frozensets(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=12))
def test_in_plain_clusters_one_person_changes_no_more_than_her_tokens_and_one(
    tokens: list[frozenset[int]],
) -> None:
    """The bound of decision 24: one row goes and at most K come."""
    persons = dict(enumerate(tokens))
    whole, without = plain(persons), plain({p: t for p, t in persons.items() if p})
    assert len(whole - without) == 1
    assert len(without - whole) <= len(tokens[0])


def test_the_bound_of_plain_clusters_is_reached() -> None:
    tokens = [frozenset(range(4)), *(frozenset([i]) for i in range(4))]
    persons = dict(enumerate(tokens))
    assert len(plain(persons)) == 1
    assert len(plain({p: t for p, t in persons.items() if p})) == 4
