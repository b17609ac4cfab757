"""The explorer's words that its script puts together, in the language in force."""

from __future__ import annotations

from typing import Any

from ctdhub.core.i18n import _, formula
from ctdhub.report.wording import state_words


def sources() -> dict[str, str]:
    """Labels of a number: where it is from."""
    return {
        "published": _("Published count"),
        "sum": _("Sum of published counts"),
        "bound": _("Upper bound, not measured"),
    }


def words() -> dict[str, Any]:
    """Texts by their use; {…} are filled by the script."""
    return {**_numbers(), **_choices(), **_sharing(), **messages()}


def _numbers() -> dict[str, Any]:
    return {
        "blank": state_words("not_recorded"),
        "few": state_words("protected"),
        "silent": state_words("nobody_reports"),
        "unmeasured": state_words("not_measured"),
        "states": {
            "shown": _("shown"),
            "imprecise": state_words("imprecise"),
            "protected": state_words("protected"),
            "not_measured": _unmeasured(),
        },
        "reason": _unmeasured(),
        "sources": sources(),
        "sized": formula("{value} ± {half}"),
        "ranged": _("{people} ({low} to {high})"),
        "most": _("at most {n}"),
        "between": _("between {low} and {high}"),
        "people": _("{people} people"),
        "largest": _("Largest: {label}, {people} people"),
        "known": _("n = {n} people whose answer is recorded ({low} to {high})."),
        "missing": _("Not recorded for {share} of people."),
        "shares": _("Shares are of the people whose answer is recorded."),
        "listed": _("Not shown (not zero): {list}."),
        "uncovered": _("Nobody reports here: {list}."),
        "outside": _("{label}: {people}"),
        "more": _("more in A"),
        "fewer": _("more in B"),
        "same": _("no difference beyond the noise"),
        "compared": _(
            "A and B differ where their intervals have no point in common; the intervals are made "
            "wider because {n} pairs are compared at once."
        ),
        "differing": _("A and B differ in {n} of {all} answers."),
    }


def _choices() -> dict[str, Any]:
    return {
        "pair": _("{question}: {answers}"),
        "comma": _(", "),
        "filters": _("Filters: {filters}"),
        "nofilter": _("No filter: all people."),
        "any": _("Any of the ticked answers"),
        "every": _("All of the ticked answers together"),
        "search": _("Search a country"),
        "find": _("Find filters, with commas between them"),
        "remove": _("Remove the filter {filter}"),
        "all": _("all people"),
        "group": _("Group {letter}"),
        "letters": [_("A"), _("B")],
        "none": _("nothing"),
        "compare": _("Compare two groups"),
        "stop": _("Stop comparing"),
        "offer": _("Without the filter {filters}: {chart} can be shown."),
        "wider": _("Without the filter {filters}"),
        "nearest": _("This was not measured. The nearest questions that were:"),
        "unshown": _(
            "No number can be shown here: each is below the reporting threshold, which is not "
            "zero. With fewer filters:"
        ),
        "ignored": _(
            "The address names filters or values that this release does not have: {names}. They "
            "were left out."
        ),
        "unsplit": _("Without splitting: {chart} can be shown."),
        "measurable": _("{chart} (not measured under these filters)"),
    }


def _sharing() -> dict[str, Any]:
    return {
        "sentence": _(
            "{label}: {people} people ({low} to {high}). {what}. {filters} {base} {source}"
        ),
        "most_sentence": _("{label}: {people}. {what}. {filters} {source}"),
        "source": _("{hub}, release {version}, licence: {licence}. {url}"),
        "accessed": _("Accessed on {date}."),
        "practice": _("Practice data: fictitious."),
        "copied": _("Copied."),
        "byhand": _("Copy this text:"),
        "coded": _("The numbers of this chart with their intervals."),
        "counted": _(
            "No single table holds this chart. The code counts the synthetic records; it gives the "
            "numbers but no intervals, and a number without an interval must not be quoted."
        ),
    }


def messages() -> dict[str, Any]:
    """What to say if there can be no filters."""
    return {
        "old": _("This browser is too old to filter. The charts show all people."),
        "server": _(
            "Filters need a site that is served over HTTP, or one made for disks with "
            "`ctdhub site HUB --offline`. The charts show all people."
        ),
        "failed": _(
            "The data for the filters could not be loaded. Load the page again; the charts show "
            "all people."
        ),
    }


def _unmeasured() -> str:
    """Why a number is only bounded."""
    return _(
        "These answers were not measured together. Nobody who meets all conditions fails one of "
        "them, so the number is at most the smallest of those that were measured."
    )
