"""Comments and layout of a mapping's YAML, whatever its style: edits leave them as they are.

Files are drawn as people write them: keys between quotes, Arabic and Cyrillic ones, blocks, braces,
block scalars, comments above, behind and below entries, Windows line ends, a mark at the begin,
anchors.  What is expected is written out by the generator, line by line, and not by the writer.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ctdhub.sensitive.mapping.edits import applied, checked, numbered, opposite
from ctdhub.sensitive.mapping.mapping_file import document_of, parse_mapping, patched

FILES = 50
TEXTS = ("F", "01", "no", "نعم", "жен", "O'tra", "a: b", "# x", "Fém", "~", "- y", "1 - Yes")
HEADERS = ("Sexo", "الجنس", "пол", "Q7: sexe", "sex #2", "Sexe [1]", "o'neill")
REMARKS = ("asked on 3 May", "بعد السؤال", "F: female?", "{not: yaml", "'quoted", "- item", "…")


class Written(NamedTuple):
    """A file and the lines of it that are comments, in their order."""

    text: str
    remarks: tuple[str, ...]


class Hand:
    """Somebody who writes a mapping, in a style of their own."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.lines: list[str] = []
        self.remarks: list[str] = []
        self.anchored = self.chance.random() < 0.2

    def quoted(self, text: str) -> str:
        single = "'" + text.replace("'", "''") + "'"
        double = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        ways = [single, double]
        if text.isalpha() and text.lower() not in ("no", "yes", "null"):
            ways.append(text)
        return self.chance.choice(ways)

    def remark(self, indent: int) -> None:
        """A line of its own."""
        if self.chance.random() < 0.5:
            said = f"{' ' * indent}# {self.chance.choice(REMARKS)} {len(self.remarks)}"
            self.lines.append(said)
            self.remarks.append(said)
        elif self.chance.random() < 0.2:
            self.lines.append("")

    def line(self, text: str) -> None:
        """A line of YAML, with a remark behind it."""
        if self.chance.random() < 0.4:
            said = f"# {self.chance.choice(REMARKS)} {len(self.remarks)}"
            self.remarks.append(said)
            text += f"{' ' * self.chance.randint(1, 3)}{said}"
        self.lines.append(text)

    def mapping(self) -> Written:
        self.remark(0)
        self.line(self.chance.choice(("version: 1", '"version": "1"', "'version': 1")))
        self.remark(0)
        self.line("rows: person")
        self.blanks()
        self.remark(0)
        self.line("columns:")
        for number, (name, codes) in enumerate(RULES.items()):
            self.remark(2)
            self.rule(name, self.chance.choice(HEADERS), codes, number)
        self.lists()
        if self.chance.random() < 0.5:
            self.remark(0)
            self.line("tests: []")
        self.remark(0)
        ending = self.chance.choice(("\n", "\r\n"))
        mark = self.chance.choice(("", "", "\ufeff"))
        text = ending.join(self.lines) + self.chance.choice((ending, ""))
        return Written(mark + text, tuple(self.remarks))

    def blanks(self) -> None:
        if self.chance.random() < 0.5:
            self.line('empty: ["", "-"]')
            return
        self.line("empty:")
        for text in ("", "-"):
            self.line(f'- "{text}"')

    def rule(self, name: str, header: str, codes: tuple[str, ...], number: int) -> None:
        texts = self.chance.sample(TEXTS, len(codes))
        pairs = [f"{self.quoted(text)}: {code}" for text, code in zip(texts, codes, strict=True)]
        start = f"  {name}:" if self.chance.random() < 0.7 else f'  "{name}":'
        anchor = f" &a{number}" if self.anchored else ""
        way = self.chance.choice(("braces", "block", "scalar", "over lines"))
        if way == "braces":
            self.line(
                f"{start} {{from: {self.quoted(header)}, map:{anchor} {{{', '.join(pairs)}}}}}"
            )
        elif way == "over lines":
            self.line(f"{start} {{from: {self.quoted(header)},")
            self.line(f"    map:{anchor} {{{', '.join(pairs)}}} }}")
        else:
            self.line(start)
            self.remark(4)
            if way == "scalar":
                self.lines += ["    from: >-", f"      {header}"]
            else:
                self.line(f"    from: {self.quoted(header)}")
            self.line(f"    map:{anchor}")
            for pair in pairs:
                self.line(f"      {pair}")

    def lists(self) -> None:
        for name, text in (("means_threats", "Menaces"), ("means_debt_bondage", "Dette")):
            self.remark(2)
            self.line(f'  {name}: {{from: Moyens, split: ";", has: [{text}], absent: no}}')


RULES = {
    "gender": ("female", "male"),
    "majority_status": ("minor", "adult"),
    "assistance_medical": ("needed", "received"),
}
LIST = 'list:records:";":["Moyens"]'


def _map(sheet: str, text: str, *codes: str) -> dict[str, Any]:
    return {"op": "map", "sheet": sheet, "text": text, "codes": [*codes]}


EDITS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda text: _map("columns.gender", text, "female"),
    lambda text: _map("columns.majority_status", text, "not-recorded"),
    lambda text: _map("columns.gender", text, "stays-unknown"),
    lambda text: _map(LIST, text, "means_threats", "means_other"),
    lambda text: _map(LIST, text, "other-kind"),
    lambda text: _map(LIST, text, "not-recorded"),
    lambda text: {"op": "empty", "text": text, "on": True},
    lambda text: {"op": "identifier", "column": text, "decision": "strip"},
    lambda text: {"op": "exclude", "name": "no-consent", "rule": {"unless": {text: ["sí"]}}},
    lambda text: {"op": "accept", "entry": {"alarm": f"new-column: {text}"}, "on": True},
    lambda text: {"op": "setting", "key": "dates", "value": "dmy"},
    lambda text: {
        "op": "rule",
        "variable": "citizenship",
        "rule": {"from": text, "country": "true"},
    },
    lambda text: {"op": "optional", "column": text, "on": True},
    lambda text: {"op": "known", "variable": "means_threats", "text": text, "on": True},
)
"""Every kind of operation, each of which adds something."""


@pytest.mark.parametrize("seed", range(FILES))
def test_comments_stay_whatever_is_edited(seed: int) -> None:
    """Each remark is there once, in its order, byte for byte; undone, the file is what it was."""
    given = Hand(seed).mapping()
    chance = random.Random(f"edits {seed}")
    text = given.text.removeprefix("\ufeff")
    parse_mapping(text, "m.yaml")
    edits = [checked(edit(chance.choice(("Neu", "Ж 1", "null", "x: y")))) for edit in EDITS]
    chance.shuffle(edits)
    document, now = document_of(text, "m.yaml"), text
    for operation in edits:
        after = patched(now, applied(document, operation), "m.yaml")
        at = -1
        for remark in given.remarks:
            at = after.index(remark, at + 1)
            assert after.count(remark) == now.count(remark), (operation, remark)
        assert after.count("\r\n") == after.count("\n") * ("\r\n" in text)
        document, now = document_of(after, "m.yaml"), after
    for operation in reversed(numbered(document_of(text, "m.yaml"), edits)):
        document = applied(document, opposite(operation, operation["before"]))
    assert document == applied(document_of(text, "m.yaml"))
    assert all(remark in patched(now, document, "m.yaml") for remark in given.remarks)


def test_a_list_that_two_rules_share_stays_that_of_one_or_is_written_out() -> None:
    """The rule that is not edited keeps its anchor, bytes and all."""
    for said in ("[Menaces]   # theirs", "\n      - Menaces   # theirs"):
        text = (
            "version: 1\ncolumns:\n  means_threats:\n    from: Moyens\n    has: &all " + said + "\n"
            "  means_other: {from: Autres, has: *all}   # ours\n# the end\n"
        )
        edit = _map('list:records:null:["Autres"]', "Neu", "means_other")
        made = applied(document_of(text, "m.yaml"), edit)
        after = patched(text, made, "m.yaml")
        assert document_of(after, "m.yaml") == made
        assert after.startswith(text[: text.index("  means_other")])
        assert after.endswith("# ours\n# the end\n")
