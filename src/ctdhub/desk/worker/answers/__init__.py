"""What the hub's pages show, as JSON: a document in the reader's language and what forms need.

Zone: the worker.  Everything here reads the hub folder and writes nothing; the web process passes
it on, uncached, and keeps none of it.  Not here: who may ask (``desk.allowed``), pages.
"""
