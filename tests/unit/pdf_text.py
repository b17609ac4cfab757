"""The text of a PDF as typst and Chromium write it: enough of the format to read our documents.

Text comes in the order in which it is drawn.  Only the features that these files use are known;
anything else raises.
"""

from __future__ import annotations

import re
import unicodedata
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\nendobj", re.DOTALL)
_FONT = re.compile(rb"/(\w+) [\d.]+ Tf")
_HEXED = re.compile(rb"<([0-9A-Fa-f]+)> Tj")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages(pdf: bytes) -> list[str]:
    """The text of each page; runs of glyphs follow each other without a break."""
    objects = {int(m[1]): m[2] for m in _OBJECT.finditer(pdf)}
    found = []
    for body in objects.values():
        if re.search(rb"/Type\s*/Page\b", body):
            apart = re.search(rb"/Resources\s+(\d+) 0 R", body)
            fonts = _fonts(objects, objects[int(apart[1])] if apart else body)
            found.append(_text(_stream(objects[_reference(body, b"Contents")]), fonts))
    assert found, "no page"
    return found


def squeezed(text: str) -> str:
    """Without spaces, ligatures and characters that only steer direction."""
    apart = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s\u200e\u200f\u2066-\u2069\u202f\u00a0]", "", apart)


def _reference(body: bytes, key: bytes) -> int:
    found = re.search(rb"/" + key + rb"\s+(\d+) 0 R", body)
    assert found, key
    return int(found[1])


def _stream(body: bytes) -> bytes:
    start = body.index(b"stream") + len(b"stream")
    return zlib.decompressobj().decompress(body[start:].lstrip(b"\r\n"))


def _fonts(objects: dict[int, bytes], resources: bytes) -> dict[bytes, dict[int, str]]:
    named = re.search(rb"/Font\s*<<(.*?)>>", resources, re.DOTALL)
    fonts = re.findall(rb"/(\w+) (\d+) 0 R", named[1]) if named else []
    return {
        name: _letters(_stream(objects[_reference(objects[int(n)], b"ToUnicode")]))
        for name, n in fonts
    }


def _letters(cmap: bytes) -> dict[int, str]:
    found = {}
    for kind, lines in re.findall(rb"beginbf(char|range)\n(.*?)endbf", cmap, re.DOTALL):
        for line in lines.splitlines():
            codes = [bytes.fromhex(c.decode()) for c in re.findall(rb"<([0-9A-Fa-f]+)>", line)]
            first, last = int.from_bytes(codes[0], "big"), int.from_bytes(codes[-2], "big")
            for code in range(first, last + 1) if kind == b"range" else [first]:
                start = codes[-1].decode("utf-16-be")
                found[code] = start if code == first else chr(ord(start) + code - first)
    return found


def _text(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    """All strings of a page: nothing but text is a string in these files."""
    letters: dict[int, str] = {}
    out, at = [], 0
    while at < len(content):
        if font := _FONT.match(content, at):
            letters, at = fonts[font[1]], font.end()
        elif content[at : at + 1] == b"(":
            end = _closing(content, at)
            raw = _unescaped(content[at + 1 : end])
            codes = [int.from_bytes(raw[k : k + 2], "big") for k in range(0, len(raw), 2)]
            if not content.startswith(b">>", end + 1):  # a property such as /Lang(en) is no text
                out.append("".join(letters.get(code, "") for code in codes))
            at = end + 1
        elif hexed := _HEXED.match(content, at):
            codes = [int(hexed[1][k : k + 4], 16) for k in range(0, len(hexed[1]), 4)]
            out.append("".join(letters.get(code, "") for code in codes))
            at = hexed.end()
        else:
            at += 1
    return "".join(out)


def _closing(content: bytes, at: int) -> int:
    """Where the string that begins at a bracket ends; brackets inside may be balanced."""
    depth = 0
    while True:
        letter = content[at : at + 1]
        if letter == b"\\":
            at += 1
        elif letter == b"(":
            depth += 1
        elif letter == b")":
            depth -= 1
            if depth == 0:
                return at
        at += 1


def _unescaped(raw: bytes) -> bytes:
    def one(m: re.Match[bytes]) -> bytes:
        if m[1][:1].isdigit():
            return bytes([int(m[1], 8)])
        return _ESCAPES.get(m[1], m[1])

    return re.sub(rb"\\([0-7]{1,3}|.)", one, raw, flags=re.DOTALL)
