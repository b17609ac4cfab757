"""Shape: trees and linked tables become one flat table, and nothing gets lost or turns into no."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import HostileFile, HubError, UnreadableFile
from ctdhub.core.tables import trim
from ctdhub.sensitive.ingest.options import Limits, ReadOptions, ShapeOptions, steps_of
from ctdhub.sensitive.ingest.raw import RawTable, read_table
from ctdhub.sensitive.ingest.shape.children import BLANK, list_cell, with_children
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.run import harmonise

YEARS, KEY = (2000, 2030), b"k" * 32


def saved(folder: Path, document: Any, name: str = "a.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def read(folder: Path, document: Any, **shape: Any) -> RawTable:
    return read_table(saved(folder, document), ReadOptions.model_validate(shape))


def refused(folder: Path, document: Any, **shape: Any) -> HubError:
    with pytest.raises(HubError) as caught:
        read(folder, document, **shape)
    return caught.value


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return list(table.to_pylist())


# Trees ------------------------------------------------------------------------------------------


def test_objects_become_columns_and_lists_become_cells(tmp_path: Path) -> None:
    record = {"a": {"b": {"c": 1}, "d": [True, None, "x;y"]}, "e": ["p", "q"], "f": [], "g": {}}
    raw = read(tmp_path, [record], lists=";")
    assert rows(raw.table) == [
        {"a.b.c": "1", "a.d": f'["TRUE", "{BLANK}", "x;y"]', "e": "p;q", "f": None, "_row": 1}
    ]


def test_names_and_values_become_members(tmp_path: Path) -> None:
    values = [{"code": "a1", "label": "Sex", "v": "F"}, {"code": "b2", "v": "7"}]
    pairs = {"facts": {"name": ["label", "code"], "value": "v"}}
    raw = read(tmp_path, [{"facts": values}, {"facts": []}], pairs=pairs)
    assert (
        rows(raw.table)
        == [
            {"facts.Sex": "F", "facts.b2": "7", "_row": 1},
            {"facts.Sex": None, "facts.b2": None, "_row": 2},
        ]
        or raw.table.num_rows == 1
    )  # a record without any value is no row
    nameless = [{"facts": [{"v": "7"}]}, {"facts": values}]
    assert read(tmp_path, nameless, pairs=pairs).rejects["rule"].to_pylist() == ["nested"]


def test_a_path_chooses_among_the_members_of_a_list(tmp_path: Path) -> None:
    record = {"facts": [{"k": "Sex", "v": "F"}, {"k": "Age", "v": "30"}]}
    paths = {"sex": "facts[k=Sex].v", "age": "facts[k=Age].v", "none": "facts[k=Eyes].v"}
    raw = read(tmp_path, [record], paths=paths, drop=["facts"])
    assert rows(raw.table) == [{"sex": "F", "age": "30", "none": None, "_row": 1}]


@pytest.mark.parametrize("path", ["", "a..b", "a.", "a[b].c", "a[b=c", ".a"])
def test_what_is_no_path_is_refused(path: str) -> None:
    if path:
        with pytest.raises(ValueError, match="path"):
            steps_of(path)
    with pytest.raises(ValueError, match="path"):
        ShapeOptions(paths={"x": path})


def test_repeats_are_child_rows_and_equal_names_in_two_groups_stay_apart(tmp_path: Path) -> None:
    record = {
        "victim/sex": "female",
        "caller/sex": "male",
        "perp": [{"perp/sex": "male"}, {"perp/age": "40", "perp/acts": [{"perp/acts/what": "x"}]}],
    }
    raw = read(tmp_path, [record, {"victim/sex": "male"}], lists=";")
    assert rows(raw.table)[0] == {
        "victim/sex": "female",
        "caller/sex": "male",
        "perp.sex": f"male;{BLANK}",
        "perp.age": f"{BLANK};40",
        "perp.acts.what": "x",
        "_row": 1,
    }
    assert rows(raw.children["perp"]) == [
        {"perp.sex": "male", "perp.age": None, "_row": 1},
        {"perp.sex": None, "perp.age": "40", "_row": 1},
    ]
    assert rows(raw.table)[1]["perp.sex"] is None


def test_one_object_where_others_have_a_list_is_one_child_row_once_declared(tmp_path: Path) -> None:
    records = [{"p": {"s": "m"}}, {"p": [{"s": "f"}, {"s": "m"}]}]
    assert refused(tmp_path, records, lists=";").rule == "duplicate-header"
    raw = read(tmp_path, records, children={"p": {"path": "p", "count": True}})
    assert raw.table["p.s"].to_pylist() == ["m", "f;m"]
    assert raw.table["p.count"].to_pylist() == ["1", "2"]


def test_without_a_shape_nested_records_are_rejects_as_before(tmp_path: Path) -> None:
    raw = read(tmp_path, [{"a": 1}, {"a": {"b": 1}}])
    assert raw.rejects["rule"].to_pylist() == ["nested"]


def test_members_without_a_name_make_a_reject_where_they_hold_something(tmp_path: Path) -> None:
    records = [
        {"a": {" ": "x"}},
        {"a": {"b": "x", "": None}},
        {"c": [{"": "x"}]},
        {"c": [{"d": "x"}]},
    ]
    raw = read(tmp_path, records, lists=";")
    assert raw.rejects.select(["source_row", "rule"]).to_pylist() == [
        {"source_row": 1, "rule": "json"},
        {"source_row": 3, "rule": "json"},
    ]
    assert raw.table.column_names == ["a.b", "c.d", "_row"]


def test_errors_name_the_path_and_never_a_key_that_only_one_record_has(tmp_path: Path) -> None:
    good, bad = {"a": {"b": "1"}}, {"a": {"b": [["x"]]}}
    raw = read(tmp_path, [good, good, bad, bad, {"a": {"Maria": [["x"]]}}], lists=";")
    assert raw.rejects["column"].to_pylist() == ["a.b", "a.b", "…"]
    assert raw.rejects["source_row"].to_pylist() == [3, 4, 5]
    long = refused(tmp_path, [good, {"a": {"b": "x" * 40_000}}], lists=";")
    assert (long.rule, long.column, long.row) == ("cell-size", "a.b", 2)


# Documents --------------------------------------------------------------------------------------

ONE = {"s": "f"}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"count": 1, "next": None, "previous": None, "results": [ONE]}, "results"),
        ({"data": [ONE], "metadata": {"total": 1, "per": 20, "page": 1}}, "data"),
        ({"pager": {"page": 1, "pageSize": 50}, "trackedEntities": [ONE]}, "trackedEntities"),
        ({"page": 1, "pageSize": 50, "instances": [ONE]}, "instances"),
        ({"matching_records": 1, "cases": [ONE]}, "cases"),
        ({"meta": {"limit": 20, "next": None, "total_count": 1}, "objects": [ONE]}, "objects"),
        ({"@odata.context": "x", "value": [ONE]}, "value"),
        ([{"count": 2, "results": [ONE]}, {"count": 2, "results": [ONE]}], "results"),
    ],
)
def test_envelopes_are_named_and_opened(tmp_path: Path, document: Any, path: str) -> None:
    plain = refused(tmp_path, document)
    assert plain.rule == "json"
    assert f"rows: {path}" in str(plain)
    raw = read(tmp_path, document, rows=path)
    assert raw.rows_read == (2 if isinstance(document, list) else 1)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"count": 2, "next": None, "results": [ONE]}, "results"),
        ({"next": "more", "results": [ONE]}, "results"),
        ({"data": [ONE], "metadata": {"total": 21, "per": 20, "page": 2}}, "data"),
        ({"pager": {"page": 1, "pageSize": 1}, "trackedEntities": [ONE]}, "trackedEntities"),
        ({"pager": {"page": 2, "pageSize": 50}, "trackedEntities": [ONE]}, "trackedEntities"),
        ({"page": 1, "pageSize": 1, "instances": [ONE]}, "instances"),
        ({"matching_records": 5, "next": "cursor", "cases": [ONE]}, "cases"),
        ({"meta": {"next": "?offset=20", "total_count": 40}, "objects": [ONE]}, "objects"),
        ({"@odata.nextLink": "more", "value": [ONE]}, "value"),
        ({"results": [ONE], "metadata": [{"total": 9}]}, "results"),
    ],
)
def test_one_page_of_several_is_refused_unless_stated(
    tmp_path: Path, document: Any, path: str
) -> None:
    assert refused(tmp_path, document, rows=path).rule == "one-page"
    assert read(tmp_path, document, rows=path, partial=True).rows_read == 1


def test_an_object_with_lists_is_no_single_record_unless_stated(tmp_path: Path) -> None:
    document = {"people": [ONE, ONE]}
    for text in (json.dumps(document), json.dumps(document, indent=1)):
        assert refused(tmp_path, text, lists=";").rule == "json"
    assert read(tmp_path, document, rows="people").rows_read == 2
    assert read(tmp_path, {"_id": 1, "perp": [ONE]}, rows=".").rows_read == 1
    assert refused(tmp_path, [ONE], rows="people").rule == "json"


def test_records_may_lie_in_a_list_of_each_form_and_pages_count_the_forms(tmp_path: Path) -> None:
    forms = [{"g/victims": [ONE, ONE]}, {"g/victims": [ONE]}]
    document = {"count": 2, "next": None, "results": forms}
    assert read(tmp_path, document, rows="results.g/victims").rows_read == 3
    document["count"] = 3
    assert refused(tmp_path, document, rows="results.g/victims").rule == "one-page"


def test_what_a_form_says_of_all_goes_with_each_of_its_records(tmp_path: Path) -> None:
    forms: list[dict[str, Any]] = [
        {"day": "2023", "g/victims": [{"sex": "f"}, {"sex": "m"}], "perp": [{"perp/sex": "m"}]},
        {"day": "2024", "total": "3", "g/victims": [{"sex": "f"}], "_notes": [{"x": "y"}]},
        {"day": "2025", "g/victims": []},
    ]
    shape = {"rows": "results.g/victims", "drop": ["_notes"]}
    raw = read(tmp_path, {"count": 3, "next": None, "results": forms}, **shape)
    assert rows(raw.table) == [
        {"sex": "f", "outer.day": "2023", "outer.total": None, "outer.perp.sex": "m", "_row": 1},
        {"sex": "m", "outer.day": "2023", "outer.total": None, "outer.perp.sex": "m", "_row": 2},
        {"sex": "f", "outer.day": "2024", "outer.total": "3", "outer.perp.sex": None, "_row": 3},
    ]
    plain = read(tmp_path, forms, rows="g/victims", drop=["_notes"])
    assert rows(plain.table) == rows(raw.table)


def test_lines_of_json_stay_lines(tmp_path: Path) -> None:
    raw = read(tmp_path, '{"a": {"b": 1}}\n{"a": {"b": 2}}\n', lists=";")
    assert raw.table["a.b"].to_pylist() == ["1", "2"]


# Child tables -----------------------------------------------------------------------------------

MAIN = pa.table({"k": ["1", "2", "3"], "_row": pa.array([2, 3, 4], pa.int64())})
SHEET = pa.table(
    {
        "of": ["2", "1", "2", "9", None],
        "n": ["a", "b", None, "d", "e"],
        "_row": pa.array([2, 3, 4, 5, 6], pa.int64()),
    }
)


def tied(**child: Any) -> ShapeOptions:
    given_ = {"sheet": "s", "key": "k", "parent": "of", **child}
    return ShapeOptions.model_validate({"children": {"c": given_}})


def test_child_rows_are_tied_by_key_and_those_of_no_record_are_rejects() -> None:
    shaped = with_children(MAIN, {"c": SHEET}, tied(count=True), 10, "f")
    assert shaped.table["c.n"].to_pylist() == ["b", f"a;{BLANK}", None]
    assert shaped.table["c.count"].to_pylist() == ["1", "2", None]
    assert [(r.row, r.rule, r.column) for r in shaped.rejects] == [
        (5, "orphan", "c"),
        (6, "orphan", "c"),
    ]
    assert shaped.children["c"]["_row"].to_pylist() == [3, 2, 3]


def test_a_key_that_is_missing_or_names_two_records_is_refused() -> None:
    twice = pa.table({"k": ["1", "1"], "_row": pa.array([2, 3], pa.int64())})
    for main, options in ((twice, tied()), (MAIN, tied(key="z")), (MAIN, tied(parent="z"))):
        with pytest.raises(UnreadableFile) as caught:
            with_children(main, {"c": SHEET}, options, 10, "f")
        assert caught.value.rule == "child-key"


def test_grandchildren_belong_to_the_record_of_their_parent() -> None:
    child = pa.table({"of": ["2", "3"], "i": ["x", "y"], "_row": pa.array([2, 3], pa.int64())})
    grand = pa.table({"up": ["y", "y"], "n": ["p", "q"], "_row": pa.array([2, 3], pa.int64())})
    options = ShapeOptions.model_validate(
        {
            "children": {
                "c": {"sheet": "c", "key": "k", "parent": "of"},
                "g": {"sheet": "g", "key": "i", "of": "c", "parent": "up"},
            }
        }
    )
    shaped = with_children(MAIN, {"c": child, "g": grand}, options, 10, "f")
    assert shaped.table["g.n"].to_pylist() == [None, None, "p;q"]


def test_rows_of_the_table_itself_can_be_child_rows(tmp_path: Path) -> None:
    cases = [
        {"id": "1", "kind": "victim", "sex": "f"},
        {"id": "2", "kind": "suspect", "sex": "m", "up": "1"},
        {"id": "3", "kind": "suspect", "sex": "m", "up": "8"},
    ]
    child = {"where": {"kind": "suspect"}, "key": "id", "parent": "up"}
    raw = read(tmp_path, cases, children={"perp": child})
    assert raw.table["perp.sex"].to_pylist() == ["m"]
    assert raw.rejects["rule"].to_pylist() == ["orphan"]
    assert raw.rows_read == 2
    text = "id,kind,sex,up\n1,victim,f,\n2,suspect,m,1\n3,suspect,m,8\n"
    options = ReadOptions.model_validate({"children": {"perp": child}})
    table = read_table(saved(tmp_path, text, "a.csv"), options)
    assert table.table["perp.sex"].to_pylist() == ["m"]
    assert table.rejects["source_row"].to_pylist() == [4]


@pytest.mark.parametrize(
    ("texts", "fold", "cell"),
    [
        (["1", "0", None], {"any": ["1"]}, "1"),
        (["0", None], {"any": ["1"]}, None),
        (["0", "0"], {"any": ["1"]}, "0"),
        (["0", "?"], {"any": ["1"]}, "0;?"),
        (["1", "1"], {"all": ["1"]}, "1"),
        (["1", "0", None], {"all": ["1"]}, "0"),
        (["1", None], {"all": ["1"]}, None),
        ([None, "b", "c"], "first", "b"),
        (["b", "c", None], "last", "c"),
        (["b", "c"], "list", "b;c"),
        ([None, None], "list", None),
    ],
)
def test_folds_never_make_no_of_silence(
    texts: list[str | None], fold: Any, cell: str | None
) -> None:
    n = len(texts)
    child = pa.table({"n": pa.array(texts, pa.string()), "_row": pa.array([2] * n, pa.int64())})
    options = ShapeOptions.model_validate({"children": {"c": {"path": "c", "fold": {"n": fold}}}})
    shaped = with_children(MAIN, {"c": child}, options, 10, "f")
    assert shaped.table["c.n"].to_pylist() == [cell, None, None]


def test_a_column_that_is_not_folded_stays_with_the_child_rows() -> None:
    child = pa.table({"n": ["x"], "_row": pa.array([2], pa.int64())})
    options = ShapeOptions.model_validate({"children": {"c": {"path": "c", "fold": {"n": "none"}}}})
    shaped = with_children(MAIN, {"c": child}, options, 10, "f")
    assert shaped.table.column_names == ["k", "_row"]
    assert shaped.children["c"]["c.n"].to_pylist() == ["x"]


@given(st.lists(st.none() | st.text(max_size=6), max_size=5))
def test_a_list_cell_gives_back_its_texts(texts: list[str | None]) -> None:
    cell = list_cell(texts, ";")
    wanted = [t if t and trim(t) else BLANK for t in texts]
    if cell is None:
        assert all(t == BLANK for t in wanted)
    else:
        assert elements_of(cell, ";") == [trim(t) for t in wanted]


# Long tables ------------------------------------------------------------------------------------


def test_a_long_table_gets_a_row_for_each_id(tmp_path: Path) -> None:
    text = (
        "event,orgUnit,dataElement,value\n"
        "e1,o1,sex,F\ne2,o1,sex,M\ne1,o1,age,30\ne1,o1,sex,F\ne2,o1,sex,X\n,o1,sex,F\n"
    )
    long = {"id": "event", "name": "dataElement", "value": "value"}
    path = saved(tmp_path, text, "a.csv")
    raw = read_table(path, ReadOptions.model_validate({"long": long}))
    assert rows(raw.table) == [
        {"event": "e1", "orgUnit": "o1", "sex": "F", "age": "30", "_row": 2},
        {"event": "e2", "orgUnit": "o1", "sex": "M;X", "age": None, "_row": 3},
    ]
    assert raw.rejects["rule"].to_pylist() == ["long-line"]
    with pytest.raises(UnreadableFile) as caught:
        read_table(path, ReadOptions.model_validate({"long": {**long, "id": "none"}}))
    assert caught.value.rule == "long-column"


# Limits -----------------------------------------------------------------------------------------


def test_hostile_trees_stay_within_limits(tmp_path: Path) -> None:
    deep: Any = "x"
    for _level in range(40):
        deep = {"a": deep}
    many = {"p": [{"s": "m"}] * 10_000}
    wide = {"p": [{f"c{i}": "1" for i in range(3_000)}]}
    hostile = [([deep], "nesting"), ([many], "children"), ([wide], "columns")]
    for document, rule in hostile:
        with pytest.raises(HostileFile) as caught:
            read(tmp_path, document, lists=";")
        assert caught.value.rule == rule
    assert caught.value.file == "a.json"
    few = Limits(rows=3)
    with pytest.raises(HostileFile) as caught:
        read_table(saved(tmp_path, [{"p": [{"s": "m"}] * 4}]), ReadOptions(lists=";"), few)
    assert caught.value.rule == "rows"
    long = {"p": [{"s": "m" * 30_000}] * 40}
    with pytest.raises(HostileFile) as caught:
        read(tmp_path, [long], lists=";")
    assert (caught.value.rule, caught.value.column) == ("cell-size", "p.s")


# Mapping ----------------------------------------------------------------------------------------


def test_perpetrators_come_from_a_child_table_row_by_row(tmp_path: Path) -> None:
    records = [
        {"sex": "f", "perp": [{"sex": "m", "role": "paid other"}, {"role": "other"}]},
        {"sex": "m"},
    ]
    mapping = Mapping.model_validate(
        {
            "version": 1,
            "read": {"children": {"perp": {"path": "perp"}}},
            "columns": {"gender": {"from": "sex", "map": {"f": "female", "m": "male"}}},
            "perpetrators": {
                "child": "perp",
                "columns": {
                    "perpetrator_gender": {"from": "perp.sex", "map": {"m": "male"}},
                    "perpetrator_paid_money": {
                        "from": "perp.role",
                        "split": " ",
                        "has": ["paid"],
                        "known": ["other"],
                        "absent": "no",
                    },
                },
            },
            "tests": [
                {
                    "row": {"sex": "f", "perp.sex": f"m;{BLANK}", "perp.role": "paid;other"},
                    "gives": {"gender": "female"},
                    "perpetrators": [
                        {"perpetrator_gender": "male", "perpetrator_paid_money": "yes"},
                        {"perpetrator_gender": None, "perpetrator_paid_money": "no"},
                    ],
                }
            ],
        }
    )
    raw = read_table(saved(tmp_path, records), mapping.read)
    done = harmonise(raw, mapping, "us", YEARS, KEY)
    told = done.perpetrators.select(["perpetrator_gender", "perpetrator_paid_money"])
    assert rows(told) == [
        {"perpetrator_gender": "male", "perpetrator_paid_money": "yes"},
        {"perpetrator_gender": None, "perpetrator_paid_money": "no"},
    ]
    assert done.perpetrators["record_id"].to_pylist() == [done.records["record_id"][0].as_py()] * 2


def test_a_child_row_that_says_nothing_makes_nothing_absent(tmp_path: Path) -> None:
    records = [{"s": [{"type": "a"}, {}, {"type": "b"}]}, {"s": [{"type": "b"}]}, {"x": "1"}]
    rule = {"from": "s.type", "split": ";", "has": ["a"], "known": ["b"], "absent": "no"}
    absent = {**rule, "has": ["b"], "known": ["a"]}
    mapping = Mapping.model_validate(
        {
            "version": 1,
            "read": {"lists": ";"},
            "columns": {"means_threats": rule, "means_debt_bondage": absent},
        }
    )
    none = [{"s": [{"type": "a"}, {"n": "1"}]}]
    done = harmonise(
        read_table(saved(tmp_path, records + none), mapping.read), mapping, "us", YEARS, KEY
    )
    assert done.records["means_threats"].to_pylist() == ["yes", "no", None, "yes"]
    assert done.records["means_debt_bondage"].to_pylist() == ["yes", "yes", None, None]


def test_what_is_stripped_leaves_the_child_rows_too(tmp_path: Path) -> None:
    records = [{"sex": "f", "perp": [{"perp_name": "x", "sex": "m"}]}]
    raw = read(tmp_path, records, lists=";")
    assert "perp.perp_name" in raw.table.column_names
    left = raw.without(["perp.perp_name"])
    assert "perp.perp_name" not in left.column_names()
    assert left.children["perp"].column_names == ["perp.sex", "_row"]


# Conservation -----------------------------------------------------------------------------------

_TEXT = st.text(min_size=1, max_size=5).filter(lambda t: trim(t) and t != BLANK and "\0" not in t)


def _trees(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Records whose members say by their first letter what they hold."""
    members: dict[str, st.SearchStrategy[Any]] = {f"s{i}": _TEXT for i in range(2)}
    members["l"] = st.lists(_TEXT, max_size=3)
    if depth:
        members["o"] = _trees(depth - 1)
        members["c"] = st.lists(_trees(depth - 1), max_size=3)
    return st.fixed_dictionaries({}, optional=members)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [text for member in inner for text in _texts(member)]


@settings(max_examples=60, deadline=None)
@given(records=st.lists(_trees(2), min_size=1, max_size=4))
def test_every_text_of_a_tree_stands_in_the_table_or_in_its_child_rows(
    records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    wanted = Counter(text for record in records for text in _texts(record))
    try:
        raw = read(folder, records, lists=";")
    except UnreadableFile:
        assert not any(map(_texts, records))  # no record says anything
        return
    assert raw.rejects.num_rows == 0
    own = [n for n in raw.table.column_names if n != "_row"]
    own = [n for n in own if all(n not in rows.column_names for rows in raw.children.values())]
    cells = [(name, raw.table[name]) for name in own]
    cells += [(n, t[n]) for t in raw.children.values() for n in t.column_names if n != "_row"]
    found: Counter[str] = Counter()
    for name, column in cells:
        is_list = name.rpartition(".")[2] == "l"
        for cell in column.to_pylist():
            if cell is None:
                continue
            if is_list and cell.startswith("["):
                found.update(json.loads(cell))
            else:
                found.update(cell.split(";") if is_list else [cell])
    assert found == wanted
