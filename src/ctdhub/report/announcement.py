"""A message to a mailing list about a new release, in every language of the hub."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

from ctdhub.core.format import isolated, number, span
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, _, language
from ctdhub.release.dcat import place
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.release_changes import compared, earlier, public_changes, summary
from ctdhub.report.wording import caveat
from ctdhub.stats.answers import Answers


def subject(release: Release) -> str:
    """The line that readers of a list see first, in the language in force."""
    words = _("{hub}: release {version}").format(hub=called(release.facts), version=release.version)
    practice = _("Practice data")
    return f"[{practice}] {words}" if release.facts.invented else words


def text(answers: Answers, series: Sequence[Answers], site: str = "") -> str:
    """The message in the language in force.

    Args:
        answers: of the release.
        series: of all releases of the hub.
        site: public address of the site; empty where it is not known.
    """
    release, lines = answers.release, list[str]()
    people, older = release.protected.people, earlier(release, series)
    if release.facts.invented:
        lines.append(_("Practice data: fictitious, about nobody."))
    lines.append(
        _(
            "{hub} has published release {version}: {people} people identified as victims of "
            "trafficking ({low} to {high}), {years}."
        ).format(
            hub=isolated(called(release.facts)),
            version=release.version,
            people=number(people.value),
            low=number(people.low),
            high=number(people.high),
            years=span(release.years),
        )
    )
    lines.append(caveat())
    if older:
        found = compared(older[0], answers)
        before = older[0].release
        lines += ["", _("What changed since release {version}").format(version=before.version)]
        lines += [f"- {line}" for line in (*public_changes(before, release, found), summary(found))]
    if site:
        base = place(site, release.version)
        lines += ["", _("Read it: {address}").format(address=f"{base}en/index.html")]
        lines.append(
            _("New releases and corrections as a feed: {address}").format(
                address=f"{site.rstrip('/')}/feed.xml"
            )
        )
    return "\n".join(lines) + "\n"


def in_all(
    answers: Answers, series: Sequence[Answers], site: str = "", only: Sequence[str] = LANGUAGES
) -> str:
    """The message in all languages of the hub that are wanted, one after the other."""
    parts = []
    for code in [c for c in LANGUAGES if c in answers.release.facts.languages and c in only]:
        with language(code):
            own = text(answers, series, site).replace("/en/index.html", f"/{code}/index.html")
            parts.append(f"{NATIVE_NAMES[code]}\n{'=' * len(NATIVE_NAMES[code])}\n\n{own}")
    return "\n\n".join(parts)


def message(answers: Answers, body: str) -> bytes:
    """A draft that mail programs open (RFC 5322): add who receives it, and send it."""
    found = EmailMessage(policy=SMTP)
    with language(LANGUAGES[0]):
        found["Subject"] = subject(answers.release)
    found["X-Unsent"] = "1"
    found.set_content(body, charset="utf-8", cte="base64")
    return found.as_bytes()
