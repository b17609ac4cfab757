"""Tickets of the signing page, and the devices of approvers."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ctdhub.desk.models.keys


def _key() -> models.UUIDField:
    return models.UUIDField(
        default=ctdhub.desk.models.keys.random_key,
        editable=False,
        primary_key=True,
        serialize=False,
    )


def _account() -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    """Two tables."""

    dependencies = [("desk", "0010_spending")]

    operations = [
        migrations.CreateModel(
            name="ApprovalDevice",
            fields=[
                ("id", _key()),
                ("role", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=1000, unique=True)),
                ("credential", models.CharField(max_length=1400)),
                ("copies", models.BooleanField(default=False)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("account", _account()),
            ],
            options={"ordering": ("created",), "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="SigningTicket",
            fields=[
                ("id", _key()),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("role", models.CharField(max_length=20)),
                (
                    "what",
                    models.CharField(
                        choices=[("release", "release"), ("keys", "keys"), ("device", "device")],
                        max_length=8,
                    ),
                ),
                ("version", models.CharField(default="", max_length=40)),
                ("statement", models.TextField(default="")),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("until", models.DateTimeField()),
                ("used", models.DateTimeField(null=True)),
                ("account", _account()),
            ],
            options={"ordering": ("-created",), "default_permissions": ()},
        ),
    ]
