"""Charts as SVG, each a function from a block of sizes and texts, drawn on ``document.svg.Canvas``.

Zone: ground.
Not here: which numbers a chart shows (``report``).
Public: ``bars``, ``years``, ``tiles``, ``pages``.
"""
