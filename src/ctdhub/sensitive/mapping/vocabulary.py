"""Words by which headers and cells are recognised in the offered languages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema.country_names import fold_name
from ctdhub.schema.crosswalk import NAMES, CrosswalkColumn, load_crosswalk
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema

CLOSE = 0.8
"""Likeness (``difflib`` ratio) from which another spelling of a header counts."""


@dataclass(frozen=True)
class Vocabulary:
    """All words, folded (``fold_name``).

    Attributes:
        headers: word of a header to the hub variables that it may mean.
        codes: for each hub variable with codes, word of a cell to code.
        flags: word of a cell to the flags that it may mean.
        pairs: words of a cell for yes and for no, as they go together.
        empty: words of a cell that mean "not recorded".
        tokens: parts of a header of keys made for linking.
        others: parts of a header that speaks of a caller, a perpetrator or staff.
    """

    headers: dict[str, frozenset[str]]
    codes: dict[str, dict[str, str]]
    flags: dict[str, frozenset[str]]
    pairs: tuple[tuple[str, str], ...]
    empty: frozenset[str]
    tokens: frozenset[str]
    others: frozenset[str]

    def yes_no(self, texts: Iterable[str]) -> dict[str, str] | None:
        """A map of the texts to yes and no, with their counterparts; None if one is neither.

        >>> vocabulary().yes_no(["0"])
        {'0': 'no', '1': 'yes'}
        """
        found: dict[str, str] = {}
        more: dict[str, str] = {}
        for text in texts:
            key = fold_name(text)
            for yes, no in self.pairs:
                said, other = fold_name(yes), fold_name(no)
                if key == said:
                    found[text] = "yes"
                    more[no] = "no"
                elif key == other:
                    found[text] = "no"
                    more[yes] = "yes"
            if text not in found:
                return None
        known = {fold_name(text) for text in found}
        return found | {t: code for t, code in more.items() if t and fold_name(t) not in known}

    def is_token(self, header: str) -> bool:
        """Whether a header speaks of a key that the contributor has made for linking."""
        key = fold_name(header)
        return any(word in key for word in self.tokens)

    def about_others(self, header: str) -> bool:
        """Whether a header speaks of someone else than the person the record is about.

        >>> vocabulary().about_others("denunciante_genero"), vocabulary().about_others("genero")
        (True, False)
        """
        key = fold_name(header)
        return any(word in key for word in self.others)

    def variables(self, header: str) -> dict[str, float]:
        """Hub variables that a header may mean, each with a score from :data:`CLOSE` to 1.

        >>> vocabulary().variables("Nacionalidad")["citizenship"]
        1.0
        """
        key = fold_name(header)
        found = dict.fromkeys(self.headers.get(key, ()), 1.0)
        if found:
            return found
        for near in difflib.get_close_matches(key, self.headers, n=3, cutoff=CLOSE):
            score = difflib.SequenceMatcher(None, key, near).ratio()
            for variable in self.headers[near]:
                found[variable] = max(score, found.get(variable, 0.0))
        return found


@cache
def vocabulary() -> Vocabulary:
    """The words of this version of the software."""
    path = resources.files("ctdhub.sensitive.mapping") / "data" / "suggestions.yaml"
    own = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (texts only)
    headers: dict[str, set[str]] = {}
    flags: dict[str, set[str]] = {}
    codes: dict[str, dict[str, str]] = {}
    schema = load_schema()
    for v in schema.records:
        for word in (v.name, *(label(v.name, lang) for lang in LANGUAGES)):
            headers.setdefault(fold_name(word), set()).add(v.name)
            if v.kind == "flag":
                flags.setdefault(fold_name(word), set()).add(v.name)
        if v.kind in ("code", "status"):
            codes[v.name] = {
                fold_name(word): code
                for code in schema.domain(v.name)
                for word in (code, *(code_label(v.name, code, lang) for lang in LANGUAGES))
            }
            for code, words in own["codes"].get(v.codes, {}).items():
                codes[v.name] |= {fold_name(word): code for word in _flat(words)}
    for name, words in own["headers"].items():
        for word in _flat(words):
            headers.setdefault(fold_name(word), set()).add(name)
    for name, words in own["flags"].items():
        for word in _flat(words):
            flags.setdefault(fold_name(word), set()).add(name)
            headers.setdefault(fold_name(word), set()).add(name)
    for column in _known_columns():
        _learn(column, headers, flags, codes)
    return Vocabulary(
        headers={word: frozenset(names) for word, names in headers.items()},
        codes=codes,
        flags={word: frozenset(names) for word, names in flags.items()},
        pairs=tuple((yes, no) for yes, no in own["pairs"]),
        empty=frozenset(fold_name(word) for word in _flat(own["empty"])) | {""},
        tokens=frozenset(map(fold_name, own["tokens"])),
        others=frozenset(map(fold_name, own["others"])),
    )


def _flat(words: Any) -> Iterator[str]:
    for word in words:
        if isinstance(word, str):
            yield word
        else:
            yield from _flat(word)


def _known_columns() -> Iterator[CrosswalkColumn]:
    for name in NAMES:
        walk = load_crosswalk(name)
        if walk.kind == "file":
            yield from (column for column in walk.columns if not column.is_child)


def _learn(
    column: CrosswalkColumn,
    headers: dict[str, set[str]],
    flags: dict[str, set[str]],
    codes: dict[str, dict[str, str]],
) -> None:
    """Take over the words of a column of a known format."""
    if column.to and column.form in ("year", "code", "country", "flag", "mark"):
        for word in (column.name, *column.also):
            headers.setdefault(fold_name(word), set()).add(column.to)
    for value in column.values:
        words = [fold_name(text) for text in (value.text, *value.also)]
        if column.form == "list" and value.to:
            for word in words:
                flags.setdefault(word, set()).add(value.to)
        elif column.form == "code" and column.to and value.to:
            for word in words:
                codes[column.to].setdefault(word, value.to)
