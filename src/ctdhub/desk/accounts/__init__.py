"""Signing in: invitations, factors, sessions, throttles; built on django-allauth."""
