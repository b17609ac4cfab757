"""Invitations that a second person confirms, with a code of theirs; holds that are signed away."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Open invitations of before wait for a second person, too."""

    dependencies = [("desk", "0020_approvals")]

    operations = [
        migrations.AddField(
            "Invitation", "code_sha256", models.CharField(default="", max_length=64)
        ),
        migrations.AddField("Invitation", "confirmed", models.DateTimeField(null=True)),
        migrations.AddField("Invitation", "alone", models.BooleanField(default=False)),
        migrations.AlterField(
            "SigningTicket",
            "what",
            models.CharField(
                choices=[(w, w) for w in ("release", "keys", "device", "lift")], max_length=8
            ),
        ),
    ]
