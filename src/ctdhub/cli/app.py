"""The command as Typer has it: verbs put together, run, its own words in the user's language."""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any, cast

import typer
from typer import rich_utils
from typer.core import TyperCommand

import ctdhub
from ctdhub.cli import verbs
from ctdhub.cli.main import HELP
from ctdhub.cli.output import console
from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import _

UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What Typer raises for arguments that it cannot use, wherever it keeps the class."""


def command(verb: str | None = None) -> typer.Typer:
    """The command: every verb, or the group of one alone, which starts sooner and takes less.

    Args:
        verb: what the user asks for, if it is known.
    """
    app = typer.Typer(
        name="ctdhub",
        help=_("From contributors' case files to a protected, published dataset."),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": HELP},
        add_completion=False,
    )

    @app.callback()
    def everywhere(
        version: Annotated[
            bool,
            typer.Option(
                "--version",
                callback=_show_version,
                is_eager=True,
                help=_("Show the version and end."),
            ),
        ] = False,
    ) -> None: ...

    for module in [m for m, names in verbs.modules().items() if verb in names] or verbs.modules():
        for name in verbs.modules()[module]:
            _add(app, importlib.import_module(module), name)
    return app


class Command(TyperCommand):
    """A command whose help, and that of its parameters, is what ``verbs.yaml`` says."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """Take what Typer gives; the function tells which entry it is."""
        super().__init__(*args, **more)
        function = getattr(self.callback, "__name__", "")
        self.help, self.epilog = verbs.about(function), verbs.epilog(function)
        parameters: list[Any] = self.params
        for one in parameters:
            one.help = one.help or verbs.about_option(function, one.name)


def _add(app: typer.Typer, module: ModuleType, name: str) -> None:
    """Add a verb: a function of its module, or one for each command within it."""
    entry = verbs.verbs()[name]
    if "verbs" not in entry:
        app.command(name, cls=Command)(getattr(module, name))
        return
    group = typer.Typer(no_args_is_help=True, cls=getattr(module, entry.get("group", ""), None))
    app.add_typer(group, name=name, help=verbs.about(name))
    for inner in entry["verbs"]:
        group.command(inner, cls=Command)(getattr(module, f"{name}_{inner}"))


def _show_version(asked: bool) -> None:
    if asked:
        console.print(ctdhub.__version__, highlight=False)
        raise typer.Exit


def run(app: typer.Typer) -> int:
    """Run the command with Typer's own words in the user's language; gives the exit code.

    Raises:
        HubError: an option, an argument or a verb is wrong (rule "usage"), or the verb raises it.
        KeyboardInterrupt: the user stopped it.
    """
    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.REQUIRED_LONG_STRING = _("[required]")
    rich_utils.DEFAULT_STRING = _("[default: {}]")
    root = typer.main.get_command(app)
    for verb in _and_within(root):
        option = verb.get_help_option(typer.Context(verb, help_option_names=HELP))
        if option is not None:
            option.help = _("Show this help and end.")
        _speak(verb)
    try:
        return int(root(standalone_mode=False) or 0)
    except UsageError as cause:
        if type(cause).__name__ == "NoArgsIsHelpError":  # the help is the message
            return HubError.exit_code
        raise misused(cause) from None
    except typer.Abort:
        raise KeyboardInterrupt from None


def _speak(verb: Any) -> None:
    """Let the help of a command say its usage and kinds of values in the user's language."""

    def usage(context: Any, formatter: Any) -> None:
        pieces = " ".join(verb.collect_usage_pieces(context))
        formatter.write_usage(context.command_path, pieces, prefix=_("Usage:") + " ")

    def kind(shown: str | None) -> str | None:
        names = {
            "str": _("text"),
            "int": _("whole number"),
            "float": _("number"),
            "path": _("path"),
            "file": _("file"),
            "directory": _("folder"),
        }
        name = (shown or "").strip("<>").removeprefix("list[").removesuffix("]")
        if name == "bool":  # an option that takes no value
            return None
        plain = name.removesuffix(" range")
        return f"<{names[plain]}>" if plain in names else shown

    verb.format_usage = usage
    if verb.options_metavar:
        verb.options_metavar = _("[OPTIONS]")
    for option in verb.params:
        option.display_type_rich = lambda ctx, option=option: kind(option.display_type(ctx))


def _and_within(verb: Any) -> Iterator[Any]:
    """A command and all that it holds, such as ``key new``."""
    yield verb
    for inner in getattr(verb, "commands", {}).values():
        yield from _and_within(inner)


def misused(met: Exception) -> HubError:
    """A usage error of Typer: a wrong option, argument or verb."""
    context = getattr(met, "ctx", None)
    parameter = getattr(met, "param", None)
    name = parameter.opts[0] if parameter else ""
    command = context.command_path if context else "ctdhub"
    if type(met).__name__ == "MissingParameter":
        return error("usage/missing", name=name, command=command)
    bounds = _bounds(met)
    if name and "ge" in bounds:
        return error("usage/least", name=name, least=bounds["ge"])
    if name and "le" in bounds:
        return error("usage/most", name=name, most=bounds["le"])
    if name:
        return error("usage", name=name, command=command)
    if option := getattr(met, "option_name", ""):
        return error("usage/no-option", name=option, command=command)
    if context and hasattr(context.command, "commands"):
        return error("usage/no-verb", command=command)
    return error("usage/too-many", command=command)


def _bounds(met: Exception) -> dict[str, Any]:
    """The bound that a number went beyond: ``ge`` or ``le``, as Typer's own check names it."""
    cause = met.__cause__
    faults = cause.errors() if cause is not None and hasattr(cause, "errors") else []
    return dict(faults[0].get("ctx") or {}) if faults else {}
