"""A document as plain text and as Markdown."""

import re
from collections.abc import Iterable, Iterator

from ctdhub.document import document as shape

# --------------------------------------------------------------------------------------------------
# A document as plain text, for a terminal or a message.
#
# Parts are set apart by an empty line.  Charts are left out: what they show stands in sentences or
# tables too.


def write_plain(document: shape.Document) -> str:
    """The document as text that ends with a line end."""
    parts = [document.title] if document.title else []
    parts += document.lead
    for section in document.sections:
        blocks = [text for block in section.blocks if (text := _block(block))]
        if section.title:
            blocks[:1] = ["\n".join([section.title, *blocks[:1]])]
        parts += blocks
    return "\n\n".join(parts) + "\n"


def _block(block: shape.Block) -> str:
    if isinstance(block, shape.Words):
        return "\n".join([*([block.title] if block.title else []), *block.paragraphs])
    if isinstance(block, shape.Sentences):
        return "\n".join(block.sentences)
    if isinstance(block, shape.Items):
        return "\n".join(f"* {item}" for item in block.items)
    if isinstance(block, shape.LargeNumber):
        return f"{block.text} {block.unit} ({block.interval})"
    if isinstance(block, shape.TextTable):
        return "\n".join(_grid(block) if block.head else _list(block))
    return ""


def _grid(table: shape.TextTable) -> list[str]:
    """Headings and rows in columns that end at the same place."""
    rows = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]


def _list(table: shape.TextTable) -> list[str]:
    """Names, and what belongs to each beside it."""
    wide = max(len(row[0]) for row in table.rows)
    return ["  " + "  ".join([row[0].ljust(wide), *row[1:]]).rstrip() for row in table.rows]


# --------------------------------------------------------------------------------------------------
# A document as Markdown: no letter of a text becomes a mark.
#
# Charts are left out: what they show stands in sentences or tables too.

_MARKS = re.compile(r"[\\`*\[\]<>|#]|(?<![^\W_])_|_(?![^\W_])")
"""An underscore inside a word is no mark (CommonMark 6.2)."""
_ENTITY = re.compile(r"&(?=\\?#?[0-9A-Za-z]+;)")
_BEGINS = re.compile(r"^([-+=~])")
_NUMBERED = re.compile(r"^([0-9]+)([.)])")


def write_markdown(document: shape.Document) -> str:
    """The document as Markdown that ends with a line end."""
    parts = [f"# {escaped(document.title)}"] if document.title else []
    parts += map(_paragraph, document.lead)
    for section in document.sections:
        if section.title:
            parts.append(f"## {escaped(section.title)}")
        for block in section.blocks:
            parts += _parts(block)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text in a line in which Markdown finds no mark-up of its own."""
    return _ENTITY.sub(r"\\&", _MARKS.sub(r"\\\g<0>", text))


def _paragraph(text: str) -> str:
    """Text that begins a line, and neither a list, a rule nor a block of code."""
    return _NUMBERED.sub(r"\1\\\2", _BEGINS.sub(r"\\\1", escaped(text)))


def _parts(block: shape.Block) -> Iterator[str]:
    if isinstance(block, shape.Words):
        yield from (f"### {escaped(title)}" for title in (block.title,) if title)
        yield from map(_paragraph, block.paragraphs)
    elif isinstance(block, shape.Sentences):
        yield _paragraph(" ".join(block.sentences))
    elif isinstance(block, shape.Items):
        yield "\n".join(f"- {_paragraph(item)}" for item in block.items)
    elif isinstance(block, shape.LargeNumber):
        yield f"**{escaped(block.text)}** {escaped(block.unit)} ({escaped(block.interval)})"
    elif isinstance(block, shape.TextTable):
        ruler = ("---", *["---" if block.words else "---:"] * (len(block.head) - 1))
        rows = (map(escaped, block.head), ruler, *(map(escaped, row) for row in block.rows))
        yield "\n".join(map(_line, rows))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
