"""The zip container of a workbook, checked before anything else looks at it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.sniff import encrypted

_CHUNK = 1 * 2**20
_SMALL = 1 * 2**20
_LOCAL = struct.Struct("<4s5H3I2H")
_DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']*)["']""")


class Archive:
    """Parts of a zip file whose directory has passed every check.

    Raises:
        HostileFile: too many or too large parts, unsafe names, parts that overlap.
        UnreadableFile: a part is encrypted or packed in a way workbooks do not use.
        zipfile.BadZipFile: the container is damaged.
    """

    def __init__(self, data: bytes, file: str, limits: Limits) -> None:
        self.data = data
        self.file = file
        self.limits = limits
        with zipfile.ZipFile(io.BytesIO(data)) as directory:
            self._infos = directory.infolist()
        if not data.startswith(b"PK\x03\x04"):
            raise error("zip/start", file=self.file)
        if len(self._infos) > limits.zip_entries:
            raise error("zip-entries", file=self.file)
        self._check_names()
        self._check_sizes()
        self._begins = {info.filename: self._begin(info) for info in self._infos}
        self._check_overlap()

    @property
    def names(self) -> list[str]:
        """Names of the parts."""
        return list(self._begins)

    def read(self, name: str) -> bytes:
        """One part in whole; empty where there is none.  Meant for the small ones."""
        return b"".join(self.inflate(name)) if name in self._begins else b""

    def inflate(self, name: str) -> Iterator[bytes]:
        """One part piece by piece, its true size and checksum compared with the directory.

        An XML part is refused if it has a document type, which is what entity bombs need, or if
        it is not UTF-8, which could hide one.
        """
        info = next(i for i in self._infos if i.filename == name)
        begin, crc, size = self._begins[name], 0, 0
        is_xml = name.lower().endswith((".xml", ".rels"))
        tail = b""
        for piece in self._raw(info, begin):
            size += len(piece)
            if size > info.file_size:
                raise error("zip-size", file=self.file)
            crc = zlib.crc32(piece, crc)
            if is_xml:
                self._check_xml(tail + piece, first=size == len(piece))
                tail = piece[-16:]
            yield piece
        if size != info.file_size or crc != info.CRC:
            raise zipfile.BadZipFile("size or checksum differs")

    def _raw(self, info: zipfile.ZipInfo, begin: int) -> Iterator[bytes]:
        packed = memoryview(self.data)[begin : begin + info.compress_size]
        if info.compress_type == zipfile.ZIP_STORED:
            for at in range(0, len(packed), _CHUNK):
                yield bytes(packed[at : at + _CHUNK])
            return
        engine = zlib.decompressobj(-15)
        feed: bytes | memoryview = packed
        while not engine.eof:
            piece = engine.decompress(feed, _CHUNK)
            feed = engine.unconsumed_tail
            if piece:
                yield piece
            elif not feed:
                raise zipfile.BadZipFile("a part ends early")

    def _check_names(self) -> None:
        seen: set[str] = set()
        for info in self._infos:
            name = info.orig_filename
            parts = re.split(r"[/\\]", name)
            if ".." in parts or name.startswith(("/", "\\")) or ":" in name or "\0" in name:
                raise error("zip-path", file=self.file)
            if info.filename.casefold() in seen:
                raise error("zip-path/same-name", file=self.file)
            seen.add(info.filename.casefold())
            if info.flag_bits & 0x2041:
                raise encrypted(self.file)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise error("zip", file=self.file)

    def _check_sizes(self) -> None:
        if sum(info.file_size for info in self._infos) > self.limits.inflated_bytes:
            raise error(
                "zip-size/unpacked", file=self.file, limit=self.limits.inflated_bytes // 2**20
            )
        for info in self._infos:
            if (
                info.file_size > _SMALL
                and info.file_size > info.compress_size * self.limits.compression_ratio
            ):
                raise error("zip-ratio", file=self.file, limit=self.limits.compression_ratio)

    def _begin(self, info: zipfile.ZipInfo) -> int:
        """Where the packed bytes of a part begin, read from its own header."""
        head = self.data[info.header_offset : info.header_offset + _LOCAL.size]
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("a part has no header")
        *_fields, name_size, extra_size = _LOCAL.unpack(head)
        begin = info.header_offset + _LOCAL.size
        name = self.data[begin : begin + name_size]
        if name != info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437"):
            raise error("zip-path/two-names", file=self.file)
        return begin + int(name_size) + int(extra_size)

    def _check_overlap(self) -> None:
        last = 0
        for info in sorted(self._infos, key=lambda i: i.header_offset):
            if info.header_offset < last:
                raise error("zip-overlap", file=self.file)
            last = self._begins[info.filename] + info.compress_size
        if last > len(self.data):
            raise zipfile.BadZipFile("a part ends behind the file")

    def _check_xml(self, text: bytes, *, first: bool) -> None:
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise error("dtd", file=self.file)
        if not first:
            return
        stated = _DECLARED.search(text[:512])
        if (
            text.startswith((b"\xff\xfe", b"\xfe\xff"))
            or b"\0" in text[:512]
            or (stated and stated[1].lower() not in (b"utf-8", b"us-ascii"))
        ):
            raise error("xml-encoding", file=self.file)
