"""The command line as a steward meets it: help everywhere, and no error without a remedy."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from ctdhub import __version__
from ctdhub.cli import app, output
from ctdhub.core.i18n import LANGUAGES, _, language, preferred
from ctdhub.dp.policy import load_policy
from ctdhub.hub import init

COMMAND = typer.main.get_command(app.command())
VERBS = sorted(COMMAND.commands)  # type: ignore[attr-defined]
NEED_A_FILE = (
    "approve", "convert", "demo", "harmonise", "init", "practice", "suggest", "tokens", "verify",
)  # fmt: skip
ON_A_HUB = ("build", "check", "ledger", "linkage", "release")


@pytest.fixture
def ctdhub(ctdhub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return ctdhub


def test_doctests() -> None:
    assert doctest.testmod(output).failed == 0


def test_there_are_verbs() -> None:
    assert len(VERBS) >= 16
    assert set(NEED_A_FILE) | set(ON_A_HUB) < set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    with pytest.raises(SystemExit) as ended:
        COMMAND([verb, "--help"])
    assert not ended.value.code
    command = COMMAND.commands[verb]  # type: ignore[attr-defined]
    assert len(command.help) > 20
    assert all(getattr(p, "help", None) for p in command.params), "an argument without help"


@pytest.mark.parametrize("code", LANGUAGES)
def test_help_speaks_one_language(ctdhub, code: str) -> None:  # type: ignore[no-untyped-def]
    with language(code):
        exit_code, out, _err = ctdhub("init", "--help")
        assert exit_code == 0
        out = " ".join(out.replace("│", " ").split())  # a narrow table breaks its lines
        for text in (_("Options"), _("[required]"), _("Show this help and end.")):
            assert text in out
    if code != LANGUAGES[0]:
        assert "Show this" not in out
        assert "[required]" not in out


def test_no_words_is_help(ctdhub) -> None:  # type: ignore[no-untyped-def]
    code, out, err = ctdhub()
    assert code == 2
    assert "harmonise" in out + err


def test_version(ctdhub) -> None:  # type: ignore[no-untyped-def]
    assert ctdhub("--version")[:2] == (0, f"{__version__}\n")


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_option_is_named(ctdhub, verb: str) -> None:  # type: ignore[no-untyped-def]
    code, _out, err = ctdhub(verb, "--no-such-option")
    assert code == 2
    assert "--no-such-option" in err
    assert f"ctdhub {verb} --help" in err


@pytest.mark.parametrize("verb", NEED_A_FILE)
def test_a_missing_argument_is_named(ctdhub, verb: str) -> None:  # type: ignore[no-untyped-def]
    code, _out, err = ctdhub(verb)
    assert code == 2
    assert "is missing" in err
    assert f"ctdhub {verb} --help" in err


WRONG = {
    "no such verb": ["biuld"],
    "too many": ["check", "a", "b"],
    "not a number": ["demo", "hub", "--people", "many"],
    "too few people": ["practice", "files", "--people", "3"],
    "no such port": ["serve", "--port", "99999"],
    "no such stage": ["build", "--until", "lunch"],
    "option without value": ["harmonise", "table.csv", "--mapping"],
    "no such format": ["crosswalk", "ctdc-1066"],
    "no such codebook": ["codebook", "--format", "papyrus"],
    "no such language": ["codebook", "--lang", "xx"],
    "hub in a file": ["demo", "table.csv"],
    "new hub in a file": ["init", "table.csv"],
    "new hub below a file": ["init", "table.csv/hub"],
    "practice in a file": ["practice", "table.csv", "--people", "1000"],
    "name too long": ["demo", "x" * 300],
    "suggest a folder": ["suggest", "."],
    "suggest nothing": ["suggest", "absent.csv"],
    "suggestion into no folder": ["suggest", "table.csv", "--out", "absent/m.yaml"],
    "harmonise nothing": ["harmonise", "absent.csv", "--mapping", "ctdc-2021"],
    "no mapping": ["harmonise", "table.csv", "--mapping", "absent.yaml"],
    "no key": ["harmonise", "table.csv", "--mapping", "m.yaml", "--key", "absent"],
    "key is a folder": ["harmonise", "table.csv", "--mapping", "m.yaml", "--key", "."],
    "records into a file": ["harmonise", "table.csv", "--mapping", "m.yaml", "--out", "table.csv"],
    "convert a table": ["convert", "table.csv", "--to", "ctdc-2024", "--out", "o.csv"],
    "convert a folder": ["convert", ".", "--to", "ctdc-2024", "--out", "o.csv"],
    "facts of nothing": ["facts", "absent"],
    "facts of a file": ["facts", "table.csv"],
    "trends of nothing": ["trends", "absent"],
    "trends from no year": ["trends", ".", "--from", "soon"],
    "verify a file": ["verify", "table.csv"],
    "verify nothing": ["verify", "absent"],
    "site of nothing": ["site", "absent"],
    "serve nothing": ["serve", "absent", "--no-open"],
    "approve no hub": ["approve", ".", "--role", "steward", "--key", "k.pem"],
    "approve in no role": ["approve", ".", "--role", "director", "--key", "k.pem"],
    "key over a file": ["key", "new", "--out", "table.csv"],
    "key into no folder": ["key", "new", "--out", "absent/k.pem"],
    "no key in it": ["key", "show", "table.csv"],
    "no such key": ["key", "show", "absent.pem"],
    **{f"{verb} no hub": [verb, "."] for verb in ON_A_HUB},
    **{f"{verb} a file": [verb, "table.csv"] for verb in ON_A_HUB},
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG.keys())
def test_wrong_words_end_with_a_remedy(  # type: ignore[no-untyped-def]
    ctdhub, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n", "utf-8")
    mapping = {"version": 1, "columns": {"gender": {"from": "a", "map": {"1": "female"}}}}
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(mapping), "utf-8")
    before = {path.name for path in tmp_path.iterdir()}
    code, _out, err = ctdhub(*words)
    assert code == 2
    assert err.startswith("Error: ")
    assert "What to do: " in err
    assert {path.name for path in tmp_path.iterdir()} == before, "an error leaves nothing behind"


@pytest.mark.skipif(
    os.geteuid() == 0, reason="the superuser may write everywhere: run as another user"
)
def test_a_folder_that_may_not_be_written(ctdhub, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    tmp_path.chmod(0o500)
    code, _out, err = ctdhub("init", "hub")
    tmp_path.chmod(0o700)
    assert code == 2
    assert "Permission denied" in err


def test_what_the_system_refuses_is_said(  # type: ignore[no-untyped-def]
    ctdhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device", "/secret/place/case.csv")

    monkeypatch.setattr(init, "new_hub", full)
    with language("fr"):
        code, _out, err = ctdhub("init", "hub")
        assert _("The disk is full.") in err
    assert code == 2
    assert "case.csv" in err
    assert "secret" not in err
    assert "No space" not in err


def test_a_suggestion_in_a_file_is_a_mapping(  # type: ignore[no-untyped-def]
    ctdhub, tmp_path: Path
) -> None:
    """What is printed can be sent into a file: remarks for the reader go elsewhere."""
    assert ctdhub("practice", "files", "--people", "1000")[0] == 0
    code, out, err = ctdhub("suggest", "files/practice_fictitious_refuge_htcds.xlsx")
    assert code == 0
    assert yaml.safe_load(out)["version"] == 1
    assert "htcds-2-export" in err


def test_check_looks_at_everything(ctdhub, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    hub = init.new_hub(tmp_path / "hub", "A hub")
    assert ctdhub("check", "hub")[0] == 0
    agreement = dict.fromkeys(
        ("name", "scope", "legal_basis", "consent_rule", "retention", "display_rule"), "text"
    ) | {"id": "our-ngo", "kind": "hotline"}
    (hub.root / "contributors" / "our-ngo.yaml").write_text(yaml.safe_dump(agreement), "utf-8")
    code, out, err = ctdhub("check", "hub")
    assert code == 2
    assert "✗ our-ngo" in out
    assert "There is no mapping for the contributor our-ngo" in err
    (hub.root / "mappings" / "our-ngo.yaml").write_text("builtin: ctdc-2021\n", "utf-8")
    assert ctdhub("check", "hub")[0] == 0
    (hub.root / "contributions" / "stranger" / "2026-01-15").mkdir(parents=True)
    (hub.root / "contributions" / "stranger" / "2026-01-15" / "a.csv").write_text("a\n", "utf-8")
    assert "without an agreement" in ctdhub("check", "hub")[2]
    (hub.root / "hub.yaml").write_text("nmae: A hub\n", "utf-8")
    with language("fr"):
        code, _out, err = ctdhub("check", "hub")
        told = _("there is no such setting")
        assert _("{place}: {part}").format(place="nmae", part=told) in err
        assert "required" not in err
    assert code == 2


@pytest.mark.parametrize(("most", "epsilon", "budget"), [(99_999, 2.0, 6.0), (100_000, 1.0, 3.0)])
def test_a_new_hub_begins_with_a_strict_promise(  # type: ignore[no-untyped-def]
    ctdhub, tmp_path: Path, most: int, epsilon: float, budget: float
) -> None:
    status, out, err = ctdhub("init", str(tmp_path / "h"), "--max-people", str(most))
    assert (status, err) == (0, "")
    assert f"epsilon {epsilon:g} for a release and {budget:g}" in out
    assert f"ctdhub desk serve {tmp_path / 'h'}" in out.replace("\n", "")
    rules = load_policy(tmp_path / "h" / "policy.yaml")
    assert (rules.epsilon, rules.budget.epsilon, rules.max_people) == (epsilon, budget, most)
    assert not rules.unreasoned


def test_a_new_hub_keeps_case_data_out_of_version_control(tmp_path: Path) -> None:
    hub = init.new_hub(tmp_path / "hub", "A hub")
    ignored = (hub.root / ".gitignore").read_text("utf-8").split()
    assert {"contributions/", "keys/", "work/", "candidates/", "ledger/secret"} <= set(ignored)
    with hub.lock():
        for folder in (hub.work, hub.root / "contributions"):
            assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("asked", ["xx", "", "C", "zz_ZZ.UTF-8"])
def test_an_unknown_language_is_english(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("CTDHUB_LANG", asked)
    assert preferred() == "en"


def test_a_process_in_an_unknown_language_speaks_english() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from ctdhub.cli.main import main; main()", "check", "absent"],
        env={**os.environ, "CTDHUB_LANG": "xx", "LC_ALL": "", "LC_MESSAGES": "", "LANG": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")


DOCS = Path(__file__).parents[2]


def test_commands_in_the_documents_exist() -> None:
    """Every `ctdhub VERB --option` of README and docs is one that the command knows.

    Pages that `make docs` writes are made from the command itself.
    """
    made = {DOCS / "docs" / name for name in ("_site", "generated")}
    verbs = COMMAND.commands  # type: ignore[attr-defined]
    options = {name for p in COMMAND.params for name in p.opts}
    lines = [
        line
        for path in [DOCS / "README.md", *sorted((DOCS / "docs").rglob("*.md"))]
        if not made & {*path.parents}
        for part in path.read_text("utf-8").split("ctdhub ")[1:]
        for line in [part.split("`")[0].split("\n")[0]]
        if line.split() and (line.split()[0] in verbs or "--" in line)
    ]
    assert len(lines) > 20
    for line in lines:
        verb, *rest = (word.rstrip(".,;:") for word in line.split())  # as sentences end
        if verb in options or verb == "VERB":  # whichever
            continue
        assert verb in verbs, line
        asked = verbs[verb]
        if verb == "desk" and rest:  # `desk HUB` and `desk --demo` are short forms
            begins = rest[0] if rest[0] in asked.commands else "serve"
            rest = ["demo", *rest[1:]] if rest[0] == "--demo" else [begins, *rest]
        if inner := getattr(asked, "commands", None):  # a group, such as `key`
            assert rest[:1] in ([], ["--help"], *([name] for name in inner)), line
            asked = inner.get(rest[0], asked) if rest else asked
        known = {name for p in asked.params for name in p.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= known, line
