"""Names of the roles, and of ways to sign in, in the reader's language."""

from __future__ import annotations

from ctdhub.core.i18n import _


def role_name(role: str) -> str:
    """A role of ``desk.allowed`` as it is written on pages."""
    return {
        "contributor": _("contributor"),
        "data_officer": _("data officer"),
        "steward": _("steward"),
        "privacy_officer": _("privacy officer"),
        "administrator": _("administrator"),
        "auditor": _("auditor"),
    }[role]


def role_names(roles: str) -> str:
    """Several roles, as an event has them."""
    return ", ".join(role_name(role) for role in roles.split())


def way_to_confirm(way: str) -> str:
    """A way to confirm that it is you, by the name that django-allauth gives it."""
    return {
        "reauthenticate": _("with your password"),
        "mfa_reauthenticate": _("with a code"),
        "mfa_reauthenticate:webauthn": _("with a passkey"),
    }[way]
