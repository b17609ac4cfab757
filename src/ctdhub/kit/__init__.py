"""A contributor's own pages, on the contributor's own computer.

Zone: assembly.  ``core``, ``schema``, ``document``, ``sensitive``, ``dp.secagg.parties``,
``dp.count``; never ``release`` or ``build``; starts without fcntl, threads and numba.
Not here: anything that needs the hub.
"""
