"""A mapping's YAML: read so that texts stay texts, changed over a built-in one, in force from a
day on.
"""

import copy
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ctdhub.core.errors import HubError, InvalidSetting, MappingError, error, printable
from ctdhub.core.files import is_day
from ctdhub.core.i18n import Text, joined
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.mapping import Mapping, MappingFault, Place

# --------------------------------------------------------------------------------------------------
# A built-in mapping with changes of one's own over it (``builtin: NAME`` beside other keys).

_ADDED = ("empty", "optional", "tokens")
"""Keys whose texts are added to those of the built-in mapping."""

_MERGED = ("identifiers", "columns")
"""Keys whose entries replace those of the same name; null leaves one out."""


def amended(name: str, over: dict[str, Any]) -> dict[str, Any]:
    """The built-in mapping of that name with changes, in the words of a mapping's YAML.

    Texts are added to ``empty``, ``optional`` and ``tokens``; entries of ``columns``,
    ``identifiers`` and ``exclude`` replace those of the same name, and null leaves one out;
    ``null_values`` adds texts that mean "not recorded", in every column or by hub variable; every
    other key takes the place of the built-in one.

    Raises:
        MappingError: no built-in mapping of that name.
        MappingFault: ``null_values`` is neither of the two, or names what is not mapped.

    >>> made = amended("ctdc-2021", {"columns": {"abduction": None}, "empty": "n.k."})
    >>> "abduction" in made["columns"], made["empty"][-1]
    (False, 'n.k.')
    """
    return changed(builtin_data(name), over)


@lru_cache(maxsize=8)
def builtin_data(name: str) -> dict[str, Any]:
    """What a built-in mapping says, in the words of a mapping's YAML.  Not to be changed.

    Raises:
        MappingError: no built-in mapping of that name.
    """
    made = builtin(name).model_dump(by_alias=True, exclude_unset=True)
    made.pop("name", None)
    return made


def changed(builtin: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """The data of a built-in mapping with changes, as :func:`amended` says; both stay as they are.

    Raises:
        MappingFault: see there.
    """
    made = {**builtin, "columns": {**builtin["columns"]}}
    for key, value in over.items():
        if key in _ADDED:
            made[key] = [*made.get(key, ()), *_texts(value)]
        elif key in _MERGED and isinstance(value, dict):
            merged = {**made.get(key, {}), **value}
            made[key] = {entry: content for entry, content in merged.items() if content is not None}
        elif key == "exclude" and isinstance(value, list):
            own = [e.get("rule") for e in value if isinstance(e, dict)]
            kept = [e for e in made.get("exclude", ()) if e["rule"] not in own]
            made[key] = [*kept, *value]
        elif key != "null_values":
            made[key] = value
    _blank(made, over.get("null_values", ()))
    return made


def _blank(made: dict[str, Any], texts: Any) -> None:
    """Make texts mean "not recorded": in every column, or in the rules of some hub variables."""
    if isinstance(texts, str | list | tuple):
        made["empty"] = [*made.get("empty", ("",)), *_texts(texts)]
        return
    if not isinstance(texts, dict):
        raise MappingFault(
            Text("null_values is a list of texts, or such a list for each hub variable"),
            "null_values",
        )
    for variable, more in texts.items():
        if variable not in (made["columns"] or ()):
            raise MappingFault(
                Text("{name} is not mapped here", name=variable), "null_values", variable
            )
        made["columns"][variable] = [
            {**rule, "null_values": [*_texts(rule.get("null_values", ())), *_texts(more)]}
            if isinstance(rule, dict)
            else rule
            for rule in _texts(made["columns"][variable])
        ]


def _texts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


# --------------------------------------------------------------------------------------------------
# Reading a mapping's YAML so that texts stay texts, and saying where it is wrong.
#
# Every plain scalar is text: ``no`` is "no", ``01`` is "01", ``NULL`` is the text that files carry.
# Only ``null``, ``~`` and nothing at all are null.  A key given twice is a fault.

MAX_BYTES = 2_000_000
MAX_VALUES = 200_000
LONGEST_FAULT = 300
"""Limits on a mapping's size, the second after aliases are followed."""


_Model = TypeVar("_Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Safe YAML in which only null is more than text."""


_NULL = ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"))
_Loader.yaml_implicit_resolvers = {first: [_NULL] for first in ("~", "n", "")}


def load_mapping(path: Path) -> Mapping:
    """The mapping of a YAML file.

    Raises:
        MappingError: the file cannot be read, is no YAML, or something in it is wrong; the
            message names the places, the lines and what to do.
    """
    return parse_mapping(text_of(path), path.name)


def text_of(path: Path) -> str:
    """The text of a YAML file, its line ends as they are; raises as :func:`load_mapping`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise error("mapping-size", file=path, limit=MAX_BYTES)
        return path.read_bytes().decode("utf-8-sig")
    except OSError as cause:
        raise error("mapping-file", file=path) from cause
    except UnicodeDecodeError as cause:
        raise error("mapping-file/utf8", file=path) from cause


def named_mapping(name: str) -> Mapping:
    """The mapping of a YAML file, or else the built-in one of that name.

    Raises:
        MappingError: there is neither, or the file is wrong.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return load_mapping(path)
    try:
        return builtin(name)
    except MappingError:
        if path.is_file():
            return load_mapping(path)
        raise


@lru_cache(maxsize=64)
def parse_mapping(text: str, file: str) -> Mapping:
    """The mapping of a YAML text; with ``builtin: NAME`` the built-in mapping, other keys over it.

    >>> parse_mapping("version: 1\\ncolumns: {abduction: {from: a, map: {0: no}}}", "a.yaml").name
    'a'

    What was read is kept, for a build asks each of its files many times.

    Raises:
        MappingError: see :func:`load_mapping`.
    """
    if len(text.encode()) > MAX_BYTES:
        raise error("mapping-size", file=file, limit=MAX_BYTES)
    root, said = _read(text, file)
    data = {key: value for key, value in said.items() if key != "builtin"}
    try:
        if "builtin" in said:
            name = str(said["builtin"])
            if not data:
                return builtin(name)
            data = amended(name, data)
    except MappingFault as fault:
        raise _error(file, root, [(fault.place, fault.text)]) from fault
    except ValidationError as cause:
        raise _error(file, root, [_fault(detail) for detail in cause.errors()]) from None
    return checked(Mapping, {"name": Path(file).stem, **data}, root, file)


def read_yaml(text: str, file: str, start: Text) -> tuple[yaml.Node | None, dict[str, Any]]:
    """The nodes of a YAML text, and what it says, in which every plain scalar is text.

    Args:
        start: what is said where it says nothing with keys.

    Raises:
        MappingError: see :func:`load_mapping`.
    """
    root = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is not None:
            _check_keys(root, [0], ())
        data = loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else 0
        why = cause.problem or cause.context or ""
        raise error("mapping-yaml", file=file, at=line, why=why) from cause
    except (yaml.YAMLError, RecursionError) as cause:
        raise error("mapping-yaml/characters", file=file) from cause
    except MappingFault as fault:
        raise _error(file, root, [(fault.place, fault.text)]) from fault
    if not isinstance(data, dict):
        raise _error(file, root, [((), start)])
    return root, data


def checked(model: type[_Model], data: dict[str, Any], root: yaml.Node | None, file: str) -> _Model:
    """What a YAML text says, as a model; raises as :func:`load_mapping`."""
    try:
        return model.model_validate(data)
    except ValidationError as cause:
        raise _error(file, root, [_fault(detail) for detail in cause.errors()]) from None


def _check_keys(node: yaml.Node, count: list[int], place: Place) -> None:
    """Refuse repeated keys, circles and texts that grow without end through aliases."""
    count[0] += 1
    if count[0] > MAX_VALUES or len(place) > 20:
        raise MappingFault(Text("the mapping nests too deep or repeats too much"), *place[:3])
    if isinstance(node, yaml.SequenceNode):
        for i, child in enumerate(node.value):
            _check_keys(child, count, (*place, i))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":null"):
                raise MappingFault(Text("a key must be a text: put it in quotes"), *place)
            if key.value in seen:
                raise MappingFault(Text("the key is given twice"), *place, key.value)
            seen.add(key.value)
            _check_keys(child, count, (*place, key.value))


def _fault(detail: ErrorDetails) -> tuple[Place, Text | str]:
    raised = detail.get("ctx", {}).get("error")
    place = tuple(part for part in detail["loc"] if part != "function-before")
    if isinstance(raised, InvalidSetting):
        return (*place, *(raised.place if isinstance(raised, MappingFault) else ())), raised.text
    if detail["type"] == "literal_error":
        values = detail.get("ctx", {}).get("expected", "")
        return place, Text("allowed are: {values}", values=values)
    known = {
        "extra_forbidden": Text("there is no such key"),
        "missing": Text("this is missing"),
        "bool_parsing": Text("write true or false"),
        "string_type": Text("a text is expected"),
    }
    return place, known.get(detail["type"], detail["msg"])


def _error(file: str, root: yaml.Node | None, faults: list[tuple[Place, Text | str]]) -> HubError:
    shown: list[Text | str] = []
    for place, text in faults[:8]:
        line = _line(root, place)
        name = ".".join(str(p + 1) if isinstance(p, int) else printable(p) for p in place)
        safe = _printable(text)
        where = Text("{place} (line {line}): {text}", place=name, line=line, text=safe)
        shown.append(where if name else safe)
    if len(faults) > len(shown):
        shown.append(Text("and {n} more", n=len(faults) - len(shown)))
    return error("mapping", file=file, places=joined(shown, "; "))


def _printable(text: Text | str) -> Text | str:
    """What is wrong, in which what the mapping says cannot steer a terminal."""
    if isinstance(text, str):
        return printable(text, LONGEST_FAULT)
    safe = {k: printable(v, LONGEST_FAULT) if isinstance(v, str) else v for k, v in text.given}
    return Text(text.message, **safe)


def _line(node: yaml.Node | None, place: Place) -> int:
    """1-based line of the place, or of the nearest part of it that exists."""
    line = node.start_mark.line + 1 if node else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == part]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            pairs = [(v, v) for v in node.value[part : part + 1]]
        else:
            continue
        if not pairs:
            continue
        key, node = pairs[-1]
        line = key.start_mark.line + 1
    return line


# --------------------------------------------------------------------------------------------------
# A mapping's YAML made to say something else, every byte that is not concerned left as it is.
#
# What is written is read again and must say what was asked for.  Anchors are followed: where a
# value that stands in several places is to differ, the block that holds the alias is written out.

_PLAIN = re.compile(r"[^\W\d_](?:[\w -]*\w)?")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_UNPRINTABLE = re.compile(
    r"[^\t -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What stands in YAML as an escape only."""

_SWITCHES = {"band", "year", "country", "aligned"}
"""Keys of a rule that are true or false."""

_LINE_END = re.compile(r"\r\n|[\n\r]")
_COMMENT = re.compile(r"[ \t]+(?:#[^\n\r]*)?|#[^\n\r]*")

Document = dict[str, Any]
"""What a mapping's YAML says: dictionaries, lists, texts and None."""


class _Cannot(Exception):
    """A place cannot be changed by itself: the block around it has to be written anew."""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def document_of(text: str, file: str) -> Document:
    """What a YAML text says, every plain scalar being text; raises as ``load_mapping``."""
    return copy.deepcopy(_read(text, file)[1])


@lru_cache(maxsize=32)
def _read(text: str, file: str) -> tuple[yaml.Node | None, Document]:
    """The nodes of a YAML text and what it says, neither of which is changed."""
    return read_yaml(text, file, Text("a mapping starts with version: 1 and columns:"))


def patched(text: str, wanted: Document, file: str) -> str:
    """The YAML that says what is wanted, with the fewest changes.

    Args:
        text: the YAML before.
        wanted: what it shall say; :func:`document_of` reads it out of the result.
        file: its name, for messages.

    Raises:
        MappingError: the YAML before has faults, or cannot be changed here (rule "mapping-splice").
    """
    root, data = _read(text, file)
    if data == wanted:
        return text
    assert isinstance(root, yaml.MappingNode)
    writer = _Writer(text)
    try:
        edits = list(writer.changed(root, data, wanted))
        after = _applied(text, edits)
        said = _read(after, file)[1]
    except (_Cannot, HubError):
        raise error("mapping-splice", file=file) from None
    if said != wanted:
        raise error("mapping-splice", file=file)
    return after


def flow(value: Any) -> str:
    """A value on one line, as YAML of any version reads it.

    >>> flow({"from": "Sexe", "map": {"01": None, "no": "male"}, "has": ["a, b"]})
    '{from: Sexe, map: {"01": null, "no": male}, has: ["a, b"]}'
    """
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ", ".join(_pair(str(k), v) for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _scalar(str(value))


def _pair(key: str, value: Any) -> str:
    if key in _SWITCHES and value in ("true", "false"):
        return f"{key}: {value}"
    return f"{flow(key)}: {flow(value)}"


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: json.dumps(match.group())[1:-1], quoted)


def _applied(text: str, edits: list[_Edit]) -> str:
    """Later places first, so that the earlier ones stay where they are; at one place in order."""
    placed = sorted(edits, key=lambda e: (e.start, e.end))
    for edit in placed[::-1]:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Writer:
    """Finds the edits that make one value into another."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def changed(self, node: yaml.Node, old: Any, new: Any) -> Iterator[_Edit]:
        """The edits inside a node, or one that replaces it."""
        if old == new:
            return
        if isinstance(node, yaml.MappingNode) and isinstance(new, dict) and new and old:
            yield from self._or_whole(node, new, self._mapping(node, old, new))
        elif isinstance(node, yaml.SequenceNode) and isinstance(new, list) and new and old:
            yield from self._or_whole(node, new, self._sequence(node, old, new))
        else:
            yield self._whole(node, new)

    def _or_whole(self, node: yaml.Node, new: Any, edits: Iterator[_Edit]) -> Iterator[_Edit]:
        try:
            changes = list(edits)
            line = 0 if _flows(node) else self._column(node)  # of a block lines are taken out
            if any(not self._start(node) - line <= e.start <= e.end for e in changes):
                raise _Cannot  # an alias: what it names stands elsewhere
        except _Cannot:
            changes = [self._whole(node, new)]
        yield from changes

    def _whole(self, node: yaml.Node, new: Any) -> _Edit:
        start, end = int(node.start_mark.index), self._end(node)  # its anchor goes too
        before = self._text[start - 1 : start]
        block = isinstance(node, yaml.CollectionNode) and not _flows(node)
        blank = " " if block or (start == end and before == ":") else ""
        return _Edit(start, end, blank + flow(new))

    def _mapping(
        self, node: yaml.MappingNode, old: dict[str, Any], new: dict[str, Any]
    ) -> Iterator[_Edit]:
        kept = [place for place, (key, _v) in enumerate(node.value) if key.value in new]
        inside = self._end(node)
        for place in kept:
            key, child = node.value[place]
            name = str(key.value)
            if old[name] != new[name]:
                if not self._end(key) <= self._start(child) <= self._end(child) <= inside:
                    raise _Cannot
                yield from self.changed(child, old[name], new[name])
        yield from self._without(node, kept)
        added = [_pair(k, v) for k, v in new.items() if k not in old]
        if added:
            yield self._add(node, kept[-1], added)

    def _sequence(self, node: yaml.SequenceNode, old: list[Any], new: list[Any]) -> Iterator[_Edit]:
        if len(new) == len(old):
            for child, before, after in zip(node.value, old, new, strict=True):
                if before != after:
                    if not self._start(node) <= self._start(child) <= self._end(node):
                        raise _Cannot
                    yield from self.changed(child, before, after)
        elif new[: len(old)] == old:
            marker = "" if node.flow_style else "- "
            added = [marker + flow(item) for item in new[len(old) :]]
            yield self._add(node, len(old) - 1, added)
        elif kept := _places(old, new):
            yield from self._without(node, kept)
        else:
            raise _Cannot

    def _add(self, node: yaml.CollectionNode, place: int, entries: list[str]) -> _Edit:
        """New entries of a mapping or a list, behind the one at a place."""
        last = self._end(node.value[place][1] if _pairs(node) else node.value[place])
        if last < self._start(node):
            raise _Cannot
        if node.flow_style:
            return _Edit(last, last, "".join(f", {entry}" for entry in entries))
        column = self._column(node)
        if self._text[self._start(node) - column : self._start(node)].strip(" "):
            raise _Cannot  # it begins behind a dash: its column is not that of a line
        end = self._behind_comments(self._line_end(last), column)
        lines = "".join(self._newline + " " * column + entry for entry in entries)
        return _Edit(end, end, lines)

    def _without(self, node: yaml.CollectionNode, kept: list[int]) -> Iterator[_Edit]:
        """The edits that leave some entries only: lines of a block, or what stands in braces."""
        if not kept:
            raise _Cannot
        firsts = [pair[0] for pair in node.value] if _pairs(node) else node.value
        lasts = [pair[1] for pair in node.value] if _pairs(node) else node.value
        gone = [place for place in range(len(firsts)) if place not in set(kept)]
        if gone and node.flow_style:
            ends = [self._start(node), *map(self._end, lasts)]
            between = (self._text[a : self._start(b)] for a, b in zip(ends, firsts, strict=False))
            if any("?" in _COMMENT.sub("", text) for text in between):
                raise _Cannot  # a key behind a question mark needs its mark
            for place in (place for place in gone if place < kept[-1]):
                yield _Edit(self._start(firsts[place]), self._start(firsts[place + 1]), "")
            if gone and gone[-1] > kept[-1]:
                yield _Edit(self._end(lasts[kept[-1]]), self._end(lasts[-1]), "")
            return
        for place in gone:
            start, end = self._start(firsts[place]), self._end(lasts[place])
            line = max(self._text.rfind("\n", 0, start), self._text.rfind("\r", 0, start)) + 1
            head = self._text[line:start].strip(" ")
            if head != ("" if _pairs(node) else "-") or end < start:
                raise _Cannot
            stop = self._behind_comments(self._line_end(end), self._column(node))
            match = _LINE_END.match(self._text, stop)
            yield _Edit(line, match.end() if match else stop, "")

    def _line_end(self, place: int) -> int:
        """Where the line ends, a comment behind the value included."""
        match = _COMMENT.match(self._text, place)
        stop = match.end() if match else place
        if stop < len(self._text) and not _LINE_END.match(self._text, stop):
            raise _Cannot
        return stop

    def _behind_comments(self, place: int, column: int) -> int:
        """Past comments that stand deeper than the entries: they belong to the one above."""
        pattern = re.compile(r"(?:\r\n|[\n\r])( *)#[^\n\r]*")
        while (match := pattern.match(self._text, place)) and len(match.group(1)) > column:
            place = match.end()
        return place

    def _start(self, node: yaml.Node) -> int:
        """The begin of what is written; that of a block is behind its anchor."""
        start = int(node.start_mark.index)
        if _flows(node) or not node.value or self._text[start] != "&":
            return start
        first = node.value[0][0] if _pairs(node) else node.value[0]
        start = int(first.start_mark.index)
        return start if _pairs(node) else self._text.rfind("-", 0, start)

    def _column(self, node: yaml.Node) -> int:
        """How far entries of a block are from the begin of their line."""
        start = self._start(node)
        return start - max(self._text.rfind("\n", 0, start), self._text.rfind("\r", 0, start)) - 1

    def _end(self, node: yaml.Node) -> int:
        """The end of what is written; that of a block is that of its last entry."""
        end = int(node.end_mark.index)
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            key, value = last if _pairs(node) else (node, last)
            if self._start(value) >= self._start(key):
                return self._end(value)
            return self._above_comments(end)  # an alias: what it names stands elsewhere
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return len(self._text[:end].rstrip(" \r\n"))
        return end

    def _above_comments(self, end: int) -> int:
        """Back over blank lines and lines of comments."""
        text = self._text[:end].rstrip()
        while (line := text[max(text.rfind("\n"), text.rfind("\r")) + 1 :]).lstrip()[:1] == "#":
            text = text[: len(text) - len(line)].rstrip()
        return len(text)


def _flows(node: yaml.Node) -> bool:
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style)


def _pairs(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _places(old: list[Any], new: list[Any]) -> list[int]:
    """Places of the old list whose items make the new one, none where they do not."""
    places: list[int] = []
    place = 0
    for item in new:
        while place < len(old) and old[place] != item:
            place += 1
        if place == len(old):
            return []
        places.append(place)
        place += 1
    return places


# --------------------------------------------------------------------------------------------------
# Which mapping of a folder reads a delivery: the newest that is not younger than it.
#
# ``mappings/<id>.yaml`` reads from the first delivery on, ``mappings/<id>/<date>.yaml`` those from
# that date on.

FIRST = ""
"""Before every date: from when on a mapping without a date reads."""


def path_of(folder: Path, contributor: str, start: str) -> Path:
    """Where the mapping that reads from a date on lies, or would lie."""
    if start == FIRST:
        return folder / f"{contributor}.yaml"
    return folder / contributor / f"{start}.yaml"


def mappings(folder: Path, contributor: str) -> list[tuple[str, Path]]:
    """The mappings of a contributor, each with the date from which on it reads, in their order.

    Raises:
        MappingError: one is named by something else than a date.
    """
    single = path_of(folder, contributor, FIRST)
    entries = [(FIRST, single)] if single.is_file() else []
    inner = single.with_suffix("")
    for path in sorted(inner.iterdir()) if inner.is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not is_day(path.stem):
            raise error("mapping-date", file=path, id=contributor)
        entries.append((path.stem, path))
    return entries


def in_force(folder: Path, contributor: str, day: str) -> tuple[str, Path] | None:
    """The mapping that reads a delivery of a day, with its date; None where there is none."""
    known = [one for one in mappings(folder, contributor) if one[0] <= day]
    return known[-1] if known else None
