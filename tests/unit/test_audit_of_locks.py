"""The audit of locked packages: what it finds without a network, and what it never keeps quiet."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "audit.py"
if not TOOL.is_file():
    pytest.skip("the tools are in a checkout of the repository only", allow_module_level=True)


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["audit_tool"] = found
    spec.loader.exec_module(found)
    return found


def test_every_locked_package_is_pinned_hashed_and_licensed(audit: ModuleType) -> None:
    assert len(audit.locks()) >= 6
    assert audit.faults() == []
    assert audit.strangers(audit.licences()) == []


@pytest.mark.parametrize(
    "line",
    [
        "django>=5.2 --hash=sha256:" + "0" * 64,
        "django==5.2.19",
        "django==5.2.19 --hash=md5:" + "0" * 32,
        "django==5.2.* --hash=sha256:" + "0" * 64,
        "django @ https://example.org/django.whl --hash=sha256:" + "0" * 64,
        "git+https://example.org/django",
        "-e .",
        "--index-url https://example.org/simple",
    ],
)
def test_a_line_that_could_bring_something_else_is_named(
    audit: ModuleType, tmp_path: Path, line: str
) -> None:
    lock = tmp_path / "requirements.lock"
    good = "a==1 ; python_version < '3.12' \\\n    --hash=sha256:" + "0" * 64 + "\n    # via b\n"
    lock.write_text(good)
    assert [fault for *_, fault in audit.packages(lock)] == [""]
    lock.write_text(good + line + "\n")
    assert [bool(fault) for *_, fault in audit.packages(lock)] == [False, True]


def test_what_could_not_be_asked_is_said(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit ends with 0 where it asked about nothing at all."""
    monkeypatch.setattr(audit, "licences", dict)
    monkeypatch.setattr(audit, "reachable", lambda: False)
    assert audit.main([]) == 0
    assert "NOT RUN" in capsys.readouterr().out
    assert audit.main(["--must"]) == 2
    monkeypatch.setattr(audit, "reachable", lambda: True)
    skipped = {"name": "django", "skip_reason": "Dependency not found"}
    vuln = {"id": "PYSEC-0", "fix_versions": ["9"]}
    weak = {"name": "pillow", "version": "1", "vulns": [vuln]}
    fine = {"name": "numpy", "version": "2", "vulns": []}
    for found, words, code, told in (
        ([fine], ["--must"], 0, "0 known weaknesses; 0 packages"),
        ([fine, skipped], [], 0, "NOT ASKED ABOUT django"),
        ([fine, skipped], ["--must"], 2, "1 packages were not asked about"),
        ([skipped, weak], [], 1, "pillow 1: PYSEC-0, fixed in 9"),
    ):
        monkeypatch.setattr(audit, "ask", lambda found=found: {"dependencies": found})
        assert audit.main(words) == code
        assert told in capsys.readouterr().out

    def broken() -> None:
        raise json.JSONDecodeError("", "", 0)

    monkeypatch.setattr(audit, "ask", broken)
    assert audit.main([]) == 0
    assert "NOT RUN" in capsys.readouterr().out
