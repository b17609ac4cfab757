"""Pages of the documentation that are made from the code: verbs, settings, schema, docstrings.

Run by `make docs`, which writes them to docs/generated, and the list of verbs, which the README
leads to, to docs/reference/verbs.md.  Nothing in them is edited by hand.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import ctdhub
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import language

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "generated"
VERBS = ROOT / "docs" / "reference" / "verbs.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells in which Markdown finds no mark-up of its own but code."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|")
    parts = re.split(r"(`[^`]*`)", flat)
    return "".join(p if p.startswith("`") else re.sub(r"([<>*_\[\]{}])", r"\\\1", p) for p in parts)


def _prose(text: str) -> str:
    return "\n\n".join(_cell(block).replace("\\|", "|") for block in re.split(r"\n\s*\n", text))


def verbs() -> str:
    """Every verb by whom it is for, with its line and its examples."""
    from ctdhub.cli.verbs import helps, role_title, roles

    parts = [
        "# Verbs",
        "Whom a verb is for first; anybody may run any. `ctdhub VERB --help` says more: options, "
        "and what each verb needs. A verb that cannot go on ends with exit code 2 and a remedy. "
        "Messages come in English, French, Spanish and Arabic (`CTDHUB_LANG=fr`).",
    ]
    with language("en"):
        told = helps()
        for role, names in roles().items():
            rows = []
            for name in names:
                first, *more = told[name].split("\n\n")
                shown = [x.partition("Example: ")[2] for x in more if x.startswith("Example: ")]
                examples = " ".join(f"`{' '.join(x.split())}`" for x in shown)
                rows.append((f"`{name}`", first, examples or f"`ctdhub {name} --help`"))
            parts += [f"## {role_title(role)}", table(("verb", "what it does", "example"), rows)]
    return "\n\n".join(parts) + (
        "\n\nThis page is made from the help of the verbs by `python tools/reference.py`. From "
        "Python: [the Python interface](python.md).\n"
    )


def commands() -> str:
    """A section for each verb, as its own help has it."""
    import typer

    from ctdhub.cli.app import command

    parts = [
        "# Commands",
        "Every verb of `ctdhub`, as `ctdhub VERB --help` shows it. A verb that cannot go on ends "
        "with exit code 2 and a remedy.",
    ]
    top = typer.main.get_command(command())
    for name, verb in sorted(top.commands.items()):  # type: ignore[attr-defined]
        parts += _verb(f"ctdhub {name}", verb, 2)
    return "\n\n".join(parts) + "\n"


def _verb(name: str, verb: Any, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} {name}"
    yield _prose(re.sub(r"\[/?[a-z ]+\]", "", verb.help or ""))
    rows = []
    for given in verb.params:
        if given.name == "help" or getattr(given, "hidden", False):
            continue
        option = given.param_type_name == "option"
        names = ", ".join((*given.opts, *given.secondary_opts)) if option else given.name.upper()
        default = "" if given.default in (None, False) or callable(given.default) else given.default
        if isinstance(default, list | tuple):
            default = " ".join(map(str, default))
        told = given.help or ""
        rows.append(
            (
                f"`{names}`",
                "yes" if given.required else "",
                f"`{default}`" if str(default) else "",
                told,
            )
        )
    if rows:
        yield table(("parameter", "required", "default", "meaning"), rows)
    for inner, found in sorted(getattr(verb, "commands", {}).items()):
        yield from _verb(f"{name} {inner}", found, depth + 1)


def settings() -> str:
    """Keys of hub.yaml, agreements, policy.yaml, mappings and domains files."""
    from ctdhub.dp.policy import Policy
    from ctdhub.dp.standalone.domains import DomainsFile
    from ctdhub.hub.folder import Agreement, HubSettings
    from ctdhub.report.calendar import Event
    from ctdhub.sensitive.mapping.mapping import Mapping

    files = {
        "hub.yaml": HubSettings,
        "contributors/ID.yaml": Agreement,
        "policy.yaml": Policy,
        "mappings/ID.yaml": Mapping,
        "domains.yaml": DomainsFile,
        "events.yaml: one event": Event,
    }
    parts = [
        "# Keys of settings files",
        "Every key that the software reads, with its type and default. What each is for: "
        "[hub folder](../reference/hub-folder.md), [mapping](../reference/mapping.md), "
        "[domains file](../reference/domains.md).",
    ]
    for title, model in files.items():
        parts.append(f"## {title}")
        parts += _model(model, set())
    return "\n\n".join(parts) + "\n"


def _model(model: Any, seen: set[Any], prefix: str = "") -> Iterator[str]:
    rows, inner = [], []
    for name, found in model.model_fields.items():
        key = found.alias or name
        default = "required" if found.is_required() else _default(found)
        rows.append((f"`{prefix}{key}`", f"`{_type(found.annotation)}`", default))
        inner += [(key, part) for part in _models(found.annotation)]
    yield table(("key", "type", "default"), rows)
    for key, part in inner:
        if part not in seen:
            seen.add(part)
            yield f"**Within `{prefix}{key}`:**"
            yield from _model(part, seen)


def _default(found: Any) -> str:
    value = found.get_default(call_default_factory=True)
    if value is None or value == () or value == {} or isinstance(value, FrozenModel):
        return ""
    return f"`{value!r}`"


def _models(annotation: Any) -> list[Any]:
    inside = getattr(annotation, "__args__", ())
    if inspect.isclass(annotation) and hasattr(annotation, "model_fields") and not inside:
        return [annotation]
    return [model for part in inside for model in _models(part)]


def _type(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inside[0])
    if origin is Literal:
        return " | ".join(map(repr, inside))
    if origin in (UnionType, Union):
        return " | ".join(map(_type, inside))
    if annotation is Ellipsis:
        return "…"
    if annotation is type(None):
        return "None"
    name = getattr(origin or annotation, "__name__", str(annotation))
    return f"{name}[{', '.join(map(_type, inside))}]" if inside else name


def codebook() -> str:
    """Every variable with its label, definition and codes."""
    from ctdhub.schema import codebook as book
    from ctdhub.schema.labels import code_label, definition, label
    from ctdhub.schema.model import load_schema

    parts = [
        "# The schema",
        f"Variables of schema {load_schema().version}, as `ctdhub codebook` describes them in four "
        "languages. Public variables may be part of a release.",
    ]
    for name in book.TABLES:
        parts.append(f"## {name}")
        rows = []
        for v in book.own_variables(name):
            codes = book.codes(v)
            shown = ", ".join(f"{code_label(v.name, c, 'en')} (`{c}`)" for c in codes)
            if v.kind == "country":
                shown = f"{len(codes)} codes of ISO 3166-1"
            public = "yes" if v.public else "no"
            told = f"**{label(v.name, 'en')}.** {definition(v.name, 'en')}"
            rows.append((f"`{v.name}`", v.kind, public, told, shown))
        parts.append(_bold(table(("variable", "kind", "public", "meaning", "values"), rows)))
    return "\n\n".join(parts) + "\n"


def _bold(text: str) -> str:
    return text.replace("\\*\\*", "**")


def interface() -> str:
    """Docstrings of the public names."""
    parts = [
        "# Docstrings of the Python interface",
        "What [the Python interface](../reference/python.md) offers, parameter by parameter.",
    ]
    body = []
    for name in ctdhub.__all__:
        value = getattr(ctdhub, name)
        if inspect.isclass(value):
            body.append(f".. autoclass:: ctdhub.{name}\n   :members:")
        elif inspect.isfunction(value):
            body.append(f".. autofunction:: ctdhub.{name}")
    return "\n\n".join(parts) + "\n\n```{eval-rst}\n" + "\n\n".join(body) + "\n```\n"


def pages() -> dict[str, str]:
    """All generated pages, in English, by file name."""
    with language("en"):
        return {
            "commands.md": commands(),
            "settings.md": settings(),
            "schema.md": codebook(),
            "docstrings.md": interface(),
            "changelog.md": "```{include} ../../CHANGELOG.md\n```\n",
        }


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for name, text in pages().items():
        (OUT / name).write_text(text, "utf-8")
    VERBS.write_text(verbs(), "utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(list(OUT.glob('*.md')))} pages")


if __name__ == "__main__":
    main()
