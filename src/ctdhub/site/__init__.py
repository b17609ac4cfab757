"""The public face: pages, files for programs, kiosk, all drawn from releases; a local server.

Zone: right of the border.  Frame, registry of pages, downloads.
Not here: statistics (``stats``), sentences (``report``), any unprotected value.
Public: ``build.build_site``, ``render``, ``serve``.
"""
