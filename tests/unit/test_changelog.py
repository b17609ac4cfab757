"""The changelog is assembled without losing a fragment; subjects of commits begin with a room."""

from __future__ import annotations

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


def test_subjects_begin_with_a_room() -> None:
    known = subjects.rooms()
    assert {"dp", "site", "core", "mapping", "border", "docs"} <= known
    good = ["dp: a", "dp/noise: b", "dp, release: c", "docs: d"]
    bad = ["Fix it", "dp:", "dp : a", "DP: a", "attic: a", "dp, attic: a", ""]
    assert subjects.wrong([*good, *bad], known) == bad
