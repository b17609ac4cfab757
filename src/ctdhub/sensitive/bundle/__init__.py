"""What a contributor hands to the hub: one signed and encrypted file, and the card of the hub.

Zone: sensitive.  The kit and the command line write bundles; the hub's worker reads them.
Not here: how columns are decided (``sensitive.workbench``), encryption itself (``core.keys.age``).
"""
