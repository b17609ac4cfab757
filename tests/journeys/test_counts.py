"""The round of the how-to, as it is printed: hub, five contributors, files passed between."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from invented_round import NAMES, lay_table

from ctdhub.cli.app import command, run

GUIDE = Path(__file__).parents[2] / "docs/how-to/take-part-without-records.md"
LOST = "clinic"


def blocks(language: str = "") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.M)
    return [text for kind, text in found if kind == language]


def lines() -> list[tuple[str, list[str]]]:
    """Who types what, in order."""
    found = []
    for block in blocks():
        for line in block.replace("\\\n", " ").splitlines():
            who, _sign, typed = line.partition("$ ")
            found.append((who, shlex.split(typed)))
    return found


def deliver(folder: Path) -> None:
    """Files of the hub go to everybody, files of contributors to the hub, by mail."""
    hub = folder / "hub/exchange"
    for name in NAMES:
        theirs = folder / name / "exchange"
        theirs.mkdir(parents=True, exist_ok=True)
        for file in hub.glob("*.count"):
            if "-" not in file.name and not (theirs / file.name).exists():
                shutil.copy(file, theirs)
        for file in theirs.glob(f"*-{name}.count"):
            if not (hub / file.name).exists():
                shutil.copy(file, hub)


def test_the_round_of_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for who in ("hub", *NAMES):
        (tmp_path / who).mkdir()
        lay_table(tmp_path / who / "cases.csv", who, 300)
    (tmp_path / "hub/cases.csv").unlink()
    (tmp_path / "hub/domains.yaml").write_text(blocks("yaml")[0], "utf-8")
    typed = lines()
    assert [words[2] for _who, words in typed] == [
        "new", "join", "start", "mask", "close", "reveal", "sum", "release"
    ]  # fmt: skip
    for who, words in typed:
        assert words[0] == "ctdhub"
        for name in NAMES if who == "refuge" else (who,):
            if words[2] == "reveal" and name == LOST:
                continue
            monkeypatch.chdir(tmp_path / name)
            own = [name if word == "refuge" and who == word else word for word in words[1:]]
            monkeypatch.setattr("sys.argv", ["ctdhub", *own])
            assert run(command(words[1])) == 0, words
        deliver(tmp_path)
    deliver(tmp_path)
    said = " ".join(capsys.readouterr().out.split())
    shown = re.findall(r"Fingerprint of the round: ((?:\d{4} ){12})", said)
    assert len(shown) == 1 + len(NAMES)
    assert len(set(shown)) == 1, "one fingerprint for all"
    out = tmp_path / "hub/protected"
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["rows_per_person"] == 2
    assert abs(manifest["people"]["value"] - 300 * len(NAMES)) < 300, "the lost one is in the sum"
    assert not list((tmp_path / LOST / "exchange").glob(f"revealed-{LOST}*"))
    for name in NAMES:
        size = (tmp_path / name / "exchange" / f"masked-{name}.count").stat().st_size
        assert size < 4_000
        files = {f.name for f in (tmp_path / name / "secret").iterdir()}
        assert files <= {"state.json", "revealed.count", f"revealed-{name}.count"}, files
