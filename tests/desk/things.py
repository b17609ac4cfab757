"""A row of any table, made for an organisation, so that tests of walls need no list of tables."""

from __future__ import annotations

from typing import Any

from tests.desk.desks import OURS, Desk

CANARY = "CANARY-7d1f"
"""A text in every field of every row of the other organisation, where a field takes texts."""


def thing(desk: Desk, table: str, organisation: str, **more: Any) -> Any:
    """A new row of a table that belongs to an organisation, with a canary where it is theirs."""
    from django.apps import apps
    from django.db import models

    from ctdhub.desk.models import DeskAccount, Organisation, RoleHeld

    model = apps.get_model("desk", table)
    person = desk.accounts["contributor" if organisation == OURS else "other"]
    if model is DeskAccount:
        return person
    if model is Organisation:
        return Organisation.objects.get(pk=organisation)
    if model is RoleHeld:
        return RoleHeld.objects.get(account=person)
    mark = "own" if organisation == OURS else CANARY
    given: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in more or field.primary_key:
            continue
        if isinstance(field, models.ForeignKey):
            if field.related_model is Organisation:
                given[field.attname] = organisation
            elif field.related_model is DeskAccount:
                given[field.name] = person
            elif not field.null:
                given[field.name] = thing(desk, field.related_model.__name__, organisation)
        elif field.choices:
            given[field.name] = field.choices[0][0]
        elif isinstance(field, models.EmailField):
            given[field.name] = "x@example.org"
        elif isinstance(field, models.CharField):
            text = f"{table}-{mark}"
            given[field.name] = text[-field.max_length :] if field.unique else mark
            given[field.name] = given[field.name][: field.max_length]
        elif isinstance(field, models.BooleanField) or field.null:
            continue
        elif isinstance(field, models.IntegerField | models.BigIntegerField):
            given[field.name] = 1
        elif isinstance(field, models.DateTimeField) and not field.auto_now_add:
            from django.utils import timezone

            given[field.name] = timezone.now()
    if table == "DeliveryFinding":
        given["text"] = {"message": mark, "fields": {}}
    return model.objects.create(**given, **more)
