"""Whether native readers have signed the public texts of a language, and which texts they read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from ctdhub.core.i18n import _, language

ROLES = ("protection officer", "statistician")
"""Who reads the texts of each language."""

NOT_YET = "not yet reviewed"
_TEXT = re.compile(r"""_\((?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)')\)""")


@dataclass(frozen=True)
class NativeReview:
    """What is known of the public texts of one language.

    Attributes:
        code: of the language.
        texts: sixteen hexadecimal digits of the hash of what they say today.
        missing: roles that have read none of them.
        stale: roles that have read other ones.
    """

    code: str
    texts: str
    missing: tuple[str, ...]
    stale: tuple[str, ...]


def public_texts() -> tuple[str, ...]:
    """The English texts of the templates of the site, which every reader sees, in order."""
    found = set()
    for template in (resources.files("ctdhub.site") / "templates").iterdir():
        if template.name.endswith(".html"):
            for pair in _TEXT.findall(template.read_text("utf-8")):
                found.add("".join(pair).replace('\\"', '"').replace("\\'", "'"))
    return tuple(sorted(found))


def reviews(
    codes: Collection[str], signed: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[NativeReview, ...]:
    """What native readers have signed of each of these languages.

    Args:
        codes: languages.
        signed: the content of ``locale/REVIEW.yaml``; None reads it.
    """
    if signed is None:
        file = resources.files("ctdhub") / "locale" / "REVIEW.yaml"
        signed = yaml.safe_load(file.read_text("utf-8"))
    texts, found = public_texts(), []
    for code in codes:
        with language(code):
            words = "\n".join(_(text) for text in texts)
        today = hashlib.sha256(words.encode()).hexdigest()[:16]
        own = signed.get(code, {})
        states = {role: own.get(role, NOT_YET) for role in ROLES}
        missing = tuple(role for role, state in states.items() if not isinstance(state, dict))
        stale = tuple(
            role
            for role, state in states.items()
            if isinstance(state, dict) and str(state.get("texts")) != today
        )
        found.append(NativeReview(code, today, missing, stale))
    return tuple(found)
