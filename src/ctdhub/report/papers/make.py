"""The papers by name, and how one of them is drafted."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.document.document import Document
from ctdhub.report.papers.draft import PaperDraft
from ctdhub.report.papers.impact_assessment import impact_assessment
from ctdhub.report.papers.paper_facts import PaperFacts
from ctdhub.report.papers.processing_record import processing_record
from ctdhub.report.papers.sharing_agreement import sharing_agreement
from ctdhub.report.papers.subject_notice import subject_notice

Paper = Literal["agreement", "dpia", "record", "notice"]
PAPERS: tuple[Paper, ...] = get_args(Paper)


def paper(
    kind: Paper, facts: PaperFacts, made: date, contributor: str = ""
) -> tuple[Document, tuple[str, ...]]:
    """The draft of a paper, and the points that a person must still decide.

    Args:
        kind: the data-sharing agreement of one contributor; the data protection impact assessment,
            the record of processing or the notice to data subjects of the hub.
        made: the day of the draft.
        contributor: id of the contributor of an agreement; "" for the other papers.

    Raises:
        DocumentError: the hub has no such contributor.
    """
    draft = PaperDraft(facts, made)
    if kind == "agreement":
        found = [c for c in facts.contributors if c.id == contributor]
        if not found:
            ids = ", ".join(c.id for c in facts.contributors) or "–"
            raise error("contributor/report", id=printable(contributor), ids=ids)
        document = sharing_agreement(draft, found[0])
    elif kind == "dpia":
        document = impact_assessment(draft)
    elif kind == "record":
        document = processing_record(draft)
    else:
        document = subject_notice(draft)
    return document, tuple(draft.open)
