"""The site alone, for a release that was published without a build: a yes, or a day that came."""

from __future__ import annotations

from ctdhub.build import engine as engine_of
from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.stages import site
from ctdhub.build.steps import Progress
from ctdhub.core.i18n import Text


def draw_site(hub: Hub, progress: Progress | None = None) -> None:
    """Let the site show every published release; nothing is read of the files, and none charged.

    Raises:
        HubError: the hub is busy (rule "lock"), or what ``ctdhub site`` refuses.
    """
    hub = Hub(hub.root.resolve())

    def tell(step: str | Text, beside: int) -> None:
        if progress:
            progress(step, float(beside))

    with hub.lock(), engine_of.engine(hub) as engine, noted(hub, "build", until="site"):
        engine.refresh([site.build_site(hub, progress)], tell)
