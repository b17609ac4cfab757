"""The most that the privacy officer lets a build charge."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Two columns of plans."""

    dependencies = [("desk", "0001_tables")]

    operations = [
        migrations.AddField("releaseplan", "spend", models.FloatField(null=True)),
        migrations.AddField("releaseplan", "spend_at", models.DateTimeField(null=True)),
    ]
