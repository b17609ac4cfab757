"""Desks of before have a table of drafts that nothing fills and no wall is kept up for."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """It goes; on new desks there is none."""

    dependencies = [("desk", "0031_tables")]

    operations = [
        migrations.RunSQL("DROP TABLE IF EXISTS desk_mappingdraft", migrations.RunSQL.noop)
    ]
