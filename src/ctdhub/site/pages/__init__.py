"""The pages of the site, one module for each kind.

Zone: right of the border.
Not here: what all pages share (``site.frame``), how a chart is drawn (``document.charts``).
Public: through ``site.render``.
"""
