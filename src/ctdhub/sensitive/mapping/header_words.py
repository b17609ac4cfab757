"""Words and headers in the form in which drafts compare them, and the file of their words.

Belongs here: taking a header apart, leaving out what says nothing in it.
Does not belong here: what a word or a header means (``vocabulary``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ctdhub.core.text import fold
from ctdhub.schema.country_names import fold_name
from ctdhub.sensitive.ingest.identifier_words import words as words_of

_ASKED = re.compile(r"\w.*[?؟]")
_NUMBERED = re.compile(r"\d{1,3}\s*[-–=:.)]+\s*([^\W\d].*)", re.DOTALL)
_QUESTION = re.compile(
    r"^\s*(?:q|p|preg|pregunta|item|frage|س)?\.?\s?\d{1,3}(?:[._]\d{1,2})?[a-z]?"
    r"(?:\s*[.):_-]+\s*|\s+)(?=\D)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
SEGMENT = re.compile(r"\s*[/|:>]\s*|\s+[-–—]\s+|\.(?=\D)")
"""What stands between the parts of a header: a section of a form, and a question in it."""


def word(text: str) -> str:
    """The form in which words are compared: letters and digits, else (a tick) the text itself.

    A number before a label (``1 - Female``) is left out.  A question mark stays: who writes
    ``Yes?`` is not sure.

    >>> word("Oui."), word("✓"), word("1 - Female"), word("Yes?")
    ('oui', '✓', 'female', 'yes?')
    """
    plain = fold(text)
    if _ASKED.search(plain):
        return plain
    if found := _NUMBERED.fullmatch(plain):
        plain = found[1]
    return plain if re.fullmatch(r"\d+\.0", plain) else fold_name(plain) or plain


def bare(header: str) -> str:
    """A header without the number of its question and without a hint in brackets at its end.

    >>> bare("Q7 Sex (required)"), bare("age (mother)"), bare("P4_1 Sexo")
    ('Sex', 'age (mother)', 'Sexo')
    """
    plain = _QUESTION.sub("", header)
    found = _BRACKETS.search(plain)
    hint = found is not None and all(one in own_words()["hints"] for one in words_of(found[1]))
    return _BRACKETS.sub("", plain) if hint else plain


def is_neutral(part: str) -> bool:
    """Whether a part of a header speaks of nobody: a section of a form, or the person."""
    said = words_of(part)
    return all(one in own_words()["neutral"] or len(one) == 1 or one.isdigit() for one in said)


def of_group(header: str) -> str:
    """A header folded without fillers, words such as "suffered", and a number at its end."""
    left_out = own_words()["fillers"] | own_words()["qualifiers"]
    said = [one for one in words_of(header) if one not in left_out]
    return fold_name("".join(one for one in said if not one.isdigit()))


def plain_header(header: str) -> str:
    """A header folded without words such as "of the person".

    >>> plain_header("Sex of the person"), plain_header("Date of registration")
    ('sex', 'dateregistration')
    """
    fillers = own_words()["fillers"]
    return fold_name("".join(said for said in words_of(header) if said not in fillers))


def says(text: str, phrases: Iterable[str]) -> bool:
    """Whether a text has one of the phrases, as whole words; Arabic ones also within a word.

    >>> says("hauteur", ["auteur"]), says("Mother's age", ["mother"])
    (False, True)
    """
    said = f" {' '.join(words_of(text))} "
    key = fold_name(text)
    for phrase in phrases:
        inner = " ".join(words_of(phrase))
        if f" {inner} " in said or f" {inner}s " in said:
            return True
        if not inner.isascii() and fold_name(phrase) in key:
            return True
    return False


@cache
def own_words() -> dict[str, Any]:
    """The file of words, the fillers as a set of words of headers."""
    path = resources.files("ctdhub.sensitive.mapping") / "data" / "suggestions.yaml"
    own: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (texts only)
    for name in ("fillers", "qualifiers", "neutral", "hints"):
        own[name] = frozenset(part for said in flat(own[name]) for part in words_of(said))
    own["neutral"] |= own["fillers"]
    return own


def flat(words: Any) -> Iterator[str]:
    """The texts of lists inside lists."""
    for said in words:
        if isinstance(said, str):
            yield said
        else:
            yield from flat(said)
