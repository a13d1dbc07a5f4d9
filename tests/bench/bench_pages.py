"""Pages while 50 event streams are open: `backstop run` in a process of its own, a live wearable, real streams."""

from __future__ import annotations

import http.client
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing

STREAMS = 50
PAGES = 100


def fetch(port: int, path: str, cookie: str) -> tuple[int, bytes, float]:
    began = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, body, (time.perf_counter() - began) * 1000


def sign_in(port: int, link: str) -> tuple[str, str]:
    """Return the session cookie and the page that the link leads to."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", link)
        answer = connection.getresponse()
        answer.read()
        cookie = answer.getheader("Set-Cookie", "").split(";")[0]
        return cookie, str(answer.getheader("Location", "/"))


class Stream(threading.Thread):
    """One open page's event stream; counts the events it got."""

    def __init__(self, port: int, path: str, cookie: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.events = 0
        self._to = (port, path, cookie)
        self._stop_event = stop

    def run(self) -> None:
        port, path, cookie = self._to
        with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
            while not self._stop_event.is_set():
                self.events += connection.recv(65536).count(b"data:")


def timed(port: int, path: str, cookie: str) -> list[float]:
    times = []
    for _ in range(PAGES):
        status, _, took_ms = fetch(port, path, cookie)
        assert status == 200, status
        times.append(took_ms)
    return sorted(times)


def line(what: str, times: list[float]) -> str:
    p99 = times[int(len(times) * 0.99) - 1]
    return f"- {what}: median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms over {PAGES}"


def measure() -> list[str]:
    """Return the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "coach", "run", "--host", "127.0.0.1", "--port", "0", "--storage", folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                said += process.stdout.readline()
            found = re.search(r"as the coach .*?http://127.0.0.1:(\d+)(/enter/\S+)", said)
            assert found, said
            port = int(found.group(1))
            cookie, desk = sign_in(port, found.group(2))
            time.sleep(25)  # the replay of 15 minutes is over
            size = len(fetch(port, desk, cookie)[1])
            quiet = timed(port, desk, cookie)
            stream = re.search(rb'data-stream="([^"]+)"', fetch(port, desk, cookie)[1])
            assert stream
            stop = threading.Event()
            streams = [Stream(port, stream.group(1).decode(), cookie, stop) for _ in range(STREAMS)]
            for one in streams:
                one.start()
            time.sleep(3)
            busy = timed(port, desk, cookie)
            stop.set()
            served = sum(one.events > 0 for one in streams)
        finally:
            process.terminate()
            process.wait(30)
    return [
        line("coach's desk page, no stream open", quiet),
        line(f"coach's desk page, {STREAMS} live streams open ({served} served)", busy),
        f"- its HTML: {size / 1000:.0f} kB",
    ]


if __name__ == "__main__":
    print("\n".join(measure()))
