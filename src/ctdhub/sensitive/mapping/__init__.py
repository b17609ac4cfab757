"""A contributor's table becomes records in the hub's schema, with lineage and rejects.

Zone: sensitive.  Mappings, what they do, drafts of mappings, records written in other standards.
Not here: reading files (``sensitive.ingest``), linking records (``sensitive.linkage``), protection.
Public: ``run.harmonise``, ``mapping.Mapping``, ``mapping_file.load_mapping``; drafts of mappings
are in ``drafting``.
"""
