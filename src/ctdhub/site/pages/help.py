"""Help: kinds of blank, common mistakes, a glossary."""

from __future__ import annotations

from ctdhub.core.i18n import Text, _
from ctdhub.site.frame import Page
from ctdhub.site.kinds import LEARN, MenuEntry, PageKind

PATH = "help.html"

KIND = PageKind(
    "help",
    lambda content: [page()],
    menu=MenuEntry(LEARN, PATH, Text("How to read the data")),
)


def page() -> Page:
    """The page of help."""
    return Page(
        path=PATH,
        title=_("Help"),
        description=_("What the words mean, which mistakes are common, how to leave quickly."),
        template="help.html",
        values={"words": _words(), "withdraw": _withdraw()},
        menu=PATH,
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
