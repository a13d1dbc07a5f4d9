"""The turn to write: nobody waits longer than those before them take, and who gives up is in nobody's way."""

from __future__ import annotations

import threading
import time

import pytest

from coach.errors import StoreUnavailable
from coach.store.turn import Turn


def test_who_writes_without_a_pause_lets_others_in_between() -> None:
    turn, over = Turn(), threading.Event()
    held, waited = [0], []

    def without_a_pause() -> None:
        while not over.is_set():
            with turn.taken(10.0):
                held[0] += 1
                time.sleep(0.002)

    busy = [threading.Thread(target=without_a_pause) for _ in range(2)]
    for each in busy:
        each.start()
    for _ in range(50):
        before = held[0]
        with turn.taken(10.0):
            waited.append(held[0] - before)
    over.set()
    for each in busy:
        each.join()
    assert held[0] > 50
    # Whoever has it, the one who waits already, and the one who came between the two looks.
    assert max(waited) <= 3


def test_it_goes_round_in_the_order_in_which_they_came() -> None:
    turn, order, threads = Turn(), [], []

    def come(number: int) -> None:
        with turn.taken(10.0):
            order.append(number)

    with turn.taken(1.0):
        for number in range(20):
            threads.append(threading.Thread(target=come, args=(number,)))
            threads[-1].start()
            while len(turn._waiting) <= number:
                time.sleep(0.001)
    for each in threads:
        each.join()
    assert order == list(range(20))


def test_who_gives_up_is_told_and_is_in_nobodys_way() -> None:
    turn = Turn()
    with turn.taken(1.0):
        with pytest.raises(StoreUnavailable, match="busy"), turn.taken(0.01):
            pytest.fail("two have the turn")
        assert not turn._waiting
    for _ in range(2):  # free again, and again
        with turn.taken(0.01):
            pass


def test_an_error_under_way_hands_it_on() -> None:
    turn = Turn()
    with pytest.raises(RuntimeError), turn.taken(1.0):
        raise RuntimeError("while it wrote")
    with turn.taken(0.01):
        pass
