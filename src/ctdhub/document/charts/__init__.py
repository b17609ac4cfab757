"""Charts as SVG, each a function from a block of sizes and texts.

Zone: ground.
Not here: which numbers a chart shows (``report``).
Public: ``bars``, ``years``, ``tiles``, ``print``.
"""
