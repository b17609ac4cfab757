"""Shape: what systems export as linked tables becomes one flat table of text.

Belongs here: how child tables hang together, and what is known of the exports of systems.  Does not
belong here: what a value means, which the mapping says.
"""
