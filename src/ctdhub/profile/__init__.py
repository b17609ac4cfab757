"""What a contributor sent, counted for that contributor alone.  Sensitive.

Belongs here: exact counts of one contributor's own harmonised records.
Does not belong here: protection, what the hub publishes, the document itself (``stages``).

Nothing of this room reaches a release or a site: rooms right of the border may not import it.
"""

from ctdhub.profile.own import Profile, profile

__all__ = ["Profile", "profile"]
