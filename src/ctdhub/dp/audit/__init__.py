"""Privacy audits: attacks on the engine whose success is compared with the guarantee.

Zone: privacy.  Canaries, neighbouring datasets, membership and attribute inference.
Not here: the engine (``dp.engine``), terminals.
Public: ``suite.run``, ``card``.

``bounds`` says what right guesses prove, ``views`` what an attacker sees; ``canary``,
``two_worlds`` and ``membership`` attack.
"""
