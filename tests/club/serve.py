"""Serves the made club, to look at pages with real amounts in them: `.venv/bin/python -m tests.club.serve`.

The club lies in var/club and is made again when it is older than today, or with --again (half a minute).
"""

from __future__ import annotations

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import make_server

from coach.live import LiveFeed
from coach.service import build_services
from coach.web import create_app
from devices.hostclock import SystemClock
from tests.club.seeding import Made, make_club, open_club

FOLDER = Path("var/club")


def club(folder: Path, again: bool) -> Made:
    """Return the club of a folder, made anew where it is not of today."""
    now = datetime.now(UTC)
    file = folder / "backstop.db"
    if file.exists() and not again and datetime.fromtimestamp(file.stat().st_mtime, UTC).date() == now.date():
        return open_club(folder, now)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return make_club(folder, now)


def main() -> None:
    """Serve until Ctrl-C; print a way in for the coach and for some athletes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    made, clock = club(asked.folder, asked.again), SystemClock()
    services = build_services(made.store, made.config, clock)
    app = create_app(services, LiveFeed(20), made.config, "k" * 32, clock=clock)
    server = make_server("127.0.0.1", asked.port, app, threaded=True)
    for who in (made.coach, *(each.identity for each in made.members[:5])):
        link = services.accounts.issue_sign_in_link(who.user_id)
        print(f"{who.name}: http://127.0.0.1:{server.server_port}/enter/{link}", flush=True)
    print("Ctrl-C ends it.", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
