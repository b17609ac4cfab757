"""Every user-visible string goes through here: gettext catalogues read by Babel.

The English text in the source is the key.  ``locale/<lang>.po`` holds the translations; a test
proves that each offered language is complete and keeps every ``{placeholder}``.

>>> with language("fr"):
...     _("row {row}").format(row=3)
'ligne 3'

What is said later, or to readers of several languages, is a :class:`Text`: a message and the
values of its fields, as data; each language writes a :class:`Numeral` and a :class:`Several` its
own way.

>>> place = Text("row {row}", row=3)
>>> with language("es"):
...     said(place)
'fila 3'
"""

from __future__ import annotations

import gettext
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, Union, cast, get_args

Language = Literal["en", "fr", "es", "ar"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Offered languages (ISO 639-1); the first is the language of the source."""

RIGHT_TO_LEFT = frozenset({"ar"})

NATIVE_NAMES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}

OPEN_GRAPH = {"en": "en_GB", "fr": "fr_FR", "es": "es_ES", "ar": "ar_AR"}
"""The languages as Open Graph, which previews of links read, names them."""


def preferred() -> str:
    """The language asked for by ``CTDHUB_LANG``, else by the locale, else English."""
    names = ("CTDHUB_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    code = next(filter(None, (os.environ.get(name, "")[:2].lower() for name in names)), "")
    return code if code in LANGUAGES else LANGUAGES[0]


_current: ContextVar[str | None] = ContextVar("language", default=None)


def current() -> str:
    """The language in force."""
    return _current.get() or preferred()


_on_a_page: ContextVar[bool] = ContextVar("on a page", default=False)


@contextmanager
def language(code: str, *, page: bool = False) -> Iterator[None]:
    """Speak ``code`` inside the block.

    Args:
        page: say what kit and desk can do where a text names a command or YAML.

    Raises:
        ValueError: ``code`` is not one of :data:`LANGUAGES`.

    >>> with language("en", page=True):
    ...     said(Text("Correct the name of the file under read."))
    'Use an export with all of its tables.'
    """
    if code not in LANGUAGES:
        raise ValueError(f"no such language: {code}; offered: {', '.join(LANGUAGES)}")
    token, place = _current.set(code), _on_a_page.set(page or _on_a_page.get())
    try:
        yield
    finally:
        _current.reset(token)
        _on_a_page.reset(place)


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
    return gettext.GNUTranslations(io.BytesIO(compiled.getvalue()))


@cache
def page_forms() -> dict[str, str]:
    """What a page says, by the English message that command and program say in its place."""
    return {one["elsewhere"]: one["page"] for one in read_words("ctdhub.core", "on_a_page")}


def _(message: str) -> str:
    """The message in the language in force.  Format placeholders after, not before."""
    return _translated(current(), message)


@lru_cache(maxsize=2**13)
def _translated(code: str, message: str) -> str:
    """Pages ask for the same few messages a hundred thousand times."""
    return catalogue(code).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """The singular or plural message for ``n`` in the language in force."""
    return catalogue(current()).ngettext(one, many, n)


Field = Union[str, int, float, Path, "Text", "Numeral", "Percent", "Several", "LocalName"]
"""The value of a field: a name, a number as it is, a file or folder of this computer, whose readers
elsewhere learn its name alone, or what each language writes its own way."""


@dataclass(frozen=True)
class Numeral:
    """A number that is written with the grouping, the digits and the signs of the language.

    Attributes:
        decimals: the most that are written; a number that has fewer is written with those it has.

    >>> said(Text("row {row}", row=Numeral(12345)))
    'row 12,345'
    >>> said(Text("row {row}", row=Numeral(0.2512, 3)))
    'row 0.251'
    """

    value: float
    decimals: int = 0


@dataclass(frozen=True)
class Percent:
    """A share in 0..1 that is written in per cent.

    >>> said(Text("row {row}", row=Percent(0.95)))
    'row 95%'
    """

    value: float


@dataclass(frozen=True)
class Several:
    """Things that are listed with the words and marks of the language.

    Attributes:
        most: characters of the list; longer ones are cut. None is no limit.

    >>> said(Text("row {row}", row=Several((1, 2, 3))))
    'row 1, 2, and 3'
    """

    items: tuple[Field, ...]
    most: int | None = None


@dataclass(frozen=True)
class LocalName:
    """Something that each language has its own name for, such as a country.

    Attributes:
        names: the name in each of :data:`LANGUAGES`, in their order; a text that was kept before
            a language came has none in it, and is said with the English name.

    >>> chad = LocalName(("Chad", "Tchad", "Chad", "تشاد"))
    >>> with language("fr"):
    ...     said(Text("row {row}", row=chad))
    'ligne Tchad'
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, name: Callable[[str], str]) -> LocalName:
        """What ``name`` calls a thing in each language."""
        return cls(tuple(name(code) for code in LANGUAGES))


@dataclass(frozen=True, init=False)
class Text:
    """A message and its fields, in no language yet; :func:`said` gives its words.

    Args:
        message: the English message, which is the key of its translations.
        fields: the value of each ``{placeholder}`` of the message; without any the message is
            said as it stands, braces and all.

    Attributes:
        plural: the English message for a number other than one, and the number; see :func:`many`.

    >>> Text("row {row}", row=3) == Text("row {row}", row=3)
    True
    >>> Text.from_json(Text("row {row}", row=3).as_json()).fields
    {'row': 3}
    """

    message: str
    given: tuple[tuple[str, Field], ...]
    plural: tuple[str, int] | None

    def __init__(self, message: str, /, **fields: Field) -> None:
        self._set(message, fields, None)

    def _set(self, message: str, fields: dict[str, Field], plural: tuple[str, int] | None) -> None:
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "given", tuple(sorted(fields.items())))
        object.__setattr__(self, "plural", plural)

    @property
    def fields(self) -> dict[str, Field]:
        """Values by placeholder."""
        return dict(self.given)

    def holding(self, **fields: Field) -> Text:
        """The same message with these fields.

        >>> Text("row {row}").holding(row=3) == Text("row {row}", row=3)
        True
        """
        return Text(self.message, **fields)

    def as_json(self) -> dict[str, Any]:
        """The text as values that JSON knows; :meth:`from_json` is the way back."""
        shown = {k: field_as_json(v) for k, v in self.given}
        plural = {"plural": list(self.plural)} if self.plural else {}
        return {"message": self.message, "fields": shown, **plural}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Text:
        """The text that :meth:`as_json` gave."""
        fields = {k: field_from_json(v) for k, v in value["fields"].items()}
        text = cls.__new__(cls)
        text._set(value["message"], fields, tuple(value["plural"]) if "plural" in value else None)
        return text


def field_as_json(field: Field) -> Any:
    """The value of a field as JSON knows it; :func:`field_from_json` is the way back.

    Of a file or folder it is the name: JSON goes to other computers, whose readers must not learn
    how folders of this one are named.
    """
    from ctdhub.core.errors import printable

    if isinstance(field, Text):
        return field.as_json()
    if isinstance(field, Numeral):
        return {"numeral": field.value} | ({"decimals": field.decimals} if field.decimals else {})
    if isinstance(field, Percent):
        return {"share": field.value}
    if isinstance(field, Several):
        return {"several": [field_as_json(item) for item in field.items], "most": field.most}
    if isinstance(field, LocalName):
        return {"named": list(field.names)}
    if isinstance(field, Path):
        return printable(field.name)
    return field


def field_from_json(value: Any) -> Any:
    """The value of a field out of JSON: an object, or a name or a number itself."""
    if not isinstance(value, dict):
        return value
    if "numeral" in value:
        return Numeral(value["numeral"], value.get("decimals", 0))
    if "share" in value:
        return Percent(value["share"])
    if "several" in value:
        return Several(tuple(map(field_from_json, value["several"])), value["most"])
    if "named" in value:
        return LocalName(tuple(value["named"]))
    return Text.from_json(value)


def many(one: str, other: str, n: int, /, **fields: Field) -> Text:
    """A text that counts.

    Args:
        one, other: the English message for one, and for any other number; each may use ``{n}``.
        n: the number, which chooses the form in each language.
        fields: values of the other placeholders.
    """
    text = Text.__new__(Text)
    text._set(one, {"n": Numeral(n), **fields}, (other, n))
    return text


def joined(parts: Sequence[Field], between: Field) -> Text:
    """Several texts as one, such as the faults of a file.

    Args:
        parts: in order.
        between: written between each two, such as a separator.

    >>> said(joined([Text("row {row}", row=2), "b.csv"], Text("; ")))
    'row 2; b.csv'
    """
    fields = {f"part{i}": part for i, part in enumerate(parts)}
    message = "{between}".join(f"{{{name}}}" for name in fields)
    return Text(message, between=between, **fields)


def said(text: Text) -> str:
    """The words of a text in the language in force."""
    message = page_forms().get(text.message, text.message) if _on_a_page.get() else text.message
    words = ngettext(message, *text.plural) if text.plural else _(message)
    if not text.message:  # of which a catalogue holds what it says of itself
        return ""
    if not text.given:
        return words
    return words.format_map({name: _said_field(field) for name, field in text.given})


def in_english(text: Text) -> str:
    """The English words of a text, whatever the language in force: for files that have one."""
    with language(LANGUAGES[0]):
        return said(text)


def _said_field(field: Field) -> str | int | float:
    from ctdhub.core.errors import printable
    from ctdhub.core.format import exact, listed, number, share

    if isinstance(field, Text):
        return said(field)
    if isinstance(field, Numeral):
        return exact(field.value, field.decimals) if field.decimals else number(field.value)
    if isinstance(field, Percent):
        return share(field.value)
    if isinstance(field, float):
        return exact(field, 4)
    if isinstance(field, Several):
        words = listed([str(_said_field(item)) for item in field.items])
        return words if field.most is None else printable(words, field.most)
    if isinstance(field, LocalName):
        at = LANGUAGES.index(cast(Language, current()))
        return field.names[at if at < len(field.names) else 0]
    if isinstance(field, Path):
        return printable(str(field))
    return field


def formula(text: str) -> str:
    """Text that runs left to right inside a sentence of any direction, such as "5 ± 1"."""
    if current() not in RIGHT_TO_LEFT:
        return text
    inner = text.replace("\u2066", "").replace("\u2069", "")
    return f"\u2066{inner}\u2069"


# --------------------------------------------------------------------------------------------------
# Long texts as data, so that a lawyer or a trainer edits a text and not a program.


def yaml_values(text: str | bytes, *, texts: bool = False) -> Any:
    """The values of a text of YAML; the C reader takes a tenth of the time, where it is there.

    Args:
        texts: every value stays the text that is written.

    Raises:
        yaml.YAMLError: it is no YAML.
        RecursionError: it is nested too deep.
    """
    import yaml

    kind = "BaseLoader" if texts else "SafeLoader"
    return yaml.load(text, getattr(yaml, f"C{kind}", getattr(yaml, kind)))  # noqa: S506 (both safe)


def yaml_nodes(text: str) -> Any:
    """The nodes of a text of YAML, with their places, by the same reader.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    import yaml

    return yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_shipped(file: Traversable, *, texts: bool = False) -> Any:
    """The values of a YAML file of this package, as :func:`yaml_values` gives them."""
    return yaml_values(file.read_text("utf-8"), texts=texts)


@cache
def read_words(package: str, name: str) -> Any:
    """What a file ``….words.yaml`` of a package holds, in English."""
    return read_shipped(resources.files(package) / f"{name}.words.yaml")


@cache
def texts(package: str, name: str) -> dict[str, Text]:
    """The texts of a file ``….words.yaml`` by their keys, for what is said later."""
    return {key: Text(words) for key, words in read_words(package, name).items()}


def said_all(package: str, name: str) -> Any:
    """The texts of a file as they lie there, at any depth, in the language in force."""

    def said_there(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: said_there(part) for key, part in value.items()}
        if isinstance(value, list):
            return [said_there(part) for part in value]
        return _(value) if isinstance(value, str) else value

    return said_there(read_words(package, name))
