"""YAML of a mapping made to say something else: what is not concerned stays, byte for byte."""

from __future__ import annotations

import copy
from importlib import resources
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import HubError
from ctdhub.sensitive.mapping.mapping_file import document_of, flow, patched

PRACTICE = sorted(
    f.read_text("utf-8") for f in (resources.files("ctdhub.practice") / "mappings").iterdir()
)
HOSTILE = """\
# a comment with ünïcode and a tab\there
version: 1   # kept
"rows": person
empty:
- ""
-   "-"   # a dash
identifiers: {}
columns:
  # above gender
  gender:   # F and M
    from: Sexo
    map:
      F: female   # she
        # deeper, about F
      "M": male
      ذكر: male

  "age_band": {from: Edad,
    band: true}   # over two lines
    # a doubt about ages
  citizenship:
    - from: Pais
      country: true
    - {from: [Otro, 'O''tro'], country: true}
  # about nothing
  exploitation_sexual: {from: Tipo, split: ";", has: [Sexual, "a, b"], absent: no,}
  means_threats:
    from: >-
      Amenazas de
      todo tipo
    map: {oui: yes, non: no}   # last
# the end
"""


def lines_that_differ(one: str, other: str) -> int:
    before, after = one.splitlines(keepends=True), other.splitlines(keepends=True)
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return max(len(before), len(after))


@pytest.mark.parametrize("text", PRACTICE)
def test_only_the_lines_of_a_rule_change(text: str) -> None:
    """Some rules of each practice mapping, replaced and taken out, one at a time."""
    document = document_of(text, "m.yaml")
    names = list(document["columns"])
    for name in (names[0], names[len(names) // 2], names[-1], "age_band"):
        lines = _lines_of(text, name)
        wanted = copy.deepcopy(document)
        wanted["columns"][name] = {"from": "X", "map": {"é à": "yes", "01": None}}
        assert lines_that_differ(text, patched(text, wanted, "m.yaml")) <= lines
        del wanted["columns"][name]
        assert lines_that_differ(text, patched(text, wanted, "m.yaml")) <= lines
    wanted = copy.deepcopy(document)
    wanted["columns"]["new"] = {"value": "a"}
    assert lines_that_differ(text, patched(text, wanted, "m.yaml")) == 1


def _lines_of(text: str, name: str) -> int:
    root = yaml.compose(text)
    columns = {k.value: v for k, v in root.value}["columns"]
    key, node = next((k, v) for k, v in columns.value if k.value == name)
    return int(node.end_mark.line - key.start_mark.line + 1)


def _changed(path: list[Any], value: Any, text: str = HOSTILE) -> str:
    wanted = document_of(text, "m.yaml")
    node = wanted
    for part in path[:-1]:
        node = node[part]
    if value is None and isinstance(node, dict):
        del node[path[-1]]
    elif isinstance(path[-1], int) and path[-1] == len(node):
        node.append(value)
    else:
        node[path[-1]] = value
    return patched(text, wanted, "m.yaml")


def test_a_text_is_added_below_its_comments() -> None:
    after = _changed(["columns", "gender", "map", "Fém"], "female")
    assert "      ذكر: male\n      Fém: female\n\n" in after
    assert after.replace("      Fém: female\n", "") == HOSTILE


def test_an_entry_is_taken_out_with_the_comments_that_are_about_it() -> None:
    after = _changed(["columns", "gender", "map", "F"], None)
    assert '    map:\n      "M": male\n' in after
    assert "# she" not in after
    assert "# deeper" not in after
    assert "# above gender" in after


def test_what_a_block_adds_stands_before_what_the_block_around_it_adds() -> None:
    text = "version: 1\ncolumns:\n  gender: {from: a}\n    # a doubt\n"
    wanted = document_of(text, "m.yaml")
    wanted["columns"]["age_band"] = {"from": "b"}
    wanted["accept"] = ["one-gender"]
    after = patched(text, wanted, "m.yaml")
    assert after == text + "  age_band: {from: b}\naccept: [one-gender]\n"


def test_a_list_and_braces_over_two_lines_keep_their_neighbours() -> None:
    assert "from: Edad,\n    band: true, null_values: [x]}   # over two lines\n    # a doubt" in (
        _changed(["columns", "age_band", "null_values"], ["x"])
    )
    assert 'has: [Sexual, "a, b", c], absent: no,}' in (
        _changed(["columns", "exploitation_sexual", "has", 2], "c")
    )
    assert '-   "-"   # a dash\n- n/a\nidentifiers' in _changed(["empty", 2], "n/a").replace(
        '"n/a"', "n/a"
    )


@pytest.mark.parametrize("change", ["\r\n", "bom", "no end"])
def test_line_ends_stay(change: str) -> None:
    text = HOSTILE.replace("\n", "\r\n") if change == "\r\n" else HOSTILE
    text = text.rstrip("\n").removesuffix("# the end").rstrip() if change == "no end" else text
    after = _changed(["columns", "gender", "map", "x"], "male", text)
    assert after.count("\r") == after.count("\n") * (change == "\r\n")
    assert lines_that_differ(text, after) == 1


def test_a_value_behind_an_anchor_is_written_out_or_refused() -> None:
    """What two rules share by an alias does not change for both."""
    text = (
        "version: 1\ncolumns:\n  gender: {from: a, map: &m {F: female}}\n"
        "  majority_status: {from: b, map: *m}\n"
    )
    wanted = document_of(text, "m.yaml")
    wanted["columns"]["majority_status"]["map"] = {"F": "adult"}
    after = patched(text, wanted, "m.yaml")
    assert document_of(after, "m.yaml") == wanted
    assert "gender: {from: a, map: &m {F: female}}" in after
    wanted = document_of(text, "m.yaml")
    del wanted["columns"]["gender"]
    with pytest.raises(HubError) as met:
        patched(text, wanted, "m.yaml")
    assert met.value.rule == "mapping-splice"


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=("Cs",)), max_size=6
) | st.sampled_from(["no", "null", "~", "01", "a: b", "# x", "- y", "", " ", "\u2028", "1.0", "é"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    WORDS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)


def _read(text: str) -> Any:
    try:
        return document_of(text, "m.yaml")
    except HubError:
        return None


@settings(max_examples=25, deadline=None)
@given(old=DOCUMENTS, new=DOCUMENTS, style=st.sampled_from([None, True, False]), data=st.data())
def test_what_is_written_says_what_was_wanted(old: Any, new: Any, style: Any, data: Any) -> None:
    """Any document, in any style, made into any other, or with some of its keys changed."""
    text = yaml.safe_dump(old, default_flow_style=style, allow_unicode=True, sort_keys=False)
    before = _read(text)
    if not before:
        return
    mixed = {k: new.get(k, v) for k, v in before.items() if data.draw(st.booleans())} | (
        new if data.draw(st.booleans()) else {}
    )
    wanted = mixed or new
    assert document_of(patched(text, wanted, "m.yaml"), "m.yaml") == wanted


@settings(max_examples=25, deadline=None)
@given(VALUES)
def test_a_value_on_one_line_is_read_back(value: Any) -> None:
    line = flow(value)
    assert "\n" not in line
    assert document_of(f"k: {line}\n", "m.yaml") == {"k": value}


def test_two_entries_at_one_place_keep_their_order() -> None:
    """A rule of a variable and a key behind it, both new, at the end of what is written."""
    text = "version: 1\ncolumns:\n  gender: {from: sexe, map: {F: female}}\n# The end.\n"
    wanted = document_of(text, "m.yaml")
    wanted["columns"]["means_threats"] = {"from": "menaces", "has": ["oui"]}
    wanted["accept"] = [{"alarm": "new-column: tranche"}]
    after = patched(text, wanted, "m.yaml")
    assert document_of(after, "m.yaml") == wanted
    assert after.endswith("# The end.\n")
