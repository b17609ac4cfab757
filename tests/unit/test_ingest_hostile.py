"""Never trust a file: broken and hostile files give one error with a remedy and touch nothing."""

from __future__ import annotations

import io
import json
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctdhub.core.errors import HostileFile, HubError, UnreadableFile
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import read_table

File = tuple[str, bytes]
Family = Callable[[random.Random], Iterator[File]]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns='
    '"http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
BOOK = (
    f'<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{MAIN}" xmlns:r="{LINKS}">'
    '<sheets><sheet name="cases" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns='
    '"http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/>'
    "</Relationships>"
)
START = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns='
    '"http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
TEXTS = f'<?xml version="1.0" encoding="UTF-8"?><sst xmlns="{MAIN}"/>'
MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)
HEAD = '<c r="A1" t="inlineStr"><is><t>age</t></is></c>'
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def sheet(*cells: str, head: str = "") -> str:
    rows = "".join(f"<row>{cell}</row>" for cell in (HEAD, *cells))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<worksheet xmlns="{MAIN}">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    )


def pack(parts: dict[str, str | bytes], flags: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    data = bytearray(out.getvalue())
    if flags:
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(mark)
            while at >= 0:
                struct.pack_into("<H", data, at + offset, flags)
                at = data.find(mark, at + 1)
    return bytes(data)


def xlsx(text: str = "", **parts: str | bytes | None) -> bytes:
    named: dict[str, str | bytes | None] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": START,
        "xl/workbook.xml": BOOK,
        "xl/sharedStrings.xml": TEXTS,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/worksheets/sheet1.xml": text or sheet('<c r="A2"><v>20</v></c>'),
    }
    return pack({name: part for name, part in (named | parts).items() if part is not None})


def ods(rows: str = "", head: str = "", **parts: str | bytes) -> bytes:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    row = f"<table:table-row>{cell}</table:table-row>"
    rows = rows or row.format("age") + row.format("20")
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content '
        f'xmlns:office="{OFFICE}:office:1.0" xmlns:table="{OFFICE}:table:1.0" '
        f'xmlns:text="{OFFICE}:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="cases">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return pack(
        {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": MANIFEST} | parts
    )


def good_csv(rng: random.Random, rows: int = 20) -> bytes:
    body = "".join(f"{rng.randint(1, 60)};{rng.choice(['f', 'm'])};Perú\n" for _row in range(rows))
    return ("age;sex;country\n" + body).encode()


def noise(rng: random.Random) -> Iterator[File]:
    for n in range(60):
        body = rng.randbytes(rng.randint(64, 2048)) + b"\x00\x01\x02"
        yield f"noise{n}.{rng.choice(['csv', 'xlsx', 'json', 'ods', 'txt'])}", b"\x02" + body


def cut_short(rng: random.Random) -> Iterator[File]:
    for kind, data in (("xlsx", xlsx()), ("ods", ods())):
        for n in range(30):
            yield f"cut{n}.{kind}", data[: rng.randint(5, len(data) - 23)]
    text = json.dumps([{"age": n} for n in range(20)]).encode()
    for n in range(20):
        yield f"cut{n}.json", text[: rng.randint(10, len(text) - 1)]


def flipped(rng: random.Random) -> Iterator[File]:
    data = xlsx()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    begin = info.header_offset + 30 + len(info.filename)
    for n in range(40):
        broken = bytearray(data)
        broken[begin + rng.randrange(info.compress_size)] ^= 1 << rng.randrange(8)
        yield f"flipped{n}.xlsx", bytes(broken)


def encodings(rng: random.Random) -> Iterator[File]:
    for n in range(20):
        lines = good_csv(rng).splitlines(keepends=True)
        lines.insert(rng.randint(1, len(lines)), "20;f;Méxi\n".encode("latin-1"))
        yield f"mixed{n}.csv", b"".join(lines)
        lines[0] = "\ufeffage;sex;country\n".encode()
        yield f"marked{n}.csv", b"".join(lines)
        yield f"undefined{n}.csv", b"age;sex\n20;" + bytes([rng.choice(b"\x81\x8d\x8f\x90\x9d")])
        yield f"odd{n}.csv", "\ufeffage;sex\n20;f\n".encode("utf-16-le") + b"x"


def controls(rng: random.Random) -> Iterator[File]:
    for n in range(30):
        data = bytearray(good_csv(rng))
        data.insert(rng.randint(1, len(data)), rng.choice([0, 0, 0, 1, 7, 8, 27, 127]))
        yield f"control{n}.csv", bytes(data)


def quotes(rng: random.Random) -> Iterator[File]:
    for n in range(20):
        lines = good_csv(rng).decode().splitlines()
        lines[rng.randint(1, len(lines) - 1)] = '20;"f;Perú'
        yield f"quotes{n}.csv", "\n".join(lines).encode()
        yield f"after{n}.csv", f'age;sex\n20;"f"{rng.choice("abc")}\n'.encode()


def formulas(rng: random.Random) -> Iterator[File]:
    texts = [
        "=1+1",
        "@SUM(A1)",
        "+cmd|'/C calc'!A0",
        "-2+3+cmd|x",
        "=HYPERLINK(1)",
        "\t=1",
        "-a(1)",
        "--- a(1)",
        "--a",
    ]
    for n, text in enumerate(texts * 3):
        lines = good_csv(rng).decode().splitlines()
        lines[rng.randint(1, len(lines) - 1)] = f'20;"{text}";x'
        yield f"formula{n}.csv", "\n".join(lines).encode()
    for n, inner in enumerate(["<f>1+1</f>", "<f/>", '<f t="shared" si="0"/>', "<f\n>A1</f>"]):
        yield f"formula{n}.xlsx", xlsx(sheet(f'<c r="A2">{inner}</c>'))
    row = "<table:table-row>{}</table:table-row>"
    head = row.format(
        '<table:table-cell office:value-type="string"><text:p>age</text:p></table:table-cell>'
    )
    cell = '<table:table-cell table:formula="of:=1+1" office:value="2"/>'
    yield "formula.ods", ods(head + row.format(cell))


def headers(rng: random.Random) -> Iterator[File]:
    yield "columns.csv", ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n"
    yield "cell.csv", b"age,note\n20," + b"x" * 1_000_000 + b"\n"
    yield "cell.xlsx", xlsx(sheet(f'<c r="A2" t="inlineStr"><is><t>{"x" * 40_000}</t></is></c>'))
    yield "wide.json", json.dumps([{f"c{n}": 1 for n in range(10_000)}]).encode()
    for n in range(12):
        names = [f"c{k}" for k in range(5)]
        names[rng.randrange(4)] = names[4]
        yield f"twice{n}.csv", (",".join(names) + "\n1,2,3,4,5\n").encode()
        names = ["a", "b", "c"]
        names[rng.randrange(3)] = rng.choice(["", " ", "\xa0", "_row"])
        yield f"nameless{n}.csv", (";".join(names) + "\n7;8;9\n").encode()
        yield f"ragged{n}.csv", b"a,b,c\n" + b"1,2\n" * rng.randint(1, 9)
    yield "blank.csv", b"\n\n\n"
    yield "blank.txt", b" "


def formats(rng: random.Random) -> Iterator[File]:
    signatures = [
        b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0", b"PAR1\x15",
        b"SQLite format 3\0", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07", b"(\xb5/\xfd", b"\x7fELF", b"MZ\x90\0", b"{\\rtf1", b"<html><table>",
        b"<!DOCTYPE html>", b'<?xml version="1.0"?><Workbook>', b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"PK\x03\x04", b"PK\x05\x06",
    ]  # fmt: skip
    for n, signature in enumerate(signatures):
        for suffix in ("csv", "xlsx"):
            yield f"fake{n}.{suffix}", signature + rng.randbytes(50)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    yield "locked.xlsx", ole + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(90)
    yield "locked2.xlsx", pack({"xl/workbook.xml": BOOK, "[Content_Types].xml": TYPES}, flags=1)
    yield "locked.ods", ods(**{"META-INF/manifest.xml": "<m><manifest:encryption-data/></m>"})
    text = sheet('<c r="A2"><v>20</v></c>')
    for n in range(10):  # a sound container around a sheet that ends early
        yield f"early{n}.xlsx", xlsx(text[: rng.randint(text.find("<row>"), len(text) - 13)])
    yield "letter.xlsx", pack({"[Content_Types].xml": TYPES, "word/document.xml": "<w/>"})
    for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"):
        yield "missing.xlsx", xlsx(**{name: None})
        yield "broken.xlsx", xlsx(**{name: '<?xml version="1.0"?><a><b></a>'})
        yield "utf16.xlsx", xlsx(**{name: BOOK.encode("utf-16")})
        yield "latin.xlsx", xlsx(**{name: BOOK.replace("UTF-8", "ISO-8859-1")})


def containers(rng: random.Random) -> Iterator[File]:
    for n, name in enumerate(["../x.xml", "/etc/x", "a/../../x", "\\\\host\\x", "C:\\x", "..\\x"]):
        yield f"path{n}.xlsx", xlsx(**{name: "<a/>"})
        yield f"path{n}.ods", ods(**{name: "<a/>"})
    yield "same.xlsx", xlsx(**{"XL/WORKBOOK.XML": BOOK})
    yield "many.xlsx", xlsx(**{f"p{n}.txt": "" for n in range(10_001)})
    for name in ("xl/media/a.bin", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"):
        yield "ratio.xlsx", xlsx(**{name: b" " * (3 * 2**20)})
    for n in range(10):  # the directory lies about the unpacked size
        data = bytearray(xlsx())
        at = data.find(b"PK\x01\x02")
        for _step in range(rng.randrange(4)):
            at = data.find(b"PK\x01\x02", at + 1)
        struct.pack_into("<I", data, at + 24, rng.choice([0, 10, 5000, 2**32 - 2]))
        yield f"lie{n}.xlsx", bytes(data)
    data = bytearray(xlsx())  # two directory entries, one part
    first = data.find(b"PK\x01\x02")
    second = data.find(b"PK\x01\x02", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    yield "overlap.xlsx", bytes(data)


def entities(rng: random.Random) -> Iterator[File]:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    heads = [
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">',
        "<!DOCTYPE x>",
    ]
    for head in heads:
        yield "bomb.xlsx", xlsx(sheet('<c r="A2"><v>1</v></c>', head=head))
        yield "bomb.ods", ods(head=head)
        for name, part in (
            ("xl/workbook.xml", BOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONS),
            ("_rels/.rels", START),
            ("[Content_Types].xml", TYPES),
            ("xl/sharedStrings.xml", TEXTS),
            ("xl/styles.xml", f'<?xml version="1.0"?><styleSheet xmlns="{MAIN}"/>'),
        ):
            yield "bomb.xlsx", xlsx(**{name: part.replace("?>", f"?>{head}", 1)})


def grids(rng: random.Random) -> Iterator[File]:
    for place in ("XFD1048576", "ZZZZZZ9", "A99999999", "BBB99999"):
        yield "grid.xlsx", xlsx(sheet(f'<c r="{place}"><v>1</v></c>'))
        yield "grid2.xlsx", xlsx(sheet(f"<c s='1' r='{place}'><v>1</v></c>"))
    yield "unplaced.xlsx", xlsx(sheet("<c><v>1</v></c>" * 20))
    yield "prefixed.xlsx", xlsx(sheet(f'<x:c xmlns:x="{MAIN}"><v>1</v></x:c>'))
    cell = '<table:table-cell table:number-columns-repeated="{}"><text:p>1</text:p>'
    row = '<table:table-row table:number-rows-repeated="{}">{}</table:table-cell></table:table-row>'
    for wide, high in ((16_384, 1_048_576), (999_999_999, 1), (1, 999_999_999)):
        yield "grid.ods", ods(row.format(high, cell.format(wide)))
    long = f'<?xml version="1.0"?><sst xmlns="{MAIN}"><si><t>{"ab " * 10_000}</t></si></sst>'
    cells = "".join(f'<c r="A{n}" t="s"><v>0</v></c>' for n in range(2, 90_000))
    yield "shared.xlsx", xlsx(sheet(cells), **{"xl/sharedStrings.xml": long})


def jsons(rng: random.Random) -> Iterator[File]:
    for n in range(10):
        depth = rng.randint(40, 50_000)
        yield f"deep{n}.json", b'{"a":' * depth + b"1" + b"}" * depth
        yield f"deeper{n}.json", b"[" * depth
        yield f"huge{n}.json", b'[{"age": ' + b"9" * rng.randint(40_000, 90_000) + b"}]"
        yield (
            f"nan{n}.json",
            f'[{{"age": {rng.choice(["NaN", "Infinity", "-Infinity"])}}}]'.encode(),
        )
        yield f"nested{n}.json", b'[{"age": {"years": 1}}]'
        yield f"scalars{n}.json", json.dumps([rng.randint(0, 9)] * 3).encode()
        yield f"twice{n}.json", b'[{"age": 1, "age": 2}]'


def names(rng: random.Random) -> Iterator[File]:
    tricks = [
        "..%2f..%2fetc%2fpasswd.csv", "-rf.csv", "CON.csv", "a\nb.csv", "a\x1b]0;x\x07.csv",
        "\u202egpj.exe.csv", "~.csv", "$(id).csv", "`id`.csv", "a;b|c&d.csv", "x" * 240 + ".csv",
        "a\\..\\b.csv", "%s%n.csv", "{0.__class__}.csv", "\u2066x\u2069.csv", ".csv", "....csv",
    ]  # fmt: skip
    for name in tricks:
        yield name, b"a,a\n1,2\n"
        yield name, b""


FAMILIES: dict[Family, set[str]] = {
    noise: {"binary", "encoding", "mixed-encoding", "nul"},
    cut_short: {"workbook", "json"},
    flipped: {"workbook", "zip-size"},
    encodings: {"encoding", "mixed-encoding"},
    controls: {"binary", "nul", "mixed-encoding"},
    quotes: {"quotes"},
    formulas: {"formula"},
    headers: {
        "columns",
        "cell-size",
        "cell-count",
        "duplicate-header",
        "empty-header",
        "reserved-header",
        "no-header",
    },
    formats: {
        "content",
        "encrypted",
        "workbook",
        "xml-encoding",
        "encoding",
        "mixed-encoding",
        "nul",
    },
    containers: {"zip-path", "zip-entries", "zip-ratio", "zip-size"},
    entities: {"dtd"},
    grids: {"grid-size", "sheet-size", "workbook"},
    jsons: {"nesting", "cell-size", "json", "nested", "duplicate-header"},
    names: {"duplicate-header", "empty-file"},
}
"""Each family of files and the rules that may refuse them."""


@pytest.fixture(scope="module")
def opened_for_writing() -> Iterator[list[str]]:
    """Paths that Python code opens for writing, or makes or removes, while a test listens."""
    seen: list[str] = []
    listening = [True]

    def listen(event: str, args: tuple[Any, ...]) -> None:
        if not listening[0]:
            return
        if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            seen.append(str(args[0]))
        elif event in ("os.mkdir", "os.remove", "os.rename", "os.link", "os.symlink", "os.system"):
            seen.append(event)

    sys.addaudithook(listen)
    yield seen
    listening[0] = False


def test_the_suite_holds_five_hundred_files() -> None:
    assert sum(1 for family in FAMILIES for _file in family(random.Random(7))) >= 500


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_hostile_files_give_one_error_and_touch_nothing(
    family: Family,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened_for_writing: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in family(random.Random(7)):
        path = folder / name
        path.write_bytes(data)
        opened_for_writing.clear()
        with pytest.raises((UnreadableFile, HostileFile)) as caught:
            read_table(path)
        error = caught.value
        assert error.exit_code == 2
        assert error.rule in FAMILIES[family], (name, error.rule)
        assert error.what.endswith("."), name
        assert error.fix.endswith("."), name
        assert str(error).isprintable(), name
        assert str(tmp_path) not in str(error), name
        assert not opened_for_writing, name
        assert [p.name for p in folder.iterdir()] == [name]
        assert [p.name for p in tmp_path.iterdir()] == ["in"]
        path.unlink()


def test_mutated_files_give_a_table_or_one_error(tmp_path: Path) -> None:
    rng = random.Random(11)
    json_lines = b"".join(b'{"age": %d, "sex": "f"}\n' % n for n in range(20))
    originals = {"csv": good_csv(rng), "xlsx": xlsx(), "ods": ods(), "jsonl": json_lines}
    outcomes = {"table": 0, "error": 0}
    for n in range(400):
        suffix = rng.choice(sorted(originals))
        data = bytearray(originals[suffix])
        for _change in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randint(1, 20)]
                case 2:
                    data[at:at] = rng.randbytes(rng.randint(1, 20))
                case _:
                    data[at:at] = data[max(0, at - 30) : at]
        path = tmp_path / f"mutated{n}.{suffix}"
        path.write_bytes(data)
        try:
            raw = read_table(path)
        except HubError as error:
            outcomes["error"] += error.exit_code == 2
        else:
            outcomes["table"] += 1
            assert raw.rows_read == raw.table.num_rows + raw.rejects.num_rows
    assert sum(outcomes.values()) == 400
    assert min(outcomes.values()) > 20


def test_the_good_files_behind_the_bad_ones_are_good(tmp_path: Path) -> None:
    for name, data in (
        ("a.xlsx", xlsx()),
        ("b.csv", good_csv(random.Random(1), 200)),
        ("c.ods", ods()),
        ("macro.xlsm", xlsx(**{"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0", "xl/media/a.png": b"x"})),
    ):
        (tmp_path / name).write_bytes(data)
        assert "20" in read_table(tmp_path / name).table.column("age").to_pylist()


def test_limits_of_a_workbook_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    for limits, rule in (
        (Limits(zip_entries=3), "zip-entries"),
        (Limits(inflated_bytes=500), "zip-size"),
        (Limits(grid_cells=1), "grid-size"),
        (Limits(rows=1, file_bytes=100), "file-size"),
    ):
        with pytest.raises(HostileFile) as caught:
            read_table(path, ReadOptions(), limits)
        assert caught.value.rule == rule
