"""Help: kinds of blank, common mistakes, a glossary."""

from __future__ import annotations

import hashlib

from markupsafe import Markup, escape

from ctdhub.core.i18n import Text, _, current
from ctdhub.document.svg import element
from ctdhub.schema import countries
from ctdhub.site.edition import GET_HELP, LEARN, Content, MenuEntry, PageKind
from ctdhub.site.frame import GET_HELP_PAGE as PATH
from ctdhub.site.frame import Page

HELP_PATH = "help.html"

KIND = PageKind(
    "help",
    lambda content: [page()],
    menu=MenuEntry(LEARN, HELP_PATH, Text("How to read the data")),
)


def page() -> Page:
    """The page of help."""
    return Page(
        path=HELP_PATH,
        title=_("Help"),
        description=_("What the words mean, which mistakes are common, how to leave quickly."),
        template="help.html",
        values={"words": _words(), "withdraw": _withdraw()},
        menu=HELP_PATH,
    )


def _withdraw() -> list[str]:
    """How a person withdraws, in plain words."""
    return [
        _(
            "If an organisation helped you, or talked with you, it may have passed on your answers "
            "without your name. You can withdraw at any time, and need give no reason. It changes "
            "nothing about the help that you get."
        ),
        _(
            "Tell an organisation that knows you. You need not write to this site, and nobody here "
            "asks for your name: the organisation tells a number that only it can read. From the "
            "next release that is prepared after that, its records about you are left out, and "
            "those of other organisations where they can be recognised as yours. If several "
            "organisations know you, tell each of them."
        ),
        _(
            "What was published before cannot be called back. No row in it is a person's record, "
            "and random noise limits what anybody can learn about whether you were in it; that "
            "protection does not wear off."
        ),
    ]


def _words() -> list[tuple[str, str]]:
    return [
        (
            _("Identified person"),
            _(
                "Somebody whom an organisation recognised or assisted as a victim of trafficking. "
                "How many people are never identified is not known from such data."
            ),
        ),
        (
            _("Case record"),
            _("What one organisation wrote down about one person. A person may have several."),
        ),
        (
            _("Corridor"),
            _("A country of citizenship and a country of exploitation, seen together."),
        ),
        (
            _("Interval"),
            _(
                "The confidence interval: the range that contains the true count with the "
                "stated confidence. It covers the noise added for privacy, not people who "
                "were missed. Two numbers whose intervals do not overlap differ beyond the "
                "noise; where they overlap, do not say which is larger."
            ),
        ),
        (
            _("Protected"),
            _(
                "Random noise was added, so that nobody can find out whether a certain person is "
                "in the data."
            ),
        ),
        (
            _("Epsilon"),
            _(
                "How strong the protection is. The smaller it is, the less a release can tell "
                "about any one person, and the wider the intervals are."
            ),
        ),
        (
            _("Synthetic records"),
            _(
                "Synthetic rows that together have about the same counts as the real ones. "
                "No row is a real person."
            ),
        ),
        (
            _("Release"),
            _(
                "A numbered version of the data. It never changes; corrections come in the "
                "next release."
            ),
        ),
    ]


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
)


def get_help_page(content: Content) -> Page:
    """The page for somebody who needs help."""
    help = content.edition.help_of(content.release)
    return Page(
        path=PATH,
        title=_("Get help"),
        description=_("Helplines by country, and how to browse safely."),
        template="get_help.html",
        values={
            **_texts(),
            "places": [
                {
                    "id": code.lower(),
                    "name": countries.name(code, current()),
                    "emergency": help.emergency(code),
                    "contacts": help.contacts(code, only=True),
                }
                for code in help.countries()
            ],
            "everywhere": () if help.lines else help.contacts(),
            "reached": _reached(content.edition.contact),
            "guides": [(each.path, each.title) for each in guides()],
        },
        menu=PATH,
        scripts=("get-help.js",),
    )


def review_mark() -> str:
    """Eight letters and digits that stand for the text of the page in the language in force.

    A review holds for the text that was read: another text has another mark.
    """
    told = "\n".join(line for text in _texts().values() for line in text)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _reached(contact: str) -> Markup | None:
    """Where the hub is reached, with its link; None where it names no address."""
    if not contact:
        return None
    href = contact if contact.startswith("https://") else f"mailto:{contact}"
    link = element("a", element("bdi", contact), href=href, rel="nofollow noreferrer")
    told = _(
        "Write to {address} if something here is wrong, or could harm you or somebody else. You "
        "need not say who you are. Do not write details of a case. Nobody answers calls for help "
        "at this address."
    )
    return escape(told).format(address=link)


def _texts() -> dict[str, tuple[str, ...]]:
    """The page's own sentences, by section."""
    return {
        "now": (_("Call the emergency services of the country where you are."),),
        "talk": (
            _(
                "The people on these lines listen and explain what help there is. Choose the "
                "country where you are. This page does not ask for your location."
            ),
        ),
        "yours": (
            _("You do not need papers, and you need not say your name to ask."),
            _("You can stop at any time. Before you tell your story, ask who will learn of it."),
        ),
        "child": (
            _("Call a children's helpline, or tell an adult whom you trust. It is not your fault."),
            _("If you worry about a child, call too. You need not be sure."),
        ),
        "safely": (
            _(
                "“Exit this page”, or the Shift key pressed three times, opens another site, and "
                "the Back button does not lead back here."
            ),
            _(
                "Exit does not clear the history of the browser. Delete it, or use a private "
                "window or another device. A telephone may keep a list of the calls."
            ),
        ),
    }


def guides() -> tuple[Page, Page]:
    """Rules for caseworkers and for the media."""
    return (
        Page(
            path=CASEWORKERS,
            title=_("For caseworkers"),
            description=_("How to use this site with a person whom you assist, without harm."),
            template="guide.html",
            values={"lead": _caseworkers_lead(), "rules": _caseworkers()},
            menu=PATH,
        ),
        Page(
            path=MEDIA,
            title=_("For the media"),
            description=_("How to report on these numbers without harm to anybody."),
            template="guide.html",
            values={"lead": _media_lead(), "rules": _media()},
            menu=PATH,
        ),
    )


def _caseworkers_lead() -> str:
    return _("The safety of the person comes before any record, report or number.")


def _caseworkers() -> list[str]:
    return [
        _(
            "Look at this site together only where nobody else can see the screen, and only if "
            "the person wishes it. Show them “Exit this page” first."
        ),
        _(
            "Do not look for the person in the data. No synthetic record is a record of a person, "
            "and a small number may frighten somebody who believes it is about them."
        ),
        _(
            "Say before you record anything what is recorded, who receives it, and that the "
            "person may refuse or withdraw. Help does not depend on the answer."
        ),
        _(
            "Record what you need to help. Do not ask again what a colleague has recorded, and "
            "never ask for details for the sake of statistics."
        ),
        _(
            "Call a helpline with the person, not about the person, and only with their consent. "
            "For a child, follow the child protection rules of your country."
        ),
        _(
            "Do not call the police on behalf of an adult without their consent, unless the law "
            "or a danger to life obliges you. Say so before they speak."
        ),
    ]


def _media_lead() -> str:
    return _("A story that lets somebody be recognised can bring reprisals years later.")


def _media() -> list[str]:
    return [
        _(
            "Quote a number with its interval, its years and the words “people identified”. It "
            "counts people who were identified, not all trafficking."
        ),
        _(
            "Do not write that trafficking rose or fell because a count did. Ask first which "
            "organisations joined, left or changed how they work."
        ),
        _(
            "Do not rank countries, nationalities or groups as guilty. A high count may mean that "
            "somebody looks, a low count that nobody does."
        ),
        _(
            "Do not publish a name, a face, a voice, a place or a combination of details by which "
            "a person could be recognised, even with their consent, if they may still be in danger."
        ),
        _(
            "Do not ask an organisation to find a person who fits a number, and never try to find "
            "one in the data."
        ),
        _(
            "Write of “alleged perpetrators” until a court has decided. Do not show chains, cages "
            "or half-dressed people: most trafficking does not look like that."
        ),
        _("Put a helpline of the reader's country under every story."),
    ]
