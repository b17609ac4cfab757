"""Conformance to tus 1.0.0, request by request, without a server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from ctdhub.desk.uploads.tus import PART, VERSION, TusAnswer, TusUpload, answer, read_metadata

LONGEST = 1000
SOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


class Shelf:
    """A store in memory, with one upload of 10 bytes, 4 of them kept, and a finished one."""

    def __init__(self) -> None:
        self.kept = {"a": b"abcd", "done": b"x" * 3}
        self.lengths = {"a": 10, "done": 3}
        self.metadata: dict[str, Mapping[str, str]] = {"a": {"kind": "csv", "sha256": ""}}
        self.overtaken = False

    def create(self, length: int, metadata: Mapping[str, str]) -> tuple[str, TusUpload]:
        self.kept["new"], self.lengths["new"], self.metadata["new"] = b"", length, metadata
        return "/uploads/new/", TusUpload(0, length, SOON)

    def find(self, key: str) -> TusUpload | None:
        if key not in self.kept:
            return None
        length, offset = self.lengths[key], len(self.kept[key])
        end = SOON if offset < length else None
        return TusUpload(offset, length, end, self.metadata.get(key, {}))

    def append(self, key: str, offset: int, body: bytes) -> int | None:
        if self.overtaken:
            return None
        self.kept[key] += body
        return len(self.kept[key])

    def end(self, key: str) -> bool:
        if len(self.kept[key]) == self.lengths[key]:
            return False
        del self.kept[key]
        return True


def asked(
    method: str, key: str = "a", body: bytes = b"", shelf: Shelf | None = None, **headers: str
) -> TusAnswer:
    sent = {"Tus-Resumable": VERSION} | {k.replace("_", "-"): v for k, v in headers.items() if v}
    return answer(method, sent, body, key, shelf or Shelf(), LONGEST)


def checksum(name: str, body: bytes) -> str:
    return f"{name} {base64.b64encode(hashlib.new(name, body).digest()).decode()}"


PATCH = {"Content_Type": PART, "Upload_Offset": "4"}
TABLE = [
    # method, key, body, headers, status, headers of the answer
    ("POST", "", b"", {"Upload_Length": "7"}, 201, {"Location": "/uploads/new/"}),
    ("POST", "", b"", {"Upload_Length": str(LONGEST)}, 201, {}),
    ("POST", "", b"", {"Upload_Length": str(LONGEST + 1)}, 413, {"Tus-Max-Size": "1000"}),
    ("POST", "", b"", {}, 400, {}),
    ("POST", "", b"", {"Upload_Length": "-1"}, 400, {}),
    ("POST", "", b"", {"Upload_Length": "1e3"}, 400, {}),
    ("POST", "", b"", {"Upload_Length": "٧"}, 400, {}),
    ("POST", "", b"", {"Upload_Length": "9" * 400}, 400, {}),
    ("POST", "", b"", {"Upload_Defer_Length": "1"}, 400, {}),
    ("POST", "", b"", {"Upload_Length": "7", "Upload_Metadata": "kind !!"}, 400, {}),
    ("POST", "", b"", {"Upload_Length": "7", "Upload_Metadata": "kind Y3N2"}, 201, {}),
    ("GET", "", b"", {}, 405, {}),
    ("HEAD", "a", b"", {}, 200, {"Upload-Offset": "4", "Cache-Control": "no-store"}),
    ("HEAD", "a", b"", {}, 200, {"Upload-Length": "10", "Upload-Metadata": "kind Y3N2,sha256"}),
    ("HEAD", "done", b"", {}, 200, {"Upload-Offset": "3"}),
    ("HEAD", "nobody's", b"", {}, 404, {"Cache-Control": "no-store"}),
    ("PATCH", "a", b"efg", PATCH, 204, {"Upload-Offset": "7"}),
    ("PATCH", "a", b"efghij", PATCH, 204, {"Upload-Offset": "10"}),
    ("PATCH", "a", b"", PATCH, 204, {"Upload-Offset": "4"}),
    ("PATCH", "a", b"efghijk", PATCH, 413, {}),
    ("PATCH", "a", b"efg", PATCH | {"Upload_Offset": "3"}, 409, {}),
    ("PATCH", "a", b"efg", PATCH | {"Upload_Offset": "5"}, 409, {}),
    ("PATCH", "a", b"efg", PATCH | {"Upload_Offset": ""}, 400, {}),
    ("PATCH", "a", b"efg", PATCH | {"Content_Type": "text/csv"}, 415, {}),
    ("PATCH", "a", b"efg", PATCH | {"Content_Type": ""}, 415, {}),
    ("PATCH", "a", b"efg", PATCH | {"Content_Type": f"{PART}; charset=utf-8"}, 204, {}),
    ("PATCH", "a", b"e", PATCH | {"Upload_Checksum": checksum("sha256", b"e")}, 204, {}),
    ("PATCH", "a", b"e", PATCH | {"Upload_Checksum": checksum("sha1", b"e")}, 204, {}),
    ("PATCH", "a", b"e", PATCH | {"Upload_Checksum": checksum("sha256", b"f")}, 460, {}),
    ("PATCH", "a", b"e", PATCH | {"Upload_Checksum": checksum("md5", b"e")}, 400, {}),
    ("PATCH", "a", b"e", PATCH | {"Upload_Checksum": "sha256 ?"}, 400, {}),
    ("PATCH", "done", b"", PATCH | {"Upload_Offset": "3"}, 204, {"Upload-Offset": "3"}),
    ("PATCH", "done", b"y", PATCH | {"Upload_Offset": "3"}, 413, {}),
    ("PATCH", "nobody's", b"y", PATCH, 404, {}),
    ("POST", "a", b"efg", PATCH | {"X_HTTP_Method_Override": "PATCH"}, 204, {}),
    ("DELETE", "a", b"", {}, 204, {}),
    ("DELETE", "done", b"", {}, 409, {}),
    ("DELETE", "nobody's", b"", {}, 404, {}),
    ("PUT", "a", b"", {}, 405, {}),
    ("HEAD", "a", b"", {"Tus_Resumable": "0.2.2"}, 412, {"Tus-Version": "1.0.0"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "key", "body", "headers", "status", "told"), TABLE)
def test_answers_of_the_table(
    method: str, key: str, body: bytes, headers: dict[str, str], status: int, told: dict[str, str]
) -> None:
    shelf = Shelf()
    before = dict(shelf.kept)
    given = asked(method, key, body, shelf, **headers)
    assert given.status == status
    assert given.headers["Tus-Resumable"] == VERSION
    assert told.items() <= dict(given.headers).items()
    if status >= 400:
        assert shelf.kept == before, "a refusal moves nothing"


def test_options_tells_all_without_a_version() -> None:
    given = answer("OPTIONS", {}, b"", "", Shelf(), LONGEST)
    assert given.status == 204
    assert given.headers["Tus-Version"] == "1.0.0"
    assert given.headers["Tus-Max-Size"] == "1000"
    assert set(given.headers["Tus-Extension"].split(",")) == {
        "creation", "checksum", "expiration", "termination",
    }  # fmt: skip
    assert given.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"


def test_an_upload_that_is_not_finished_says_when_it_is_deleted() -> None:
    for given in (
        asked("POST", "", Upload_Length="7"),
        asked("HEAD"),
        asked("PATCH", body=b"e", **PATCH),
    ):
        assert parsedate_to_datetime(given.headers["Upload-Expires"]) == SOON
        assert given.headers["Upload-Expires"].endswith("GMT")
    assert "Upload-Expires" not in asked("PATCH", body=b"efghij", **PATCH).headers
    assert "Upload-Expires" not in asked("HEAD", "done").headers


def test_a_part_that_another_overtook_is_refused_and_ended_ones_are_gone() -> None:
    shelf = Shelf()
    shelf.overtaken = True
    assert asked("PATCH", body=b"efg", shelf=shelf, **PATCH).status == 409
    shelf = Shelf()
    assert asked("DELETE", shelf=shelf).status == 204
    assert asked("HEAD", shelf=shelf).status == 404
    assert asked("PATCH", body=b"efg", shelf=shelf, **PATCH).status == 404


def test_names_of_headers_in_any_case() -> None:
    given = answer("head", {"TUS-RESUMABLE": VERSION}, b"", "a", Shelf(), LONGEST)
    assert given.status == 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("kind Y3N2, sha256 YQ==", {"kind": "csv", "sha256": "a"}),
        ("kind", {"kind": ""}),
        ("kind Y3N2,kind Y3N2", None),
        ("kind /w==", None),
        ("kï Y3N2", None),
        ("a b c", None),
    ],
)
def test_metadata(text: str, found: dict[str, str] | None) -> None:
    assert read_metadata(text) == found
