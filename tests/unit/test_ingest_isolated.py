"""A contributed file is read by a process of its own: what it does there, the caller survives."""

from __future__ import annotations

import os
import signal
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ctdhub.core.errors import HostileFile, HubError
from ctdhub.sensitive.ingest import isolated
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import read_table

ODS = (
    '<?xml version="1.0"?><office:document-content'
    ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
    '<office:spreadsheet><table:table table:name="a">{rows}</table:table>'
    "</office:spreadsheet></office:body></office:document-content>"
)
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)
ROW = (
    '<table:table-row><table:table-cell office:value-type="string"><text:p>{text}</text:p>'
    "</table:table-cell></table:table-row>"
)
KINDS = {
    "a.csv": b'case,sex\n1,F\n2,M\n3,"x,y",\n',
    "a.json": b'[{"case": 1, "acts": [{"kind": "x"}, {"kind": "y"}]}, {"case": 2}]',
    "a.jsonl": '{"case": "é"}\n{"case": null}\n'.encode(),
    "b.csv": "case;année\n1;2020\n".encode("cp1252"),
}


def ods(path: Path, *texts: str) -> Path:
    """A workbook of one column."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        rows = "".join(ROW.format(text=text) for text in texts)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", ODS.format(rows=rows))
    return path


@pytest.mark.parametrize("name", [*KINDS, "a.ods"])
def test_it_reads_what_the_reader_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in KINDS:
        path.write_bytes(KINDS[name])
    else:
        ods(path, "case", 'x<text:s text:c="3"/>y')
    assert read_isolated(path) == read_table(path)


def test_options_limits_and_errors_go_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ignored\ncase|sex\n1|F\n2|M\n", "utf-8")
    options = ReadOptions(header_row=2, delimiter="|")
    assert read_isolated(path, options) == read_table(path, options)
    for asked in ((options, Limits(rows=1)), (options, Limits(columns=1))):
        with pytest.raises(HubError) as there:
            read_isolated(path, *asked)
        with pytest.raises(HubError) as here:
            read_table(path, *asked)
        assert (type(there.value), str(there.value)) == (type(here.value), str(here.value))


def own(monkeypatch: pytest.MonkeyPatch, reads: str) -> None:
    """Read by a process whose reader is another."""
    code = (
        "import os, sys, time; import ctdhub.sensitive.ingest.isolated as i\n"
        f"def read(*_): {reads}\n"
        "i.read_table, i.LEAST_SECONDS = read, 1\n"
        "i._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    monkeypatch.setattr(isolated, "_COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(isolated, "_readers", {})


@pytest.mark.skipif(sys.platform != "linux", reason="No bounds here: they are Linux's")
@pytest.mark.parametrize(
    "reads",
    [
        "x = bytearray(2**32)",
        "while True: pass",
        "os.abort()",
        "sys.stdout.buffer.write(b'[1]' * 9)",
        "raise ValueError('SECRET')",
    ],
)
def test_what_runs_wild_stops_and_the_next_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], reads: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("case\n1\n", "utf-8")
    with monkeypatch.context() as patch:
        own(patch, reads)
        with pytest.raises(HostileFile) as caught:
            read_isolated(path)
        assert caught.value.file == "a.csv"
    assert "SECRET" not in str(caught.value) + "".join(capfd.readouterr())
    assert read_isolated(path).rows_read == 1


def test_a_process_that_was_killed_between_two_files_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("case\n1\n", "utf-8")
    read_isolated(path)
    reader = isolated._readers[os.getpid()]
    os.kill(reader.pid, signal.SIGKILL)
    reader.wait()
    assert read_isolated(path).rows_read == 1


def test_a_large_file_leaves_no_memory_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("case\n" + "x" * 30_000 + "\n", "utf-8")
    code = (
        "import sys; import ctdhub.sensitive.ingest.isolated as i; i._LARGE = 1000; "
        "i._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    monkeypatch.setattr(isolated, "_COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(isolated, "_readers", {})
    assert read_isolated(path).rows_read == 1
    assert isolated._readers == {}


def test_a_blank_that_stands_for_a_billion_is_refused_at_once(tmp_path: Path) -> None:
    path = ods(tmp_path / "a.ods", "case", '<text:s text:c="2000000000"/>')
    assert path.stat().st_size < 1000
    tracemalloc.start()
    with pytest.raises(HostileFile) as caught:
        read_table(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (caught.value.rule, caught.value.row, caught.value.column) == ("cell-size", 2, "A")
    assert most < 1_000_000_000, "bytes: two billion blanks were not written out"
