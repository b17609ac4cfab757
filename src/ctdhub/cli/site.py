"""The verbs ``site`` and ``serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.cli.verbs import about
from ctdhub.core.i18n import _
from ctdhub.site.stories.seconds import IDLE


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("site"))
    def site(
        source: Annotated[Path, options.source()] = Path(),
        out: Annotated[
            Path | None,
            typer.Option(
                help=_(
                    "Where to; default: the folder site of the hub, or site here "
                    "for the folder of a release."
                )
            ),
        ] = None,
        url: Annotated[
            str | None,
            typer.Option(
                help=_(
                    "Public address of the site, for search engines; default: site.url in "
                    "hub.yaml, none for the folder of a release."
                )
            ),
        ] = None,
        exhibit: Annotated[
            bool,
            typer.Option(
                "--exhibit",
                help=_(
                    "Build a full-screen kiosk from the hub's stories; default folder: exhibit."
                ),
            ),
        ] = False,
        idle: Annotated[
            int,
            typer.Option(
                min=10, max=3600, help=_("Seconds without a touch until the kiosk begins anew.")
            ),
        ] = IDLE,
        offline: Annotated[
            bool,
            typer.Option(
                "--offline",
                help=_(
                    "For a disk or a USB stick: the explorer also works when its page is opened "
                    "as a file. Without it the site needs a server to filter."
                ),
            ),
        ] = False,
    ) -> None:
        from ctdhub.build.hub import Hub
        from ctdhub.build.stages import edition as edition_stage
        from ctdhub.build.stages import site as stage
        from ctdhub.cli.verify import approvers_near
        from ctdhub.release.open import leading, open_release, open_releases
        from ctdhub.site.build import build_site
        from ctdhub.site.edition import Edition
        from ctdhub.site.stories.exhibit import build_exhibit

        folder = options.release_folder(source)
        if in_hub := (source / "hub.yaml").is_file():
            edition = edition_stage.edition(Hub(source), url, offline=offline)
        else:
            root = source if folder != source else None
            edition = Edition.of(root, url or "", offline=offline)
        target = out or (source if folder != source else Path()) / (
            "exhibit" if exhibit else "site"
        )
        if exhibit:
            with bar() as progress:
                build_exhibit(
                    options.opened(folder), target, edition.stories, idle, progress, edition
                )
            console.print(
                _("Built the exhibition: open {file}.").format(
                    file=escape(str(target / "index.html"))
                )
            )
            return
        with bar() as progress:
            progress(_("Building the site"), 0.0)
            alone = folder == source
            keys = approvers_near(folder)
            held = (open_release(folder, keys),) if alone else open_releases(folder.parent, keys)
            lead, others = leading(held)
            known = stage.before(Hub(source)) if target == source / "site" and in_hub else None
            build_site(lead, target, progress, edition, others, before=known)
        console.print(_("Built the site in {folder}.").format(folder=escape(str(target))))
        console.print(_("See it: ctdhub serve {folder}").format(folder=escape(str(target))))

    @app.command(help=about("serve"))
    def serve(
        folder: Annotated[Path, typer.Argument(help=_("A hub or the folder of a site."))] = Path(),
        port: Annotated[
            int, typer.Option(min=0, max=65535, help=_("0 chooses any free port."))
        ] = 8000,
        no_open: Annotated[
            bool, typer.Option("--no-open", help=_("Do not open the browser."))
        ] = False,
    ) -> None:
        import webbrowser

        from ctdhub.site.serve import serve as serve_site

        inner = folder / "site"
        target = inner if (inner / "index.html").is_file() else folder

        def ready(address: str) -> None:
            console.print(
                _("Serving {folder} at {address} (Ctrl-C stops).").format(
                    folder=escape(str(target)), address=address
                )
            )
            if not no_open:
                webbrowser.open(address)

        serve_site(target, port, ready)
        console.print(_("Stopped."))
