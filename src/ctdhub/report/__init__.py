"""Words over numbers, in the language in force.

Zone: right of the border.  Sentences, wording, blocks for documents and pages.
Not here: counting (``stats``), pages (``site``).
Public: ``sentences``, ``wording``, ``figures``, ``facts``.
"""
