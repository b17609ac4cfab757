"""What django-allauth asks the desk: who may sign up, how secrets are kept, whose passkeys."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet

from ctdhub.desk.config import current


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation only."""

    def is_open_for_signup(self, request: Any) -> bool:
        """Never: an invitation is needed."""
        return False

    def get_user_search_fields(self) -> list[str]:
        """No search of accounts."""
        return []


class FactorAdapter(DefaultMFAAdapter):
    """Secrets of factors are encrypted with a key outside of the database."""

    def encrypt(self, text: str) -> str:
        """The secret as it is in the database."""
        return _cipher().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """The secret itself."""
        return _cipher().decrypt(encrypted_text.encode("ascii")).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site that passkeys are for: the host of desk.toml, whatever the request says."""
        return {"id": current().file.host, "name": current().hub_name}

    def get_totp_issuer(self) -> str:
        """The name that an authenticator app shows."""
        return current().hub_name


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(current().secret("factors"))))
