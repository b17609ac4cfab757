"""The changelog is assembled without losing a fragment; commits begin with a room and say why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import changelog
import pytest
import subjects


def test_every_fragment_is_one_entry_under_its_kind(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not a fragment")
    (tmp_path / "12.privacy.md").write_text("Second of\nits kind.\n")
    (tmp_path / "3.audit.privacy.md").write_text("First.\n")
    (tmp_path / "12.note.md").write_text("Kind not said.\n\nA second paragraph.\n")
    (tmp_path / "12.two.fixes.md").write_text("- One.\n- Two\n  lines.\n")
    found = changelog.fragments(tmp_path)
    text = changelog.section("1.2.0", "2030-01-31", found)
    assert text == (
        "## 1.2.0 (2030-01-31)\n\n### Privacy\n- First.\n- Second of its kind.\n\n"
        "### Corrections\n- One.\n- Two lines.\n\n"
        "### Other changes\n- Kind not said.\n\n  A second paragraph.\n"
    )


@pytest.mark.parametrize(
    ("name", "text"), [("note.md", "a"), ("3.note.txt", "a"), ("3.note.md", " \n"), ("3.md", "a")]
)
def test_a_file_that_would_be_lost_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit, match=name):
        changelog.fragments(tmp_path)


def test_the_newest_version_stands_first_and_only_once() -> None:
    old = "# Changelog\nAbout.\n"
    first = changelog.with_section(old, "## 0.1.0 (2030-01-01)\n\n### Data\n- a\n")
    both = changelog.with_section(first, "## 0.2.0 (2030-02-01)\n\n### Data\n- b\n")
    assert both == (
        "# Changelog\nAbout.\n\n## 0.2.0 (2030-02-01)\n\n### Data\n- b\n\n"
        "## 0.1.0 (2030-01-01)\n\n### Data\n- a\n"
    )
    with pytest.raises(SystemExit):
        changelog.with_section(both, "## 0.1.0 (2031-01-01)\n")


def test_the_fragments_of_this_tree_can_be_assembled() -> None:
    found = changelog.fragments(changelog.ROOT / "changelog.d")
    assert changelog.section("9.9.9", "2030-01-01", found).count("\n- ") >= len(found)
    assert changelog.crowded(found) == ""
    words = [sys.executable, "tools/changelog.py", "--check"]
    subprocess.run(words, cwd=changelog.ROOT, check=True)


def test_more_fragments_than_anybody_reads_are_refused_with_what_to_do(tmp_path: Path) -> None:
    many = [tmp_path / f"{number}.data.md" for number in range(1, 42)]
    assert changelog.crowded(many[:40]) == ""
    said = changelog.crowded(many)
    assert said.startswith("changelog.d has 41 fragments, 40 at most")
    assert "merge" in said


def test_subjects_begin_with_a_room() -> None:
    known = subjects.rooms()
    assert {"dp", "site", "core", "mapping", "border", "docs"} <= known
    good = ["dp: a", "dp/noise: b", "dp, release: c", "docs: d"]
    bad = ["Fix it", "dp:", "dp : a", "DP: a", "attic: a", "dp, attic: a", ""]
    assert subjects.wrong([*good, *bad], known) == bad


class History:
    """A repository of its own, in which a commit changes one file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> None:
        who = {f"GIT_{role}_{part}": "x@example.org" for role in ("AUTHOR", "COMMITTER")
               for part in ("NAME", "EMAIL")}  # fmt: skip
        env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", *words], cwd=self.root, env=env, check=True, capture_output=True)

    def commit(self, path: str, message: str, text: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        before = file.read_text("utf-8") if file.exists() else ""
        file.write_text(text or before + message, "utf-8")
        self.git("add", path)
        self.git("commit", "--quiet", "-m", message)


@pytest.mark.skipif(not shutil.which("git"), reason="git is missing: install it")
def test_a_commit_that_changes_the_source_says_why(tmp_path: Path) -> None:
    """From the commit on that asked for it, and not on branches that were begun before."""
    asked = Path(subjects.__file__).read_text("utf-8")
    history = History(tmp_path / "whole")
    history.commit("src/a.py", "dp: before anybody asked")
    assert subjects.without_why(history.root) == []
    history.git("branch", "early")
    history.commit("tools/subjects.py", "tools: ask why", asked)
    history.commit("src/a.py", "dp: says why\n\nBecause.")
    history.commit("docs/a.md", "docs: changes no source")
    history.commit("src/b.py", "site: does not")
    history.commit("src/c.py", "site: a name is no reason\n\nSigned-off-by: X <x@example.org>")
    history.commit("tools/subjects.py", "tools: later", asked.replace("def without_why", "def why"))
    history.git("checkout", "--quiet", "early")
    history.commit("src/d.py", "dp: begun before")
    history.git("checkout", "--quiet", "main")
    history.git("merge", "--quiet", "--no-edit", "early")
    silent = ["site: a name is no reason", "site: does not"]
    assert subjects.without_why(history.root) == silent
    for depth in (1, 3, 6):
        shallow = tmp_path / f"shallow-{depth}"
        history.git("clone", "--quiet", f"--depth={depth}", history.root.as_uri(), str(shallow))
        assert set(subjects.without_why(shallow)) <= set(silent), depth
    assert subjects.without_why(shallow) == silent
    assert subjects.without_why(tmp_path) == []
