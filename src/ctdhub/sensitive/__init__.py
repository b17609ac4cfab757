"""Case records before protection.  Nothing right of the border may import this zone.

Zone: sensitive.  Ingest reads files, mapping makes records of them, linkage makes people of
records, consent leaves out who withdrew.
Not here: noise, what is published, questions to a user.
Public: the packages below, ``duck``, ``profile``.
"""
