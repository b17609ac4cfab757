"""One page of each kind that the site of the fictitious release has."""

from ctdhub.site.frame import address, card_address

KINDS = (
    "index.html",
    "get-help.html",
    "for-caseworkers.html",
    "for-media.html",
    "explore.html",
    "countries/index.html",
    "countries/europe.html",
    "countries/ukr.html",
    "corridors.html",
    "map.html",
    "map-citizenship.html",
    "map-exploitation.html",
    "trends.html",
    "trends-citizenship.html",
    "facts.html",
    "facts/europe.html",
    "signals.html",
    "changes.html",
    "estimates.html",
    "assistance.html",
    "assistance-age-band.html",
    "mandated.html",
    "briefs.html",
    "data.html",
    "standards/htcds-2.html",
    "methods.html",
    "style.html",
    "check.html",
    "help.html",
    "learn/index.html",
    "learn/meaning.html",
    "learn/intervals.html",
    "learn/blanks.html",
    "learn/trainer.html",
    "events.html",
    "stories/index.html",
    "stories/what-was-not-written-down.html",
    "card/index.html",
    "card/gender.html",
    "card/map-citizenship.html",
    "card/assistance-age-band.html",
)
APART = (
    "assistance-citizenship-group-gender.html",
    "trends-exploited-in.html",
    "briefs/europe.html",
    "briefs/ukr.html",
    "learn/safely.html",
    "learn/signals.html",
    "card/explore.html",
    "card/people-by-year.html",
    "card/corridors.html",
    "card/all-corridors.html",
    "card/signals.html",
    "card/places/ukr.html",
    "card/trends-total.html",
)
"""Pages that share a template with one of ``KINDS`` and hold other parts of it; looked at with
CTDHUB_EVERY_PAGE."""


def place_of(code: str, kind: str, version: str = "2026.1") -> str:
    """Where a page of ``KINDS`` lies: a card in its release, any other once."""
    card = kind.removeprefix("card/")
    return address(code, kind) if card == kind else card_address(code, version, card)
