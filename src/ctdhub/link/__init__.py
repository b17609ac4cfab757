"""Records become people, the unit of protection.

Belongs here: person keys, clusters, overlap, child rows by person.
Does not belong here: names, which the hub never has.
"""

from ctdhub.link.parts import Totals, link_parts
from ctdhub.link.people import Linked, link

__all__ = ["Linked", "Totals", "link", "link_parts"]
