"""Signing in as people do it: passkeys of Chromium's own virtual device, codes, and the pages looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from coach.web import cookies

pytestmark = pytest.mark.browser

GOOD = "kettle violin marsh"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


# ms. A machine with much else to do takes its time between a device's answer and the next page.
PATIENCE_MS, USUAL_MS = 30_000, 5_000


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield
    expect.set_options(timeout=USUAL_MS)


def by_name(base: str) -> str:
    """The address that browsers let have passkeys: a name, not a number."""
    return f"http://localhost:{urlsplit(base).port}"


def with_device(page: Page) -> tuple[CDPSession, str]:
    """Give the page's browser a device that keeps passkeys and looks at the person."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]


def entered(site, browser: Browser, width: int = 390, scheme: str = "light") -> Page:
    """The coach's browser, signed in by link under the name that passkeys need."""
    page = site.page(browser, None, width, scheme)
    page.goto(f"{by_name(site.base)}/enter/{site.services.accounts.issue_sign_in_link(site.coach_id)}")
    return page


def test_a_passkey_from_the_account_to_a_sign_in(browser, make_site, keep, monkeypatch) -> None:
    site = make_site()
    base, page = by_name(site.base), entered(site, browser)
    session, device = with_device(page)
    page.goto(f"{base}/account")
    page.get_by_label("Name of the new one").fill("My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Your passkey is kept")).to_be_visible()
    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert (kept["rpId"], kept["isResidentCredential"]) == ("localhost", True)
    expect(page.get_by_text("not used yet")).to_be_visible()
    # The same device is asked again: it says that it has one.
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("This device has a passkey for Backstop already.")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{base}/athletes**")
    page.goto(f"{base}/account")
    expect(page.get_by_text("by passkey, now")).to_be_visible()
    keep(page, "account-390-light")
    # A while later, what is worth asking twice asks again, and the passkey answers.
    monkeypatch.setattr(cookies, "FRESH", cookies.FRESH * 0)
    page.reload()
    page.get_by_role("link", name="Show that it is you").first.click()
    expect(page.get_by_role("button", name="With your passkey")).to_be_visible()
    keep(page, "confirm-390-light")
    monkeypatch.undo()
    page.get_by_role("button", name="With your passkey").click()
    page.wait_for_url(f"{base}/account")
    page.get_by_role("button", name="Remove My phone").click()
    expect(page.get_by_text("That passkey is forgotten here")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey is not known here")).to_be_visible()
    assert [said for said in site.told if "403" not in said] == []
    page.context.close()


def test_who_is_not_looked_at_by_the_device_does_not_get_in(browser, make_site) -> None:
    site = make_site()
    page = entered(site, browser)
    session, device = with_device(page)
    page.goto(f"{by_name(site.base)}/account")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Your passkey is kept")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    session.send("WebAuthn.setResponseOverrideBits", {"authenticatorId": device, "isBadUV": True})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey is not known here")).to_be_visible()
    session.send("WebAuthn.setResponseOverrideBits", {"authenticatorId": device, "isBogusSignature": True})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey is not known here")).to_be_visible()
    session.send("WebAuthn.setResponseOverrideBits", {"authenticatorId": device})
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{by_name(site.base)}/athletes**")
    page.context.close()


def test_a_second_factor_from_the_picture_to_a_recovery_code(browser, make_site, keep) -> None:
    site = make_site()
    page, base = entered(site, browser, 1440, "dark"), by_name(site.base)
    page.goto(f"{base}/account")
    for label in ("New password, at least 15 characters", "The same again"):
        page.get_by_label(label).fill(GOOD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is set")).to_be_visible()
    page.get_by_role("button", name="Set it up").click()
    # The picture is drawn: as large as a camera needs it.
    box = page.locator(".qr-frame svg").bounding_box()
    assert box is not None
    assert box["width"] >= 180
    keep(page, "second-factor-1440-dark")
    secret = re.sub(r"\s", "", page.locator("code").first.inner_text())
    page.get_by_label("Type the code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Switch it on").click()
    codes = page.locator("#codes").input_value().split()
    assert len(codes) == 10
    keep(page, "recovery-codes-1440-dark")
    page.get_by_role("link", name="I have kept them").click()
    keep(page, "account-1440-dark")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    keep(page, "code-1440-dark")
    page.get_by_label("Six digits").fill(codes[0].lower())
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("9 are left")).to_be_visible()
    assert site.told == []
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light")])
def test_the_pages_fit_and_nothing_is_left_unsaid(browser, make_site, keep, width: int, scheme: str) -> None:
    site = make_site()
    page, base = site.page(browser, None, width, scheme), by_name(site.base)
    page.goto(base)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    keep(page, f"sign-in-{width}-{scheme}")
    signed_in = entered(site, browser, width, scheme)
    signed_in.goto(f"{base}/account")
    keep(signed_in, f"account-plain-{width}-{scheme}")
    # Under a number there are no passkeys, and the page says so.
    numbered = site.page(browser, site.coach_id, width, scheme)
    numbered.goto(f"{site.base}/account")
    expect(numbered.locator("#no-passkey")).to_contain_text("http://localhost:")
    for each in (page, signed_in, numbered):
        assert each.evaluate("document.documentElement.scrollWidth <= innerWidth")
        each.context.close()
    assert site.told == []
