"""All tables of the desk."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ctdhub.desk.models


def first_head(apps, schema_editor) -> None:  # type: ignore[no-untyped-def]
    """The row that whoever writes an event holds."""
    apps.get_model("desk", "TrailHead").objects.create(id=1)


class Migration(migrations.Migration):
    """Organisations, accounts, deliveries, plans, jobs, messages, papers, approvals, the trail."""

    initial = True

    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.CreateModel(
            name="DeskAccount",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(max_length=100)),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("en", "en"), ("fr", "fr"), ("es", "es"), ("ar", "ar")],
                        max_length=2,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("first_visit", models.BooleanField(default=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("names", models.JSONField(default=dict)),
                ("agreement_sha256", models.CharField(default="", max_length=64)),
                ("ends", models.DateField(null=True)),
                ("lost", models.BooleanField(default=False)),
                ("keep_months", models.IntegerField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TrailEvent",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("time", models.CharField(max_length=20)),
                ("account", models.CharField(default="", max_length=32)),
                ("role", models.CharField(default="", max_length=120)),
                ("action", models.CharField(max_length=40)),
                ("thing", models.CharField(default="", max_length=64)),
                ("outcome", models.CharField(max_length=10)),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ("-number",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("receiving", "receiving"),
                            ("received", "received"),
                            ("checked", "checked"),
                            ("refused", "refused"),
                            ("returned", "returned"),
                            ("replaced", "replaced"),
                            ("accepted", "accepted"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="receiving",
                        max_length=12,
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("mapping_commit", models.CharField(default="", max_length=64)),
                ("day", models.CharField(default="", max_length=10)),
                ("summary", models.JSONField(default=dict)),
                ("lost", models.BooleanField(default=False)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("changed", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replaced_by",
                        to="desk.delivery",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="desk.organisation"
                    ),
                ),
            ],
            options={
                "ordering": ("-created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(max_length=100)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("contributor", "contributor"),
                            ("data_officer", "data_officer"),
                            ("steward", "steward"),
                            ("privacy_officer", "privacy_officer"),
                            ("administrator", "administrator"),
                            ("auditor", "auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("until", models.DateTimeField()),
                ("used", models.DateTimeField(null=True)),
                ("cancelled", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="invited",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="confirmed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="desk.organisation",
                    ),
                ),
                ("code_sha256", models.CharField(default="", max_length=64)),
                ("confirmed", models.DateTimeField(null=True)),
                ("alone", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ("-created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DeliveryFinding",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("text", models.JSONField()),
                ("rule", models.CharField(default="", max_length=60)),
                ("row", models.BigIntegerField(null=True)),
                ("column", models.CharField(default="", max_length=3)),
                ("cells", models.JSONField(default=list)),
                ("number", models.BigIntegerField(default=1)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="desk.delivery",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="desk.organisation"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="OutgoingMail",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("language", models.CharField(default="en", max_length=2)),
                ("kind", models.CharField(max_length=40)),
                ("fields", models.JSONField(default=dict)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("attempts", models.IntegerField(default=0)),
                ("next_try", models.DateTimeField(null=True)),
                ("sent", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Paper",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("language", models.CharField(max_length=2)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.BigIntegerField()),
                ("signed", models.DateField(null=True)),
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
            },
        ),
        migrations.CreateModel(
            name="ReleasePlan",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("version", models.CharField(max_length=40, unique=True)),
                ("week", models.DateField(null=True)),
                ("note", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("drafted", "drafted"),
                            ("built", "built"),
                            ("approved_by_one", "approved_by_one"),
                            ("approved", "approved"),
                            ("scheduled", "scheduled"),
                            ("published", "published"),
                            ("refused", "refused"),
                            ("held", "held"),
                        ],
                        default="drafted",
                        max_length=16,
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("changed", models.DateTimeField(auto_now=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "spend_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="allowed_spending",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("spend", models.FloatField(null=True)),
                ("spend_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ReturnReason",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.CharField(max_length=40)),
                ("cells", models.JSONField(default=list)),
                ("note", models.CharField(blank=True, default="", max_length=1000)),
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
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reasons",
                        to="desk.delivery",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="desk.organisation"
                    ),
                ),
            ],
            options={
                "ordering": ("created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RoleHeld",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("contributor", "contributor"),
                            ("data_officer", "data_officer"),
                            ("steward", "steward"),
                            ("privacy_officer", "privacy_officer"),
                            ("administrator", "administrator"),
                            ("auditor", "auditor"),
                        ],
                        max_length=20,
                    ),
                ),
                ("since", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="roles",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="desk.organisation",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TrailHead",
            fields=[
                ("id", models.IntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                (
                    "hash",
                    models.CharField(
                        default="0000000000000000000000000000000000000000000000000000000000000000",
                        max_length=64,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="one_head_of_the_trail"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("what", models.CharField(max_length=40)),
                (
                    "lane",
                    models.CharField(
                        choices=[("build", "build"), ("files", "files")], max_length=8
                    ),
                ),
                ("thing", models.CharField(default="", max_length=64)),
                ("given", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("progress", models.JSONField(null=True)),
                ("outcome", models.JSONField(null=True)),
                ("cancel", models.BooleanField(default=False)),
                ("attempts", models.IntegerField(default=0)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("ended", models.DateTimeField(null=True)),
                ("after", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
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
                        condition=models.Q(
                            ("state__in", ("waiting", "running", "done", "failed", "cancelled"))
                        ),
                        name="job_state",
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "running"))),
                        fields=["lane"],
                        name="open_jobs",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("offset", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="desk.delivery",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="desk.organisation"
                    ),
                ),
            ],
            options={
                "ordering": ("offset",),
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("delivery", "offset"), name="one_part_at_an_offset"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        (
                            "receiving",
                            "received",
                            "checked",
                            "refused",
                            "returned",
                            "replaced",
                            "accepted",
                            "withdrawn",
                        ),
                    )
                ),
                name="delivery_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="releaseplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        (
                            "drafted",
                            "built",
                            "approved_by_one",
                            "approved",
                            "scheduled",
                            "published",
                            "refused",
                            "held",
                        ),
                    )
                ),
                name="plan_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleheld",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["contributor", "steward", "privacy_officer", "administrator", "auditor"],
                    )
                ),
                fields=("account",),
                name="one_approving_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleheld",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("role__in", ["contributor", "data_officer", "administrator", "auditor"])
                ),
                fields=("account",),
                name="one_deciding_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleheld",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("organisation__isnull", False), ("role", "contributor")),
                    models.Q(
                        models.Q(("role", "contributor"), _negated=True),
                        ("organisation__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="contributors_have_an_organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleheld",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        (
                            "contributor",
                            "data_officer",
                            "steward",
                            "privacy_officer",
                            "administrator",
                            "auditor",
                        ),
                    )
                ),
                name="known_role",
            ),
        ),
        migrations.CreateModel(
            name="ApprovalDevice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("role", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=1000, unique=True)),
                ("credential", models.CharField(max_length=1400)),
                ("copies", models.BooleanField(default=False)),
                ("witnesses", models.JSONField(default=list)),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SigningTicket",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("role", models.CharField(max_length=20)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("release", "release"),
                            ("keys", "keys"),
                            ("device", "device"),
                            ("lift", "lift"),
                            ("notice", "notice"),
                        ],
                        max_length=8,
                    ),
                ),
                ("version", models.CharField(default="", max_length=40)),
                ("statement", models.TextField(default="")),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("until", models.DateTimeField()),
                ("used", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("-created",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TableRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
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
                        choices=[
                            ("asked", "asked"),
                            ("agreed", "agreed"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="asked",
                        max_length=10,
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
            ],
            options={
                "ordering": ("-created",),
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("asked", "agreed", "refused", "withdrawn"))
                        ),
                        name="table_request_state",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SenderKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=ctdhub.desk.models.random_key,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("file", models.CharField(max_length=4096)),
                ("fingerprint", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("confirmed", "confirmed"),
                            ("refused", "refused"),
                            ("ended", "ended"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("decided", models.DateTimeField(null=True)),
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
                        related_name="decided_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
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
                        condition=models.Q(
                            ("state__in", ("waiting", "confirmed", "refused", "ended"))
                        ),
                        name="sender_key_state",
                    )
                ],
            },
        ),
        migrations.RunPython(first_head, migrations.RunPython.noop),
    ]
