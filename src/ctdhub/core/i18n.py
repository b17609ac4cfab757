"""Every user-visible string goes through here: gettext catalogues read by Babel.

The English text in the source is the key.  ``locale/<lang>.po`` holds the translations; a test
proves that each offered language is complete and keeps every ``{placeholder}``.

>>> with language("fr"):
...     _("row {row}").format(row=3)
'ligne 3'
"""

from __future__ import annotations

import gettext
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Literal, get_args

Language = Literal["en", "fr", "es", "ar"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Offered languages (ISO 639-1); the first is the language of the source."""

RIGHT_TO_LEFT = frozenset({"ar"})

NATIVE_NAMES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}


def preferred() -> str:
    """The language asked for by ``CTDHUB_LANG``, else by the locale, else English."""
    for name in ("CTDHUB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        code = os.environ.get(name, "")[:2].lower()
        if code in LANGUAGES:
            return code
        if code:
            return LANGUAGES[0]
    return LANGUAGES[0]


_current: ContextVar[str | None] = ContextVar("language", default=None)


def current() -> str:
    """The language in force."""
    return _current.get() or preferred()


@contextmanager
def language(code: str) -> Iterator[None]:
    """Speak ``code`` inside the block.

    Raises:
        ValueError: ``code`` is not one of :data:`LANGUAGES`.
    """
    if code not in LANGUAGES:
        raise ValueError(f"no such language: {code}; offered: {', '.join(LANGUAGES)}")
    token = _current.set(code)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def catalogue(code: str) -> gettext.NullTranslations:
    """The compiled catalogue of a language; English is the source itself."""
    if code == LANGUAGES[0]:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = resources.files("ctdhub") / "locale" / f"{code}.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str) -> str:
    """The message in the language in force.  Format placeholders after, not before."""
    return catalogue(current()).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """The singular or plural message for ``n`` in the language in force."""
    return catalogue(current()).ngettext(one, many, n)


def formula(text: str) -> str:
    """Text that runs left to right inside a sentence of any direction, such as "5 ± 1"."""
    return f"\u2066{text}\u2069" if current() in RIGHT_TO_LEFT else text
