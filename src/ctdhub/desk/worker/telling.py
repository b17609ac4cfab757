"""Messages that a page asks for: the web process does not see whose accounts they go to."""

from __future__ import annotations

from typing import Any

from ctdhub.desk.mail import tell_data_officers, tell_organisation, tell_stewards
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.worker.work import Rows, Work


def tell(work: Work) -> Rows:
    """The job ``tell``: a message about a delivery to its organisation or the data officers."""
    delivery = Delivery.objects.get(id=work.job.thing)
    given = work.job.given
    say = tell_organisation if given["whom"] == "organisation" else tell_data_officers

    def rows() -> dict[str, Any]:
        say(given["kind"], delivery)
        if given["kind"] == "withdrawal":  # it is the steward who carries it out
            tell_stewards(given["kind"], delivery)
        return {}

    return rows
