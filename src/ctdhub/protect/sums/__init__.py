"""Counts without records: contributors send masked tables, and the hub learns their sum alone.

Belongs here: the round of files between contributors and hub, masks, what is made of the sum.
Does not belong here: counting (``count``), noise and fit (``mechanism``), the command line.

``layout`` says which numbers are sent, ``summed`` is the sum as the engine takes it, ``masks`` and
``channel`` are the arithmetic and the ciphers, ``messages`` the files and ``terms`` what a round
agrees on; ``contributor`` and ``hub`` are the steps of either side, ``keep`` what each keeps to
itself.

The protocol follows Bonawitz and others, *Practical Secure Aggregation for Privacy-Preserving
Machine Learning* (CCS 2017), with one change that saves a passage of files: what is shared out is
not a contributor's private key but the seed of each pair and the contributor's own seed, so that
masked counts and shares travel in one file.
"""
