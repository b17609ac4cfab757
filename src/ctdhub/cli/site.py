"""Verbs that show and hand on a release: site, serve, push, deposit, notice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.output import bar, say
from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES, _
from ctdhub.site.stories.seconds import IDLE

if TYPE_CHECKING:
    from ctdhub.release.open import Release


# --------------------------------------------------------------------------------------------------
# The verbs ``site`` and ``serve``.


def site(
    source: options.Folder = Path(),
    out: Path | None = None,
    url: str | None = None,
    exhibit: Annotated[bool, typer.Option("--exhibit")] = False,
    idle: Annotated[int, typer.Option(min=10, max=3600)] = IDLE,
    offline: Annotated[bool, typer.Option("--offline")] = False,
) -> None:
    """The verb ``site``."""
    from ctdhub.cli.approve import approvers_near
    from ctdhub.hub.stages import site as stage
    from ctdhub.release.open import leading, open_release, open_releases
    from ctdhub.site.build import build_site
    from ctdhub.site.edition import Edition
    from ctdhub.site.stories.exhibit import build_exhibit

    folder = options.release_folder(source)
    if in_hub := (source / "hub.yaml").is_file():
        edition = stage.edition(options.hub(source), url, offline=offline)
    else:
        root = source if folder != source else None
        edition = Edition.of(root, url or "", offline=offline)
    target = out or (source if folder != source else Path()) / ("exhibit" if exhibit else "site")
    if exhibit:
        with bar() as progress:
            build_exhibit(options.opened(folder), target, edition.stories, idle, progress, edition)
        say(_("Built the exhibition: open {file}."), file=target / "index.html")
        return
    with bar() as progress:
        progress(_("Building the site"), 0.0)
        alone = folder == source
        keys = approvers_near(folder)
        releases = (open_release(folder, keys),) if alone else open_releases(folder.parent, keys)
        lead, others = leading(releases)
        kept = stage.card_store(options.hub(source)) if in_hub and url is None else None
        build_site(lead, target, progress, edition, others, kept=kept)
    say(_("Built the site in {folder}."), folder=target)
    say(_("See it: ctdhub serve {folder}"), folder=target)


def serve(
    folder: options.Folder = Path(),
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    no_open: Annotated[bool, typer.Option("--no-open")] = False,
    mcp: Annotated[bool, typer.Option("--mcp")] = False,
) -> None:
    """The verb ``serve``."""
    import webbrowser

    if mcp:
        from ctdhub.api.agents import server

        server(folder).run("stdio")
        return

    from ctdhub.site.serve import serve as serve_site

    inner = folder / "site"
    target = inner if (inner / "index.html").is_file() else folder

    def ready(address: str) -> None:
        say(_("Serving {folder} at {address} (Ctrl-C stops)."), folder=target, address=address)
        if not no_open:
            webbrowser.open(address)

    serve_site(target, port, ready)
    say(_("Stopped."))


# --------------------------------------------------------------------------------------------------
# The verbs ``push``, ``deposit`` and ``notice``: tell others of a release.

SiteAddress = Annotated[str | None, typer.Option("--site")]


def push(
    source: Path,
    to: options.Needed,
    organisation: options.Needed,
    site: SiteAddress = None,
    private: Annotated[bool, typer.Option("--private")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
) -> None:
    """The verb ``push``."""
    from ctdhub.release import deposit as ckan

    release = _published(source)
    token = os.environ.get(ckan.TOKEN, "")
    if not token:
        raise error("push-token", name=ckan.TOKEN)
    words = {
        "create": _("create dataset {name}"),
        "update": _("update dataset {name}"),
        "upload": _("upload {name}"),
        "keep": _("{name} already exists"),
    }
    steps = ckan.push(
        release,
        ckan.Portal(to, token),
        organisation,
        site=_site(release, site),
        private=private,
        dry=dry_run,
    )
    for step in steps:
        say(words[step.what], name=step.name)
    say(_("Nothing was sent.") if dry_run else _("The portal has the release."))


def deposit(source: Path, out: options.NeededPath, site: SiteAddress = None) -> None:
    """The verb ``deposit``."""
    from ctdhub.core.tables import as_json
    from ctdhub.release.deposit import datacite, require_citable, zenodo

    release = _published(source)
    require_citable(release)
    address = _site(release, site)
    hub = options.hub_near(release.path)
    doi = hub.settings.doi.get(release.version, "") if hub else ""
    files = {
        "datacite.json": datacite(release, address, doi),
        "zenodo.json": zenodo(release, address),
    }
    out.mkdir(exist_ok=True)
    for name in files:
        options.require_new(out / name)
    for name, content in files.items():
        options.deliver(as_json(content), out / name)
    if not doi:
        text = _(
            "Write the DOI that the archive gives into hub.yaml, under doi, with the "
            "version {version} as its key."
        )
        say(text, version=release.version)


def notice(
    source: options.Folder = Path(),
    lang: str = "",
    site: SiteAddress = None,
    out: Path | None = None,
) -> None:
    """The verb ``notice``."""
    from ctdhub.release.open import open_releases
    from ctdhub.report.release_changes import in_all, message
    from ctdhub.stats.answers import Answers

    release = _published(source)
    options.require_new(out)
    wanted = [options.one_of(c.strip(), LANGUAGES, "--lang") for c in lang.split(",") if lang]
    answers = Answers(release)
    folder = release.path.parent
    others = [r for r in open_releases(folder) if r.version != release.version]
    series = (answers, *map(Answers, others))
    body = in_all(answers, series, _site(release, site), wanted or LANGUAGES)
    if out is None:
        options.deliver(body, None)
    else:
        out.write_bytes(message(answers, body))
        options.tell_written(out)


def _published(source: Path) -> Release:
    """The release that is meant: whole, and no candidate that waits for approval.

    Raises:
        ReleaseError: it is not.
    """
    from ctdhub.cli.approve import approvers_near
    from ctdhub.release.approvals import CANDIDATES
    from ctdhub.release.open import verify

    release = options.opened(source)
    if release.path.resolve().parent.name == CANDIDATES or verify(
        release.path, approvers_near(release.path)
    ):
        raise error("push-unverified", file=release.path, version=release.version)
    return release


def _site(release: Release, address: str | None) -> str:
    """The public address of the site that was given, else that of the hub."""
    from ctdhub.site.frame import Sharing

    if address is not None:
        return Sharing(address).url
    hub = options.hub_near(release.path)
    return hub.settings.site.url if hub else ""
