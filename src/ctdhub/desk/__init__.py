"""The hub's desk, where organisations send data and people decide (the extra ``hub``).

Zone: assembly, but its web process (``desk.web``) holds what is right of the border only and never
loads ``sensitive``, ``dp``, duckdb or numba; ``desk.worker`` runs ``build`` and hands back texts
and counts as JSON.  ``desk.screens`` are the pages that desk and kit share.
Not here: logic of the pipeline.
"""
