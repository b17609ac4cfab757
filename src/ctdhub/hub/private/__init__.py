"""What only a steward or one contributor sees: a look at deliveries, and private reports of it.

Zone: assembly.
Not here: what is published (``report``, ``site``), who may see what (``desk``).
Public: ``look.look``, ``pages.page``, ``pages.own_report``.
"""
