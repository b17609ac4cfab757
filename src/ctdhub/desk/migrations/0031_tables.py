"""Tables on request, and how long deliveries are kept."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ctdhub.desk.models.keys

_STATES = ("asked", "agreed", "refused", "withdrawn")


class Migration(migrations.Migration):
    """One table, one column."""

    dependencies = [("desk", "0030_second_person")]

    operations = [
        migrations.AddField("organisation", "keep_months", models.IntegerField(null=True)),
        migrations.CreateModel(
            name="TableRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.keys.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("variables", models.JSONField(default=list)),
                ("region", models.CharField(blank=True, default="", max_length=40)),
                ("first", models.IntegerField(null=True)),
                ("last", models.IntegerField(null=True)),
                ("purpose", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "state",
                    models.CharField(
                        choices=[(s, s) for s in _STATES], default="asked", max_length=10
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
                ("decided", models.DateTimeField(null=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="decided_tables",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="desk.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ("-created",),
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", _STATES)), name="table_request_state"
                    )
                ],
            },
        ),
    ]
