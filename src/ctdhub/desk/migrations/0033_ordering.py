"""The order of rows as the models say it; no table changes."""

from __future__ import annotations

from django.db import migrations

_ORDER = {
    "delivery": "-created",
    "deliverypart": "offset",
    "invitation": "-created",
    "job": "-created",
    "outgoingmail": "created",
    "paper": "-created",
    "releaseplan": "-created",
    "returnreason": "created",
    "trailevent": "-number",
}


class Migration(migrations.Migration):
    """Options alone."""

    dependencies = [("desk", "0032_no_drafts")]

    operations = [
        migrations.AlterModelOptions(model, {"default_permissions": (), "ordering": (order,)})
        for model, order in _ORDER.items()
    ]
