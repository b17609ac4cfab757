"""The shape of a document, its charts, and its writers: HTML, PDF, Markdown, plain text.

Zone: ground.  A document is made of texts and sizes; a writer knows nothing of releases or records.
Not here: what a document says (``report``), where its numbers come from (``stats``), CSV and JSON
(``core.tables``).
Public: ``document``, ``html``, ``pdf``, ``text``, ``svg``, ``charts``.
"""
