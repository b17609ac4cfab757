"""The domains file: texts stay texts, faults are named without values, drafts wait for a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import PolicyError
from ctdhub.core.i18n import said
from ctdhub.dp.plan import hierarchy
from ctdhub.dp.policy import Weights
from ctdhub.dp.standalone.domains import (
    MOST_VALUES,
    DomainColumn,
    DomainsFile,
    Focus,
    draft,
    kept_from,
    load_domains,
    proposed,
    scope_of,
    scope_of_schema,
)
from ctdhub.schema.countries import ALPHA3
from ctdhub.sensitive.ingest.identifiers import find_identifiers
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import reject_table

MARKER = "Zq7MARKERq7Z"


def as_draft(table: RawTable) -> str:
    return draft(table, {found.column: said(found.reason) for found in find_identifiers(table)})


def written(folder: Path, text: str) -> Path:
    path = folder / "domains.yaml"
    path.write_text(text, "utf-8")
    return path


def raw(table: pa.Table) -> RawTable:
    rows = table.num_rows
    table = table.append_column("_row", pa.array(np.arange(2, rows + 2)))
    return RawTable("t.csv", "0" * 64, table, reject_table("t.csv", []), rows)


def test_every_form_of_a_column(tmp_path: Path) -> None:
    found = load_domains(
        written(
            tmp_path,
            """
version: 1
columns:
  answer: [yes, no, 01, NULL, 1.0]
  home: {values: countries}
  year: {years: [2020, 2022]}
  age: {values: [young, old], not_recorded: ["", "-99", Unknown]}
focus: {corridor: [answer, home], by: [year]}
groups: [[answer, year, age]]
person: id
rows: 3
weights: {pairs: 50}
level: 0.9
false_share: 0.01
support: 2
""",
        )
    )
    plan = found.plan()
    assert plan.domains["answer"] == ("yes", "no", "01", "NULL", "1.0")
    assert plan.domains["home"] == ALPHA3
    assert plan.domains["year"] == ("2020", "2021", "2022")
    assert plan.domains["age"] == ("young", "old")
    assert found.columns["age"].not_recorded == ("", "-99", "Unknown")
    assert plan.parents == {"home": hierarchy(ALPHA3)}
    assert (plan.corridor, plan.by) == (("answer", "home"), ("year",))
    assert plan.tables[("answer", "home", "year")] == "corridor_by"
    assert plan.groups == (("answer", "year", "age"),)
    assert (plan.rows, plan.level, plan.false_share, plan.support) == (3, 0.9, 0.01, 2)
    assert plan.weights.pairs == 50
    assert found.person == "id"
    assert found.checked


def test_core_is_all_of_few_columns_and_the_focus_of_many() -> None:
    few = {f"c{i}": ["x"] for i in range(40)}
    focus = {"corridor": ["c3", "c1"], "by": ["c7"]}
    given = {"version": 1, "columns": few, "focus": focus}
    assert DomainsFile.model_validate(given).plan().core == tuple(few)
    assert DomainsFile.model_validate({**given, "core": ["c2"]}).plan().core == ("c2",)
    many = {**given, "columns": {**few, "c40": ["x"]}}
    assert set(DomainsFile.model_validate(many).plan().core) == {"c3", "c1", "c7"}
    assert DomainsFile.model_validate({"version": 1, "columns": many["columns"]}).plan().core == ()


def test_a_long_list_of_country_codes_has_regions_and_a_short_one_has_none() -> None:
    columns = {"many": list(ALPHA3[:20]), "few": list(ALPHA3[:19])}
    plan = DomainsFile.model_validate({"version": 1, "columns": columns}).plan()
    assert plan.parents.keys() == {"many"}


def test_the_plan_follows_the_order_of_the_table() -> None:
    file = DomainsFile.model_validate({"version": 1, "columns": {"a": ["x"], "b": ["x"]}})
    assert list(file.plan(["id", "b", "a"]).domains) == ["b", "a"]
    assert list(file.plan(["b"]).domains) == ["b", "a"]


COLUMNS = f"columns: {{a: [x, {MARKER}], b: [x], c: [x]}}"
FAULTS = {
    "version": COLUMNS,
    "columns": "version: 1",
    "columns.a": f"version: 1\ncolumns: {{a: [{MARKER}, {MARKER}]}}",
    "columns.b": f"version: 1\ncolumns: {{b: {{values: [{MARKER}], years: [2000, 2001]}}}}",
    "columns.c": f"version: 1\ncolumns: {{c: {{values: [{MARKER}, ''], not_recorded: []}}}}",
    "columns.d": f"version: 1\ncolumns: {{d: {{values: [x, {MARKER}], not_recorded: [x]}}}}",
    "columns.e": "version: 1\ncolumns: {e: []}",
    "columns.f": f"version: 1\ncolumns: {{f: {{years: [{MARKER}, 2001]}}}}",
    "columns.g": "version: 1\ncolumns: {g: {years: [2001, 2000]}}",
    "columns.h.values": f"version: 1\ncolumns: {{h: {{values: {MARKER}}}}}",
    "columns.i": f"version: 1\ncolumns: {{i: {MARKER}}}",
    "columns:": f"version: 1\ncolumns: {{'a*b': [{MARKER}]}}",
    "focus": f"version: 1\n{COLUMNS}\nfocus: {{corridor: [a, a]}}",
    "core": f"version: 1\n{COLUMNS}\ncore: [a, z]",
    "groups.1": f"version: 1\n{COLUMNS}\ngroups: [[a, b], [a, z]]",
    "groups:": f"version: 1\n{COLUMNS}\ngroups: [[a]]",
    "person": f"version: 1\n{COLUMNS}\nperson: a",
    "rows": f"version: 1\n{COLUMNS}\nrows: 0",
    "support": f"version: 1\n{COLUMNS}\nsupport: 5",
    "false_share": f"version: 1\n{COLUMNS}\nlevel: 0.99\nfalse_share: 0.02",
    "weights.corridr": f"version: 1\n{COLUMNS}\nweights: {{corridr: 2}}",
    "colums": f"version: 1\n{COLUMNS}\ncolums: {{a: [{MARKER}]}}",
}


@pytest.mark.parametrize("place", FAULTS)
def test_a_fault_names_its_place_and_no_value(tmp_path: Path, place: str) -> None:
    with pytest.raises(PolicyError) as fault:
        load_domains(written(tmp_path, FAULTS[place]))
    assert fault.value.file == "domains.yaml"
    assert fault.value.rule == "domains-settings"
    assert place in fault.value.what
    assert MARKER not in str(fault.value)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("version: 1\ncolumns:\n  a: [x\n  b: [y]\n", 4),
        ("version: 1\ncolumns:\n  a: [x]\n  a: [y]\n", 3),
        ("version: 1\nversion: 1\n", 1),
        ("? [a]\n: b\n", 1),
    ],
)
def test_what_is_no_yaml_is_named_by_its_line(tmp_path: Path, text: str, row: int) -> None:
    with pytest.raises(PolicyError) as fault:
        load_domains(written(tmp_path, text))
    assert (fault.value.rule, fault.value.row) == ("domains-file", row)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"- a\n", b"text"])
def test_what_is_no_domains_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes(content)
    with pytest.raises(PolicyError):
        load_domains(path)
    with pytest.raises(PolicyError):
        load_domains(tmp_path / "absent.yaml")


def test_more_cells_than_can_be_counted_are_refused() -> None:
    wide = {name: [str(i) for i in range(9000)] for name in "ab"}
    with pytest.raises(ValueError, match="core"):
        DomainsFile.model_validate({"version": 1, "columns": wide})
    few = {name: values[:500] for name, values in wide.items()}
    assert ("a", "b") in DomainsFile.model_validate({"version": 1, "columns": few}).plan().tables


def test_a_scope_of_the_schema_leaves_other_columns_out() -> None:
    scope = scope_of_schema(["id", "citizenship", "gender", "mine"], support=3)
    assert list(scope.plan.domains) == ["gender", "citizenship"]
    assert scope.plan.support == 3
    assert scope.plan.parents.keys() == {"citizenship"}
    with pytest.raises(PolicyError):
        scope_of_schema(["id", "mine"])


def test_a_support_setting_of_the_command_stands_above_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "version: 1\ncolumns: {a: [x]}\nsupport: 1\n")
    assert scope_of(path, ["a"]).plan.support == 1
    assert scope_of(path, ["a"], support=4).plan.support == 4


PEOPLE = pa.table(
    {
        "sex": ["f", "m", "Unknown", None] * 100,
        "year": ["2019", "2020", "2021", None] * 100,
        "home": ["UKR", "MDA", "ROU", "BGR", "KHM"] * 80,
        "case": [f"AB-{i}-2020" for i in range(400)],
        "size": [str(i) for i in range(400)],
        "note": ["x" * 90, None] * 200,
        "never": pa.nulls(400, pa.string()),
        "age": ["10-19", "9", "0-8", None] * 100,
    }
)


def test_a_draft_waits_for_a_person(tmp_path: Path) -> None:
    text = as_draft(raw(PEOPLE))
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as fault:
        scope_of(path, PEOPLE.column_names)
    assert fault.value.rule == "domains-checked"
    path.write_text(text.replace("checked: false", "checked: true"), "utf-8")
    scope = scope_of(path, PEOPLE.column_names)
    assert scope.plan.domains["sex"] == ("f", "m")
    assert scope.not_recorded["sex"] == ("", "Unknown")
    assert scope.plan.domains["year"] == ("2019", "2020", "2021")
    assert scope.plan.domains["home"] == ALPHA3
    assert scope.plan.domains["age"] == ("0-8", "9", "10-19")
    assert scope.plan.domains.keys() == {"sex", "year", "home", "age"}
    for name in ("case", "size", "note", "never"):
        assert f'  # "{name}": ' in text
    assert str(MOST_VALUES) in text
    assert "AB-7-2020" not in text


def test_a_draft_of_nothing_is_refused_as_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, as_draft(raw(pa.table({"a": pa.nulls(3, pa.string())}))))
    with pytest.raises(PolicyError) as fault:
        load_domains(path)
    assert "columns" in fault.value.what


cells = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(names=st.lists(cells, min_size=1, max_size=3, unique=True), data=st.data())
def test_a_draft_holds_every_value_whatever_its_letters(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    names = [name for name in names if name != "_row"] or ["a"]
    columns = [data.draw(st.lists(cells, min_size=3, max_size=3)) for _name in names]
    table = raw(pa.table(columns, names=names))
    text = as_draft(table)
    drafted = [line for line in text.splitlines() if line.startswith('  "')]
    if not drafted:
        return
    path = written(tmp_path_factory.mktemp("draft"), text)
    file = load_domains(path)
    assert len(file.columns) == len(drafted)
    for name, column in file.columns.items():
        found = set(columns[names.index(name)])
        assert found <= {*column.domain, *column.not_recorded}


def columns_of(**sizes: int | str) -> dict[str, DomainColumn]:
    """Columns of so many values; "c" stands for countries, "y" for years, "s" for sex."""
    given: dict[str, object] = {"c": {"values": "countries"}, "y": {"years": [2001, 2020]}}
    given["s"] = {"values": ["Female", "Male"]}
    return {
        name: DomainColumn.model_validate(
            given[size] if isinstance(size, str) else [f"v{k}" for k in range(size)]
        )
        for name, size in sizes.items()
    }


@pytest.mark.parametrize(
    ("columns", "pair", "by"),
    [
        (columns_of(year="y", go="c", town=280, to="c", who="s"), ("go", "to"), ("year", "who")),
        (columns_of(town=280, village=90, job=150, sexOfIt=3), ("town", "job"), ("sexOfIt",)),
        (columns_of(job=150, home="c", a=3), ("home", "job"), ()),
        (columns_of(home="c", a=3, b=39), None, ()),
        (columns_of(a=3, b=4), None, ()),
    ],
)  # fmt: skip
def test_a_draft_proposes_two_countries_else_the_two_widest(
    columns: dict[str, DomainColumn], pair: tuple[str, str] | None, by: tuple[str, ...]
) -> None:
    found = proposed(columns)
    assert (found and found.corridor) == pair
    assert not found or found.by == by


def test_a_drafted_focus_is_in_the_file(tmp_path: Path) -> None:
    codes = [*ALPHA3[:100]]
    years = ["2019", "2020", "2021", "2022"] * 100
    table = pa.table({"citizenship": codes * 4, "destination": codes[::-1] * 4, "year": years})
    text = as_draft(raw(table)).replace("checked: false", "checked: true")
    plan = load_domains(written(tmp_path, text)).plan()
    assert plan.corridor == ("citizenship", "destination")
    assert plan.by == ("year",)


def test_wide_pairs_without_a_focus_say_from_where_they_are_kept() -> None:
    file = DomainsFile(version="1", columns=columns_of(home=100, job=200, town=150, a=3))
    alone = kept_from(file.plan(), 4.0, 1e-6)
    assert {*alone} == {("home", "job"), ("home", "town"), ("job", "town")}
    assert kept_from(file.plan(), 1.0, 1e-6)["home", "job"] > alone["home", "job"] > 1
    named = file.model_copy(update={"focus": Focus(corridor=("job", "home"))})
    assert {*kept_from(named.plan(), 4.0, 1e-6)} == {("home", "town"), ("job", "town")}


def test_every_setting_is_described() -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/domains.md").read_text("utf-8")
    keys = {*DomainsFile.model_fields, *DomainColumn.model_fields, *Focus.model_fields}
    assert not {key for key in {*keys, *Weights.model_fields} if f"`{key}" not in reference}


def test_the_example_of_the_reference_is_a_domains_file(tmp_path: Path) -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/domains.md").read_text("utf-8")
    example = reference.partition("```yaml\n")[2].partition("```")[0]
    plan = load_domains(written(tmp_path, example)).plan()
    assert plan.corridor == ("citizenship", "destination")
    assert plan.domains["debt_bondage"] == ("yes", "no")
