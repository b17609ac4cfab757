"""The entry point of the command, which loads as little as it can; exit codes."""

import os
import sys
from collections.abc import Sequence

import ctdhub
from ctdhub.core.errors import HubError
from ctdhub.core.errors import error as refusal
from ctdhub.core.i18n import _

HELP = ["-h", "--help"]
INTERRUPTED, PIPE_CLOSED = 130, 141
OF_A_HUB = ("allauth", "argon2", "duckdb", "numba", "scipy")
"""Packages of the extra ``hub`` that a contributor's installation lacks."""

_ONE_ALLOCATOR = ("ARROW_DEFAULT_MEMORY_POOL", "system")
"""Tables then use the memory that arrays gave back: a tenth less at the peak of a release."""


def main() -> None:
    """Run the command; a user's error is one message with a remedy and exit code 2."""
    os.environ.setdefault(*_ONE_ALLOCATOR)
    try:
        code = _answer(sys.argv[1:])
    except HubError as error:
        from ctdhub.cli.output import show_error

        show_error(error)
        code = error.exit_code
    except BrokenPipeError:  # the reader of a pipe went away, as `head` does: not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    except ModuleNotFoundError as met:
        package = (met.name or "").partition(".")[0]
        if package not in OF_A_HUB:
            raise
        from ctdhub.cli.output import show_error

        show_error(refusal("needs-hub", name=package))
        code = HubError.exit_code
    except OSError as error:
        from ctdhub.cli.output import refused, show_error

        show_error(refused(error))
        code = HubError.exit_code
    except KeyboardInterrupt:
        from ctdhub.cli.output import errors

        errors.print(_("Stopped. What was finished is kept; run the same command to go on."))
        code = INTERRUPTED
    sys.exit(code)


def _answer(words: Sequence[str]) -> int:
    """The list of verbs and the version without Typer; else the verb, with its group alone."""
    from ctdhub.cli import verbs

    first = words[0] if words else ""
    if first in ("", *HELP):
        sys.stdout.write(verbs.overview())
        return 0 if first else HubError.exit_code
    if first == "--version":
        sys.stdout.write(f"{ctdhub.__version__}\n")
        return 0
    if not first.startswith("-") and first not in verbs.helps():
        raise verbs.no_such_verb(first)
    from ctdhub.cli import app

    return app.run(app.command(first))
