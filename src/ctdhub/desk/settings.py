"""Django's settings of the desk, all from ``desk.toml`` and the environment."""

from pathlib import Path

from ctdhub.core.i18n import LANGUAGES as OFFERED
from ctdhub.core.i18n import NATIVE_NAMES
from ctdhub.desk.config import current
from ctdhub.desk.errors import LOGGED

_desk = current()
_local = _desk.local

SECRET_KEY = _desk.session_key()
DEBUG = False
ALLOWED_HOSTS = [_desk.file.host, *_desk.file.more_hosts]
ROOT_URLCONF = "ctdhub.desk.urls"
CTDHUB_GATE = "ctdhub.desk.gate.gate"
CTDHUB_CARRIER = "ctdhub.desk.views.deliveries.DeliveryCarrier"
USE_TZ, TIME_ZONE, USE_I18N = True, "UTC", True
LANGUAGE_CODE = OFFERED[0]
LANGUAGES = [(code, NATIVE_NAMES[code]) for code in OFFERED]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "desk.DeskAccount"
DATABASES = {"default": _desk.database()}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "ctdhub.desk.apps.DeskApp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ctdhub.desk.middleware.Headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ctdhub.desk.middleware.Languages",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "ctdhub.desk.middleware.Visits",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [str(Path(__file__).parent / "templates")],
        "OPTIONS": {
            "environment": "ctdhub.desk.rendering.environment",
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "ctdhub.desk.middleware.everywhere",
            ],
        },
    },
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "desk_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# Signing in.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "ctdhub.desk.accounts.signing_in.WordsOfTheHub"},
    {"NAME": "ctdhub.desk.accounts.signing_in.KnownOnes"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_METHODS = {"password", "mfa"}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_ADAPTER = "ctdhub.desk.accounts.signing_in.AccountAdapter"
MFA_ADAPTER = "ctdhub.desk.accounts.signing_in.FactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_TRACK_ACTIVITY = True
ALLAUTH_TRUSTED_PROXY_COUNT = _desk.file.proxies
LOGIN_URL, LOGIN_REDIRECT_URL = "account_login", "/"

# Sessions: 30 minutes of rest, 12 hours at most; cookies that only this host sends and reads.
SESSION_ENGINE = "ctdhub.desk.accounts.signing_in"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "ctdhub.desk.errors.forbidden"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SECURE_SSL_REDIRECT = not _local
SECURE_HSTS_SECONDS = 0 if _local else 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not _local
if not _local:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
LOGGING = LOGGED
