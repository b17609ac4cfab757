"""The shape of a document, and its writers: HTML, PDF, Markdown, text.

Zone: ground.  A document is made of texts and sizes; a writer knows nothing of releases or records.
Not here: what a document says (``report``), where its numbers come from (``stats``).
Public: ``document``, ``html``, ``pdf``, ``charts``.
"""
