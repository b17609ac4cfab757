"""Records become people, the unit of protection.

Belongs here: person keys, clusters, overlap, child rows by person.
Does not belong here: names, which the hub never has.
"""

from ctdhub.link.people import Linked, link
from ctdhub.link.perpetrators import link_perpetrators

__all__ = ["Linked", "link", "link_perpetrators"]
