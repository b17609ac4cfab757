"""A mapping's YAML made to say something else, every byte that is not concerned left as it is.

What is written is read again and must say what was asked for.  Anchors are followed: where a value
that stands in several places is to differ, the block that holds the alias is written out.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import yaml

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text
from ctdhub.sensitive.mapping.mapping_file import read_yaml
from ctdhub.sensitive.mapping.rule import Place

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
    return _UNPRINTABLE.sub(lambda found: json.dumps(found.group())[1:-1], quoted)


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
            found = list(edits)
            line = 0 if _flows(node) else self._column(node)  # of a block lines are taken out
            if any(not self._start(node) - line <= e.start <= e.end for e in found):
                raise _Cannot  # an alias: what it names stands elsewhere
        except _Cannot:
            found = [self._whole(node, new)]
        yield from found

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
        elif kept := _kept(old, new):
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
            found = _LINE_END.match(self._text, stop)
            yield _Edit(line, found.end() if found else stop, "")

    def _line_end(self, place: int) -> int:
        """Where the line ends, a comment behind the value included."""
        found = _COMMENT.match(self._text, place)
        stop = found.end() if found else place
        if stop < len(self._text) and not _LINE_END.match(self._text, stop):
            raise _Cannot
        return stop

    def _behind_comments(self, place: int, column: int) -> int:
        """Past comments that stand deeper than the entries: they belong to the one above."""
        pattern = re.compile(r"(?:\r\n|[\n\r])( *)#[^\n\r]*")
        while (found := pattern.match(self._text, place)) and len(found.group(1)) > column:
            place = found.end()
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


def _kept(old: list[Any], new: list[Any]) -> list[int]:
    """Places of the old list whose items make the new one, none where they do not."""
    found: list[int] = []
    place = 0
    for item in new:
        while place < len(old) and old[place] != item:
            place += 1
        if place == len(old):
            return []
        found.append(place)
        place += 1
    return found


def lines_of(text: str, file: str) -> dict[Place, int]:
    """The first line of each rule, by its place in the YAML."""
    root, _data = _read(text, file)
    found: dict[Place, int] = {}
    for key, node in root.value if isinstance(root, yaml.MappingNode) else ():
        found[(key.value,)] = key.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            for inner, child in node.value:
                found[(key.value, inner.value)] = inner.start_mark.line + 1
                if inner.value == "columns" and isinstance(child, yaml.MappingNode):
                    for name, _rule in child.value:
                        line = name.start_mark.line + 1
                        found[(key.value, inner.value, name.value)] = line
    return found
