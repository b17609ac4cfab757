"""How the desk's screens of columns ask the workbench, and what follows a mapping that was
kept; apart, for settings name it, and the kit has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctdhub.desk.allowed import Who, allowed
from ctdhub.desk.config import current
from ctdhub.desk.jobs.queue import enqueue
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.hub import Job
from ctdhub.desk.screens.carrier import SocketCarrier

SOCKET = "workbench.sock"
"""In the folder of the desk."""


class DeliveryCarrier:
    """Carries requests about one delivery, for one account; both are looked up again there.

    Args:
        who: who asks.
        delivery: about what.
    """

    def __init__(self, who: Who, delivery: Delivery) -> None:
        self.who, self.delivery = who, delivery
        fixed = {"account": who.account, "visit": who.visit, "delivery": delivery.id.hex}
        self._line = SocketCarrier(current().folder / SOCKET, fixed)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See ``desk.screens.carrier.Carrier``; once a mapping is kept the delivery is checked."""
        answer = self._line.ask(request)
        if "kept" in answer and allowed(self.who, "delivery.check", self.delivery):
            waiting = Job.objects.filter(what="check", thing=self.delivery.id.hex, state="waiting")
            if not waiting.exists():
                enqueue("check", "files", self.who, self.delivery)
        return answer


def carrier(request: Any, thing: Delivery) -> DeliveryCarrier:
    """The carrier of the desk; see ``desk.screens.carrier``."""
    return DeliveryCarrier(request.who, thing)
