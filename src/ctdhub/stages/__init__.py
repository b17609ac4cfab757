"""What each stage of the pipeline does: one function per stage, each makes a Step.

Belongs here: which inputs a stage depends on and which files it leaves behind.
Does not belong here: the order of the stages (``pipeline``), the work itself (the rooms).

``records`` reaches from files to people, ``linking`` reports who several contributors know,
``protecting`` goes over the border, ``publishing`` from a candidate to the site, ``approving`` is
what the two people do between the two, ``showing`` what the hub adds to its site.  ``withdrawn``
is what withdrawals do to each of these, ``finding`` whom they find, ``withdrawing`` how they are
written down.  ``company`` refuses counts that would uncover a contributor, ``briefing`` finds what
a brief is about, ``own_report`` writes a contributor's private report.
"""

from ctdhub.stages.approving import approve, statement, waiting
from ctdhub.stages.engine import engine
from ctdhub.stages.finding import ByWhat, Found, known_contributor, look_up
from ctdhub.stages.linking import linkage, refuse_linkage_keys
from ctdhub.stages.protecting import check_paid, ledger, protect_people
from ctdhub.stages.publishing import (
    build_site,
    candidate_version,
    publish_release,
    refuse_note,
    released_version,
    write_candidate,
)
from ctdhub.stages.records import (
    OVERLAP,
    PEOPLE,
    PERPETRATORS,
    REJECTS,
    REPORT,
    code,
    harmonise_file,
    link_people,
    mapping_file,
    policy,
    reports,
)
from ctdhub.stages.showing import edition
from ctdhub.stages.withdrawing import (
    delete_raw,
    outdated,
    register,
    take_back,
    tell_renewed,
    withdraw,
)
from ctdhub.stages.withdrawn import RECORDS

__all__ = [
    "OVERLAP",
    "PEOPLE",
    "PERPETRATORS",
    "RECORDS",
    "REJECTS",
    "REPORT",
    "ByWhat",
    "Found",
    "approve",
    "build_site",
    "candidate_version",
    "check_paid",
    "code",
    "delete_raw",
    "edition",
    "engine",
    "harmonise_file",
    "known_contributor",
    "ledger",
    "link_people",
    "linkage",
    "look_up",
    "mapping_file",
    "outdated",
    "policy",
    "protect_people",
    "publish_release",
    "refuse_linkage_keys",
    "refuse_note",
    "register",
    "released_version",
    "reports",
    "statement",
    "take_back",
    "tell_renewed",
    "waiting",
    "withdraw",
    "write_candidate",
]
