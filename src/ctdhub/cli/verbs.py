"""The table of verbs, ``verbs.yaml``: where each is defined, for whom it is, what its help says.

A test holds it beside the verbs.  It loads neither Typer nor any room.
"""

import difflib
import shutil
import textwrap
from functools import cache
from importlib import resources
from typing import Any

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import LANGUAGES, Text, _, joined, read_shipped


@cache
def _table() -> dict[str, dict[str, Any]]:
    """``verbs.yaml``."""
    table: dict[str, dict[str, Any]] = read_shipped(resources.files("ctdhub.cli") / "verbs.yaml")
    return table


def _roles() -> dict[str, dict[str, Any]]:
    return {name: role for name, role in _table().items() if name != "shared"}


@cache
def verbs() -> dict[str, dict[str, Any]]:
    """What the table says of each verb."""
    return {name: verb for role in _roles().values() for name, verb in role["verbs"].items()}


@cache
def functions() -> dict[str, dict[str, Any]]:
    """What the table says of the function of each verb, and of each command within one."""
    entries = dict(verbs())
    for name, verb in verbs().items():
        entries |= {f"{name}_{inner}": entry for inner, entry in verb.get("verbs", {}).items()}
    return entries


def modules() -> dict[str, tuple[str, ...]]:
    """Modules of this package and the verbs whose functions each one has."""
    by_module: dict[str, tuple[str, ...]] = {}
    for name, verb in verbs().items():
        module = f"ctdhub.cli.{verb['module']}"
        by_module[module] = (*by_module.get(module, ()), name)
    return by_module


def roles() -> dict[str, tuple[str, ...]]:
    """Whom the list shows a verb to first, in the order in which a newcomer needs them."""
    return {name: tuple(role["verbs"]) for name, role in _roles().items()}


def texts() -> list[str]:
    """Every text of the table in English, as catalogues have them."""
    of_roles = [role["title"] for role in _roles().values()]
    of_options = [*_table()["shared"].values()]
    for entry in functions().values():
        of_options += entry.get("options", {}).values()
        of_options += [entry["epilog"]] if "epilog" in entry else []
    return [*of_roles, *map(_flowing, of_options), *map(_help, functions())]


def _help(function: str) -> str:
    """Paragraphs in English, each on one line."""
    return "\n\n".join(map(_flowing, functions()[function]["help"].split("\n\n")))


def _flowing(text: str) -> str:
    return " ".join(text.split())


def helps() -> dict[str, str]:
    """The help of every verb, in the language in force."""
    return {verb: about(verb) for verb in verbs()}


def role_title(role: str) -> str:
    """A role as a title of the list."""
    title = _roles()[role]["title"]
    return _(title)


def about(function: str) -> str:
    """What the help of a verb says, or that of a command within one, such as ``key_new``."""
    return _(_help(function))


def epilog(function: str) -> str | None:
    """What stands below the help of a verb, if anything does."""
    text = functions()[function].get("epilog")
    return text and _(text)


def about_option(function: str, name: str) -> str:
    """What the help of a verb says of an argument or option, in the language in force."""
    own = functions()[function].get("options", {})
    text = own.get(name) or _table()["shared"].get(name, "")
    return text and _(text).replace("{names}", ", ".join(LANGUAGES))


def line(verb: str) -> str:
    """The first paragraph of a verb's help."""
    return about(verb).partition("\n\n")[0]


# --------------------------------------------------------------------------------------------------
# The list of verbs by role, and what a verb that is not there was likely meant to be.
#
# It is plain text, so that ``ctdhub --help`` loads neither Typer nor rich nor any room.

_WIDEST = 100


def overview(width: int | None = None) -> str:
    """Every verb with its line, by role.

    Args:
        width: columns of the screen; asked of the terminal, and 100 at most, if None.
    """
    width = min(width or shutil.get_terminal_size().columns, _WIDEST)
    margin = max(map(len, helps())) + 4
    lines = [
        _("Usage: ctdhub VERB [OPTIONS]"),
        "",
        *textwrap.wrap(
            _("From contributors' case files to a protected, published dataset."), width
        ),
    ]
    for role, verbs in roles().items():
        lines += ["", role_title(role)]
        for verb in verbs:
            head = f"  {verb}".ljust(margin)
            lines += textwrap.wrap(
                line(verb),
                width,
                initial_indent=head,
                subsequent_indent=" " * margin,
                break_on_hyphens=False,
            )
    lines += [
        "",
        _("Example: {command}").format(command="ctdhub demo demo-hub && ctdhub serve demo-hub"),
        _("Arguments, options and examples of a verb: ctdhub VERB --help"),
        _("The version: ctdhub --version"),
    ]
    return "\n".join(lines) + "\n"


def no_such_verb(asked: str) -> HubError:
    """The error of a verb that is not there, with those that are spelt almost like it."""
    near = difflib.get_close_matches(asked, helps(), n=3)
    if near:
        names = joined([f"`ctdhub {name}`" for name in near], Text(", "))
        return error("usage/near-verb", names=names, command="ctdhub")
    return error("usage/no-verb", command="ctdhub")
