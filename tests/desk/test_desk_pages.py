"""Every page stands: other hosts, forms without a token, odd input, headers, four languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin

import pytest
import yaml

from ctdhub.core.i18n import LANGUAGES
from tests.desk import rights
from tests.desk.desks import ROLES, Desk
from tests.desk.test_desk_accounts import code_of, secret_of
from tests.desk.test_desk_walls import NO_SUCH, address, ask, pages, theirs_of
from tests.desk.things import CANARY


def test_home_is_for_whoever_signed_in(desk: Desk) -> None:
    answer = desk.client_of().get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=%2F"
    for role in ROLES:
        answer = desk.client_of(role).get("/")
        assert answer.status_code == 200, role
        assert "Practice" in answer.content.decode()


def test_headers_of_each_kind_of_answer(desk: Desk) -> None:
    client = desk.client_of("auditor", raise_request_exception=False)
    login = desk.client_of().get("/accounts/login/")
    for answer in (client.get("/"), client.get("/nowhere/"), client.get("/accounts/"), login):
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        barred = "publickey-credentials-get=()" in answer["Permissions-Policy"]
        assert barred == (answer is not login)
        assert not re.search(r"<[^>]+\s(on\w+|style)=", answer.content.decode())
    for cookie in login.cookies.values():
        assert cookie.key.startswith("__Host-")
        assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
        assert cookie["samesite"] == "Strict"


def test_a_file_of_the_desk_is_kept_by_its_hash(desk: Desk) -> None:
    page = desk.client_of().get("/accounts/login/").content.decode()
    for way in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = desk.client_of().get(way)
        assert answer.status_code == 200
        assert "immutable" in answer["Cache-Control"]
    for odd in ("/static/0/desk.css", "/static/x/..%2fconfig.py", "/static/x/settings.py"):
        assert desk.client_of().get(odd).status_code == 404


def test_another_host_and_a_form_without_its_token_are_refused(desk: Desk) -> None:
    client = desk.client_of("administrator", enforce_csrf_checks=True)
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"x-forwarded-host": "evil.example"}).status_code == 200
    for page in pages():
        if "POST" in page.methods:
            assert ask(client, page, "POST").status_code == 403, page.path
    login = {"login": "x@example.org", "password": "x"}
    assert (
        desk.client_of(enforce_csrf_checks=True).post("/accounts/login/", login).status_code == 403
    )
    token = re.search(r'"csrfmiddlewaretoken" value="(\w+)"', client.get("/").content.decode())
    assert token
    given = {"csrfmiddlewaretoken": token[1], "language": "fr", "next": "/account/"}
    assert client.post("/language/", given).status_code == 302
    from_afar = {"origin": "https://evil.example"}
    assert client.post("/language/", given, headers=from_afar).status_code == 403


@pytest.mark.parametrize("way", ["//evil.example", "https://evil.example", "/\\evil", "\n/x", ""])
def test_nobody_is_led_elsewhere(desk: Desk, way: str) -> None:
    client = desk.client_of("auditor")
    answer = client.post("/language/", {"language": "xx", "next": way})
    assert answer["Location"] == "/"
    client = desk.client_of()
    given = {"login": "auditor@example.org", "password": "a long password", "next": way}
    client.post("/accounts/login/", given)
    code = code_of(secret_of(desk.accounts["auditor"]))
    answer = client.post("/accounts/2fa/authenticate/", {"code": code})
    assert urljoin("http://localhost/accounts/2fa/", answer["Location"]).startswith(
        "http://localhost/"
    )


def test_a_script_in_a_text_field_is_text(desk: Desk) -> None:
    odd = "<script>alert(1)</script>\" onload=x '{{7*7}}"
    client = desk.client_of("administrator")
    given = {"email": "s@example.org", "name": odd, "role": "auditor"}
    assert client.post("/accounts/invite/", given).status_code == 200
    page = client.get("/accounts/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "{{7*7}}" in page


_ODD: dict[str, Any] = {
    "page": "-1\x00é\udcff",
    "id": "' OR 1=1 --",
    "name": "<script>alert(1)</script>",
    "email": "a" * 3000,
    "role": "99999999999999999999999",
    "password": "\x00" * 20,
    "next": "%00",
}


@pytest.mark.parametrize("database", ["desk", "desk_on_postgres"])
def test_odd_input_is_never_a_server_error(
    database: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """Every page and method, as somebody who may open it: odd queries, bodies, keys."""
    from ctdhub.desk.registry import pages as registered

    desk: Desk = request.getfixturevalue(database)
    theirs = theirs_of(desk)
    query = "&".join(f"{k}={quote(v, errors='surrogatepass')}" for k, v in _ODD.items())
    bodies = (
        (query.encode(), "application/x-www-form-urlencoded"),
        (b"{" * 2000, "application/json"),
        (b"--x\r\n\xff\x00", "multipart/form-data; boundary=x"),
    )
    clients = {role: desk.client_of(role, raise_request_exception=False) for role in ROLES}
    for page in registered():
        if page.name in ("account_logout", "close_account", "end_visits"):
            continue
        may = [role for role in ROLES if rights.may(role, page.action)]
        client = clients[may[0]]
        key = theirs[page.of].pk if page.of else NO_SUCH
        places = [
            address(page, getattr(key, "hex", key)),
            *([] if desk.postgres else [address(page)]),
        ]
        for place in dict.fromkeys(places):
            assert client.get(f"{place}?{query}").status_code < 500, page.path
            for body, kind in bodies[: 1 if desk.postgres else 3]:
                answer = client.generic("POST", place, body, kind)
                assert answer.status_code < 500, page.path
    assert CANARY not in caplog.text


@pytest.mark.parametrize("code", LANGUAGES)
def test_pages_speak_the_language_of_the_account(desk: Desk, code: str) -> None:
    client = desk.client_of("administrator")
    client.post("/language/", {"language": code, "next": "/"})
    for place in ("/", "/account/", "/accounts/", "/accounts/2fa/", "/trail/", "/nowhere/"):
        answer = client.get(place)
        text = answer.content.decode()
        assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in text, place
        assert answer["Content-Language"] == code
    title = {"en": "Accounts", "fr": "Comptes", "es": "Cuentas", "ar": "الحسابات"}[code]
    assert f"<h1>{title}</h1>" in client.get("/accounts/").content.decode()


@pytest.mark.parametrize(
    ("site", "languages", "led"),
    [
        ({"url": "https://data.example.org/hub/"}, None, "https://data.example.org/hub/ar/"),
        ({"url": "https://data.example.org/hub"}, ["fr"], "https://data.example.org/hub/en/"),
        ({"url": "javascript:alert(1)"}, None, ""),
        (None, None, ""),
    ],
)
def test_the_hub_has_its_name_in_the_language_of_the_reader(
    desk: Desk, site: Any, languages: Any, led: str
) -> None:
    file = desk.hub / "hub.yaml"
    held = yaml.safe_load(file.read_text("utf-8"))
    held |= {"name": "Hub of Tests", "names": {"ar": "منصة الاختبار"}, "site": site}
    held |= {"languages": languages} if languages else {}
    file.write_text(yaml.safe_dump(held, allow_unicode=True), "utf-8")
    desk.config.__dict__.pop("_of_hub", None)
    client = desk.client_of("contributor")
    page = client.get("/account/").content.decode()
    assert 'dir="auto">Hub of Tests</a>' in page
    client.post("/language/", {"language": "ar", "next": "/"})
    page = client.get("/account/").content.decode()
    assert 'dir="auto">منصة الاختبار</a>' in page
    assert "Hub of Tests" not in page
    assert re.findall(r'href="((?:http|java)[^"]*)"', page) == ([f"{led}index.html"] if led else [])


def test_a_time_says_its_zone(desk: Desk) -> None:
    page = desk.client_of("auditor").get("/accounts/sessions/").content.decode()
    found = re.findall(r'<time datetime="([^"]+)">([^<]+)</time>', page)
    assert found
    for value, shown in found:
        when = datetime.fromisoformat(value)
        assert when.utcoffset() == timedelta(0)
        assert shown == f"{when.day} {when:%B %Y, %H:%M} UTC"


def test_an_address_without_an_action_stops_the_start(desk: Desk) -> None:
    from django.http import HttpResponse
    from django.urls import path

    from ctdhub.desk import urls
    from ctdhub.desk.registry import page
    from ctdhub.desk.registry import pages as registered

    urls.urlpatterns.append(path("hole/", lambda request: HttpResponse()))
    try:
        from django.urls import clear_url_caches

        clear_url_caches()
        with pytest.raises(ValueError, match="hole"):
            list(registered())
    finally:
        urls.urlpatterns.pop()
        clear_url_caches()
    with pytest.raises(ValueError, match="no such action"):
        page("x/", lambda request: HttpResponse(), "nothing.of_the_table")
    with pytest.raises(ValueError, match="<id>"):
        page("x/<id>/", lambda request: HttpResponse(), "home.read")


def test_the_settings_pass_the_check_of_a_deployment(desk: Desk, tmp_path: Any) -> None:
    """As Django sees a desk that is reached from outside, in a process of its own."""
    (desk.hub / "desk.toml").write_text('host = "desk.example.org"\nproxies = 1\n', "utf-8")
    words = ["-m", "django", "check", "--deploy", "--fail-level", "WARNING"]
    env = {**os.environ, "CTDHUB_DESK": str(desk.hub), "DATABASE_URL": ""}
    env["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    del env["DJANGO_ALLOW_ASYNC_UNSAFE"]  # of the tests alone
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


_WEB = """
import os, sys
from ctdhub.desk.web import application
application()
from django.test import Client
from ctdhub.desk.registry import pages
client = Client(SERVER_NAME="localhost", raise_request_exception=False)
for _ in range(3):
    given = {"login": "steward@example.org", "password": "wrong"}
    text = client.post("/accounts/login/", given).content.decode()
print("Too many" in text)
print(" ".join(sorted(name for name in sys.modules)))
"""


def test_a_second_process_shares_throttles_and_holds_no_module_of_case_data(desk: Desk) -> None:
    """What one process counts the other knows; the web process never loads what it need not."""
    given = {"login": "steward@example.org", "password": "wrong"}
    for _ in range(3):
        assert "Too many" not in desk.client_of().post("/accounts/login/", given).content.decode()
    env = {**os.environ, "CTDHUB_DESK": str(desk.hub), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", _WEB], env=env, capture_output=True, text=True, check=True
    )
    throttled, modules = done.stdout.splitlines()
    assert throttled == "True"
    loaded = set(modules.split())
    assert not {name for name in loaded if name.startswith(("ctdhub.sensitive", "ctdhub.dp"))}
    assert not loaded & {"duckdb", "numba", "pyarrow", "openpyxl", "scipy"}
