"""Shape: what systems export as trees and linked tables becomes one flat table of text.

Belongs here: where values stand and how tables hang together (paths, lists, child tables, pages),
and what is known of the exports of systems.  Does not belong here: what a value means, which the
mapping says.
"""
