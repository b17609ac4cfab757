"""At the door of the desk in Chromium: invitation, passkey, codes, sign out, passkey alone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import loads
from tests.desk.desks import Desk

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
VIOLATIONS = """document.addEventListener("securitypolicyviolation", function (event) {
  console.error("policy: " + event.violatedDirective)
})"""


def test_an_administrator_comes_by_invitation_and_again_by_passkey_alone(
    live_desk: Desk, browser: Browser, violations: Callable[[Page], str]
) -> None:
    from ctdhub.desk.accounts.invitations import invite

    _made, token = invite("first@example.org", "First", "administrator")
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
    page, complaints = context.new_page(), list[str]()
    page.add_init_script(VIOLATIONS)
    page.on("console", lambda m: complaints.append(m.text) if "olicy" in m.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    found = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    page.goto(f"{live_desk.address}/accounts/invitation/{token}/")
    assert violations(page) == ""
    page.fill("[name=password]", "short")
    loads(page, lambda: page.click("main .button"))
    expect(page.locator("main .summary")).to_be_focused()
    page.fill("[name=password]", "a sentence that is long enough")
    loads(page, lambda: page.click("main .button"))
    assert violations(page) == ""
    page.fill("[name=name]", "Test device")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/2fa/codes/")
    expect(page.locator(".codes li")).to_have_count(10)
    assert violations(page) == ""
    loads(page, lambda: page.click("text=I have kept the codes"))
    assert page.url == f"{live_desk.address}/"
    kept = device.send("WebAuthn.getCredentials", {"authenticatorId": found["authenticatorId"]})
    assert kept["credentials"][0]["rpId"] == "localhost"
    assert kept["credentials"][0]["isResidentCredential"]

    loads(page, lambda: page.click("text=Sign out"))
    page.wait_for_url("**/accounts/login/")
    assert violations(page) == ""
    page.click("#passkey_login")
    page.wait_for_url(f"{live_desk.address}/")
    page.goto(f"{live_desk.address}/accounts/2fa/passkeys/")
    expect(page.locator("main")).to_contain_text("Test device")
    page.goto(f"{live_desk.address}/accounts/")
    assert violations(page) == ""
    loads(page, lambda: page.click("text=Sign out"))

    device.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": found["authenticatorId"], "isUserVerified": False},
    )
    page.click("#passkey_login")
    page.wait_for_selector("#passkey-failed:not([hidden])")
    assert complaints == []
    context.close()
    has_no_violations_in_arabic(live_desk, browser, violations)


def has_no_violations_in_arabic(
    desk: Desk, browser: Browser, violations: Callable[[Page], str]
) -> None:
    """Every page of the door, on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ar")
    desk.sign_in(context, "administrator")
    page = context.new_page()
    for place in ("", "account/", "accounts/", "accounts/invite/", "accounts/2fa/", "trail/"):
        page.goto(f"{desk.address}/{place}")
        assert page.evaluate("document.documentElement.dir") == "rtl", place
        assert violations(page) == "", place
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{place}: wider than the screen"
    context.close()
