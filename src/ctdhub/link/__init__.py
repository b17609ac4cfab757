"""Records become people, the unit of protection.

Belongs here: person keys, clusters, overlap.  Does not belong here: names, which the hub never has.
"""

from ctdhub.link.people import Linked, link

__all__ = ["Linked", "link"]
