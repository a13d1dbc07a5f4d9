"""`backstop gateway`: hold the links on the athlete's own machine and hand everything to a server elsewhere."""

from __future__ import annotations

import argparse
import hashlib
import re
import signal
import threading
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from coach import logs
from coach.commands.options import add_config_option, shared_clock
from coach.config import Config, load
from coach.delivery import Contact, ContactParams
from coach.errors import ConfigError
from coach.gateway import Gateway, request_from
from coach.instance import make_directory, only_one
from coach.outpost import Outpost
from coach.secret_text import secret_text
from coach.spool import Spool
from coach.uplink import Uplink, checked_address
from devices.hostclock import SystemClock
from devices.hub import BleHub


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `gateway`."""
    parser = subparsers.add_parser(
        "gateway", help="link wearables on this machine for a Backstop elsewhere; keeps everything while it is away"
    )
    add_config_option(parser)
    parser.add_argument("--server", metavar="URL", help="address of the server (default: gateway.server)")
    parser.add_argument(
        "--token",
        metavar="T",
        help="token from the Wearables page; others on this machine can read it here, "
        "so BACKSTOP_GATEWAY__TOKEN or --token-file is better",
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds nothing but the token")
    parser.add_argument(
        "--spool", type=Path, metavar="DIR", help="folder for what waits (default: storage.directory/gateway/SERVER)"
    )
    parser.add_argument(
        "--allow-http", action="store_true", help="speak plain http also beyond this machine and private networks"
    )
    parser.set_defaults(handler=handler)


def handler(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C, SIGTERM, or the server ends it. Raises ConfigError, AlreadyRunning, InvalidInput."""
    config = load(args.config)
    logs.configure(config.log)
    url = args.server or config.gateway.server
    if not url:
        raise ConfigError("No server is named: give --server URL, as the Wearables page shows it.")
    checked_address(url)
    token = _token(args, config)
    Uplink(url, token).close()  # refused before anything is opened
    folder = make_directory(args.spool or config.storage.directory / "gateway" / _name_of(url))
    with only_one(folder):
        return _serve(config, url, token, folder, args.allow_http)


def _token(args: argparse.Namespace, config: Config) -> str:
    """Return the token, the most particular place first. Raises ConfigError."""
    if args.token:
        return str(args.token)
    token = secret_text("gateway.token", config.gateway.token, args.token_file or config.gateway.token_file)
    if not token:
        raise ConfigError(
            "No token is given: make one on the Wearables page and set BACKSTOP_GATEWAY__TOKEN or --token-file."
        )
    return token


def _name_of(url: str) -> str:
    """Return a folder's name for a server: what waits for one is never sent to another."""
    host = re.sub(r"[^a-z0-9.-]", "-", (urlsplit(url).hostname or "server").lower())[:60]
    return f"{host}-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:8]}"


def _serve(config: Config, url: str, token: str, folder: Path, allow_http: bool) -> int:
    spool = Spool(folder / "spool", round(config.gateway.spool_mb * 1_000_000))
    clock, hub = shared_clock() or SystemClock(), BleHub()
    link = config.link
    params = ContactParams(config.gateway.report_s, link.backoff_first_s, link.backoff_max_s)
    contact = Contact(spool, _say, params)
    outpost = Outpost(lambda: Uplink(url, token, allow_http), folder, spool, hub, clock, contact)
    gateway = Gateway(hub, outpost, outpost.log, request_from(config, clock))
    stopped = threading.Event()
    before = {each: signal.signal(each, lambda *_: stopped.set()) for each in (signal.SIGTERM, signal.SIGINT)}
    _say(f"Gateway for {url}; what waits for it is kept in {folder}. Ctrl-C ends it.")
    if spool.waiting:
        _say(f"{spool.waiting} chunks wait from before.")
    hub.start()
    outpost.start()
    gateway.start()
    try:
        while not (stopped.wait(0.2) or contact.ended.is_set()):
            pass
    finally:
        gateway.close()
        outpost.close()
        hub.close()
        spool.close()
        for each, handler_before in before.items():
            signal.signal(each, handler_before)
    waiting = f" {spool.waiting} chunks wait in {folder}." if spool.waiting else ""
    if contact.problem is not None:
        raise ConfigError(f"{contact.problem}{waiting}")
    _say(f"Ended.{waiting}")
    return 0


def _say(sentence: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {sentence}", flush=True)  # noqa: DTZ005 - the person's own wall clock
