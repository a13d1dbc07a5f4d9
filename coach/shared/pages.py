"""What the web processes of one Backstop share while people look: blocks, links, looks, calibrations, who watches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from coach.live import LiveAnalysis, LiveSource
from coach.service import Services
from coach.service.gateways import Report
from coach.service.poses import PoseNews
from coach.serving import LiveDoor
from coach.shared.blocks import LiveBlock, RecentBlocks
from coach.shared.feed import SharedFeed
from coach.shared.telling import Telling
from coach.wire import InReach
from devices.hostclock import HostClock
from devices.types import Chunk, LinkStatus

_log = logging.getLogger(__name__)
# s without a word until the links of another process are forgotten. Own choice.
_GONE_S = 60.0
# What the links of another process's own radio are told by, once it falls silent.
_OTHER = "Another machine"
# s between two words of what goes on here, which whoever has just begun, or missed some, learns from. Own choice.
_HERE_S = 1.0
# s that a hold or a set is watched at most: both are ended sooner. Own choice.
_WATCHED_MOST_S = 30 * 60.0
# s in which changes gather. Own choice.
_GATHER_S = 0.02

_REPORT, _POSES, _SEEN = TypeAdapter(Report), TypeAdapter(tuple[PoseNews, ...]), TypeAdapter(tuple[InReach, ...])
_LINKS = TypeAdapter(dict[str, LinkStatus])


class SharedDoor(LiveDoor):
    """Hands live blocks to every process; each takes those that somebody there looks at."""

    def __init__(
        self, services: Services, live: LiveAnalysis, feed: SharedFeed, telling: Telling, clock: HostClock
    ) -> None:
        super().__init__(services, live)
        self._feed, self._line = feed, telling.line
        self.recent = RecentBlocks(clock.utc_s)
        telling.line.subscribe("live.*.*", self._arrived)

    def _bring(self, source: LiveSource, block: Chunk, notified_utc_s: float) -> None:
        data = LiveBlock(source, block, notified_utc_s).encode()
        self._line.publish(f"live.{source.athlete_id}.{source.wearable_id}", data)

    def catch_up(self, athlete_ids: frozenset[str]) -> None:
        """Draw the line of athletes whom somebody begins to look at from the blocks of just now."""
        for athlete_id in athlete_ids:
            for each in self.recent.of_athlete(athlete_id):
                self._live.push(each.source, each.block, each.notified_utc_s)

    def _arrived(self, subject: str, data: bytes) -> None:
        _, athlete_id, wearable_id = subject.split(".")
        self.recent.add(athlete_id, wearable_id, data)
        services = self._services
        waiting = services.poses, services.trials, services.guidance
        if self._feed.watched_here(athlete_id) or any(each.wanted(wearable_id) for each in waiting):
            block = LiveBlock.decode(data)
            super()._bring(block.source, block.block, block.notified_utc_s)


class _OtherLooks:
    """The looks for wearables in reach of the other processes."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._radios: dict[str, float] = {}

    def begun(self, athlete_id: str, look_id: str, left_s: float) -> None:
        self._telling.say("looks", {athlete_id: [look_id, left_s]})

    def heard(self, athlete_id: str, source: str, seen: Sequence[InReach], trouble: str | None) -> None:
        # Each process's own radio is another one.
        source = f"{source} {self._telling.own_id}"
        told = {"athlete_id": athlete_id, "source": source, "seen": _SEEN.dump_python(tuple(seen), mode="json")}
        self._telling.say("heard", {**told, "trouble": trouble})

    def has_radio(self, process: str) -> None:
        """Take that another process has a radio."""
        self._radios[process] = time.monotonic()

    def radios(self) -> int:
        return sum(time.monotonic() - at_s < 5 * _HERE_S for at_s in tuple(self._radios.values()))


class SharedPages:
    """Keeps what goes on in this process and in the others the same. One thread, which tells every second."""

    def __init__(self, services: Services, feed: SharedFeed, door: SharedDoor, telling: Telling) -> None:
        self._services, self._feed, self._door, self._telling = services, feed, door, telling
        self._looks = _OtherLooks(telling)
        self._heard: dict[str, float] = {}  # when the links of a process were heard last; the line's thread only
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        services.looks.attach_others(self._looks)
        services.links.attach(lambda wearable_id: telling.say("changed", {"wearable_id": wearable_id}))
        services.gateways.attach(lambda report: telling.say("report", _REPORT.dump_python(report, mode="json")))
        services.poses.attach(lambda news: telling.say("poses", {"poses": _told(news)}))
        watched = services.trials.holding, services.guidance.counting
        for each in watched:
            each.attach_recent(self._recent)
        services.trials.holding.attach_over(lambda key: telling.say("over", {"trial_id": key}))
        services.guidance.counting.attach_over(lambda key: telling.say("over", {"set": list(key)}))
        feed.attach(self._opened, self._twice)
        services.phones.attach(lambda session_id, seen: telling.say("phone", {"session": session_id, "seen": seen}))
        for what, take in (
            ("here", self._hear_here),
            ("looks", lambda _, told: self._join_looks(told)),
            ("heard", self._hear_heard),
            ("changed", lambda _, told: services.links.heard_changed(str(told["wearable_id"]))),
            ("report", lambda _, told: services.gateways.take(_REPORT.validate_python(told))),
            ("poses", lambda _, told: self._join_poses(told["poses"])),
            ("over", self._hear_over),
            ("phone", lambda _, told: services.phones.heard_live(str(told["session"]), int(told["seen"]))),
        ):
            telling.hear(what, take)

    def start(self) -> None:
        """Begin to tell; again is no error."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="shared-pages", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Tell no more."""
        self._stopping.set()
        self._changed.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(10.0)
            self._telling.say("here", {"athletes": [], "radio": False, "looks": {}, "poses": [], "links": {}})

    def say_here(self) -> None:
        """Tell once what goes on here. Called by the thread, and by tests without one."""
        services = self._services
        watched = services.trials.holding, services.guidance.counting
        for one in watched:
            one.drop_older(_WATCHED_MOST_S)
        looked_at = set(self._feed.athletes).union(*(each.athletes for each in watched))
        told: dict[str, Any] = {
            "athletes": sorted(looked_at),
            "radio": services.looks.radio_here,
            "looks": {key: list(each) for key, each in services.looks.going_on().items()},
            "poses": _told(*services.poses.going_on()),
            "links": _LINKS.dump_python(services.links.here(), mode="json"),
        }
        self._telling.say("here", told)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            try:
                self.say_here()
            except Exception:  # noqa: BLE001 - a defect in one word must not silence the process
                _log.exception("what goes on here could not be told")
            if self._changed.wait(_HERE_S):
                self._stopping.wait(_GATHER_S)

    def _opened(self, athlete_ids: frozenset[str]) -> None:
        self._door.catch_up(athlete_ids)
        self._changed.set()

    def _recent(self, athlete_id: str, wearable_id: str, since_utc_s: float) -> list[tuple[Chunk, float]] | None:
        self._changed.set()  # it is looked at from now on
        kept = self._door.recent.since(athlete_id, wearable_id, since_utc_s)
        return None if kept is None else [(each.block, each.notified_utc_s) for each in kept]

    def _twice(self, athlete_id: str, event: dict[str, Any]) -> bool:
        if event["kind"] != "guided" or "seen" not in event:
            return False
        return self._services.guidance.counting.counts(event["session_id"], event["number"])

    def _hear_here(self, process: str, told: dict[str, Any]) -> None:
        self._feed.look_at(process, told["athletes"])
        if told["radio"]:
            self._looks.has_radio(process)
        links = _LINKS.validate_python(told["links"])
        self._heard[process] = time.monotonic() if links else -_GONE_S
        if links:
            self._services.links.report(process, _OTHER, links)
        for gone in [each for each, at_s in self._heard.items() if time.monotonic() - at_s > _GONE_S]:
            del self._heard[gone]
            self._services.links.forget(gone)
        self._join_looks(told["looks"])
        self._join_poses(told["poses"])

    def _join_looks(self, told: dict[str, Any]) -> None:
        for athlete_id, (look_id, left_s) in told.items():
            self._services.looks.join(str(athlete_id), str(look_id), float(left_s))

    def _join_poses(self, told: Any) -> None:
        for news in _POSES.validate_python(told):
            self._services.poses.join(news)

    def _hear_heard(self, _process: str, told: dict[str, Any]) -> None:
        seen = _SEEN.validate_python(told["seen"])
        self._services.looks.take(told["athlete_id"], told["source"], seen, told["trouble"])

    def _hear_over(self, _process: str, told: dict[str, Any]) -> None:
        if "trial_id" in told:
            self._services.trials.holding.drop(told["trial_id"])
        else:
            guided_id, number = told["set"]
            self._services.guidance.counting.drop((guided_id, number))


def _told(*news: PoseNews) -> Any:
    return _POSES.dump_python(news, mode="json")
