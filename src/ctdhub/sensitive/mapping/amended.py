"""A built-in mapping with changes of one's own over it (``builtin: NAME`` beside other keys)."""

from __future__ import annotations

from typing import Any

from ctdhub.core.i18n import Text
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.rule import MappingFault

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
    made = builtin(name).model_dump(by_alias=True, exclude_unset=True)
    made.pop("name", None)
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
