"""Help: kinds of blank, common mistakes, a glossary."""

import hashlib
from typing import cast

from markupsafe import Markup, escape

from ctdhub.core.i18n import Text, _, said_all
from ctdhub.document.svg import element
from ctdhub.site.edition import GET_HELP, LEARN, Content, MenuEntry, PageKind
from ctdhub.site.frame import GET_HELP_PAGE as PATH
from ctdhub.site.frame import Page

HELP_PATH = "help.html"

KIND = PageKind(
    "help",
    lambda content: [page()],
    menu=MenuEntry(LEARN, HELP_PATH, Text("How to read the data")),
    common=True,
)


def page() -> Page:
    """The page of help."""
    return Page(
        path=HELP_PATH,
        title=_("Help"),
        description=_("What the words mean, which mistakes are common, how to leave quickly."),
    )


# --------------------------------------------------------------------------------------------------
# Get help: whom to call, how to reach the hub; rules for those who help or report.
#
# The text is the software's: it counts as reviewed in a hub only once somebody there has read it in
# that language (``help_reviewed`` of hub.yaml).

CASEWORKERS, MEDIA = "for-caseworkers.html", "for-media.html"

GET_HELP_KIND = PageKind(
    "get_help",
    lambda content: [get_help_page(content), *guides()],
    menu=MenuEntry(GET_HELP, PATH, Text("Get help")),
    common=True,
    reads=("help", "contact"),
)


def get_help_page(content: Content) -> Page:
    """The page for somebody who needs help."""
    return Page(
        path=PATH,
        title=_("Get help"),
        description=_("Helplines by country, and how to browse safely."),
        values={
            **_texts(),
            "reached": _reached(content.edition.contact),
            "guides": guides(),
        },
        scripts=("get-help.js",),
    )


def review_mark() -> str:
    """Eight letters and digits that stand for the text of the page in the language in force.

    A review holds for the text that was read: another text has another mark.
    """
    words = "\n".join(line for text in _texts().values() for line in text)
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def _reached(contact: str) -> Markup | None:
    """Where the hub is reached, with its link; None where it names no address."""
    if not contact:
        return None
    href = contact if contact.startswith("https://") else f"mailto:{contact}"
    link = element("a", element("bdi", contact), href=href, rel="nofollow noreferrer")
    text = _(
        "Write to {address} if something here is wrong, or could harm you or somebody else. You "
        "need not say who you are. Do not write details of a case. Nobody answers calls for help "
        "at this address."
    )
    return escape(text).format(address=link)


def _texts() -> dict[str, list[str]]:
    """The paragraphs of each part of the page Get help."""
    return cast("dict[str, list[str]]", said_all("ctdhub.site.pages", "get_help"))


def guides() -> tuple[Page, Page]:
    """Rules for caseworkers and for the media."""
    return (
        Page(
            path=CASEWORKERS,
            title=_("For caseworkers"),
            description=_("How to use this site with a person whom you assist, without harm."),
            menu=PATH,
        ),
        Page(
            path=MEDIA,
            title=_("For the media"),
            description=_("How to report on these numbers without harm to anybody."),
            menu=PATH,
        ),
    )
