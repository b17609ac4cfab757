"""The documentation is about this software: verbs, keys and links exist, and all are described."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import reference
import typer
import yaml
from tests.source import none

import ctdhub
from ctdhub.cli.app import command
from ctdhub.dp.policy import Policy
from ctdhub.hub.folder import Agreement, HubSettings
from ctdhub.report.calendar import KINDS, Event
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.mapping import Decision, Rule

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/[!g]*/**/*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
)
VERBS = set(typer.main.get_command(command()).commands)  # type: ignore[attr-defined]


def test_links_lead_somewhere() -> None:
    none(
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
        if not target.startswith(("https://", "http://")) and not (page.parent / target).exists()
    )


def test_commands_exist() -> None:
    none(
        f"{page.relative_to(ROOT)}: ctdhub {verb}"
        for page in PAGES
        for verb in re.findall(r"(?:^|`)ctdhub ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
        if verb not in VERBS
    )


def test_every_verb_is_in_the_list_of_verbs() -> None:
    page = reference.VERBS.read_text("utf-8")
    assert page == reference.verbs(), "run `python tools/reference.py`"
    assert {*re.findall(r"^\| `(\w+)` \| \S", page, re.MULTILINE)} == VERBS
    assert "reference/verbs.md" in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_is_a_screen_and_a_half() -> None:
    """One picture, two commands; what is generated or has its page is only named."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.split()) <= 550
    assert len(re.findall(r"!\[", readme)) == 1
    assert re.findall(r"^make (\w+)$", readme, re.MULTILINE) == ["demo", "test"]
    roles = {page.stem for page in (ROOT / "docs/start").glob("*.md")}
    assert {*re.findall(r"docs/start/([\w-]+)\.md", readme)} == roles


def test_every_key_of_a_mapping_is_described() -> None:
    reference = (ROOT / "docs/reference/mapping.md").read_text("utf-8")
    keys = {f.alias or name for name, f in Rule.model_fields.items()}
    actions = set(Decision.model_fields["action"].annotation.__args__)  # type: ignore[union-attr]
    assert not {k for k in keys | actions if f"`{k}`" not in reference}


def test_every_setting_of_a_hub_is_described() -> None:
    reference = (ROOT / "docs/reference/hub-folder.md").read_text("utf-8")
    keys = {*HubSettings.model_fields, *Agreement.model_fields}
    assert not {k for k in keys if f"`{k}`" not in reference}


def test_every_key_of_an_event_is_described() -> None:
    reference = (ROOT / "docs/reference/hub-folder.md").read_text("utf-8")
    assert not {k for k in (*Event.model_fields, *KINDS) if f"`{k}`" not in reference}


def test_the_event_in_the_documentation_is_one() -> None:
    guide = (ROOT / "docs/how-to/announce-events.md").read_text("utf-8")
    example = re.search(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert example is not None
    for entry in yaml.safe_load(textwrap.dedent(example[1]))["events"]:
        Event.model_validate(entry)


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    place = ROOT / project["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{ctdhub.__version__}"' in place.read_text("utf-8")


def test_every_package_of_the_tree_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
    package = ROOT / "src/ctdhub"
    folders = [f.parent.relative_to(package) for f in package.rglob("__init__.py")]
    tree = {".".join(folder.parts) for folder in folders if folder.parts} | {"border"}
    listed = set(re.findall(r"^\| `([a-z_.]+)` \|", glossary, re.MULTILINE))
    assert listed == tree


def test_pages_made_from_the_code_name_every_verb_key_and_variable() -> None:
    pages = reference.pages()
    assert {f"## ctdhub {verb}" for verb in VERBS} <= set(pages["commands.md"].splitlines())
    models = (HubSettings, Agreement, Policy, Rule, Decision)
    keys = {f.alias or name for model in models for name, f in model.model_fields.items()}
    assert not {key for key in keys if f"{key}`" not in pages["settings.md"]}
    variables = {v.name for v in (*load_schema().table("people"), *load_schema().perpetrators)}
    assert not {name for name in variables if f"| `{name}` |" not in pages["schema.md"]}
    documented = {n for n in ctdhub.__all__ if not n.startswith("_")}
    assert not {n for n in documented if f":: ctdhub.{n}\n" not in pages["docstrings.md"]}


def test_every_page_is_in_the_documentation_site() -> None:
    index = (ROOT / "docs/index.md").read_text("utf-8")
    shown = set(re.findall(r"\]\(([\w/-]+\.md)\)", index))
    for folder in ("start", "tutorial", "how-to", "reference", "explanation"):
        pages = {f"{folder}/{page.name}" for page in (ROOT / "docs" / folder).glob("*.md")}
        assert not pages - shown
    folders = {page.parent.name for page in (ROOT / "docs").glob("*/*.md")} - {"generated"}
    assert not {name for name in folders if f"{name}/" not in index}
    assert all(f"generated/{name.removesuffix('.md')}" in index for name in reference.pages())
