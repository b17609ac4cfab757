"""Reserved: the hub's desk, where organisations send data and people decide (an extra).

Zone: assembly, but its web process holds what is right of the border only: ``core``, ``schema``,
``document``, ``release``, ``stats``, ``report``, ``site.frame``, ``build.hub``, never
``sensitive``.  A worker process runs ``build`` and hands back texts and counts as JSON.
Not here: logic of the pipeline.
"""
