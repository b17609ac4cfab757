"""From bytes of an unknown encoding to UTF-8, or a clear refusal."""

from __future__ import annotations

import codecs
import re

import numpy as np
import pyarrow as pa

from ctdhub.core.error_catalogue import error

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHUNK = 8 * 2**20
_SAMPLE = 64 * 2**10
_ASCII = re.compile(rb"[!-~]")
_UTF8_PAIR = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def to_utf8(data: bytes, declared: str | None, file: str) -> tuple[bytes, str]:
    r"""The text as UTF-8 without byte order mark, and the encoding it came in.

    Without a mark or a statement, UTF-16 is known by the side its zero bytes lie on, UTF-8 by
    being valid, and anything else is Windows-1252 unless it also holds UTF-8 sequences.

    Args:
        data: the bytes of the file.
        declared: an encoding of ``ReadOptions``, or None.
        file: name of the file, for errors.

    Raises:
        UnreadableFile: the bytes are not text in the stated or found encoding, or mix several.

    >>> to_utf8("é;1".encode("cp1252"), None, "a.csv")
    (b'\xc3\xa9;1', 'cp1252')
    """
    body, encoding = _without_mark(data, declared)
    if encoding is None:
        encoding = _utf16_side(body) or "utf-8"
        if encoding == "utf-8":
            bad = _first_invalid_utf8(body)
            if bad is None:
                return body, "utf-8"
            if _UTF8_PAIR.search(body):
                raise error("mixed-encoding", file=file, row=_row(body[:bad]))
            encoding = "cp1252"
    if encoding in ("utf-8", "ascii"):
        bad = _first_invalid_utf8(body)
        if bad is None and (encoding == "utf-8" or body.isascii()):
            return body, encoding
    return _transcode(body, encoding, file), encoding


def _without_mark(data: bytes, declared: str | None) -> tuple[bytes, str | None]:
    for mark, encoding in _MARKS:
        family = encoding[:6].rstrip("-")
        if data.startswith(mark) and (declared is None or declared.startswith(family)):
            return data[len(mark) :], encoding
    if declared == "utf-8-sig":
        return data, "utf-8"
    return data, "utf-16-le" if declared == "utf-16" else declared


def _utf16_side(data: bytes) -> str | None:
    """UTF-16 without a mark, of a script that does not fill its upper halves (as Chinese does).

    One in ten upper halves at least is zero (digits, delimiters), no lower half is, and hardly
    any upper half looks like a letter or digit of ASCII.
    """
    sample = data[:_SAMPLE]
    for upper, lower, encoding in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        halves = sample[upper::2]
        zeros, ascii_like = halves.count(0), len(_ASCII.findall(halves))
        if zeros * 10 >= max(len(halves), 1) >= ascii_like * 20 and 0 not in sample[lower::2]:
            return encoding
    return None


def _first_invalid_utf8(data: bytes) -> int | None:
    whole = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, whole, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:  # where, is not said
        pass
    else:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    pending = 0
    for begin in range(0, len(data), _CHUNK):
        piece = view[begin : begin + _CHUNK]
        try:
            decoder.decode(piece, final=begin + _CHUNK >= len(data))
        except UnicodeDecodeError as cause:
            return begin - pending + cause.start
        pending = len(decoder.getstate()[0])
    return None


def _transcode(data: bytes, encoding: str, file: str) -> bytes:
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(data)
    out: list[bytes] = []
    for begin in range(0, max(len(data), 1), _CHUNK):
        piece = view[begin : begin + _CHUNK]
        try:
            out.append(decoder.decode(piece, final=begin + _CHUNK >= len(data)).encode())
        except UnicodeError as cause:
            start = cause.start if isinstance(cause, UnicodeDecodeError) else 0
            good = bytes(piece[:start]).decode(encoding, "replace")
            raise error(
                "encoding",
                file=file,
                row=_row(b"".join(out) + good.encode("utf-8", "replace")),
                encoding=encoding,
            ) from None
    return b"".join(out)


def _row(before: bytes) -> int:
    """The 1-based row that follows this text (line ends inside quotes do not count)."""
    outside = b"".join(before.split(b'"')[::2])
    return outside.count(b"\n") + len(re.findall(rb"\r(?!\n)", outside)) + 1
