"""Records become people, the unit of protection.

Zone: sensitive.  Person keys, record linkage by tokens, overlap of lists, child rows by person.
Not here: names, which the hub never has.
Public: ``people.link_parts``, ``people.people_by_lists``, ``review.cluster``.
"""
