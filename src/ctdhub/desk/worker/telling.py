"""Messages that a page asks for: the web process does not see whose accounts they go to."""

from __future__ import annotations

from typing import Any

from ctdhub.desk.mail import tell_data_officers, tell_of_table, tell_organisation, tell_stewards
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.hub import TableRequest
from ctdhub.desk.worker.work import Rows, Work


def tell(work: Work) -> Rows:
    """The job ``tell``: a message about a delivery to its organisation or the data officers, or
    about a requested table to whoever asked."""
    given = work.job.given
    if given["kind"] == "table":
        asked = TableRequest.objects.get(id=work.job.thing)
        return lambda: _of_table(asked)
    delivery = Delivery.objects.get(id=work.job.thing)
    say = tell_organisation if given["whom"] == "organisation" else tell_data_officers

    def rows() -> dict[str, Any]:
        say(given["kind"], delivery)
        if given["kind"] == "withdrawal":  # it is the steward who carries it out
            tell_stewards(given["kind"], delivery)
        return {}

    return rows


def _of_table(asked: TableRequest) -> dict[str, Any]:
    tell_of_table(asked)
    return {}
