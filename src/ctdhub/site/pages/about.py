"""What stands at the foot of a page about the data: contributors, citation, level of intervals."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from ctdhub.core.format import share, year
from ctdhub.core.i18n import LANGUAGES, _, current
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.double_counting import comparison_note
from ctdhub.report.wording import citation


def about(release: Release) -> dict[str, Any]:
    """Values of the template ``about.html``, and the note on the level of intervals."""
    own = codebook(current())
    level = share(release.protected.guarantee.level)
    return {
        "codebook": own if (release.path / own).exists() else "",
        "contributors": [
            (called(c), " – ".join(year(y) for y in c.years or release.years))
            for c in release.facts.contributors
        ],
        "citation": _citation(release),
        "comparisons": comparison_note(release),
        "note_level": _("Intervals hold with {level} confidence.").format(level=level),
    }


def codebook(code: str) -> str:
    """Name of the codebook in a language."""
    return "codebook.html" if code == LANGUAGES[0] else f"codebook.{code}.html"


def _citation(release: Release) -> Markup:
    """How to cite the release; the hub's name keeps its own direction."""
    hub = escape(called(release.facts))
    return escape(citation(release)).replace(hub, Markup("<bdi>{}</bdi>").format(hub), 1)
