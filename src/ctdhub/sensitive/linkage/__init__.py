"""Records become people, the unit of protection.

Zone: sensitive.  Person keys, record linkage by tokens, overlap of lists, child rows by person.
Not here: names, which the hub never has.
Public: ``partitions.link_parts``, ``merge``, ``review.cluster``, ``overlap.people_by_lists``.
"""
