"""A mapping's YAML: read so that texts stay texts, changed over a built-in one, in force from a
day on.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ctdhub.core.errors import HubError, MappingError, error, printable
from ctdhub.core.files import is_day
from ctdhub.core.i18n import Text, joined
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.rule import MappingFault, Place

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
        if variable not in made["columns"]:
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
    start = Text("a mapping starts with version: 1 and columns:")
    root, data = read_yaml(text, file, start)
    if set(data) == {"builtin"}:
        return builtin(str(data["builtin"]))
    try:
        if "builtin" in data:
            data = amended(str(data.pop("builtin")), data)
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
    if isinstance(raised, MappingFault):
        return (*place, *raised.place), raised.text
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
        shown.append(
            Text("{place} (line {line}): {text}", place=name, line=line, text=safe)
            if name
            else safe
        )
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
            found = [(k, v) for k, v in node.value if k.value == part]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            found = [(v, v) for v in node.value[part : part + 1]]
        else:
            continue
        if not found:
            continue
        key, node = found[-1]
        line = key.start_mark.line + 1
    return line


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
    found = [(FIRST, single)] if single.is_file() else []
    inner = single.with_suffix("")
    for path in sorted(inner.iterdir()) if inner.is_dir() else []:
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not is_day(path.stem):
            raise error("mapping-date", file=path, id=contributor)
        found.append((path.stem, path))
    return found


def in_force(folder: Path, contributor: str, day: str) -> tuple[str, Path] | None:
    """The mapping that reads a delivery of a day, with its date; None where there is none."""
    known = [one for one in mappings(folder, contributor) if one[0] <= day]
    return known[-1] if known else None
