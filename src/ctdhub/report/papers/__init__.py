"""Papers that a hub must have: drafts made of its settings, its policy and its agreements.

Belongs here: the data-sharing agreement, the data protection impact assessment, the record of
processing and the notice to data subjects, each as a Document in the language in force, with what a
person must still decide marked.
Not here: reading the hub folder (``build``), writing files (``document``), legal advice.
Public names: ``PAPERS``, ``paper`` (``make``), ``PaperFacts`` (``paper_facts``).
"""
