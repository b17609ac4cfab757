"""The mapping that goes with what leaves: the same rules, for a file that is plain by now."""

from __future__ import annotations

import json

import yaml

from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.rule import PerpetratorRule

PLAIN = {
    "delimiter": ",",
    "encoding": "utf-8",
    "kobo": "false",
    "footer": "none",
    "totals": "records",
    "notes": "records",
}
"""How the file that leaves is read, with nothing left to be found out."""


def leaving_mapping(text: str, mapping: Mapping) -> str:
    """The YAML of a mapping with another way of reading, without comments: they may quote cells.

    Child rows leave as lists in the cells of their record, and are read as such.  A mapping whose
    text cannot be changed in that one place is written anew, in JSON, which is YAML too.
    """
    lists = {"lists": mapping.read.lists} if mapping.read.lists else {}
    wanted = mapping.model_copy(
        update={
            "read": ReadOptions.model_validate(PLAIN | lists),
            "perpetrators": _in_lists(mapping),
            "name": "mapping",
        }
    )
    for made in (_bare(_in_place(text, PLAIN | lists)), _anew(wanted, PLAIN | lists)):
        if made and _means(made) == wanted:
            return made
    raise ValueError("the mapping cannot be written for what leaves")


def _means(text: str) -> Mapping:
    return parse_mapping(text, "mapping.yaml").model_copy(update={"name": "mapping"})


def _in_lists(mapping: Mapping) -> PerpetratorRule | None:
    """The rules of child rows for the lists that these were folded into."""
    rule = mapping.perpetrators
    if rule is None or rule.child is None:
        return rule
    return PerpetratorRule(split=mapping.read.mark, aligned=True, columns=rule.columns)


def _in_place(text: str, plain: dict[str, str]) -> str:
    """The text with the block ``read`` taken out and another put below it; "" where it is flow."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return ""
    lines = text.splitlines(keepends=True)
    for key, value in root.value:
        if key.value == "read":
            last = value.end_mark.line + (value.end_mark.column > 0)
            while last > key.start_mark.line + 1 and _is_between(lines[last - 1]):
                last -= 1
            del lines[key.start_mark.line : last]
            break
    body = "".join(lines)
    return f"{body.rstrip()}\n\nread: {json.dumps(plain)}\n"


def _bare(text: str) -> str:
    """A YAML text without its comments: those of a suggestion quote texts of columns that stay."""
    scalars = [
        (token.start_mark.index, token.end_mark.index)
        for token in yaml.scan(text, Loader=yaml.SafeLoader)
        if isinstance(token, yaml.ScalarToken)
    ]
    at, lines = 0, []
    for line in text.splitlines(keepends=True):
        marks = [i for i, c in enumerate(line) if c == "#" and not line[i - 1 : i].strip()]
        free = [i for i in marks if not any(a <= at + i < b for a, b in scalars)]
        kept = line[: free[0]].rstrip() + "\n" if free else line
        if not free or kept.strip():
            lines.append(kept)
        at += len(line)
    return "".join(lines)


def _is_between(line: str) -> bool:
    """Whether a line is blank or a comment, and so belongs to what follows."""
    return not line.strip() or line.lstrip().startswith("#")


def _anew(mapping: Mapping, plain: dict[str, str]) -> str:
    values = mapping.model_dump(mode="json", by_alias=True, exclude_unset=True)
    values.pop("name", None)
    return json.dumps({**values, "read": plain}, ensure_ascii=False, indent=1) + "\n"
