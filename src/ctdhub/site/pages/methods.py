"""How people are protected and how exact the numbers are, in plain words."""

import math
from datetime import date
from statistics import median
from typing import Any

from markupsafe import Markup

from ctdhub.core.format import day, decimal, number, share, tiny
from ctdhub.core.i18n import Text, _, current, said
from ctdhub.document.svg import Canvas, colours, contrast
from ctdhub.release.approvals import APPROVALS, ROLE_NAMES, Approvals
from ctdhub.release.open import Release
from ctdhub.report import wording
from ctdhub.report.figures import figures
from ctdhub.schema.labels import label
from ctdhub.site.edition import DATA, PLAIN, Content, Edition, MenuEntry, PageKind, read_attacks
from ctdhub.site.frame import FIGURES, Page, script
from ctdhub.stats.cards import sure_afterwards

PATH = "methods.html"
SUSPICIONS = (0.01, 0.1, 0.5)
_MANY = 12
"""Columns whose noise is listed each by itself; beyond that their median is."""

KIND = PageKind(
    "methods",
    lambda content: [page(content.release, content.edition)],
    menu=MenuEntry(DATA, PATH, Text("Methods")),
    reads=("spending",),
)


def page(release: Release, edition: Edition = PLAIN) -> Page:
    """The page on methods; the edition knows the hub's ledger."""
    return Page(
        path=PATH,
        title=_("Methods"),
        description=_("How people are protected, and how exact the numbers are."),
        values={
            "privacy": _privacy(release),
            "odds": _odds(release.protected.guarantee.epsilon),
            "accuracy": _accuracy(release),
            "twice": wording.counted_twice(release),
            "twice_by": wording.twice_by_citizenship(release),
            "approved": _approved(release),
            "spending": edition.spending,
            "attacks": read_attacks(release.path),
        },
    )


def noise(release: Release) -> str:
    """The first sentence on protection."""
    mechanism = release.protected.guarantee.mechanism
    words = {"discrete Gaussian": _("discrete Gaussian noise")}
    return _(
        "Every number and every synthetic record here is made from counts with random noise "
        "(differential privacy; {mechanism}). The case records behind them never left the hub."
    ).format(mechanism=words.get(mechanism, mechanism))


def _privacy(release: Release) -> dict[str, Any]:
    g = release.protected.guarantee
    return {
        "noise": noise(release),
        "epsilon": decimal(g.epsilon, "0.####"),
        "delta": tiny(g.delta),
        "unit": said(wording.unit_words(g.unit, g.rows)),
        "factor": _factor(g.epsilon),
        "one_in": number(1 / g.delta),
        "more": [said(sentence) for sentence in wording.sentences(g)],
        "reason": release.facts.promise_reason,
    }


def _odds(epsilon: float) -> list[tuple[str, str]]:
    """Suspicions before and after, as shares."""
    return [(share(p), share(sure_afterwards(epsilon, p), fine=True)) for p in SUSPICIONS]


def _accuracy(release: Release) -> list[tuple[str, str]]:
    """Noise of the number of people, of core columns, of pairs, of corridors."""
    sigma, lang = release.protected.guarantee.sigma, current()
    alone = [name for name in sigma if name and "*" not in name]
    rows = [(_("all people"), sigma.get(""))]
    if len(alone) <= _MANY:
        rows += [(label(name, lang), sigma[name]) for name in alone]
    elif alone:
        rows.append((_("one variable (median)"), median(sigma[n] for n in alone)))
    for parts, words in ((2, _("two variables (median)")), (3, _("three variables (median)"))):
        sigmas = [s for name, s in sigma.items() if name.count("*") == parts - 1]
        if sigmas:
            rows.append((words, median(sigmas)))
    corridor = sigma.get("citizenship*country_of_exploitation")
    if corridor:
        rows.append((_("a corridor"), corridor))
    return [(words, decimal(value)) for words, value in rows if value]


def _approved(release: Release) -> str:
    if not (release.path / APPROVALS).exists():
        return _("This copy does not say who agreed.")
    signed = [a.statement for a in Approvals.read(release.path).approvals]
    when = [day(date.fromisoformat(one.date[:10])) for one in signed]
    return _("Two people looked at this release and signed it: {who}.").format(
        who=_(", ").join(
            _("{role} on {date}").format(role=said(ROLE_NAMES[one.role]), date=on)
            for one, on in zip(signed, when, strict=True)
        )
    )


def _factor(epsilon: float) -> str:
    return decimal(math.exp(epsilon)) if epsilon < 10 else number(math.exp(min(epsilon, 50)))


# --------------------------------------------------------------------------------------------------
# Check a release in the browser, with the verifier that imports nothing of this software.

CHECK_PATH = "check.html"
CHECK_KIND = PageKind("check", lambda content: [check_page(content)])


def check_page(content: Content) -> Page:
    """The page, for every release of the site that was not withdrawn."""
    series = [answers.release for answers in content.edition.series] or [content.release]
    return Page(
        path=CHECK_PATH,
        title=_("Check this release"),
        description=_("Recompute every hash and check both signatures in your own browser."),
        values={
            "versions": [release.version for release in series if not release.withdrawn],
            "program": script("verify-release.mjs"),
            "roles": {role: said(name) for role, name in ROLE_NAMES.items()},
        },
        menu=PATH,
        scripts=("check.js",),
    )


# --------------------------------------------------------------------------------------------------
# The style page: every part that pages are made of, drawn by the rules that all pages share.

STYLE_PATH = "style.html"
STYLE_KIND = PageKind("style", lambda content: [style_page(content)], reads=("help",))


def style_page(content: Content) -> Page:
    """The page, with the first chart of the release."""
    first = next(iter(figures(content.answers)), None)
    return Page(
        path=STYLE_PATH,
        title=_("Parts of the pages"),
        description=_("Every part that pages are made of, for those who change them."),
        values={"swatch": _swatch, "contrasts": _contrasts, "drawn": first},
        menu="methods.html",
        scripts=FIGURES if first else (),
    )


def _contrasts(name: str) -> list[str]:
    """Of a colour with the paper, by day and by night."""
    modes = colours(), colours(dark=True)
    return [decimal(contrast(mode[name], mode["paper"])) for mode in modes]


def _swatch(name: str) -> Markup:
    canvas = Canvas(48, "px")
    canvas.put("rect", width=48, height=24, fill=f"var(--{name})", stroke="var(--edge)")
    return canvas.svg(width=48, height=24, aria_hidden="true")
