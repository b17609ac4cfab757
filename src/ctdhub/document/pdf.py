"""A document as PDF, set by typst: texts go in as data, never as markup.

Files follow PDF/UA-1 (ISO 14289-1): tagged, with title and language, so that screen readers can
read them.  That standard forbids a glyph that the fonts lack, so a missing script ends in an error
and never in a page of empty boxes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, time
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import _
from ctdhub.document.document import Bars, Document, Section, Words

FONTS = (
    "Noto Sans", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans CJK SC", "DejaVu Sans",
    "Liberation Sans", "Arial", "Segoe UI", "Helvetica", "Libertinus Serif",
)  # fmt: skip
"""Families that are taken if they are there, the first that has a letter draws it; the last one
comes with typst.  A letter that none has is looked for in every other font."""


class Typesetter:
    """Typst with the fonts that it finds.

    Args:
        fonts: folders with further fonts.
        system: whether the fonts of this computer may be used.

    Raises:
        DocumentError: typst is not installed, or a folder of fonts does not exist.
    """

    def __init__(self, fonts: Sequence[Path] = (), *, system: bool = True) -> None:
        try:
            self._typst: Any = import_module("typst")
        except ModuleNotFoundError:
            raise error("typst/missing") from None
        for folder in fonts:
            if not folder.is_dir():
                raise error("fonts", file=folder)
        self._fonts = self._typst.Fonts(
            include_system_fonts=system, font_paths=[str(f) for f in fonts]
        )
        families = set(self._fonts.families())
        self.families = tuple(f for f in FONTS if f in families) or tuple(sorted(families))

    def write(self, document: Document) -> bytes:
        """The document as PDF; sections that do not fit are left out, and it says so.

        Raises:
            DocumentError: no font has some letter, or what must stay does not fit.
            ValueError: the document has no day.
        """
        source = _source(document)
        fitted, compiler = self._fitted(document, source)
        return self._typeset(compiler, fitted, source)

    def _typeset(self, compiler: Any, document: Document, source: bytes) -> bytes:
        if document.meta.made is None:
            raise ValueError("a document that is set has a day")
        made = datetime.combine(document.meta.made, time(), UTC)
        try:
            return bytes(
                compiler.compile(input=source, format="pdf", pdf_standards="ua-1", timestamp=made)
            )
        except self._typst.TypstError as cause:
            raise _refused(cause) from None

    def fitted(self, document: Document) -> Document:
        """The document as it is printed: without the sections for which there is no room.

        Raises:
            DocumentError: as of :meth:`write`.
        """
        return self._fitted(document, _source(document))[0]

    def _fitted(self, document: Document, source: bytes) -> tuple[Document, Any]:
        for tried in _shorter(document):
            compiler = self._compiler(tried, source)
            pages = int(json.loads(compiler.query("<pages>", field="value", one=True)))
            if document.most is None or pages <= document.most:
                return tried, compiler
            if tried is document:  # boxes in place of letters may be what fills the pages
                self._typeset(compiler, document, source)
        raise error("pages")

    def _compiler(self, document: Document, source: bytes) -> Any:
        data = asdict(document)
        for fields, section in zip(data["sections"], document.sections, strict=True):
            for block, of in zip(fields["blocks"], section.blocks, strict=True):
                if isinstance(of, Bars):
                    block["top"] = of.top
        data["meta"]["made"] = str(document.meta.made)
        inputs = {
            "document": json.dumps(data, ensure_ascii=False),
            "fonts": json.dumps(self.families),
        }
        return self._typst.Compiler(source, font_paths=self._fonts, sys_inputs=inputs)


def write(document: Document, typesetter: Typesetter | None = None) -> bytes:
    """The document as PDF, set with the fonts of this computer or with those of a typesetter."""
    return (typesetter or Typesetter()).write(document)


def _source(document: Document) -> bytes:
    """How its pages are laid out."""
    name = "sheet.typ" if document.paper == "a4" else "poster.typ"
    return (resources.files("ctdhub.document") / "data" / name).read_bytes()


def _shorter(document: Document) -> Iterator[Document]:
    """The document, then with less and less in it, what matters least left out first."""
    yield document
    left: list[Section] = []
    while (least := document.without({s.id for s in left}).expendable()) is not None:
        left.append(least)
        yield _without(document, left)


def _without(document: Document, left: Sequence[Section]) -> Document:
    """The document without some sections; the last one that stays says which were left out."""
    rest = document.without({s.id for s in left})
    if not document.left_out:
        return rest
    names = _("; ").join(s.name or s.title for s in document.sections if s in left)
    said = Words((document.left_out.format(names=names),))
    last = rest.sections[-1]
    sections = (*rest.sections[:-1], replace(last, blocks=(*last.blocks, said)))
    return replace(rest, sections=sections)


def _refused(cause: RuntimeError) -> HubError:
    """What the typesetter said, in words that help; it never repeats the text it stumbled over."""
    if "could not be displayed" in str(cause):
        return error("glyph")
    return error("typst")
