"""Edits as operations: folded, undone in any choice, kept by two people, never overwritten."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from calls_of import calls
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import HubError, from_json
from ctdhub.sensitive.mapping.edits import (
    applied,
    between,
    checked,
    key_of,
    opposite,
    touch,
    value_in,
)
from ctdhub.sensitive.mapping.mapping_file import document_of, parse_mapping
from ctdhub.sensitive.workbench.ask import ask
from ctdhub.sensitive.workbench.drafts import DraftFold

YAML = """\
# Our own mapping
version: 1
rows: person
empty: ["", "-"]
identifiers: {Nombre: strip}
columns:
  gender: {from: Sexo, map: {F: female, "01": male}}   # M is asked about
  age_band: {from: Edad, band: true}
  citizenship:
    from: Pais
    country: true   # names
  exploitation_sexual: {from: Tipo, split: ";", has: [Sexual], absent: no}
  exploitation_forced_labour: {from: Tipo, split: ";", has: [Laboral, Trabajo], absent: no}
"""
LIST = 'list:records:";":["Tipo"]'
TEXTS = st.sampled_from(["F", "f ", "Fem", "Trabajo", "Estafa", "0", "نعم", "x"])
OPERATIONS = st.one_of(
    st.builds(
        lambda text, codes: {"op": "map", "sheet": "columns.gender", "text": text, "codes": codes},
        TEXTS,
        st.sampled_from([["female"], ["male"], ["not-recorded"], ["stays-unknown"], []]),
    ),
    st.builds(
        lambda text, codes: {"op": "map", "sheet": LIST, "text": text, "codes": codes},
        TEXTS,
        st.sampled_from(
            [
                ["exploitation_sexual"],
                ["exploitation_sexual", "means_threats"],
                ["other-kind"],
                ["not-recorded"],
                [],
            ]
        ),
    ),
    st.builds(
        lambda on, text: {"op": "empty", "text": text, "on": on},
        st.booleans(),
        st.sampled_from(["n/a", "99", "-"]),
    ),
    st.builds(
        lambda rule: {"op": "rule", "variable": "majority_status", "rule": rule},
        st.sampled_from([None, {"from": "Menor", "map": {"si": "minor"}}]),
    ),
    st.builds(
        lambda column, d: {"op": "identifier", "column": column, "decision": d},
        st.sampled_from(["Nombre", "Telefono"]),
        st.sampled_from([None, "strip", {"keep": "no names"}]),
    ),
    st.builds(
        lambda on, name: {"op": "accept", "entry": {"alarm": name}, "on": on},
        st.booleans(),
        st.sampled_from(["one-gender", "many-rejects"]),
    ),
    st.builds(
        lambda rule: {"op": "exclude", "name": "no-consent", "rule": rule},
        st.sampled_from([None, {"unless": {"Consent": ["si"]}}]),
    ),
)


def started(text: str = YAML) -> DraftFold:
    return DraftFold(text, "", (), None, "m.yaml")


def _with(draft: DraftFold, operations: list[Any]) -> DraftFold:
    """The operations that the mapping takes: one that would make it wrong is refused whole."""
    for operation in operations:
        try:
            draft = draft.with_operations([checked(operation)])
        except HubError:
            continue
    return draft


def said(draft: DraftFold) -> Any:
    """What the mapping means; in which order its lists were written does not matter."""

    def sorted_lists(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: sorted_lists(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return sorted(map(sorted_lists, value), key=lambda one: json.dumps(one, sort_keys=True))
        return value

    return sorted_lists(draft.document())


@settings(max_examples=25, deadline=None)
@given(st.lists(OPERATIONS, min_size=1, max_size=8), st.data())
def test_undoing_is_never_having_done(operations: list[Any], data: Any) -> None:
    """For keys apart the opposite of an operation, done last, is the fold without it."""
    draft = _with(started(), operations)
    if not draft.active:
        return
    n = data.draw(st.sampled_from([one["n"] for one in draft.active]))
    (own,) = [one for one in draft.active if one["n"] == n]
    if draft.later([n]):
        assert any(touch(own, one) for one in draft.later([n]))
        return
    try:
        without = draft.marked([n], undone=True)
    except HubError:
        return  # what is left would be wrong: refused, and nothing changed
    assert said(without) == said(
        DraftFold(YAML, "", tuple(one for one in draft.operations if one["n"] != n))
    )
    back = opposite(own, own["before"])
    reversed_ = applied(draft.document(), back)
    others = [one for one in draft.active if one["n"] != n]
    for one in [own, *others]:
        assert value_in(reversed_, one) == value_in(without.document(), one), own
    assert said(without.marked([n], undone=False)) == said(draft)


@settings(max_examples=25, deadline=None)
@given(st.lists(OPERATIONS, max_size=8), st.data())
def test_operations_on_different_keys_commute(operations: list[Any], data: Any) -> None:
    apart: list[Any] = []
    for operation in map(checked, operations):
        if not any(touch(operation, one) for one in apart):
            apart.append(operation)
    moved = data.draw(st.permutations(apart))
    try:
        one, other = started().with_operations(apart), started().with_operations(moved)
    except HubError:
        return
    for operation in apart:
        assert value_in(one.document(), operation) == value_in(other.document(), operation)
    assert said(one) == said(other)


@settings(max_examples=20, deadline=None)
@given(st.lists(OPERATIONS, max_size=6))
def test_what_is_between_two_mappings_leads_from_one_to_the_other(operations: list[Any]) -> None:
    old, new = started().document(), _with(started(), operations).document()
    for one, other in ((old, new), (new, old)):
        made = one
        for operation in between(one, other):
            made = applied(made, operation)
        assert made == other


def test_a_flag_that_begins_later_knows_what_is_not_recorded() -> None:
    """Else a text that means "not recorded" would be "no" there, by the order of two clicks."""
    put_first = [
        {"op": "map", "sheet": LIST, "text": "Fem", "codes": ["not-recorded"]},
        {
            "op": "map",
            "sheet": LIST,
            "text": "F",
            "codes": ["exploitation_sexual", "means_threats"],
        },
    ]
    one = started().with_operations(list(map(checked, put_first)))
    other = started().with_operations(list(map(checked, put_first[::-1])))
    assert said(one) == said(other)
    assert said(one)["columns"]["means_threats"]["null_values"] == ["Fem"]


def test_a_list_keeps_a_flag_that_another_column_fills() -> None:
    """A text of a list that means a flag with a rule of its own adds one, and takes none away."""
    text = YAML + "  means_threats: {from: Amenazas, map: {si: yes, no: no}}\n"
    put = {"op": "map", "sheet": LIST, "text": "Amenaza", "codes": ["means_threats"]}
    draft = started(text).with_operations([put])
    rules = draft.document()["columns"]["means_threats"]
    assert [rule["from"] for rule in rules] == ["Amenazas", "Tipo"]
    away = {**put, "codes": []}
    assert draft.with_operations([away]).document() == document_of(text, "m.yaml")


def test_a_built_in_mapping_is_amended_by_clicks() -> None:
    draft = started("builtin: htcds-2\n")
    place = {"op": "map", "sheet": "columns.gender", "text": "Dama", "codes": ["female"]}
    after = draft.with_operations([place])
    assert after.mapping().columns["gender"][0].map["Dama"] == "female"  # type: ignore[index]
    assert after.text().startswith("builtin: htcds-2\n")
    assert after.mapping().columns.keys() == draft.mapping().columns.keys()


class Folder:
    """A folder with mappings, asked as a carrier asks."""

    def __init__(self, path: Path, text: str = YAML, name: str = "our-ngo.yaml") -> None:
        self.path = path
        self.mapping = path / "mappings" / name
        self.mapping.parent.mkdir(parents=True)
        self.mapping.write_bytes(text.encode())

    def __call__(self, ask_: str, who: str = "ada", **more: Any) -> dict[str, Any]:
        place = {"folder": str(self.path), "contributor": "our-ngo", "day": "2026-06-15"}
        answer = ask({**place, "who": who, "ask": ask_, **more})
        json.dumps(answer)
        assert "error" not in answer, answer
        return answer


def put(text: str, code: str) -> dict[str, Any]:
    return {"op": "map", "sheet": "columns.gender", "text": text, "codes": [code]}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_text_too_long_to_be_read_again_is_refused_and_not_cut(folder: Folder) -> None:
    rows = ", ".join(f"a text with the number {n}: female" for n in range(60_000))
    place = {"folder": str(folder.path), "contributor": "our-ngo", "day": "2026-06-15"}
    text = YAML.replace("map: {F: female", f"map: {{{rows}, F: female")
    answer = ask({**place, "who": "ada", "ask": "write", "text": text})
    assert answer["error"]["rule"] == "mapping-size"


def test_a_map_that_is_named_and_empty_takes_a_text(tmp_path: Path) -> None:
    text = YAML.replace('map: {F: female, "01": male}', "map: ")
    folder = Folder(
        tmp_path, text + "  country_of_exploitation: {from: Pais, country: true, map: }\n"
    )
    folder("do", operations=[{**put("Italie", "ITA"), "sheet": "columns.country_of_exploitation"}])
    assert "Italie: ITA" in folder("text")["text"]


def test_keeping_begins_a_mapping_for_the_day_and_leaves_the_older_one(folder: Folder) -> None:
    folder("do", operations=[put("Fem", "female")])
    kept = folder("keep", why="seen in June")["kept"]
    assert kept["path"] == "mappings/our-ngo/2026-06-15.yaml"
    assert folder.mapping.read_text("utf-8") == YAML
    text = (folder.path / kept["path"]).read_text("utf-8")
    assert text == YAML.replace('"01": male}', '"01": male, Fem: female}')
    history = folder("history")["commits"]
    assert [(one["number"], one["who"]) for one in history] == [(2, "ada"), (1, "outside")]
    assert (folder.path / "mappings/.history/our-ngo" / f"{kept['sha256']}.yaml").is_file()
    again = folder("keep", **{"from": ""})["kept"]
    assert again["from"] == ""


@pytest.mark.parametrize("again", [True, False])
def test_two_people_at_once_lose_nothing(folder: Folder, again: bool) -> None:
    folder("do", "ada", operations=[put("Fem", "female"), put("M", "male")])
    folder("do", "ben", operations=[put("Masc", "male"), put("M", "female")])
    folder("keep", "ada", **{"from": ""})
    (conflict,) = folder("keep", "ben", **{"from": ""})["conflicts"]
    assert (conflict["operation"]["text"], conflict["theirs"]) == ("M", ["male"])
    assert "Masc" not in folder.mapping.read_text("utf-8"), "nothing is kept before he saw it"
    if again:
        folder("do", "ben", operations=conflict["operations"])
    folder("keep", "ben", **{"from": ""})
    mapping = parse_mapping(folder.mapping.read_text("utf-8"), "m.yaml").columns["gender"][0].map
    both = {"F": "female", "01": "male", "Fem": "female", "Masc": "male"}
    assert mapping == {**both, "M": "female" if again else "male"}


def test_many_people_in_threads_keep_all_that_they_did(folder: Folder) -> None:
    """Eight people, each with a text of their own, at the same time."""

    def work(i: int) -> None:
        folder("do", f"p{i}", operations=[put(f"text {'abcdefgh'[i]}", "female")])
        folder("keep", f"p{i}", **{"from": ""})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    found = parse_mapping(folder.mapping.read_text("utf-8"), "m.yaml").columns["gender"][0].map
    assert len(found or {}) == 10
    assert len(folder("history")["commits"]) == 9


def test_a_hand_edit_is_found_and_becomes_a_commit(folder: Folder) -> None:
    folder("do", operations=[put("Fem", "female")])
    folder("keep", **{"from": ""})
    text = folder.mapping.read_text("utf-8")
    folder.mapping.write_text(text.replace("Fem: female", "Fem: male") + "# by hand\n", "utf-8")
    told = folder("history")
    assert told["outside"]
    (found,) = told["commits"][0]["operations"]
    assert (found["op"], found["text"], found["before"]) == ("map", "Fem", ["female"])
    folder("do", "ben", operations=[put("x", "male")])
    folder("keep", "ben", **{"from": ""})
    assert folder.mapping.read_text("utf-8").endswith("# by hand\n")
    (later,) = folder("undo_kept", commit=2)["later"]
    assert (later["commit"], later["text"]) == (3, "Fem")
    folder("undo_kept", commit=4)
    folder("keep", **{"from": ""})
    assert folder.mapping.read_text("utf-8").endswith("# by hand\n")
    assert ", x: male" not in folder.mapping.read_text("utf-8")
    assert folder("history")["commits"][0]["undoes"] == [4]


def test_a_changed_history_is_found(folder: Folder) -> None:
    folder("do", operations=[put("Fem", "female")])
    folder("keep", **{"from": ""})
    log = folder.path / "mappings/.history/our-ngo.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"who":"ada"', b'"who":"eve"'))
    place = {"folder": str(folder.path), "contributor": "our-ngo", "day": "2026-06-15"}
    assert ask({**place, "who": "ada", "ask": "history"})["error"]["rule"] == "chain"
    log.write_bytes(whole[: len(whole) - 20])  # a torn line was never told to anybody
    assert len(folder("history")["commits"]) == 2


def test_the_text_is_always_what_the_clicks_say(folder: Folder) -> None:
    folder("do", operations=[put("Fem", "female")])
    text = folder("text")["text"]
    assert folder("write", text=text)["done"] == []
    typed = text.replace("# M is asked about", "# I asked").replace("Fem: female", "Fem: male")
    done = folder("write", text=typed)["done"]
    assert folder("text")["text"] == typed
    assert [one["op"] for one in folder("history")["operations"]][:2] == ["layout", "map"]
    folder("do", operations=[put("Masc", "male")])
    assert folder("text")["text"] == typed.replace("Fem: male}", "Fem: male, Masc: male}")
    folder("undo", n=[done[0]], later="stay")
    assert "# I asked" in folder("text")["text"]
    assert "Fem: female, Masc: male}" in folder("text")["text"]
    place = {"folder": str(folder.path), "contributor": "our-ngo", "day": "2026-06-15"}
    wrong = ask({**place, "who": "ada", "ask": "write", "text": typed + "  gender: {}\n"})
    assert wrong["error"]["rule"] == "mapping"
    assert "Fem: female, Masc: male}" in folder("text")["text"]


def test_a_later_operation_on_the_same_key_is_shown_first(folder: Folder) -> None:
    folder("do", operations=[put("Fem", "female"), put("Masc", "male"), put("fem ", "male")])
    (later,) = folder("undo", n=[1])["later"]
    assert later["n"] == 3
    assert folder("undo", n=[1], later="undo")["undone"] == [1, 3]
    assert "Fem" not in folder("text")["text"]
    folder("redo", n=[1, 3])
    assert "Fem: male" in folder("text")["text"]


def _of_kind(kind: str, n: int) -> list[dict[str, Any]]:
    texts = [f"text-{i:04d}" for i in range(n)]
    every: dict[str, Any] = {
        "map": lambda t: put(t, "female"),
        "list": lambda t: {"op": "map", "sheet": LIST, "text": t, "codes": ["exploitation_sexual"]},
        "stays": lambda t: put(t, "stays-unknown"),
        "empty": lambda t: {"op": "empty", "text": t, "on": True},
        "identifier": lambda t: {"op": "identifier", "column": t, "decision": "strip"},
        "exclude": lambda t: {"op": "exclude", "name": t, "rule": {"when": {"Sexo": "x"}}},
        "in turns": lambda t: put(t, "male") if t[-1] in "02468" else every["empty"](t),
    }
    return [every[kind](text) for text in texts]


@pytest.mark.parametrize(
    "kind", ["map", "list", "stays", "empty", "identifier", "exclude", "in turns"]
)
def test_edits_cost_what_they_are(kind: str) -> None:
    """Twice as many edits are twice the work, whatever they follow each other in."""
    costs = []
    for n in (30, 60):
        given = _of_kind(kind, n)
        with calls() as made:
            draft = started().with_operations(given)
            draft.later([1, 2, 3])
        costs.append(made[0])
    assert costs[1] < 2.3 * costs[0]


@pytest.mark.parametrize("ask_", ["do", "try", "undo", "redo"])
def test_at_most_so_many_changes_at_once(folder: Folder, ask_: str) -> None:
    changes: dict[str, Any] = {"n": list(range(2_001))}
    if ask_ in ("do", "try"):
        changes = {"operations": _of_kind("map", 2_001)}
    place = {"folder": str(folder.path), "contributor": "our-ngo", "day": "2026-06-15"}
    met = ask({**place, "who": "ada", "ask": ask_, **changes})["error"]
    assert met["rule"] == "workbench-many"
    assert from_json(met).remedy.message.startswith("Choose at most {limit} texts")
    assert not list((folder.path / "mappings").rglob("*.json"))


def test_windows_line_ends_and_a_mark_at_the_begin_stay(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "\ufeff" + YAML.replace("\n", "\r\n"))
    folder("do", operations=[put("Fem", "female")])
    folder("keep", **{"from": ""})
    content = folder.mapping.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# Our own mapping\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == YAML.count("\n")


@pytest.mark.parametrize(
    "more",
    [
        {"who": "../ada"},
        {"who": ""},
        {"contributor": "../x"},
        {"day": "today"},
        {"folder": "relative"},
        {"ask": "no such"},
        {"ask": "do", "operations": "x"},
        {"ask": "do", "operations": [{"op": "map"}]},
        {"ask": "do", "operations": [{"op": ["map"]}]},
        {
            "ask": "do",
            "operations": [
                {"op": "map", "sheet": "list:x:" + "[" * 20_000, "text": "", "codes": []}
            ],
        },
        {"ask": "do", "operations": [{"op": "map", "sheet": "columns", "text": "", "codes": []}]},
        {"ask": "do", "operations": [{"op": "map", "sheet": "list:x:[", "text": "", "codes": []}]},
        {"ask": "do", "operations": [{"op": "setting", "key": "columns", "value": {}}]},
        {"ask": "undo", "n": ["1"]},
        {"ask": "undo", "n": [99]},
        {"ask": "keep", "from": "juin"},
        {"ask": "keep", "from": "../../x"},
        {"ask": "undo_kept", "commit": 0},
        {"file": "relative.csv", "ask": "open"},
        {"years": ["x"]},
    ],
)
def test_what_is_no_request_is_refused_and_changes_nothing(folder: Folder, more: Any) -> None:
    place = {"folder": str(folder.path), "contributor": "our-ngo", "day": "2026-06-15"}
    answer = ask({**place, "who": "ada", "ask": "text", **more})
    assert answer["error"]["rule"] in ("workbench-request", "mapping-commit"), answer
    assert folder.mapping.read_text("utf-8") == YAML
    assert not list((folder.path / "mappings").rglob("*.json"))


def test_keys_are_apart_where_they_should_be() -> None:
    assert key_of(put("Fem", "female")) == key_of(put(" fem", "male"))
    rule = {"op": "rule", "variable": "gender", "rule": None}
    assert touch(rule, put("Fem", "female"))
    assert not touch({**rule, "variable": "age_band"}, put("Fem", "female"))
