"""Edits of a mapping as operations on keys: what each does to the YAML's data, and its opposite.

An operation is a JSON object (``workbench.ask`` lists them).  Operations on different keys commute:
whatever their order, they give the same mapping.  Belongs here: applying, reading the value of a
key, the operations between two mappings.  Does not belong here: YAML as text, drafts, what rows
become.
"""

from __future__ import annotations

import copy
import json
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.tables import fold
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping.mapping_file import Document, builtin_data, changed

Operation = dict[str, Any]
"""``op``, the keys that name what is edited, and its new value."""

NOT_RECORDED, OTHER_KIND, STAYS = "not-recorded", "other-kind", "stays-unknown"
"""Beside codes and flags: the text means "not recorded"; it is none of the flags, and known to be;
it may stay unknown (``accept``)."""

CHILD = "perpetrators."
"""Before the variables of child rows."""

_LIST, _TABLES = "list:", ("records", "perpetrators")
_NONE = object()

# --------------------------------------------------------------------------------------------------
# Names for the sets of texts that are decided alike, which stay when rules come and go.
#
# A sheet of a rule that looks codes up is named by the rule's place; that of a list, which several
# flags share, by its column and the mark between its elements.


@dataclass(frozen=True)
class ListSheet:
    """A list that flags search.

    Attributes:
        table: ``records`` or ``perpetrators``.
        columns: its source columns.
        split: the mark between its elements.
    """

    table: str
    columns: tuple[str, ...]
    split: str | None

    @property
    def name(self) -> str:
        """What operations call it."""
        inner = json.dumps([*self.columns], ensure_ascii=False)
        return f"{_LIST}{self.table}:{json.dumps(self.split)}:{inner}"

    @classmethod
    def of(cls, name: str) -> ListSheet | None:
        """The list of that name, None where it names a rule.

        Raises:
            HubError: it names nothing (rule "workbench-request").
        """
        if not name.startswith(_LIST):
            return None
        table, _colon, rest = name.removeprefix(_LIST).partition(":")
        try:
            split, end = json.JSONDecoder().raw_decode(rest)
            columns = json.loads(rest[end + 1 :])
        except (ValueError, RecursionError):
            raise error("workbench-request") from None
        if not columns or not _are_texts(columns) or table not in _TABLES:
            raise error("workbench-request")
        return cls(table, tuple(columns), split if isinstance(split, str) else None)

    def is_of(self, rule: dict[str, Any]) -> bool:
        """Whether a rule, as YAML has it, searches this list, in every row."""
        return (
            "has" in rule
            and not rule.get("when")
            and [*map(fold, texts_in(rule.get("from")))] == [*map(fold, self.columns)]
            and rule.get("split") == self.split
        )

    def rule(self) -> dict[str, Any]:
        """A rule that searches it, without texts."""
        source = [*self.columns] if len(self.columns) > 1 else self.columns[0]
        return {"from": source} | ({"split": self.split} if self.split else {})


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


RulePlace = tuple[str, str, int]
"""Table and variable of a rule, and its place among the variable's rules."""


def rule_place(sheet: str) -> RulePlace:
    """Where the rule of a sheet of codes stands in the YAML.

    Raises:
        HubError: it names nothing (rule "workbench-request").

    >>> rule_place("columns.gender"), rule_place("perpetrators.columns.perpetrator_gender.1")
    (('records', 'gender', 0), ('perpetrators', 'perpetrator_gender', 1))
    """
    table = "perpetrators" if sheet.startswith(CHILD) else "records"
    start, *rest = sheet.removeprefix(CHILD).split(".")
    name, at = (*rest, "0")[:2] if rest else ("", "")
    if start != "columns" or len(rest) > 2 or not re.fullmatch("[0-9]{1,4}", at):
        raise error("workbench-request")
    return table, name, int(at)


# --------------------------------------------------------------------------------------------------
# Where rules and entries stand in the data of a mapping's YAML, to be read or changed in place.
#
# A mapping may be a built-in one with changes over it: what it says itself is read from there, and
# written out where it is to be changed.


def as_yaml_data(value: Any) -> Any:
    """A value as a mapping's YAML has it: every scalar but null is a text."""
    if isinstance(value, dict):
        return {str(key): as_yaml_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_yaml_data(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def _merged(document: Document) -> Document:
    """The data with what its built-in mapping says."""
    if "builtin" not in document:
        return document
    over = {key: value for key, value in document.items() if key != "builtin"}
    return changed(_builtin(str(document["builtin"])), over)


@lru_cache(maxsize=8)
def _builtin(name: str) -> Document:
    made: Document = as_yaml_data(builtin_data(name))
    return made


def all_rules(document: Document, table: str) -> dict[str, Any]:
    """The rules of a table by variable, those of the built-in mapping among them."""
    said = _merged(document)
    if table == "perpetrators":
        said = said.get("perpetrators") or {}
    return said.get("columns") or {}


def _columns_of(document: Document, table: str) -> dict[str, Any]:
    """The rules as they are written, to be changed in place."""
    inside = document
    if table == "perpetrators":
        if not isinstance(document.get("perpetrators"), dict):
            said = _merged(document).get("perpetrators")
            if said is None:
                raise error("workbench-gone")
            document["perpetrators"] = copy.deepcopy(said)
        inside = document["perpetrators"]
    if not isinstance(inside.get("columns"), dict):
        inside["columns"] = {}
    columns: dict[str, Any] = inside["columns"]
    return columns


def _rule_to_change(document: Document, table: str, name: str, at: int = 0) -> dict[str, Any]:
    """A rule, to be changed in place; out of the built-in mapping if need be."""
    columns = _columns_of(document, table)
    if columns.get(name) is None and (there := all_rules(document, table).get(name)) is not None:
        columns[name] = copy.deepcopy(there)
    rules = rules_in(columns.get(name))
    if at >= len(rules):
        raise error("workbench-gone")
    return rules[at]


def _rules_of(document: Document, variable: str) -> Any:
    table, name = _table_of(variable)
    return all_rules(document, table).get(name)


def _list_places(document: Document, listed: ListSheet) -> dict[str, int]:
    """The variables that search a list, each with the place of its rule among its rules."""
    places: dict[str, int] = {}
    for name, rules in all_rules(document, listed.table).items():
        at = next((i for i, one in enumerate(rules_in(rules)) if listed.is_of(one)), None)
        if at is not None:
            places[name] = at
    return places


def _codes_of(document: Document, sheet: str, text: str) -> list[str]:
    """What a text of a sheet was decided to mean; none, where nobody has decided."""
    listed = ListSheet.of(sheet)
    if listed is not None:
        every, column = all_rules(document, listed.table), listed.columns[0]
        places = _list_places(document, listed)
        rules = {name: rules_in(every[name])[at] for name, at in places.items()}
        ways = {
            key: [n for n, r in rules.items() if _has_text(r.get(key), text)] for key in _LISTED
        }
        if ways["has"]:
            return ways["has"]
        if ways["null_values"] or ways["known"]:
            return [NOT_RECORDED if ways["null_values"] else OTHER_KIND]
    else:
        table, name, at = rule_place(sheet)
        own = rules_in(all_rules(document, table).get(name))[at : at + 1]
        if not own:
            return []
        column, codes = next(iter(texts_in(own[0].get("from"))), ""), own[0].get("map") or {}
        for spelt in _by_name(codes).of.get(fold(text), [])[:1]:
            return [NOT_RECORDED] if codes[spelt] is None else [codes[spelt]]
        if _has_text(own[0].get("null_values"), text):
            return [NOT_RECORDED]
    about = {"text": text, "column": column}
    return [STAYS] if _has_text(document.get("accept"), about, _entry_key) else []


_LISTED = ("has", "null_values", "known")
"""Keys of a rule that searches a list, under which its texts stand."""


def _table_of(variable: str) -> tuple[str, str]:
    table = "perpetrators" if variable.startswith(CHILD) else "records"
    return table, variable.removeprefix(CHILD)


def rules_in(value: Any) -> list[dict[str, Any]]:
    """The rules of a variable, of which a single one may stand without a list."""
    return [one for one in texts_in(value) if isinstance(one, dict)]


def texts_in(value: Any) -> list[Any]:
    """The texts of a list, of which a single one may stand without it."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _add_text(rule: dict[str, Any], key: str, text: Any, name: Callable[[Any], Any] = fold) -> None:
    texts = texts_in(rule.get(key))
    known = _by_name(texts, name)
    if name(text) not in known.of:
        texts.append(text)
        known.add(text)
        rule[key] = texts


def _drop_text(
    rule: dict[str, Any], key: str, text: Any, name: Callable[[Any], Any] = fold
) -> bool:
    texts = texts_in(rule.get(key))
    gone = _by_name(texts, name).of.get(name(text))
    if not gone:
        return False
    rule[key] = [one for one in texts if one not in gone]
    if not rule[key]:
        del rule[key]
    return True


class _ByName:
    """Entries by what they are compared by, found once for a list or map that edits make longer."""

    def __init__(self, entries: Collection[Any], name: Callable[[Any], Any]) -> None:
        self.entries, self.name, self.size = entries, name, 0
        self.of: dict[Any, list[Any]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Any) -> None:
        self.of.setdefault(self.name(entry), []).append(entry)
        self.size += 1


_indexes: OrderedDict[int, _ByName] = OrderedDict()
_MOST_INDEXES = 256


def _by_name(entries: Collection[Any], name: Callable[[Any], Any] = fold) -> _ByName:
    """The entries of a list or map by what they are compared by."""
    index = _indexes.get(id(entries))
    if index is None or index.entries is not entries or index.size != len(entries):
        index = _ByName(entries, name)
        if entries:
            _indexes[id(entries)] = index
        while len(_indexes) > _MOST_INDEXES:
            _indexes.popitem(last=False)
    return index


def _put_key(entries: dict[str, Any], name: str, value: Any) -> None:
    """Give a key, as it is spelt there, a value."""
    known = _by_name(entries)
    spelt = known.of.get(fold(name), [name])[0]
    if spelt not in entries:
        known.add(spelt)
    entries[spelt] = value


def _has_text(texts: Any, text: Any, name: Callable[[Any], Any] = fold) -> bool:
    """Whether one of some texts is compared as equal to a text."""
    return name(text) in _by_name(texts_in(texts), name).of


def _entry_key(entry: Any) -> tuple[str, ...]:
    """What an entry of ``accept`` is about: an alarm or a text, and its delivery."""
    if isinstance(entry, str):
        entry = {"alarm": entry}
    if not isinstance(entry, dict):
        return ("", str(entry))
    name, _colon, about = str(entry.get("alarm") or "").partition(":")
    parts = (name.strip(), about, entry.get("text"), entry.get("column"), entry.get("delivery"))
    return tuple(fold(str(part or "")) for part in parts)


def _rule_name(entry: dict[str, Any]) -> str:
    return fold(entry.get("rule", ""))


# --------------------------------------------------------------------------------------------------
# The kinds of operations, and what each concerns.

_KINDS = {
    "map": ("codes", "sheet", "text"),
    "rule": ("rule", "variable"),
    "empty": ("on", "text"),
    "known": ("on", "variable", "text"),
    "identifier": ("decision", "column"),
    "exclude": ("rule", "name"),
    "accept": ("on",),
    "optional": ("on", "column"),
    "setting": ("value", "key"),
    "layout": ("text", "text"),
}
"""For each kind of operation the key of its value, and the texts that name what is edited."""

SETTINGS = frozenset(
    {"read", "dates", "rows", "key", "tokens", "optional", "perpetrators", "tests", "name"}
    | {"builtin", "version"}
)
"""Keys of a mapping that are set as a whole."""

_READ = frozenset(f"read.{name}" for name in ReadOptions.model_fields)
"""What is stated of a file, each for itself: two answers at once are both kept."""

_LONGEST, _MOST = 40_000, 2_000_000


def checked(request: Any) -> Operation:
    """An operation out of JSON, without keys that it has not.

    Raises:
        HubError: it is none (rule "workbench-request").
    """
    if not isinstance(request, dict) or request.get("op") not in [*_KINDS]:
        raise error("workbench-request")
    kind = request["op"]
    (value, *names), longest = _KINDS[kind], _MOST if kind == "layout" else _LONGEST
    made = {"op": kind, **{name: request.get(name) for name in names}}
    codes, entry = request.get("codes", []), as_yaml_data(request.get("entry"))
    entry = {"alarm": entry} if isinstance(entry, str) else entry
    if (
        not all(isinstance(text, str) and len(text) <= longest for text in made.values())
        or (kind == "map" and not _are_texts(codes))
        or (kind == "setting" and made["key"] not in SETTINGS | _READ)
        or (kind == "accept" and not isinstance(entry, dict))
    ):
        raise error("workbench-request")
    if kind == "accept":
        made["entry"] = entry
    if kind == "map":
        return {**made, "codes": list(dict.fromkeys(codes))}
    if value == "on":
        return {**made, "on": bool(request.get("on", True))}
    return {**made, value: as_yaml_data(request.get(value))}


def key_of(operation: Operation) -> tuple[str, ...]:
    """What is edited: equal where two operations concern the same."""
    kind = operation["op"]
    if kind == "layout":
        return (kind,)
    if kind == "accept":
        return (kind, *_entry_key(operation["entry"]))
    names = (operation[name] for name in _KINDS[kind][1:])
    exact = kind in ("rule", "map", "setting")  # names of ours; others are texts of a file
    return (kind, *(name if exact and not i else fold(name) for i, name in enumerate(names)))


def touch(one: Operation, other: Operation) -> bool:
    """Whether two operations concern the same key, or one the rule in which the other's key is."""
    return key_of(one) == key_of(other) or _holds(one, other) or _holds(other, one)


def _holds(outer: Operation, inner: Operation) -> bool:
    """Whether the key of an operation lies in that of another."""
    if outer["op"] == "rule":
        return outer["variable"] in _variables(inner, outer)
    if outer["op"] != "setting":
        return False
    key = outer["key"]
    if key == inner["op"] or (inner["op"] == "setting" and inner["key"].startswith(f"{key}.")):
        return True  # the whole list, and one of its entries
    named = inner.get("variable") or inner.get("sheet") or ""
    return (key == "builtin" and inner["op"] in ("map", "rule", "known")) or (
        key == "perpetrators" and named.startswith((CHILD, "list:perpetrators"))
    )


class Touching:
    """Operations by what they concern, to find at once those that concern the same as another."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._all = [*operations]
        self._outer = [one for one in self._all if one["op"] in _OUTER]
        self._of: dict[tuple[str, ...], list[Operation]] = defaultdict(list)
        for one in self._all:
            self._of[key_of(one)].append(one)

    def of(self, operation: Operation) -> list[Operation]:
        """Those that touch it."""
        near = self._all
        if operation["op"] not in _OUTER:
            near = [*self._of.get(key_of(operation), ()), *self._outer]
        return [one for one in near if touch(one, operation)]


_OUTER = ("rule", "setting")
"""Kinds of operations that may concern a key of another kind."""


def _variables(inner: Operation, rule: Operation) -> Iterable[str]:
    """Variables of whose rules an operation changes a part."""
    if inner["op"] == "known":
        return (inner["variable"],)
    if inner["op"] != "map":
        return ()
    listed = ListSheet.of(inner["sheet"])
    if listed is None:
        table, name, _at = rule_place(inner["sheet"])
        return (CHILD + name if table == "perpetrators" else name,)
    prefix = CHILD if listed.table == "perpetrators" else ""
    named = {*inner["codes"], *(inner.get("before") or ())}
    same = any(listed.is_of(one) for side in ("rule", "before") for one in rules_in(rule.get(side)))
    return [prefix + name for name in named] + ([rule["variable"]] if same else [])


def opposite(operation: Operation, before: Any) -> Operation:
    """The operation that gives a key the value it had before."""
    value, *names = _KINDS[operation["op"]]
    if value == "on":
        before = bool(before)
    if value == "codes":
        before = before or []
    own = ("op", "entry", *names)
    return {key: v for key, v in operation.items() if key in own} | {value: before}


def value_of(operation: Operation) -> Any:
    """The value that an operation gives its key."""
    return operation.get(_KINDS[operation["op"]][0])


def label_of(operation: Operation) -> str:
    """What an operation concerns, in the words of the mapping and of the file."""
    names = [operation[name] for name in _KINDS[operation["op"]][1:] if operation["op"] != "layout"]
    if operation["op"] == "map":
        listed = ListSheet.of(operation["sheet"])
        names[0] = listed.columns[0] if listed else operation["sheet"].rpartition(".")[2]
    if operation["op"] == "accept":
        names = [part for part in _entry_key(operation["entry"]) if part]
    return " · ".join([operation["op"], *names])


# --------------------------------------------------------------------------------------------------
# What each operation does to the data of a mapping's YAML.


def applied(document: Document, *operations: Operation) -> Document:
    """The YAML's data after some operations; the data before stays as it is.

    Raises:
        HubError: one concerns a rule that is not there (rule "workbench-gone").
    """
    made: Document = as_yaml_data(document)  # what aliases share is written out
    for operation in operations:
        apply(made, operation)
    return made


def apply(document: Document, operation: Operation) -> Any:
    """Change the YAML's data, which are the caller's own; gives the value before.

    Raises:
        HubError: see :func:`applied`.
    """
    before = copy.deepcopy(value_in(document, operation))
    _APPLY[operation["op"]](document, operation)
    return before


def numbered(
    document: Document, operations: Iterable[Operation], first: int = 1
) -> list[Operation]:
    """Operations with their numbers and the values before them; raises as :func:`applied`."""
    made = applied(document)
    return [
        {**operation, "n": n, "before": apply(made, operation), "undone": False}
        for n, operation in enumerate(operations, first)
    ]


def value_in(document: Document, operation: Operation) -> Any:
    """The value that an operation's key has in a mapping; None where it has none."""
    kind = operation["op"]
    if kind in _SWITCHES:
        entry, name = _SWITCHES[kind](operation)
        return _has_text(document.get(kind, _silence(document, kind)), entry, name)
    if kind == "map":
        return _codes_of(document, operation["sheet"], operation["text"])
    if kind == "rule":
        return _rules_of(document, operation["variable"])
    if kind == "known":
        rules = rules_in(_rules_of(document, operation["variable"]))
        return any(_has_text(rule.get("known"), operation["text"]) for rule in rules)
    if kind == "identifier":
        decided = _merged(document).get("identifiers") or {}
        named = _by_name(decided).of.get(fold(operation["column"]), [None])
        return decided.get(named[0])
    if kind == "exclude":
        entries = _merged(document).get("exclude") or []
        for entry in _by_name(entries, _rule_name).of.get(fold(operation["name"]), [])[:1]:
            return {key: value for key, value in entry.items() if key != "rule"}
    if kind == "setting":
        outer, _dot, inner = operation["key"].partition(".")
        value = document.get(outer)
        return (value or {}).get(inner) if inner else value
    return None


def _silence(document: Document, kind: str) -> list[str]:
    """What a list holds that is not written down."""
    return [""] if kind == "empty" and "builtin" not in document else []


_SWITCHES: dict[str, Callable[[Operation], tuple[Any, Callable[[Any], Any]]]] = {
    "empty": lambda operation: (operation["text"], fold),
    "optional": lambda operation: (operation["column"], fold),
    "accept": lambda operation: (operation["entry"], _entry_key),
}
"""Lists of a mapping in which an entry stands or not: the entry, and what it is compared by."""


def _put_switch(document: Document, operation: Operation) -> None:
    kind = operation["op"]
    if operation["on"] == value_in(document, operation):
        return
    entry, name = _SWITCHES[kind](operation)
    if kind == "empty":
        document.setdefault(kind, _silence(document, kind))
    put = _add_text if operation["on"] else _drop_text
    put(document, kind, entry, name)
    if kind == "empty":
        document.setdefault(kind, [])


def _put_map(document: Document, operation: Operation) -> None:
    text, codes = operation["text"], operation["codes"]
    listed = ListSheet.of(operation["sheet"])
    if listed is not None:
        _put_list(document, listed, text, codes)
        column = listed.columns[0]
    else:
        rule = _rule_to_change(document, *rule_place(operation["sheet"]))
        column = next(iter(texts_in(rule.get("from"))), "")
        _drop_text(rule, "null_values", text)
        texts = rule["map"] = rule.get("map") or {}
        if codes and codes != [STAYS]:
            _put_key(texts, text, None if codes == [NOT_RECORDED] else codes[0])
        else:
            texts.pop(_by_name(texts).of.get(fold(text), [text])[0], None)
        if not texts and {"country", "band", "year"} & rule.keys():
            del rule["map"]
    entry = {"text": text, "column": column}
    _put_switch(document, {"op": "accept", "entry": entry, "on": codes == [STAYS]})


def _put_list(document: Document, listed: ListSheet, text: str, codes: list[str]) -> None:
    columns = _columns_of(document, listed.table)
    places = _list_places(document, listed)
    rules = {name: _rule_to_change(document, listed.table, name, at) for name, at in places.items()}
    pattern = next(iter(rules.values()), listed.rule())
    kept = ("from", "split", "absent", "unknown")
    pattern = {key: copy.deepcopy(pattern[key]) for key in kept if key in pattern}
    for rule in rules.values():
        for key in ("known", "null_values"):
            _drop_text(rule, key, text)
    # What is "not recorded" is so in every flag of the list, also in one that begins now.
    silent = texts_in(next(iter(rules.values()), {}).get("null_values", []))
    for name in (code for code in codes if code not in (NOT_RECORDED, OTHER_KIND, STAYS)):
        if name not in rules:
            there = rules_in(all_rules(document, listed.table).get(name))
            rules[name] = {**copy.deepcopy(pattern), "has": []}
            for other in silent:
                _add_text(rules[name], "null_values", other)
            columns[name] = [*copy.deepcopy(there), rules[name]] if there else rules[name]
        _add_text(rules[name], "has", text)
    for name in [name for name in rules if name not in codes]:
        if _drop_text(rules[name], "has", text) and not rules[name].get("has"):
            gone = rules.pop(name)
            _without(document, listed.table, name, gone)
            for known in texts_in(gone.get("known", [])) if rules else ():
                _add_text(next(iter(rules.values())), "known", known)
    if codes == [OTHER_KIND] and rules:
        _add_text(next(iter(rules.values())), "known", text)
    for rule in rules.values() if codes == [NOT_RECORDED] else ():
        _add_text(rule, "null_values", text)


def _without(document: Document, table: str, name: str, rule: dict[str, Any]) -> None:
    """Take one rule of a variable out, and the variable with its last one."""
    columns = _columns_of(document, table)
    rest = [one for one in rules_in(columns[name]) if one is not rule]
    if rest:
        columns[name] = rest if len(rest) > 1 else rest[0]
    elif document.get("builtin") is None:
        del columns[name]
    else:
        columns[name] = None


def _put_rule(document: Document, operation: Operation) -> None:
    table, name = _table_of(operation["variable"])
    columns = _columns_of(document, table)
    columns[name] = copy.deepcopy(operation["rule"])
    if columns[name] is None:
        del columns[name]
        if all_rules(document, table).get(name) is not None:
            columns[name] = None  # the built-in mapping has one


def _put_known(document: Document, operation: Operation) -> None:
    rule = _rule_to_change(document, *_table_of(operation["variable"]))
    put = _add_text if operation["on"] else _drop_text
    put(rule, "known", operation["text"])


def _put_identifier(document: Document, operation: Operation) -> None:
    decided = document["identifiers"] = document.get("identifiers") or {}
    wanted, decision = operation["column"], operation["decision"]
    if decision is not None:
        _put_key(decided, wanted, copy.deepcopy(decision))
        return
    name = _by_name(decided).of.get(fold(wanted), [wanted])[0]
    decided.pop(name, None)
    if value_in(document, operation) is not None:
        decided[name] = None  # the built-in mapping decides
    if not decided:
        del document["identifiers"]


def _put_exclude(document: Document, operation: Operation) -> None:
    name = {"rule": operation["name"]}
    if operation["rule"] is None:
        _drop_text(document, "exclude", name, _rule_name)
        return
    made = {**name, **copy.deepcopy(operation["rule"])}
    there = _by_name(document.get("exclude") or [], _rule_name).of.get(fold(operation["name"]))
    if there:
        there[0].clear()
        there[0].update(made)
    else:
        _add_text(document, "exclude", made, _rule_name)


def _put_setting(document: Document, operation: Operation) -> None:
    key, _dot, inner = operation["key"].partition(".")
    value = copy.deepcopy(operation["value"])
    if inner:
        whole = {**(document.get(key) or {}), inner: value}
        value = {name: each for name, each in whole.items() if each is not None} or None
    if value is None:
        document.pop(key, None)
    else:
        document[key] = value


def _put_layout(document: Document, operation: Operation) -> None:
    """Says nothing else."""


_APPLY = {
    **dict.fromkeys(_SWITCHES, _put_switch),
    "map": _put_map,
    "rule": _put_rule,
    "known": _put_known,
    "identifier": _put_identifier,
    "exclude": _put_exclude,
    "setting": _put_setting,
    "layout": _put_layout,
}


# --------------------------------------------------------------------------------------------------
# The operations between two mappings, rule by rule: what a hand edit, or another person, did.


def between(old: Document, new: Document) -> list[Operation]:
    """The operations that make one mapping's data into another's, rule by rule."""
    edits = [*_between_texts(old, new)]
    edits += [*_between_rules(applied(old, *edits), new)]
    was, now = (_entries(one, "empty", fold) for one in (old, new))
    edits += _switched("empty", "text", was, now)
    for column, decision in _differing(old.get("identifiers"), new.get("identifiers")):
        edits.append({"op": "identifier", "column": column, "decision": decision})
    before, after = (
        {entry.get("rule", ""): entry for entry in one.get("exclude") or []} for one in (old, new)
    )
    for name, entry in _differing(before, after):
        rule = {k: v for k, v in (entry or {}).items() if k != "rule"}
        edits.append({"op": "exclude", "name": name, "rule": rule or None})
    was, now = (_entries(one, "accept", repr) for one in (old, new))
    edits += _switched("accept", "entry", was, now)
    for key, value in _differing(applied(old, *edits), new):
        edits.append({"op": "setting", "key": key, "value": value})
    return edits


def _differing(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[tuple[str, Any]]:
    """Keys whose values differ, with the new one; None where there is none any more."""
    was, now = old or {}, new or {}
    for key in dict.fromkeys((*was, *now)):
        if was.get(key, _NONE) != now.get(key, _NONE):
            yield key, now.get(key)


def _entries(document: Document, key: str, name: Callable[[Any], str]) -> dict[str, Any]:
    texts = texts_in(document.get(key, [""] if key == "empty" else []))
    entries = as_yaml_data(texts)
    if key == "accept":
        entries = [{"alarm": one} if isinstance(one, str) else one for one in entries]
    return {name(entry): entry for entry in entries}


def _switched(op: str, key: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[Operation]:
    for on, one, other in ((True, now, was), (False, was, now)):
        for name in (name for name in one if name not in other):
            yield {"op": op, key: one[name], "on": on}


def _between_rules(old: Document, new: Document) -> Iterator[Operation]:
    """Whole rules."""
    both = [(d.get("columns"), (d.get("perpetrators") or {}).get("columns")) for d in (old, new)]
    for prefix, was, now in zip(("", CHILD), *both, strict=True):
        if not prefix or (was and now):
            for name, rule in _differing(was, now):
                yield {"op": "rule", "variable": prefix + name, "rule": rule}


def _between_texts(old: Document, new: Document) -> Iterator[Operation]:
    """Texts one by one, of rules that differ in nothing else."""
    was = old.get("columns") or {}
    lists: dict[str, set[str]] = {}
    for name, rules in (new.get("columns") or {}).items():
        pairs = (rules_in(was.get(name)), rules_in(rules))
        if len(pairs[0]) != len(pairs[1]):
            continue
        for at, (before, after) in enumerate(zip(*pairs, strict=True)):
            differ = {key for key, _value in _differing(before, after)}
            if differ == {"map"} and "map" in before and "map" in after:
                sheet = f"columns.{name}" + (f".{at}" if len(pairs[0]) > 1 else "")
                for text, _code in _differing(before["map"], after["map"]):
                    yield _mapped(new, sheet, text)
            elif differ and differ <= {*_LISTED} and "has" in before and not before.get("when"):
                source = tuple(texts_in(before["from"]))
                sheet = ListSheet("records", source, before.get("split")).name
                texts = lists.setdefault(sheet, set())
                for key in differ:
                    texts |= {*texts_in(before.get(key, []))} ^ {*texts_in(after.get(key, []))}
    for sheet, texts in lists.items():
        yield from (_mapped(new, sheet, text) for text in sorted(texts))


def _mapped(new: Document, sheet: str, text: str) -> Operation:
    return {"op": "map", "sheet": sheet, "text": text, "codes": _codes_of(new, sheet, text)}
