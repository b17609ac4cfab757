"""Edits of a mapping as operations on keys: what each does to the YAML's data, and its opposite.

An operation is a JSON object (``ask`` lists them).  Operations on different keys commute: whatever
their order, they give the same mapping.  Belongs here: applying, reading the value of a key, the
operations between two mappings.  Does not belong here: YAML as text, drafts, what rows become.
"""

from __future__ import annotations

import copy
import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.tables import fold
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping.decisions import NOT_RECORDED, OTHER_KIND, STAYS, Sheet
from ctdhub.sensitive.mapping.mapping_file import builtin_data, changed
from ctdhub.sensitive.mapping.patched_yaml import Document
from ctdhub.sensitive.mapping.rule import Place, Rule

# --------------------------------------------------------------------------------------------------
# Names for the sets of texts that are decided alike, which stay when rules come and go.
#
# A sheet of a rule that looks codes up is named by the rule's place; that of a list, which several
# flags share, by its column and the mark between its elements.

_LIST = "list:"


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
    def column(self) -> str:
        """The first of its columns."""
        return self.columns[0]

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
        except ValueError:
            raise error("workbench-request") from None
        named = isinstance(columns, list) and columns and all(isinstance(c, str) for c in columns)
        if not named or table not in ("records", "perpetrators"):
            raise error("workbench-request")
        return cls(table, tuple(columns), split if isinstance(split, str) else None)

    def is_of(self, rule: dict[str, Any]) -> bool:
        """Whether a rule, as YAML has it, searches this list, in every row."""
        source = rule.get("from", [])
        columns = source if isinstance(source, list) else [source]
        return (
            "has" in rule
            and not rule.get("when")
            and [*map(fold, columns)] == [*map(fold, self.columns)]
            and rule.get("split") == self.split
        )

    def rule(self) -> dict[str, Any]:
        """A rule that searches it, without texts."""
        source = [*self.columns] if len(self.columns) > 1 else self.column
        return {"from": source} | ({"split": self.split} if self.split else {})


def sheet_name(sheet: Sheet, first: Rule) -> str:
    """What operations call a sheet.

    Args:
        sheet: the sheet.
        first: the first of its rules.
    """
    if not sheet.flags:
        return sheet.key
    place = next(iter(sheet.places.values()))
    table = "perpetrators" if place[0] == "perpetrators" else "records"
    return ListSheet(table, sheet.columns, first.split).name


def sheet_place(name: str) -> Place:
    """Where the rule of a sheet of codes stands in the YAML.

    Raises:
        HubError: it names nothing (rule "workbench-request").
    """
    parts = name.split(".")
    start = 2 if parts[0] == "perpetrators" else 1
    if parts[:start] not in (["columns"], ["perpetrators", "columns"]):
        raise error("workbench-request")
    if len(parts) not in (start + 1, start + 2):
        raise error("workbench-request")
    if len(parts) == start + 2:
        if not parts[-1].isascii() or not parts[-1].isdigit():
            raise error("workbench-request")
        return (*parts[:-1], int(parts[-1]))
    return tuple(parts)


# --------------------------------------------------------------------------------------------------
# Where rules and entries stand in the data of a mapping's YAML, to be read or changed in place.
#
# A mapping may be a built-in one with changes over it: what it says itself is read from there, and
# written out where it is to be changed.

CHILD = "perpetrators."
"""Before the variables of child rows."""


def as_yaml_data(value: Any) -> Any:
    """A value as a mapping's YAML has it: every scalar but null is a text."""
    if isinstance(value, dict):
        return {str(key): as_yaml_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_yaml_data(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def merged(document: Document) -> Document:
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
    said = merged(document)
    if table == "perpetrators":
        said = said.get("perpetrators") or {}
    return said.get("columns") or {}


def columns_of(document: Document, table: str) -> dict[str, Any]:
    """The rules as they are written, to be changed in place."""
    if table == "perpetrators":
        if not isinstance(document.get("perpetrators"), dict):
            said = merged(document).get("perpetrators")
            if said is None:
                raise error("workbench-gone")
            document["perpetrators"] = copy.deepcopy(said)
        inside: Document = document["perpetrators"]
    else:
        inside = document
    if not isinstance(inside.get("columns"), dict):
        inside["columns"] = {}
    found: dict[str, Any] = inside["columns"]
    return found


def rule_to_change(document: Document, place: tuple[str | int, ...]) -> dict[str, Any]:
    """The rule at a place, to be changed in place; out of the built-in mapping if need be."""
    table = "perpetrators" if place[0] == "perpetrators" else "records"
    name = str(place[2] if table == "perpetrators" else place[1])
    last = place[-1]
    return named_rule(document, table, name, last if isinstance(last, int) else 0)


def named_rule(document: Document, table: str, name: str, at: int = 0) -> dict[str, Any]:
    columns = columns_of(document, table)
    if columns.get(name) is None:
        rules = all_rules(document, table).get(name)
        if rules is None:
            raise error("workbench-gone")
        columns[name] = copy.deepcopy(rules)
    rules = columns[name]
    if isinstance(rules, list):
        if at >= len(rules):
            raise error("workbench-gone")
        rules = rules[at]
    if not isinstance(rules, dict):
        raise error("workbench-gone")
    return rules


def rule_of(document: Document, variable: str) -> Any:
    table, name = table_of(variable)
    return all_rules(document, table).get(name)


def list_places(document: Document, listed: ListSheet) -> dict[str, int]:
    """The variables that search a list, each with the place of its rule among its rules."""
    found: dict[str, int] = {}
    for name, rules in all_rules(document, listed.table).items():
        at = next((i for i, one in enumerate(rules_in(rules)) if listed.is_of(one)), None)
        if at is not None:
            found[name] = at
    return found


def codes_of(document: Document, sheet: str, text: str) -> list[str]:
    listed = ListSheet.of(sheet)
    if listed is not None:
        every = all_rules(document, listed.table)
        places = list_places(document, listed)
        rules = {name: rules_in(every[name])[at] for name, at in places.items()}
        column = listed.column
        found = [n for n, r in rules.items() if has_text(r.get("has"), text)]
        if found:
            return found
        if any(has_text(r.get("null_values"), text) for r in rules.values()):
            return [NOT_RECORDED]
        if any(has_text(r.get("known"), text) for r in rules.values()):
            return [OTHER_KIND]
    else:
        rule = rule_seen(document, sheet_place(sheet))
        if rule is None:
            return []
        column = texts_in(rule["from"])[0] if "from" in rule else ""
        codes = rule.get("map") or {}
        for spelt in by_name(codes).of.get(fold(text), [])[:1]:
            return [NOT_RECORDED] if codes[spelt] is None else [codes[spelt]]
        if has_text(rule.get("null_values"), text):
            return [NOT_RECORDED]
    about = {"text": text, "column": column}
    return [STAYS] if has_text(document.get("accept"), about, entry_key) else []


def rule_seen(document: Document, place: tuple[str | int, ...]) -> dict[str, Any] | None:
    table = "perpetrators" if place[0] == "perpetrators" else "records"
    name = str(place[2] if table == "perpetrators" else place[1])
    rules = rules_in(all_rules(document, table).get(name))
    last = place[-1]
    at = last if isinstance(last, int) else 0
    return rules[at] if at < len(rules) else None


def table_of(variable: str) -> tuple[str, str]:
    if variable.startswith(CHILD):
        return "perpetrators", variable.removeprefix(CHILD)
    return "records", variable


def rules_in(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def texts_in(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def add_text(rule: dict[str, Any], key: str, text: Any, name: Callable[[Any], Any] = fold) -> None:
    texts = rule.get(key)
    if not isinstance(texts, list):
        texts = texts_in(texts)
    known = by_name(texts, name)
    if name(text) not in known.of:
        texts.append(text)
        known.add(text)
        rule[key] = texts


def drop_text(rule: dict[str, Any], key: str, text: Any, name: Callable[[Any], Any] = fold) -> bool:
    texts = texts_in(rule.get(key))
    gone = by_name(texts, name).of.get(name(text))
    if not gone:
        return False
    set_entries(rule, key, [one for one in texts if one not in gone])
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


_by_name: OrderedDict[int, _ByName] = OrderedDict()
_MOST_NAMED = 256


def by_name(entries: Collection[Any], name: Callable[[Any], Any] = fold) -> _ByName:
    held = _by_name.get(id(entries))
    if held is None or held.entries is not entries or held.size != len(entries):
        held = _by_name[id(entries)] = _ByName(entries, name)
        while len(_by_name) > _MOST_NAMED:
            _by_name.popitem(last=False)
    return held


def put_key(entries: dict[str, Any], known: _ByName, key: str, value: Any) -> None:
    if key not in entries:
        known.add(key)
    entries[key] = value


def has_text(texts: Any, text: Any, name: Callable[[Any], Any] = fold) -> bool:
    """Whether one of some texts is compared as equal to a text."""
    return name(text) in by_name(texts_in(texts), name).of


def set_entries(document: dict[str, Any], key: str, entries: list[Any]) -> None:
    if entries:
        document[key] = entries
    else:
        document.pop(key, None)


def entry_key(entry: Any) -> tuple[str, ...]:
    """What an entry of ``accept`` is about: an alarm or a text, and its delivery."""
    if isinstance(entry, str):
        entry = {"alarm": entry}
    if not isinstance(entry, dict):
        return ("", str(entry))
    name, _colon, about = str(entry.get("alarm") or "").partition(":")
    parts = (name.strip(), about, entry.get("text"), entry.get("column"), entry.get("delivery"))
    return tuple(fold(str(part or "")) for part in parts)


Operation = dict[str, Any]
"""``op``, the keys that name what is edited, and its new value."""

VALUES = {
    "map": "codes",
    "rule": "rule",
    "empty": "on",
    "known": "on",
    "identifier": "decision",
    "exclude": "rule",
    "accept": "on",
    "optional": "on",
    "setting": "value",
    "layout": "text",
}
"""For each kind of operation the key of its value."""

_TEXTS = {
    "map": ("sheet", "text"),
    "rule": ("variable",),
    "empty": ("text",),
    "known": ("variable", "text"),
    "identifier": ("column",),
    "exclude": ("name",),
    "accept": (),
    "optional": ("column",),
    "setting": ("key",),
    "layout": ("text",),
}
SETTINGS = frozenset(
    {"read", "dates", "rows", "key", "tokens", "optional", "perpetrators", "tests", "name"}
    | {"builtin", "version"}
)
"""Keys of a mapping that are set as a whole."""

_READ = frozenset(f"read.{name}" for name in ReadOptions.model_fields)
"""What is stated of a file, each for itself: two answers at once are both kept."""

_LONGEST, _MOST = 40_000, 2_000_000


def checked(given: Any) -> Operation:
    """An operation out of JSON, without keys that it has not.

    Raises:
        HubError: it is none (rule "workbench-request").
    """
    if not isinstance(given, dict) or given.get("op") not in VALUES:
        raise error("workbench-request")
    kind = given["op"]
    names, value = _TEXTS[kind], VALUES[kind]
    for name in names:
        text = given.get(name)
        longest = _MOST if kind == "layout" else _LONGEST
        if not isinstance(text, str) or len(text) > longest:
            raise error("workbench-request")
    made = {"op": kind, **{name: given[name] for name in names}}
    if kind == "setting" and given["key"] not in SETTINGS and given["key"] not in _READ:
        raise error("workbench-request")
    if kind == "map":
        codes = given.get("codes")
        if not isinstance(codes, list) or not all(isinstance(c, str) for c in codes):
            raise error("workbench-request")
        return {**made, "codes": list(dict.fromkeys(codes))}
    if kind == "accept":
        entry = as_yaml_data(given.get("entry"))
        if isinstance(entry, str):
            entry = {"alarm": entry}
        if not isinstance(entry, dict):
            raise error("workbench-request")
        made["entry"] = entry
    if value == "on":
        return {**made, "on": bool(given.get("on", True))}
    return {**made, value: as_yaml_data(given.get(value))}


def key_of(operation: Operation) -> tuple[str, ...]:
    """What is edited: equal where two operations concern the same."""
    kind = operation["op"]
    if kind == "layout":
        return (kind,)
    if kind == "accept":
        return (kind, *entry_key(operation["entry"]))
    names = (operation[name] for name in _TEXTS[kind])
    exact = kind in ("rule", "map", "setting")  # names of ours; others are texts of a file
    return (kind, *(name if exact and not i else fold(name) for i, name in enumerate(names)))


def touch(one: Operation, other: Operation) -> bool:
    """Whether two operations concern the same key, or one the rule in which the other's key is."""
    if key_of(one) == key_of(other):
        return True
    for outer, inner in ((one, other), (other, one)):
        if outer["op"] == "rule" and outer["variable"] in _variables(inner, outer):
            return True
        if outer["op"] == "setting" and outer["key"] == "builtin" and inner["op"] in _IN_RULES:
            return True
        if outer["op"] == "setting" and outer["key"] == inner["op"]:
            return True  # the whole list, and one of its entries
        if outer["op"] == inner["op"] == "setting" and inner["key"].startswith(outer["key"] + "."):
            return True
        if outer["op"] == "setting" and outer["key"] == "perpetrators":
            named = inner.get("variable") or inner.get("sheet") or ""
            if named.startswith((CHILD, "list:perpetrators")):
                return True
    return False


_IN_RULES = ("map", "rule", "known")


class Touching:
    """Operations by what they concern, to find at once those that concern the same as another."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._all, self._outer = [*operations], list[Operation]()
        self._of: dict[tuple[str, ...], list[Operation]] = defaultdict(list)
        for one in self._all:
            self._of[key_of(one)].append(one)
            if one["op"] in _OUTER:
                self._outer.append(one)

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
        place = sheet_place(inner["sheet"])
        names = [str(part) for part in place if not isinstance(part, int)]
        return (CHILD + names[-1] if names[0] == "perpetrators" else names[-1],)
    prefix = CHILD if listed.table == "perpetrators" else ""
    named = {*inner["codes"], *(inner.get("before") or ())}
    same = any(listed.is_of(one) for side in ("rule", "before") for one in rules_in(rule.get(side)))
    return [prefix + name for name in named] + ([rule["variable"]] if same else [])


def opposite(operation: Operation, before: Any) -> Operation:
    """The operation that gives a key the value it had before."""
    value = VALUES[operation["op"]]
    if value == "on":
        before = bool(before)
    if value == "codes":
        before = before or []
    return {key: v for key, v in operation.items() if key in _own(operation)} | {value: before}


def _own(operation: Operation) -> tuple[str, ...]:
    return ("op", "entry", *_TEXTS[operation["op"]], VALUES[operation["op"]])


def value_of(operation: Operation) -> Any:
    """The value that an operation gives its key."""
    return operation.get(VALUES[operation["op"]])


def label_of(operation: Operation) -> str:
    """What an operation concerns, in the words of the mapping and of the file."""
    names = [operation[name] for name in _TEXTS[operation["op"]] if operation["op"] != "layout"]
    if operation["op"] == "map":
        listed = ListSheet.of(operation["sheet"])
        column = listed.column if listed else str(sheet_place(operation["sheet"])[-1])
        names = [column, operation["text"]]
    if operation["op"] == "accept":
        names = [part for part in entry_key(operation["entry"]) if part]
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
    before = value_in(document, operation)
    _APPLY[operation["op"]](document, operation)
    return before


def value_in(document: Document, operation: Operation) -> Any:
    """The value that an operation's key has in a mapping; None where it has none."""
    kind = operation["op"]
    if kind == "layout":
        return None
    if kind == "map":
        return codes_of(document, operation["sheet"], operation["text"])
    if kind == "rule":
        return rule_of(document, operation["variable"])
    if kind == "empty":
        return has_text(document.get("empty", [""]), operation["text"])
    if kind == "optional":
        return has_text(document.get("optional"), operation["column"])
    if kind == "known":
        rules = rules_in(rule_of(document, operation["variable"]))
        return any(has_text(rule.get("known"), operation["text"]) for rule in rules)
    if kind == "identifier":
        decided = merged(document).get("identifiers") or {}
        named = by_name(decided).of.get(fold(operation["column"]), [None])
        return decided.get(named[0])
    if kind == "exclude":
        entries = merged(document).get("exclude") or []
        for entry in by_name(entries, _rule_name).of.get(fold(operation["name"]), [])[:1]:
            return {key: value for key, value in entry.items() if key != "rule"}
        return None
    if kind == "accept":
        return has_text(document.get("accept"), operation["entry"], entry_key)
    outer, _dot, inner = operation["key"].partition(".")
    value = document.get(outer)
    return (value or {}).get(inner) if inner else value


def _rule_name(entry: dict[str, Any]) -> str:
    return fold(entry.get("rule", ""))


def _put_map(document: Document, operation: Operation) -> None:
    text, codes = operation["text"], operation["codes"]
    listed = ListSheet.of(operation["sheet"])
    if listed is not None:
        _put_list(document, listed, text, codes)
        column = listed.column
    else:
        place = sheet_place(operation["sheet"])
        rule = rule_to_change(document, place)
        column = texts_in(rule["from"])[0] if "from" in rule else ""
        drop_text(rule, "null_values", text)
        texts = rule.setdefault("map", {})
        known = by_name(texts)
        spelt = known.of.get(fold(text), [text])[0]
        if codes and codes != [STAYS]:
            put_key(texts, known, spelt, None if codes == [NOT_RECORDED] else codes[0])
        else:
            texts.pop(spelt, None)
        if not texts and {"country", "band", "year"} & rule.keys():
            del rule["map"]
    entry = {"text": text, "column": column}
    _put_accept(document, {"entry": entry, "on": codes == [STAYS]})


def _put_list(document: Document, listed: ListSheet, text: str, codes: list[str]) -> None:
    columns = columns_of(document, listed.table)
    places = list_places(document, listed)
    rules = {name: named_rule(document, listed.table, name, at) for name, at in places.items()}
    pattern = next(iter(rules.values()), listed.rule())
    kept = ("from", "split", "absent", "unknown")
    pattern = {key: copy.deepcopy(pattern[key]) for key in kept if key in pattern}
    for rule in rules.values():
        for key in ("known", "null_values"):
            drop_text(rule, key, text)
    # What is "not recorded" is so in every flag of the list, also in one that begins now.
    silent = texts_in(next(iter(rules.values()), {}).get("null_values", []))
    for name in (code for code in codes if code not in (NOT_RECORDED, OTHER_KIND, STAYS)):
        if name not in rules:
            there = rules_in(all_rules(document, listed.table).get(name))
            rules[name] = {**copy.deepcopy(pattern), "has": []}
            for other in silent:
                add_text(rules[name], "null_values", other)
            columns[name] = [*copy.deepcopy(there), rules[name]] if there else rules[name]
        add_text(rules[name], "has", text)
    for name in [name for name in rules if name not in codes]:
        if drop_text(rules[name], "has", text) and not rules[name].get("has"):
            gone = rules.pop(name)
            _without(document, listed.table, name, gone)
            for known in texts_in(gone.get("known", [])) if rules else ():
                add_text(next(iter(rules.values())), "known", known)
    if codes == [OTHER_KIND] and rules:
        add_text(next(iter(rules.values())), "known", text)
    for rule in rules.values() if codes == [NOT_RECORDED] else ():
        add_text(rule, "null_values", text)


def _without(document: Document, table: str, name: str, rule: dict[str, Any]) -> None:
    """Take one rule of a variable out, and the variable with its last one."""
    columns = columns_of(document, table)
    rest = [one for one in rules_in(columns[name]) if one is not rule]
    if rest:
        columns[name] = rest if len(rest) > 1 else rest[0]
    elif document.get("builtin") is None:
        del columns[name]
    else:
        columns[name] = None


def _put_rule(document: Document, operation: Operation) -> None:
    table, name = table_of(operation["variable"])
    columns = columns_of(document, table)
    rule = copy.deepcopy(operation["rule"])
    if rule is None:
        columns.pop(name, None)
        if all_rules(document, table).get(name) is not None:
            columns[name] = None  # the built-in mapping has one
    else:
        columns[name] = rule


def _put_empty(document: Document, operation: Operation) -> None:
    texts = document.get("empty", [] if "builtin" in document else [""])
    if operation["on"] != has_text(texts, operation["text"]):
        document["empty"] = texts
        put = add_text if operation["on"] else drop_text
        put(document, "empty", operation["text"])
        document.setdefault("empty", [])


def _put_optional(document: Document, operation: Operation) -> None:
    put = add_text if operation["on"] else drop_text
    put(document, "optional", operation["column"])


def _put_known(document: Document, operation: Operation) -> None:
    table, name = table_of(operation["variable"])
    rule = named_rule(document, table, name)
    if operation["on"]:
        add_text(rule, "known", operation["text"])
    else:
        drop_text(rule, "known", operation["text"])


def _put_identifier(document: Document, operation: Operation) -> None:
    decided = document.get("identifiers") or {}
    wanted = operation["column"]
    known = by_name(decided)
    name = known.of.get(fold(wanted), [wanted])[0]
    decision = operation["decision"]
    if decision is not None:
        put_key(decided, known, name, copy.deepcopy(decision))
    else:
        decided.pop(name, None)
        if value_in({**document, "identifiers": decided}, operation) is not None:
            decided[name] = None  # the built-in mapping decides
    document["identifiers"] = decided
    if not decided:
        del document["identifiers"]


def _put_exclude(document: Document, operation: Operation) -> None:
    name = {"rule": operation["name"]}
    if operation["rule"] is None:
        drop_text(document, "exclude", name, _rule_name)
        return
    made = {**name, **copy.deepcopy(operation["rule"])}
    entries = document.get("exclude") or []
    there = by_name(entries, _rule_name).of.get(fold(operation["name"]))
    if there:
        there[0].clear()
        there[0].update(made)
    else:
        add_text(document, "exclude", made, _rule_name)


def _put_accept(document: Document, operation: Operation) -> None:
    put = add_text if operation["on"] else drop_text
    put(document, "accept", operation["entry"], entry_key)


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
    "map": _put_map,
    "rule": _put_rule,
    "empty": _put_empty,
    "known": _put_known,
    "identifier": _put_identifier,
    "exclude": _put_exclude,
    "accept": _put_accept,
    "optional": _put_optional,
    "setting": _put_setting,
    "layout": _put_layout,
}


# --------------------------------------------------------------------------------------------------
# The operations between two mappings, rule by rule: what a hand edit, or another person, did.


def between(old: Document, new: Document) -> list[Operation]:
    """The operations that make one mapping's data into another's, rule by rule."""
    found: list[Operation] = []
    found += _between_rules(old, new)
    had, has = (texts_in(d.get("empty", [""])) for d in (old, new))
    found += _switched(had, has)
    was, now = ((d.get("identifiers") or {}) for d in (old, new))
    for column in dict.fromkeys((*was, *now)):
        if was.get(column) != now.get(column):
            found.append({"op": "identifier", "column": column, "decision": now.get(column)})
    before, after = (_named(document) for document in (old, new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            rule = {k: v for k, v in after.get(name, {}).items() if k != "rule"}
            found.append({"op": "exclude", "name": name, "rule": rule or None})
    for one, other, on in ((new, old, True), (old, new, False)):
        known = [as_yaml_data(entry) for entry in texts_in(other.get("accept", []))]
        for entry in texts_in(one.get("accept", [])):
            if entry not in known:
                about: Any = {"alarm": entry} if isinstance(entry, str) else entry
                found.append({"op": "accept", "entry": about, "on": on})
    made = applied(old, *found)
    for key in dict.fromkeys((*made, *new)):
        if made.get(key) != new.get(key):
            found.append({"op": "setting", "key": key, "value": new.get(key)})
    return found


def _named(document: Document) -> dict[str, dict[str, Any]]:
    """Exclusions by name."""
    return {entry.get("rule", ""): entry for entry in document.get("exclude") or []}


def _between_rules(old: Document, new: Document) -> Iterator[Operation]:
    """Texts one by one where rules differ in nothing else; else whole rules."""
    texts = list(_between_texts(old, new))
    made = applied(old, *texts)
    yield from texts
    both = [(d.get("columns"), (d.get("perpetrators") or {}).get("columns")) for d in (made, new)]
    for prefix, was, now in zip(("", CHILD), *both, strict=True):
        was, now = was or {}, now or {}
        if prefix and not (was and now):
            continue
        for name in dict.fromkeys((*was, *now)):
            if was.get(name, _NONE) != now.get(name, _NONE):
                yield {"op": "rule", "variable": prefix + name, "rule": now.get(name)}


def _between_texts(old: Document, new: Document) -> Iterator[Operation]:
    was, now = old.get("columns") or {}, new.get("columns") or {}
    lists: dict[str, set[str]] = {}
    for name, rules in now.items():
        pairs = (rules_in(was.get(name)), rules_in(rules))
        if len(pairs[0]) != len(pairs[1]):
            continue
        for at, (before, after) in enumerate(zip(*pairs, strict=True)):
            differ = {k for k in (*before, *after) if before.get(k) != after.get(k)}
            if differ == {"map"} and "map" in before and "map" in after:
                sheet = f"columns.{name}" + (f".{at}" if len(pairs[0]) > 1 else "")
                for text in dict.fromkeys((*before["map"], *after["map"])):
                    if before["map"].get(text, _NONE) != after["map"].get(text, _NONE):
                        yield _mapped(new, sheet, text)
            elif differ and differ <= _LISTED and "has" in before and not before.get("when"):
                source = before["from"] if isinstance(before["from"], list) else [before["from"]]
                sheet = ListSheet("records", tuple(source), before.get("split")).name
                found = lists.setdefault(sheet, set())
                for key in differ:
                    found |= {*texts_in(before.get(key, []))} ^ {*texts_in(after.get(key, []))}
    for sheet, texts in lists.items():
        yield from (_mapped(new, sheet, text) for text in sorted(texts))


_LISTED = {"has", "known", "null_values"}


def _mapped(new: Document, sheet: str, text: str) -> Operation:
    return {"op": "map", "sheet": sheet, "text": text, "codes": codes_of(new, sheet, text)}


_NONE = object()


def _switched(had: list[str], has: list[str]) -> Iterator[Operation]:
    was, now = set(map(fold, had)), set(map(fold, has))
    for text in has:
        if fold(text) not in was:
            yield {"op": "empty", "text": text, "on": True}
    for text in had:
        if fold(text) not in now:
            yield {"op": "empty", "text": text, "on": False}
