"""A browser registers the worker under the strict policy, shows a push, and opens the page that it is about."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_pages_in_browser import LOW_CONTRAST
from tests.coach.notify.receivers import Browser as Subscriber

pytestmark = pytest.mark.browser

REGISTER = """async (path) => {
  await navigator.serviceWorker.register(path, { scope: "/" });
  const registration = await navigator.serviceWorker.ready;
  return registration.scope;
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  for (let look = 0; look < 100; look += 1) {
    const all = await registration.getNotifications();
    if (all.length) return all.map((each) => [each.title, each.body, each.tag, each.data.path]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [];
}"""


def test_a_push_is_shown_once_by_the_worker_of_this_site(make_site, browser: Browser) -> None:
    site = make_site()
    page = site.page(browser, site.athlete_user_id)
    page.context.grant_permissions(["notifications"], origin=site.base)
    page.goto(f"{site.base}/reminders")
    tools = page.context.new_cdp_session(page)
    seen: list[dict[str, str]] = []
    tools.on("ServiceWorker.workerRegistrationUpdated", lambda told: seen.extend(told["registrations"]))
    tools.send("ServiceWorker.enable")
    assert page.evaluate(REGISTER, "/sw.js") == f"{site.base}/"
    expect(page.get_by_role("button", name="Switch push on in this browser")).to_be_enabled()
    registration_id = next(each["registrationId"] for each in seen if urlsplit(each["scopeURL"]).path == "/")
    said = {"id": "m1", "title": "Back session at 18:30", "text": "Today 18:30, 12 min.", "path": "/week"}
    for _ in range(2):
        push = {"origin": site.base, "registrationId": registration_id, "data": json.dumps(said)}
        tools.send("ServiceWorker.deliverPushMessage", push)
    assert page.evaluate(SHOWN) == [["Back session at 18:30", "Today 18:30, 12 min.", "m1", "/week"]]
    assert site.told == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1440, "light")])
def test_the_page_fits_and_can_be_read(make_site, browser: Browser, keep, width: int, scheme: str) -> None:
    site = make_site()
    athlete = site.services.accounts.identity(site.athlete_user_id)
    own, keys = site.services.reminder_settings, Subscriber().keys()
    own.add_device(athlete, site.athlete_id, "https://push.example.org/1", label="Firefox on Linux", **keys)
    own.set_webhook(athlete, site.athlete_id, "https://example.org/hook")
    page = site.page(browser, site.athlete_user_id, width=width, scheme=scheme)
    page.goto(f"{site.base}/week")
    page.get_by_role("link", name="Reminders").click()
    expect(page.get_by_role("heading", name="Reminders", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(LOW_CONTRAST) == []
    page.get_by_label("an hour before").check()
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_role("status").filter(has_text="Kept.")).to_be_visible()
    assert 60 in own.view(athlete, site.athlete_id).choices.lead_min
    keep(page, f"reminders-{width}-{scheme}")
    assert site.told == []
