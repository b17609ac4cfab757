"""The worker: it alone opens what was sent, and it alone writes the hub folder.

Zone: may import all.  It is never loaded by the web process.
Not here: who may ask for what (``desk.allowed``), pages.
"""
