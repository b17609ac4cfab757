"""Secure aggregation: contributors send noisy, masked tables, and the hub learns their sum alone.

Zone: privacy.  The round of files between contributors and hub, shares of noise, masks, what is
made of the noisy sum.
Not here: counting (``dp.count``), the sampler (``dp.noise``), the fit (``dp.mechanism``), records.
Public: ``parties``, ``messages``.

The protocol follows Bonawitz and others, *Practical Secure Aggregation for Privacy-Preserving
Machine Learning* (CCS 2017), with one change that saves a passage of files: what is shared out is
not a contributor's private key but the seed of each pair and the contributor's own seed, so that
masked counts and shares travel in one file.
"""
