"""A version is made: what its files say, and that nothing calls itself a version that is none."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import changelog
import pytest
import release
import yaml

import ctdhub

ROOT = Path(__file__).parents[2]
CITATION = (ROOT / "CITATION.cff").read_text("utf-8")


def test_between_two_versions_the_software_says_so() -> None:
    unreleased = changelog.fragments(ROOT / "changelog.d")
    assert ".dev" in ctdhub.__version__ or not unreleased
    assert yaml.safe_load(CITATION)["version"] == ctdhub.__version__


@pytest.mark.parametrize(
    ("version", "stands", "is_higher"),
    [
        ("0.3.0", "0.3.0.dev0", True),
        ("0.3.1", "0.3.0", True),
        ("0.10.0", "0.9.9", True),
        ("1.0.0", "0.30.2.dev0", True),
        ("0.3.0", "0.3.0", False),
        ("0.2.9", "0.3.0.dev0", False),
        ("0.3", "0.2.0", False),
        ("v0.3.0", "0.2.0", False),
        ("0.3.0.dev0", "0.2.0", False),
        ("", "0.2.0", False),
    ],
)
def test_a_version_is_only_raised(version: str, stands: str, is_higher: bool) -> None:
    assert release.higher(version, stands) is is_higher


def test_the_version_is_stated_in_one_line() -> None:
    source = '"""About."""\n\n__version__ = "0.3.0.dev0"\n\n__all__ = ["__version__"]\n'
    raised = release.with_version(source, "0.3.0")
    assert raised == source.replace("0.3.0.dev0", "0.3.0")
    with pytest.raises(ValueError, match="one line"):
        release.with_version("about = 1\n", "0.3.0")


def test_a_citation_has_a_day_once_the_version_is_released() -> None:
    released = yaml.safe_load(out := release.cited(CITATION, "0.3.0", "2030-01-31"))
    assert released["version"] == "0.3.0"
    assert str(released["date-released"]) == "2030-01-31"
    assert released["cff-version"] == "1.2.0"
    assert released["authors"] == [{"name": "The ctdhub authors"}]
    assert {"message", "title"} <= set(released)
    opened = release.cited(out, "0.4.0.dev0")
    assert "date-released" not in opened
    assert opened == CITATION.replace(ctdhub.__version__, "0.4.0.dev0")


def test_the_sums_are_those_of_the_files(tmp_path: Path) -> None:
    for name in ("b.whl", "a.tar.gz"):
        (tmp_path / name).write_text(name)
    text = release.sums([tmp_path / "b.whl", tmp_path / "a.tar.gz"])
    first = hashlib.sha256(b"a.tar.gz").hexdigest()
    assert text.startswith(f"{first}  a.tar.gz\n")
    if shutil.which("sha256sum"):
        words = ["sha256sum", "--check", "--strict", "-"]
        subprocess.run(words, cwd=tmp_path, input=text, text=True, check=True)


def test_a_bill_holds_what_the_lock_holds(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    pin = "{}==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    lock.write_text(pin.format("a") + pin.format("b"))
    parts = [{"name": name, "version": "1.0"} for name in ("a", "b")]
    bill = {"components": parts, "metadata": {"component": {"name": "ctdhub"}}}
    made = json.loads(release.bill(json.dumps(bill), "0.3.0", lock))
    assert made["metadata"]["component"] == {"name": "ctdhub", "version": "0.3.0"}
    assert made["components"] == parts
    bill["components"] = parts[:1]
    with pytest.raises(ValueError, match="b"):
        release.bill(json.dumps(bill), "0.3.0", lock)


def test_the_papers_of_the_project_are_in_the_distribution() -> None:
    built = (ROOT / "pyproject.toml").read_text("utf-8")
    for name in ("CITATION.cff", "CODE_OF_CONDUCT.md", "GOVERNANCE.md", "LICENSE", "SECURITY.md"):
        assert (ROOT / name).is_file()
        assert f'"/{name}"' in built
    assert "Copyright 2026 The ctdhub authors" in (ROOT / "LICENSE").read_text("utf-8")
