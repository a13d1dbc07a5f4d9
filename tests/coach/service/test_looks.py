"""What a look keeps of what radios report: bounded, whatever a gateway says."""

from __future__ import annotations

from coach.service.looks import LOOK_S, Looks
from coach.wire import InReach
from tests.coach.club import FakeClock


def device(number: int, name: str = "DOT") -> InReach:
    return InReach(f"C0:FF:EE:00:{number // 256:02X}:{number % 256:02X}", name, "movella-dot", -60)


def test_no_report_makes_a_look_grow_without_end() -> None:
    looks = Looks(FakeClock())
    looks.begin("ada")
    for batch in range(10):
        looks.heard("ada", "token", [device(200 * batch + one, "n" * 10_000) for one in range(200)], None)
    looks.heard("ada", "token", [InReach("A" * 10_000, "", None, -50)], None)
    view = looks.view("ada", 1)
    assert view is not None
    assert len(view.seen) == 500
    assert max(len(each.name) + len(each.address) for each in view.seen) < 500


def test_what_comes_long_after_a_look_is_not_kept() -> None:
    clock = FakeClock()
    looks = Looks(clock)
    looks.begin("ada")
    looks.heard("ada", "token", [device(1)], None)
    clock.forward(seconds=3 * LOOK_S)
    looks.heard("ada", "token", [device(2)], None)
    view = looks.view("ada", 1)
    assert view is not None
    assert [each.address for each in view.seen] == [device(1).address]
