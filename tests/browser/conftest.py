"""A browser (Debian's chromium, else Playwright's own), and a site with a day of motion in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright
from werkzeug.serving import make_server

from coach.clock import judge_days
from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services, build_services
from coach.service.types import Role
from coach.store.engine import migrate, open_store
from coach.web import create_app
from devices.hostclock import SystemClock
from devices.sim.motions import lifting
from devices.types import Chunk, Gap
from programs.types import Answer
from tests.conftest import skip_or_fail

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"
ADDRESS = "C0:FF:EE:00:00:01"
RATE_HZ = 30.0
MINUTES = 14


# Debian, other distributions, and what people install by hand.
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# s for Playwright's own download of some 150 MB.
DOWNLOAD_S = 300


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A chromium from the PATH, else Playwright's own download; where neither can be had: skipped with the reason.

    For a module, not for the session: Playwright keeps an event loop in this thread, and other tests run their own.
    """
    # Chromium refuses its sandbox to root, as which containers run.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            _download()
        try:
            opened = playwright.chromium.launch(executable_path=found, args=arguments)
        except Error as error:
            said = error.message.splitlines()[0]
            skip_or_fail(
                f"No chromium on the PATH, and Playwright's own cannot be had: apt-get install chromium ({said})."
            )
            return
        yield opened
        opened.close()


def _download() -> None:
    # What goes wrong here shows itself when the browser is launched.
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            timeout=DOWNLOAD_S,
            capture_output=True,
            check=False,
        )


@dataclass
class Site:
    """A served app. athlete_id has motion, findings and a proposal; quiet_id has nothing yet."""

    base: str
    services: Services
    feed: LiveFeed
    coach_id: str
    athlete_user_id: str
    athlete_id: str
    quiet_id: str
    told: list[str] = field(default_factory=list)

    def page(self, browser: Browser, user_id: str | None, width: int = 1440, scheme: str = "light") -> Page:
        """Open a browser of its own, signed in; whatever its console complains about goes to `told`."""
        height = 900 if width > 800 else 844
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = context.new_page()
        page.on("console", lambda said: self.told.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.told.append(str(error)))
        if user_id is not None:
            page.goto(f"{self.base}/enter/{self.services.accounts.issue_sign_in_link(user_id)}")
        return page

    def say_no_to_all(self) -> None:
        """Let the athlete answer the safety questions with nothing to tell."""
        athlete = self.services.accounts.identity(self.athlete_user_id)
        assert athlete is not None
        answers = {question.id: Answer.NO for question in self.services.triage.questions()}
        self.services.triage.answer(athlete, self.athlete_id, answers, 34)

    def play(self, start_utc_s: float, angles_deg: list[float | None], bends: int = 3) -> None:
        """Publish a piece of live line, as the gateway's process does."""
        event = {
            "kind": "signal",
            "start_utc_s": start_utc_s,
            "rate_hz": 15.0,
            "inclination_deg": angles_deg,
            "notified_utc_s": time.time(),
            "bends": bends,
        }
        self.feed.publish(self.athlete_id, event)


def _zone() -> str:
    """Berlin, but not just after its midnight: findings are of local days, and the motion has to lie in one."""
    local = datetime.now(ZoneInfo("Europe/Berlin"))
    return "Europe/Berlin" if local.hour * 60 + local.minute > MINUTES + 5 else "America/New_York"


def _motion(now_s: float) -> list[Chunk]:
    """The last minutes of somebody who lifts; half a minute of it never arrived."""
    n, per = round(MINUTES * 60 * RATE_HZ), round(5 * RATE_HZ)
    acc, gyr = lifting(7).samples(0, n, RATE_HZ)
    chunks = []
    for seq, at in enumerate(range(0, n, per)):
        a, g, gaps = acc[at : at + per].copy(), gyr[at : at + per].copy(), ()
        if 60 <= seq < 66:
            a[:], g[:] = np.nan, np.nan
            gaps = (Gap(0, per),)
        start = now_s - MINUTES * 60 + at / RATE_HZ
        chunks.append(Chunk(ADDRESS, "rec", seq, start, at, RATE_HZ, a, g, gaps))
    return chunks


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Serve a site in a thread: `make_site(name="Mara")`; moved=False: nothing was recorded yet, which is fast."""
    closing: list[Callable[[], None]] = []

    def make(name: str = "Mara", sport: str = "lifting", moved: bool = True) -> Site:
        store = open_store(tmp_path / "backstop.db")
        closing.append(store.close)
        migrate(store)
        # The key that signs pushes lies in the storage folder.
        config = Config(storage={"directory": tmp_path})  # type: ignore[arg-type]
        services, feed = build_services(store, config, SystemClock()), LiveFeed(8)
        coach_id = services.accounts.create_user("Kim", Role.COACH)
        athlete_id = services.athletes.create(name, _zone(), coach_id, sport=sport)
        quiet_id = services.athletes.create("Quiet Jo", "America/Sao_Paulo", coach_id)
        user_id = services.accounts.create_user(name, Role.ATHLETE, athlete_id=athlete_id)
        athlete = services.accounts.identity(user_id)
        assert athlete is not None
        services.wearables.add(athlete, athlete_id, ADDRESS, "movella-dot", "Chest strap", "chest")
        services.log.append(_motion(time.time()) if moved else [])
        while streams := services.motion.pending_streams():
            for stream in streams:
                services.motion.handle_pending(stream)
        # As the clock does: what was analysed is judged by the day, and what was found becomes a proposal.
        judge_days(services, feed, datetime.now(UTC))
        server = make_server("127.0.0.1", 0, create_app(services, feed, config, "k" * 32), threaded=True)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        closing.extend([server.server_close, lambda: thread.join(10), server.shutdown, feed.close])
        return Site(f"http://127.0.0.1:{server.server_port}", services, feed, coach_id, user_id, athlete_id, quiet_id)

    yield make
    for close in reversed(closing):
        close()


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Keep a screenshot of the whole page under tests/artifacts."""

    def shoot(page: Page, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)

    return shoot
