"""The table of verbs: where each is defined, for whom it is, and what its help says.

A test holds it beside the verbs.  It loads neither Typer nor any room.
"""

from __future__ import annotations

import difflib
import shutil
import textwrap

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text, _, joined

MODULES: dict[str, tuple[str, ...]] = {
    "ctdhub.cli.hub": ("init", "demo", "build", "check", "release", "ledger"),
    "ctdhub.cli.desk": ("adopt", "kit", "desk"),
    "ctdhub.cli.approve": ("approve", "hold", "approvers"),
    "ctdhub.cli.verify": ("reissue", "correct", "verify"),
    "ctdhub.cli.link": ("linkage", "link"),
    "ctdhub.cli.look": ("look",),
    "ctdhub.cli.withdraw": ("withdraw",),
    "ctdhub.cli.papers": ("journal", "papers"),
    "ctdhub.cli.tokens": ("key", "tokens"),
    "ctdhub.cli.bundle": ("bundle",),
    "ctdhub.cli.contributor": ("suggest", "harmonise", "mapping"),
    "ctdhub.cli.schema": ("codebook", "form", "crosswalk", "convert"),
    "ctdhub.cli.practice": ("practice", "rehearse"),
    "ctdhub.cli.protect": ("protect", "domains", "kanon"),
    "ctdhub.cli.count": ("count",),
    "ctdhub.cli.site": ("site", "serve", "push", "deposit", "notice"),
    "ctdhub.cli.facts": ("brief", "facts", "trends"),
    "ctdhub.cli.signals": ("signals",),
    "ctdhub.cli.estimate": ("estimate",),
    "ctdhub.cli.equity": ("equity", "tables"),
}
"""Modules of this package and the verbs that each one's ``register(app)`` adds."""

ROLES: dict[str, tuple[str, ...]] = {
    "evaluator": ("demo", "practice", "rehearse"),
    "steward": (
        "init",
        "check",
        "look",
        "build",
        "release",
        "reissue",
        "correct",
        "site",
        "serve",
        "notice",
        "push",
        "deposit",
        "linkage",
        "withdraw",
        "journal",
        "papers",
        "desk",
    ),
    "privacy_officer": ("approve", "hold", "approvers", "ledger", "adopt", "key"),
    "contributor": (
        "kit",
        "form",
        "suggest",
        "harmonise",
        "mapping",
        "tokens",
        "bundle",
        "link",
        "count",
    ),
    "reader": (
        "verify",
        "facts",
        "brief",
        "trends",
        "signals",
        "estimate",
        "equity",
        "tables",
        "codebook",
    ),
    "table": ("protect", "domains", "kanon", "crosswalk", "convert"),
}
"""Whom the list shows a verb to first, in the order in which a newcomer needs them; anybody may
run any."""


def role_title(role: str) -> str:
    """A role of :data:`ROLES` as a title of the list."""
    return {
        "evaluator": _("To try it out"),
        "steward": _("Data steward"),
        "privacy_officer": _("Privacy officer"),
        "contributor": _("Contributing organisation"),
        "reader": _("Researchers, journalists, policymakers"),
        "table": _("A single table, without a hub"),
    }[role]


def about(verb: str) -> str:
    """What the help of a verb says: one line, then paragraphs, the last ones examples."""
    return helps()[verb]


def line(verb: str) -> str:
    """The first paragraph of a verb's help."""
    return about(verb).partition("\n\n")[0]


def helps() -> dict[str, str]:
    """The help of every verb, in the language in force."""
    return {
        "demo": _(
            """Make a practice hub from the files of fictitious contributors and build it.

Example: ctdhub demo demo-hub && ctdhub serve demo-hub"""
        ),
        "practice": _(
            """Write the files of four fictitious contributors, their mappings, and the truth \
behind them.

The same seed and number of people give the same files, byte for byte.

Example: ctdhub practice practice-files --people 5000 --seed 7

Example: ctdhub practice practice-names --names --people 5000"""
        ),
        "rehearse": _(
            """Try a policy on fictitious people: how much noise each table gets, what is shown.

No real data are read and nothing is charged. Name several values of epsilon to see them side by \
side.

Example: ctdhub rehearse my-hub --epsilon 1 --epsilon 4 --people 50000"""
        ),
        "init": _(
            "Make an empty hub folder, with settings to fill in."
            "\n\nIts policy starts with a guarantee that a privacy officer would sign: epsilon 2 a "
            "release and 6 in all, or 1 and 3 where --max-people declares 100,000 or more."
            '\n\nExample: ctdhub init my-hub --name "Our hub" --max-people 20000'
        ),
        "papers": _(
            """Draft the papers that a hub must have: data-sharing agreements, a data protection \
impact assessment, the record of processing, and the notice to data subjects.

They are made from the settings, the policy and the agreements of the hub; no contributed file is \
opened. What a person must still decide is marked and counted.

Example: ctdhub papers my-hub --lang fr

Example: ctdhub papers my-hub --paper dpia --format pdf --out drafts"""
        ),
        "check": _("Check settings, agreements and mappings without reading case files."),
        "build": _(
            "Bring the hub up to date: harmonise, alarms, link, protect, candidate, release, site."
            "\n\nOnly steps whose inputs or software changed run. Protecting changed people spends "
            "privacy budget: the command asks first, or needs --spend; --until link stops before "
            "it. A candidate waits until two people approve it."
            "\n\nExample: ctdhub build my-hub --explain"
        ),
        "release": _(
            "Build up to a release and give it a version and a note of your own.\n\nIt is "
            "published when two people have approved it. A new version is drawn anew and "
            "charged, whether anything changed or not; to reissue an earlier one, see `ctdhub "
            'reissue`.\n\nExample: ctdhub release my-hub --version 2026.2 --note "adds two '
            'contributors"'
        ),
        "journal": _(
            "Show who ran or decided what in a hub: builds, charges, approvals, withdrawals.\n\nIt "
            "names commands, versions and users of this system, never a value of a "
            "record.\n\nExample: ctdhub journal my-hub --last 20"
        ),
        "site": _(
            "Build the public site of all releases of a hub, or of one release: pages in every "
            "language of the hub, downloads.\n\nExample: ctdhub site my-hub"
        ),
        "serve": _(
            "Serve a site on this computer only, and open it in the browser."
            "\n\nExample: ctdhub serve my-hub"
        ),
        "look": _(
            """Look at what contributors sent before privacy is spent: values, unknown texts, \
alarms.

Private, exact and free: nothing is charged. Each delivery is shown next to the one before. Files \
are written for you alone; a file name without a folder is written to work/look.

Example: ctdhub look my-hub --html look.html

Example: ctdhub look my-hub --contributor our-ngo --report rows.xlsx"""
        ),
        "linkage": _(
            """Show how many people appear in the records of more than one contributor, and how \
certain that is.

The report is for the steward: exact counts, never to be published. It changes nothing that is \
released. The pairs for clerical review are in work/people/review.csv.

Example: ctdhub linkage my-hub"""
        ),
        "withdraw": _(
            """Leave a person, or a contributor, out of the next build and of every later \
release.

The contributor reports the number of the case as it is in its own file, or the token; the \
command asks for it, so that it is not kept in the history of the shell. The register keeps a \
keyed hash of the number and no name. A person is left out with the records of all contributors \
that share the person's token. Published releases stay.

Example: ctdhub withdraw my-hub --contributor our-ngo

Example: ctdhub withdraw my-hub --contributor our-ngo --file numbers.txt

Example: ctdhub withdraw my-hub --contributor our-ngo --all --delete-raw"""
        ),
        "approve": _(
            "Approve a candidate with your key; the second approval publishes it."
            "\n\nThe steward and the privacy officer each sign on their own. Shows what is signed "
            "and asks first. With --not-before it is published by the first build from that day "
            "on; the later day of the two counts."
            "\n\nExample: ctdhub approve my-hub --role steward --key steward.pem"
            "\n\nExample: ctdhub approve my-hub --correction 2026.1 --role steward --key "
            "steward.pem"
        ),
        "hold": _(
            "Hold a candidate back, or refuse it: nothing is published, whatever was approved."
            "\n\nEach role takes back its own hold with --lift, and signs that with its key."
            '\n\nExample: ctdhub hold my-hub 2026.1 --role privacy_officer --reason "ages"'
            "\n\nExample: ctdhub hold my-hub 2026.1 --role privacy_officer --lift --key officer.pem"
        ),
        "approvers": _(
            "Show the keys of the two approvers, or sign a change of them in hub.yaml."
            "\n\nThe approver whose own keys stay the same signs it; nothing is published before."
            "\n\nExample: ctdhub approvers my-hub"
            "\n\nExample: ctdhub approvers my-hub --role steward --key steward.pem --reason "
            '"new device"'
        ),
        "reissue": _(
            "Reissue a published version: its files are copied as they are.\n\nThis is decided "
            "without reading the data: no case files are opened and nothing is charged. A new "
            "version is always drawn anew and charged, whether anything changed or not.\n\n"
            "Example: ctdhub reissue my-hub 2026.1 --out for-the-archive/2026.1"
        ),
        "push": _(
            "Bring a published release to a CKAN portal, with all its files."
            "\n\nThe token of the portal comes from the variable CTDHUB_CKAN_TOKEN. A push can be "
            "repeated: what is there already is left alone, and a release is never written over. "
            "Practice data must be private."
            "\n\nExample: ctdhub push my-hub --to https://ckan.example.org --organisation my-org"
        ),
        "deposit": _(
            "Write what an archive needs to give a published release a DOI: metadata of DataCite, "
            "and a deposit of Zenodo."
            "\n\nExample: ctdhub deposit my-hub --out for-the-archive"
        ),
        "notice": _(
            "Write a message about a published release for a mailing list, in the languages of "
            "the hub. Nothing is sent."
            "\n\nExample: ctdhub notice my-hub --out release.eml"
        ),
        "correct": _(
            "Publish a notice about a published version; its files stay as they are."
            "\n\nThe steward and the privacy officer both sign it (`ctdhub approve --correction "
            "VERSION`); then it is shown on every page of the version, in its downloads, in the "
            "files for programs and in citations. With --withdraw the version is withdrawn."
            '\n\nExample: ctdhub correct my-hub 2026.1 --note "Ages of 2021 are wrong: use 2026.2."'
        ),
        "ledger": _(
            "Show what privacy was spent on, by kind and by contributor, and what is left."
            "\n\nExample: ctdhub ledger my-hub --json"
        ),
        "adopt": _(
            "Continue the ledger of a hub in this folder, after it was copied, moved or "
            "restored.\n\nWhat was charged on this machine and is not in this copy counts as "
            "spent. From then on every other copy refuses to charge. The folder of a single "
            "table's ledger can be named too.\n\nExample: ctdhub adopt my-hub"
        ),
        "key": _("Make and pass on keys: to approve releases, and to link without identities."),
        "form": _(
            "Write a form that asks for all that a hub can use, for KoboToolbox or ODK.\n\nIt asks "
            "for consent first and for no name. Its answers need no mapping of their own: the "
            "built-in mapping ctdhub-form reads its exports.\n\nExample: ctdhub form --out "
            "form.xlsx\n\nExample: ctdhub form --langs fr,ar --out form.xlsx"
        ),
        "suggest": _(
            "Suggest a mapping for a file, with the reason for each line."
            "\n\nThe suggestion shows texts of coded columns: keep it where the file is."
            "\n\nExample: ctdhub suggest cases.xlsx --out mappings/our-ngo.yaml"
        ),
        "harmonise": _(
            "Turn a file into records of the hub's schema and account for every row."
            "\n\nWithout --out nothing is written. What is written is sensitive. "
            "The exit code is 1 where rows were rejected."
            "\n\nExample: ctdhub harmonise cases.csv --mapping ctdc-2021 --out work/try"
        ),
        "mapping": _(
            "Decide in a workbook what the texts of a file mean, and write the decisions into the "
            "mapping.\n\nExample: ctdhub mapping export our-ngo.yaml --file cases.xlsx --out "
            "questions.xlsx\n\nExample: ctdhub mapping import our-ngo.yaml --decisions "
            "questions.xlsx --out our-ngo.new.yaml"
        ),
        "tokens": _(
            "Turn names and birth dates into keyed tokens and strip them in the same pass.\n\n"
            "Run it on the computer where the file is: names never leave that computer. It "
            "shows what happens to each column and asks; it never shows a value. Contributors "
            "who use the same key, release and columns get tokens that agree where they know "
            "the same person.\n\nExample: ctdhub tokens cases.xlsx --key link.key --release "
            "2026.1 --out leaves.csv"
        ),
        "bundle": _(
            "Make and open bundles: one signed and encrypted file that a contributor hands to a "
            "hub by mail or on a disk.\n\nExample: ctdhub bundle open june.ctdbundle --hub my-hub "
            "--identity inbox.age"
        ),
        "kit": _(
            "Open the kit: your file, column by column, in your own browser, until a bundle is "
            "ready for the hub.\n\nIt runs on this computer only and needs no network. It writes "
            "in its own folder and nowhere else. It needs the extra desk: pip install '.\\[desk]' "
            "from the source folder of ctdhub."
            "\n\nExample: ctdhub kit"
        ),
        "link": _(
            "Link persons of several contributors by their names, and write copies without "
            "names.\n\nFor contributors, or a unit that they trust, who may lawfully hold each "
            "other's identifiers; never at the hub. People whose names are spelt differently "
            "by two contributors are found too. In the copies, link_token is the same wherever "
            "a person is the same; everything else is as `ctdhub tokens` writes it. An option "
            "with a file before it, such as --columns B.csv:given=name1,family=name2, is for "
            "that file alone. Needs pip install splink.\n\nExample: ctdhub link "
            "A.csv B.xlsx --key link.key --release 2026.1 --out round-1"
        ),
        "count": _(
            "Count together without handing over records: the hub learns only a noisy sum."
            "\n\nIn turn: hub `new`, contributors `join`, hub `start`, contributors `mask`, hub "
            "`close`, contributors `reveal`, hub `sum` and `release`. "
            "Each step reads and writes files in one folder, and says what comes next."
        ),
        "verify": _(
            """Check a release: recompute the hash of every file, find missing, extra and changed \
files, and check who approved it and who signed notices about it.

Inside a hub approvals and notices must be signed with the keys in hub.yaml, and the register of \
withdrawals must be whole.

Exit code 0: whole; 2: errors found.

Example: ctdhub verify my-hub/releases/2026.1"""
        ),
        "facts": _(
            "State the facts of a release, or of a region in it: sentences with their intervals."
            "\n\nExample: ctdhub facts my-hub --region Europe --years 2002-2018 --lang fr"
        ),
        "brief": _(
            "Two pages to print on a country, a region, a corridor or a day; a poster; or a "
            "contributor's private report.\n\nName one subject."
            "\n\nExample: ctdhub brief my-hub --country ITA --lang fr"
            "\n\nExample: ctdhub brief my-hub --day 2026-10-18 --poster"
            "\n\nExample: ctdhub brief my-hub --contributor harbour-casework"
        ),
        "trends": _(
            """Did the world change or the data? Split a change into contributors, completeness \
and the remaining change.

Example: ctdhub trends my-hub --of gender=female --from 2021 --to 2024"""
        ),
        "signals": _(
            "Find series that differ from their own past, in number or in share."
            "\n\nA table has the columns series, period and count, and if known denominator; or "
            "name a hub or a release, whose yearly series are then looked at."
            "\n\nExample: ctdhub signals series.csv --fdr 0.1"
        ),
        "estimate": _(
            "Estimate the hidden population from overlapping lists (multiple systems estimation), "
            "by several methods side by side.\n\nThe source is a table with a column of 0 and 1 "
            "for each list and the number of people as its last column, or a hub or release whose "
            "lists were measured. The same source always gives the same numbers.\n\nExit code 0: "
            "estimates; 1: the lists overlap too little, or one holds nearly everybody, and no "
            "number is given; 2: an error.\n\nExample: ctdhub estimate lists.csv --strata gender "
            "--chart methods.svg"
        ),
        "equity": _(
            """Show who receives assistance and who does not, by group, with intervals.

A gap is reported only where it is larger than noise and chance explain.

Example: ctdhub equity my-hub --kind accommodation --by citizenship_group"""
        ),
        "tables": _(
            "Fill the tables that the UN, Eurostat or GRETA ask for, from a release: aligned with "
            "them, not certified."
            "\n\nEvery table says what is missing. Rates need a population file with the columns "
            "country, year, population, source and reference_date; sex and age may be added."
            "\n\nWith --for otip the quarterly report of a grantee is filled from its own file "
            "into the publisher's empty workbook: private, and never through a release."
            "\n\nExample: ctdhub tables my-hub --for sdg-16.2.2 --country ITA --year 2020 "
            "--population population.csv"
        ),
        "desk": _(
            "Serve the hub's desk, where organisations send data and people decide."
            "\n\nThe desk works on the hub folder, as these commands do. Accounts are made by "
            "invitation; the first one, for an administrator, is printed. It needs the extra desk: "
            "pip install '.\\[desk]' from the source folder of ctdhub."
            "\n\nExample: ctdhub desk my-hub\n\nExample: ctdhub desk verify my-hub"
        ),
        "codebook": _("Write the codebook: what each variable and code means, in every language."),
        "protect": _(
            """Protect any table whose columns have known permitted values: records, counts, \
manifest.

The ledger is charged before noise is drawn. The same command again fills the same folder for \
free; another folder is another version, drawn anew and charged.

Example: ctdhub protect cases.csv --domains domains.yaml --epsilon 1 --delta 1e-6 --out protected"""
        ),
        "domains": _(
            """Draft the permitted values of each column (domains file), for review.

Example: ctdhub domains cases.csv --out domains.yaml"""
        ),
        "kanon": _(
            "Make a one-off file k-anonymous: suppress cells until each row equals k - 1 others."
            "\n\nRows are kept and written in random order. An empty cell is not recorded; "
            "a suppressed one says so."
            "\n\nExample: ctdhub kanon cases.csv --k 11 --columns year,gender,age,country "
            "--extra 0.1"
        ),
        "crosswalk": _(
            "Show how one format meets another, with every loss and its reason."
            "\n\nWithout names, list the formats; hub stands for the hub's own variables."
            "\n\nExample: ctdhub crosswalk ctdc-2021 ctdc-2024 --lossy"
        ),
        "convert": _(
            "Write harmonised records in a known format and say what was lost."
            "\n\nThe result is as sensitive as the records: protect and release to publish."
            "\n\nExample: ctdhub convert records.parquet --to ctdc-2024 --out records.csv"
        ),
    }


# --------------------------------------------------------------------------------------------------
# The list of verbs by role, and what a verb that is not there was likely meant to be.
#
# It is plain text, so that ``ctdhub --help`` loads neither Typer nor rich nor any room.

_WIDEST = 100


def overview(width: int | None = None) -> str:
    """Every verb with its line, by role.

    Args:
        width: columns of the screen; asked of the terminal, and 100 at most, if None.
    """
    width = min(width or shutil.get_terminal_size().columns, _WIDEST)
    margin = max(map(len, helps())) + 4
    lines = [
        _("Usage: ctdhub VERB [OPTIONS]"),
        "",
        *textwrap.wrap(
            _("From contributors' case files to a protected, published dataset."), width
        ),
    ]
    for role, verbs in ROLES.items():
        lines += ["", role_title(role)]
        for verb in verbs:
            head = f"  {verb}".ljust(margin)
            lines += textwrap.wrap(
                line(verb),
                width,
                initial_indent=head,
                subsequent_indent=" " * margin,
                break_on_hyphens=False,
            )
    lines += [
        "",
        _("Example: {command}").format(command="ctdhub demo demo-hub && ctdhub serve demo-hub"),
        _("Arguments, options and examples of a verb: ctdhub VERB --help"),
        _("The version: ctdhub --version"),
    ]
    return "\n".join(lines) + "\n"


def no_such_verb(asked: str) -> HubError:
    """The error of a verb that is not there, with those that are spelt almost like it."""
    near = difflib.get_close_matches(asked, helps(), n=3)
    if near:
        names = joined([f"`ctdhub {name}`" for name in near], Text(", "))
        return error("usage/near-verb", names=names, command="ctdhub")
    return error("usage/no-verb", command="ctdhub")
