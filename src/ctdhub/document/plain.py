"""A document as plain text, for a terminal or a message.

Parts are set apart by an empty line.  Charts are left out: what they show stands in sentences or
tables too.
"""

from __future__ import annotations

from ctdhub.document.document import (
    Block,
    Document,
    Items,
    LargeNumber,
    Sentences,
    TextTable,
    Words,
)


def write(document: Document) -> str:
    """The document as text that ends with a line end."""
    parts = [document.title] if document.title else []
    parts += document.lead
    for section in document.sections:
        blocks = [text for block in section.blocks if (text := _block(block))]
        if section.title:
            blocks[:1] = ["\n".join([section.title, *blocks[:1]])]
        parts += blocks
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return "\n".join([*([block.title] if block.title else []), *block.paragraphs])
    if isinstance(block, Sentences):
        return "\n".join(block.sentences)
    if isinstance(block, Items):
        return "\n".join(f"* {item}" for item in block.items)
    if isinstance(block, LargeNumber):
        return f"{block.text} {block.unit} ({block.interval})"
    if isinstance(block, TextTable):
        return "\n".join(_grid(block) if block.head else _list(block))
    return ""


def _grid(table: TextTable) -> list[str]:
    """Headings and rows in columns that end at the same place."""
    rows = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]


def _list(table: TextTable) -> list[str]:
    """Names, and what belongs to each beside it."""
    wide = max(len(row[0]) for row in table.rows)
    return ["  " + "  ".join([row[0].ljust(wide), *row[1:]]).rstrip() for row in table.rows]
