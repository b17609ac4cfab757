"""Wrong files, mappings, domains and options of the verbs that need no hub.

Belongs here: inputs, each by the name of what is wrong with it.
Does not belong here: hubs and releases (``wrong_hubs``), how they are run (``faults``).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from golden_parts import inputs


class Wrong(NamedTuple):
    """A wrong input: the command, files by path, and what is done to the folder before."""

    words: tuple[object, ...]
    files: Mapping[str, str | bytes] = {}
    change: Callable[[Path], None] | None = None


CSV = "sex,nationality,intake date\nF,Peru,2020-01-02\nM,Nowhereland,2020-01-02\n"
DTD = "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"
MAPPING = """\
version: 1
columns:
  year_of_registration: {from: intake date, year: true}
  gender: {from: sex, map: {F: female, M: male}}
  citizenship: {from: nationality, country: true}
"""
PEOPLE = "year,gender,age,debt\n2020,female,18+,yes\n2021,male,0-17,no\n"


def cases() -> dict[str, Wrong]:
    """Every wrong input by name."""
    return {
        **{f"file/{name}": wrong for name, wrong in _files()},
        **{f"mapping/{name}": wrong for name, wrong in _mappings()},
        **{f"table/{name}": wrong for name, wrong in _tables()},
        **{f"option/{name}": wrong for name, wrong in _options()},
        **{f"key/{name}": wrong for name, wrong in _keys()},
    }


def _files() -> list[tuple[str, Wrong]]:
    """Contributors' files that cannot be read, or not safely."""
    contents: dict[str, tuple[str, str | bytes]] = {
        "empty": ("a.csv", b""),
        "blank-lines": ("a.csv", "\n\n\n"),
        "header-only": ("a.csv", "sex,nationality\n"),
        "nul": ("a.csv", b"sex,nationality\nF,\x00\n"),
        "not-utf8": ("a.csv", b"sex,nationality\nF,\xff\xfe\x81\n"),
        "mixed-encoding": ("a.csv", "sex,nationality\nF,Perú\n".encode() + b"M,Per\xfa\n"),
        "ragged": ("a.csv", "sex,nationality\nF,Peru,more\nM\n"),
        "quote-open": ("a.csv", 'sex,nationality\nF,"Peru\nM,Chile\n'),
        "duplicate-header": ("a.csv", "sex,sex\nF,M\n"),
        "empty-header": ("a.csv", "sex,,age\nF,x,3\n"),
        "control-header": ("a.csv", "sex,na\x07me\nF,x\n"),
        "cell-size": ("a.csv", "sex,notes\nF," + "x" * 40_000 + "\n"),
        "columns": ("a.csv", ",".join(f"c{i}" for i in range(20_000)) + "\n"),
        "zip-named-csv": ("a.csv", _zip({"a.txt": "a"})),
        "html-named-csv": ("a.csv", "<!doctype html><html><body>Sign in</body></html>"),
        "pdf": ("a.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        "suffix": ("a.docx", _zip({"word/document.xml": "<a/>"})),
        "old-workbook": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        "workbook-not-zip": ("a.xlsx", "sex,nationality\nF,Peru\n"),
        "workbook-without-sheets": ("a.xlsx", _zip({"a.txt": "a"})),
        "workbook-cut": ("a.xlsx", _zip({"xl/workbook.xml": "<workbook/>"})[:-30]),
        "workbook-bomb": ("a.xlsx", _zip({"xl/workbook.xml": "<a/>", "b.xml": " " * 60_000_000})),
        "ods-not-zip": ("a.ods", "sex,nationality\n"),
        "ods-dtd": ("a.ods", _zip({"mimetype": "x", "content.xml": DTD})),
        "json-cut": ("a.json", '[{"sex": "F"'),
        "json-list": ("a.json", "[1, 2, 3]"),
        "json-object": ("a.json", '{"a": {"b": 1}}'),
        "json-deep": ("a.json", "[" * 3_000 + "]" * 3_000),
        "json-twice": ("a.json", '[{"sex": "F", "sex": "M"}]'),
        "parquet-cut": ("a.parquet", b"PAR1abcdPAR1"),
    }  # fmt: skip
    found = [(n, Wrong(("suggest", file), {file: text})) for n, (file, text) in contents.items()]
    return [
        *found,
        ("missing", Wrong(("suggest", "none.csv"))),
        ("folder", Wrong(("suggest", "hub"))),
        ("exists", Wrong(("suggest", "a.csv", "--out", "a.csv"), {"a.csv": CSV})),
        ("out-in-no-folder", Wrong(("suggest", "a.csv", "--out", "no/m.yaml"), {"a.csv": CSV})),
    ]


def _zip(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _mappings() -> list[tuple[str, Wrong]]:
    """Mappings that say what cannot be, and rows that no rule takes."""
    texts = {
        "rows-rejected": MAPPING,
        "yaml": "version: 1\ncolumns: [",
        "yaml-twice": "version: 1\nversion: 1\ncolumns: {}\n",
        "yaml-tag": "version: !!python/object:os.system 1\n",
        "version": MAPPING.replace("version: 1", "version: 7"),
        "no-columns": "version: 1\n",
        "not-a-mapping": "- 1\n- 2\n",
        "unknown-key": MAPPING + "colour: red\n",
        "unknown-variable": MAPPING + "  shoe_size: {from: sex}\n",
        "unknown-code": MAPPING.replace("F: female", "F: lady"),
        "unknown-column": MAPPING.replace("from: sex", "from: gender at birth"),
        "unknown-rule": MAPPING.replace("country: true", "continent: true"),
        "two-rules": MAPPING.replace("country: true", "country: true, year: true"),
        "no-source": MAPPING.replace("{from: sex, ", "{"),
        "identifiers-kind": MAPPING + "identifiers: {sex: secret}\n",
        "identifiers-column": MAPPING + "identifiers: {phone: strip}\n",
        "identifier-mapped": MAPPING + "identifiers: {sex: strip}\n",
        "exclude-rule": MAPPING + "exclude:\n  - {rule: No Consent, when: {sex: [M]}}\n",
        "exclude-column": MAPPING + "exclude:\n  - {rule: no-consent, when: {agreed: [no]}}\n",
        "read-encoding": MAPPING + "read: {encoding: klingon}\n",
        "read-delimiter": MAPPING + 'read: {delimiter: "ab"}\n',
        "read-sheet": MAPPING + "read: {sheet: none}\n",
        "tests": MAPPING + "tests:\n  - {given: {sex: F}, expect: {gender: male}}\n",
        "large": MAPPING + "# " + "x" * 2_000_000 + "\n",
    }
    words = ("harmonise", "a.csv", "--mapping", "m.yaml")
    found = [(n, Wrong(words, {"a.csv": CSV, "m.yaml": text})) for n, text in texts.items()]
    ok = {"a.csv": CSV, "m.yaml": MAPPING}
    return [
        *found,
        ("missing", Wrong(words, {"a.csv": CSV})),
        ("builtin", Wrong((*words[:3], "ctdc-1999"), {"a.csv": CSV})),
        ("builtin-columns", Wrong((*words[:3], "ctdc-2021"), {"a.csv": CSV})),
        ("key-short", Wrong((*words, "--key", "k"), {**ok, "k": "short"})),
        ("key-missing", Wrong((*words, "--key", "k"), ok)),
        ("out-is-file", Wrong((*words, "--out", "a.csv"), ok)),
    ]  # fmt: skip


def _tables() -> list[tuple[str, Wrong]]:
    """Tables, domains and settings of the verbs on one-off tables."""
    more = ("--max-people", "10000", "--ledger", "led", "--new-ledger", "invented", "--out", "out")
    words = ("protect", "p.csv", "--domains", "d.yaml", "--epsilon", "1", "--delta", "1e-6", *more)
    good = inputs.DOMAINS
    domains = {
        "unchecked": good.replace("checked: true", "checked: false"),
        "yaml": "columns: [",
        "version": good.replace("version: 1", "version: 9"),
        "unknown-key": good + "colour: red\n",
        "no-columns": "version: 1\nchecked: true\ncolumns: {}\n",
        "one-value": good.replace("[yes, no]", "[yes]"),
        "value-twice": good.replace("[yes, no]", "[yes, yes]"),
        "years": good.replace("[2020, 2023]", "[2023, 2020]"),
        "column": good + "  shoe: [a, b]\n",
        "value": good.replace("[female, male, other]", "[female, other]"),
        "year-outside": good.replace("[2020, 2023]", "[2021, 2023]"),
        "person": good.replace("columns:", "person: case\ncolumns:"),
        "groups": good + "groups: [[year, shoe, age]]\n",
    }
    found = [
        (f"domains-{n}", Wrong(words, {"p.csv": PEOPLE, "d.yaml": t})) for n, t in domains.items()
    ]
    both = {"p.csv": PEOPLE, "d.yaml": good}
    small = {"s.csv": "series,period,count\nnorth,2020-01,3\nnorth,2020-02,4\n"}
    lists = "police,hotline,people\n"
    series = "series,period,count\n"
    estimate: dict[str, str] = {
        "lists-empty": lists,
        "lists-cell": lists + "1,2,30\n0,1,4\n",
        "lists-negative": lists + "1,0,-3\n0,1,4\n",
        "lists-none": lists + "0,0,3\n1,0,4\n",
        "lists-one": "police,people\n1,3\n",
        "lists-no-overlap": lists + "1,0,30\n0,1,40\n",
    }
    signals: dict[str, str] = {
        "series-empty": series,
        "series-few": small["s.csv"],
        "series-period": series + "north,Spring,3\n",
        "series-mixed": series + "north,2020-01,3\nnorth,2020,4\n",
        "series-number": series + "north,2020-01,three\n",
        "series-twice": series + "north,2020-01,3\nnorth,2020-01,3\n",
        "series-columns": "when,how many\n2020,3\n",
    }
    return [
        *found,
        ("delta-large", Wrong((*words[:6], "--delta", "1e-3", *more), both)),
        ("delta-people", Wrong((*words, "--max-people", "100000000"), both)),
        ("no-ledger", Wrong((*words[:8], *more[:2], *more[-2:]), both)),
        ("budget", Wrong((*words, "--budget", "0.5"), both)),
        ("support", Wrong((*words, "--support", "9"), both)),
        ("out-full", Wrong((*words[:-1], "hub"), both)),
        ("no-table", Wrong(words, {"d.yaml": good})),
        ("no-domains", Wrong(words, {"p.csv": PEOPLE})),
        ("schema", Wrong((*words[:3], "schema", *words[4:]), both)),
        ("draft-exists", Wrong(("domains", "p.csv", "--out", "d.yaml"), both)),
        ("from-counts", Wrong(("count", "release", "p.csv", "--out", "o"), both)),
        ("kanon-k", Wrong(("kanon", "p.csv", "--k", "1"), both)),
        ("kanon-fewer", Wrong(("kanon", "p.csv", "--k", "11"), both)),
        ("kanon-column", Wrong(("kanon", "p.csv", "--k", "2", "--columns", "year,shoe"), both)),
        ("kanon-suffix", Wrong(("kanon", "p.csv", "--k", "2", "--out", "o.doc"), both)),
        ("kanon-word", Wrong(("kanon", "p.csv", "--k", "2", "--suppressed", "male"), both)),
        ("kanon-exists", Wrong(("kanon", "p.csv", "--k", "2", "--out", "p.csv"), both)),
        *((n, Wrong(("estimate", "l.csv"), {"l.csv": text})) for n, text in estimate.items()),
        *((n, Wrong(("signals", "s.csv"), {"s.csv": text})) for n, text in signals.items()),
        ("estimate-chart", Wrong(("estimate", "l.csv", "--chart", "c.png"), {"l.csv": lists})),
    ]  # fmt: skip


def _options() -> list[tuple[str, Wrong]]:
    """The command mistyped."""
    convert = ("convert", "r.parquet", "--to")
    return [
        ("no-such-verb", Wrong(("publish", "hub"))),
        ("no-such-option", Wrong(("facts", "hub", "--colour", "red"))),
        ("missing-argument", Wrong(("suggest",))),
        ("missing-option", Wrong(("tables", "hub"))),
        ("missing-value", Wrong(("facts", "hub", "--years"))),
        ("too-many", Wrong(("verify", "a", "b"))),
        ("number", Wrong(("trends", "hub", "--from", "soon"))),
        ("range", Wrong(("signals", "hub", "--fdr", "7"))),
        ("choice", Wrong(("withdraw", "hub", "--reason", "tired"))),
        ("language", Wrong(("facts", "hub", "--lang", "xx"))),
        ("format", Wrong(("facts", "hub", "--format", "doc"))),
        ("stage", Wrong(("build", "hub", "--until", "moon"))),
        ("people", Wrong(("practice", "out", "--people", "1"))),
        ("practice-folder", Wrong(("practice", "hub"))),
        ("codebook-format", Wrong(("codebook", "--format", "doc"))),
        ("codebook-folder", Wrong(("codebook", "--out", "hub"))),
        ("crosswalk-name", Wrong(("crosswalk", "ctdc-1999"))),
        ("convert-to", Wrong((*convert, "x", "--out", "o.csv"))),
        ("convert-file", Wrong((*convert, "ctdc-2024", "--out", "o.csv"), {"r.parquet": CSV})),
        ("group-verb", Wrong(("key", "melt"))),
    ]  # fmt: skip


def _keys() -> list[tuple[str, Wrong]]:
    """Keys that are none, tokens without them, rounds of counts out of turn."""
    tokens = ("tokens", "a.csv", "--key", "k", "--release", "2026.1", "--out", "o.csv", "--yes")
    keep = ("--keep", "keep")
    new = ("count", "new", "ex", *keep, "--domains", "d.yaml")
    d = {"d.yaml": inputs.DOMAINS}
    return [
        ("exists", Wrong(("key", "new", "--out", "k"), {"k": "x"})),
        ("show-none", Wrong(("key", "show", "k"))),
        ("show-other", Wrong(("key", "show", "k"), {"k": "x"})),
        ("join-none", Wrong(("key", "join", "a", "b", "--out", "k"), {"a": "x", "b": "y"})),
        ("rotate-none", Wrong(("key", "rotate", "k", "--out", "n"))),
        ("unwrap-none", Wrong(("key", "unwrap", "e", "--key", "k", "--out", "n"), {"e": "x"})),
        ("tokens-no-key", Wrong(tokens, {"a.csv": CSV})),
        ("tokens-wrong-key", Wrong(tokens, {"a.csv": CSV, "k": "x"})),
        ("tokens-no-names", Wrong((*tokens[:3], "link.key", *tokens[4:]), {"a.csv": CSV})),
        ("count-one", Wrong((*new, "--contributor", "one"), d)),
        ("count-twice", Wrong((*new, *("--contributor", "one") * 3), d)),
        ("count-name", Wrong((*new, "--contributor", "A b", "--contributor", "c"), d)),
        ("count-domains", Wrong((*new, "--contributor", "a", "--contributor", "b"))),
        ("count-join-none", Wrong(("count", "join", "ex", *keep, "--name", "one"))),
        ("count-start-none", Wrong(("count", "start", "ex", *keep))),
        ("count-mask-none", Wrong(("count", "mask", "a.csv", "ex", *keep), {"a.csv": CSV})),
        ("count-show", Wrong(("count", "show", "a.csv"), {"a.csv": CSV})),
        ("count-sum-none", Wrong(("count", "sum", "ex", *keep))),
    ]
