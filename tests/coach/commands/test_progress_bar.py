"""How far a long command is: what it says on a terminal, where lines stay, and after it was begun again."""

from __future__ import annotations

import io

import pytest

from coach.commands.progress_bar import ProgressBar, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_terminal_has_one_line_with_share_speed_and_time_left() -> None:
    out, clock = Terminal(), Clock()
    bar = ProgressBar("rows", out=out, now_s=clock)
    clock.now_s += 0.1
    bar.show("copying chunk", 0.1, 10)
    assert out.getvalue() == ""
    clock.now_s += 9.9
    bar.show("copying chunk", 0.25, 5000)
    assert out.getvalue() == "\r\033[K[######..................]  25 %  copying chunk, 500 rows/s, 30 s left"
    clock.now_s += 30.0
    bar.end("copied", 20_000)
    assert out.getvalue().endswith("\r\033[K[########################] 100 %  copied, 500 rows/s\n")


def test_where_lines_stay_there_is_one_now_and_then() -> None:
    out, clock = io.StringIO(), Clock()
    bar = ProgressBar("rows", out=out, now_s=clock)
    for number in range(1, 240):
        clock.now_s += 0.125
        bar.show("copying", number / 240, number * 10)
    clock.now_s += 0.125
    bar.pause()
    bar.end("copied", 2400)
    assert out.getvalue().splitlines() == [
        " 33 %  copying, 80 rows/s, 20 s left",
        " 66 %  copying, 80 rows/s, 10 s left",
        "100 %  copied, 80 rows/s",
    ]
    assert "\r" not in out.getvalue()


def test_what_was_done_before_is_no_work_of_this_one() -> None:
    out, clock = io.StringIO(), Clock()
    bar = ProgressBar("rows", already=0.5, out=out, now_s=clock)
    clock.now_s += 10.0
    bar.show("copying", 0.6, 100)
    assert out.getvalue() == " 60 %  copying, 10 rows/s, 40 s left\n"


@pytest.mark.parametrize(
    ("spent_s", "said"), [(0.2, "1 s"), (89, "89 s"), (100, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min")]
)
def test_times_are_said_as_people_say_them(spent_s: float, said: str) -> None:
    assert duration(spent_s) == said
