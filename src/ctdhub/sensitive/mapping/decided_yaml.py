"""Decisions put into the YAML of a mapping, whose comments and layout stay."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.mapping.decision_book import Decided
from ctdhub.sensitive.mapping.decisions import askable, meanings, put
from ctdhub.sensitive.mapping.mapping_file import parse_mapping

_NULL = "tag:yaml.org,2002:null"
_WORDS = {"null", "true", "false", "yes", "no", "on", "off"}
_IS_NULL = re.compile("^null$")


def decided_yaml(text: str, file: str, decided: Sequence[Decided]) -> str:
    """The YAML of a mapping after decisions, checked by reading it again.

    Args:
        text: the YAML before.
        file: its name, for messages.
        decided: what came back.

    Raises:
        MappingError: the YAML has faults; or a decision cannot be written down by itself, and then
            it names sheet and row.
    """
    mapping = parse_mapping(text, file)
    if not decided:
        return text
    yaml = _yaml()
    document = yaml.load(text)
    for one in decided:
        put(document, one.sheet, _quoted(one.text), one.answer)
    written = io.StringIO()
    yaml.dump(document, written)
    after = parse_mapping(written.getvalue(), file)
    by_key = {sheet.key: sheet for sheet in askable(after)}
    for one in decided:
        (found,) = meanings(after, by_key[one.sheet.key], [one.text])
        if set(found) != set(one.answer):
            raise error("mapping-book/by-hand", file=file, column=one.name, row=one.row)
    untouched = mapping.model_copy(update={"columns": {}, "perpetrators": None, "accept": ()})
    if after.model_copy(update={"columns": {}, "perpetrators": None, "accept": ()}) != untouched:
        raise ValueError("something else than rules and accept was written")
    return written.getvalue()


def _quoted(text: str) -> str:
    """A text between quotes where YAML, of whatever version, could take it for anything else."""
    plain = re.fullmatch(r"[^\W\d_][\w -]*\w", text) and text.lower() not in _WORDS
    return text if plain else DoubleQuotedScalarString(text)


class _PlainIsText(VersionedResolver):
    """Every plain scalar is text, as in a mapping; only ``null`` is null."""

    @property
    def versioned_resolver(self) -> Any:
        every = super().versioned_resolver
        return {"n": [(tag, _IS_NULL) for tag, _form in every["n"] if str(tag) == _NULL]}


def _yaml() -> YAML:
    """A reader and writer that keeps comments, order and layout; null is written out."""
    yaml = YAML()
    yaml.Resolver = _PlainIsText
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # no line is broken that was not
    yaml.indent(mapping=2, sequence=4, offset=2)

    def null(representer: Any, _value: None) -> Any:
        return representer.represent_scalar(_NULL, "null")

    yaml.representer.add_representer(type(None), null)
    return yaml
