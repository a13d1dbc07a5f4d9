"""The ledger: one line for each reader, subject and hour; reading goes on when the disk takes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from coach.errors import StoreUnavailable
from coach.service.ledger import Reader, ReaderKind, Subject
from coach.store.engine import Store
from coach.store.trust_tables import ledger_entry
from tests.coach.club import Club

KIM = Reader(ReaderKind.COACH, "kim", "Kim")


def lines(club: Club) -> list[tuple[str, str, str]]:
    shown = club.services.ledger.of_athlete(club.athlete, club.athlete_id)
    return [(f"{each.hour:%H:%M}", each.name, each.subject.value) for each in shown]


def rows(club: Club) -> int:
    with club.store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(ledger_entry)).scalar_one())


def test_one_line_for_each_reader_subject_and_hour(club: Club) -> None:
    note = club.services.ledger.note
    club.clock.forward(minutes=5)
    for _ in range(3):
        note(KIM, {club.athlete_id}, Subject.FINDINGS)
    note(KIM, {club.athlete_id}, Subject.SIGNAL)
    note(Reader(ReaderKind.GUARDIAN, "pat", "Pat"), {club.athlete_id}, Subject.FINDINGS)
    club.clock.forward(minutes=56)
    note(KIM, {club.athlete_id}, Subject.FINDINGS)
    assert lines(club) == [
        ("15:00", "Kim", "findings"),
        ("14:00", "Kim", "findings"),
        ("14:00", "Kim", "signal"),
        ("14:00", "Pat", "findings"),
    ]


def test_another_process_that_notes_the_same_adds_no_line(club: Club) -> None:
    from coach.service import build_services

    other = build_services(club.store, club.config, club.clock)
    for services in (club.services, other):
        services.ledger.note(KIM, {club.athlete_id}, Subject.FINDINGS)
    assert rows(club) == 1


def test_a_page_that_refreshes_writes_once(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    begin = Store.begin

    def counted(store: Store):
        begun.append(1)
        return begin(store)

    monkeypatch.setattr(Store, "begin", counted)
    for _ in range(100):
        club.services.ledger.note(KIM, {club.athlete_id}, Subject.FINDINGS)
    assert len(begun) == 1


def test_what_a_full_disk_does_not_take_is_written_when_it_does(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    note = club.services.ledger.note

    def full(_: Store):
        raise StoreUnavailable("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "begin", full)
        note(KIM, {club.athlete_id}, Subject.FINDINGS)
        note(KIM, {club.athlete_id}, Subject.SIGNAL)
    assert rows(club) == 0
    club.clock.now += timedelta(hours=1)
    note(KIM, {club.athlete_id}, Subject.PROGRAM)
    assert lines(club) == [("15:00", "Kim", "program"), ("14:00", "Kim", "findings"), ("14:00", "Kim", "signal")]


def test_of_somebody_who_is_gone_nothing_is_noted_and_the_others_lines_stay(club: Club) -> None:
    club.services.ledger.note(KIM, {club.athlete_id, "erased meanwhile"}, Subject.FINDINGS)
    assert rows(club) == 1
