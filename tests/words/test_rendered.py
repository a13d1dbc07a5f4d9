"""Nothing that people read on a page, in a report, a calendar or a reminder promises what cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from itertools import product
from pathlib import Path

import pytest

from coach.notify.types import Channel
from coach.service.care_views import TreatmentKind
from coach.store.engine import migrate, open_store
from programs.errors import NoAnswer
from programs.exercises import CONTRAINDICATIONS
from programs.notice import NOTICE
from programs.phases import Course, guide
from programs.place import session_time
from programs.prescribe import TITLES, prescribe
from programs.types import Availability, History, Need, Phase
from tests.coach.club import FakeClock, found_club
from tests.words.conftest import NAMED, Arrived, Walked, remind, signed_in, site, train
from tests.words.phrases import PRODUCT_LANGUAGE, Said, wrong
from tests.words.rendered import Walk, of_page

# They answer programs, with the words of the pages that these walks come to.
FOR_PROGRAMS = "api."
# Addresses that these walks do not come to, and why.
NOT_WALKED = {
    "static": "files are read as they are written",
    "reminders.worker": "a script, read as it is written",
    "live.events": "an endless stream of numbers",
    "guided.events": "an endless stream of numbers",
    "wall.stream": "an endless stream of numbers",
    "guided.state": "numbers for a page's script, whose words are in the page",
    "signals.part": "numbers for a page's script",
    "coach.time_line_json": "numbers for a page's script, whose words are in the part that is walked",
    "groups.edit": "after making a group; its template is read as it is written",
    "templates.one": "after making a template; its template is read as it is written",
    "own_exercises.edit": "after making an exercise; its template is read as it is written",
    "dead_letters.page": "for the owner; its template is read as it is written",
    "dead_letters.listed": "for the owner, the same for programs",
    "reanalysis.page": "for the owner; its template is read as it is written",
    "reanalysis.progress_part": "for the owner; its template is read as it is written",
    "reanalysis.newest": "for the owner, the same for programs",
    "gateways.log": "what a radio said, in its words",
    "health.alive": "for machines",
    "health.ready": "for machines",
    "health.parts": "for machines",
    "metrics.metrics": "for machines",
    "doctor_link.page": "the report of for-the-doctor, for whoever has the link",
    "doctor_link.pdf": "the report of for-the-doctor.pdf, for whoever has the link",
    "data.of_athlete": "a guardian's way to the page of one's own data",
    "imports.preview": "after an upload; its template is read as it is written",
    "wearables.choose": "after a look that heard something; its template is read as it is written",
    "welcome.enter": "signs in and leads on",
    "welcome.code": "after a password, where a second factor is on; its template is read as it is written",
    "account.confirm": "after ten minutes; its template is read as it is written",
    "account.waiting_factor": "while a second factor is set up; its template is read as it is written",
}


def plain(text: str) -> str:
    return " ".join(text.split())


def reached(walked: Walked) -> set[str]:
    adapter = walked.app.url_map.bind("localhost")
    return {str(adapter.match(path.partition("?")[0])[0]) for walk in walked.walks.values() for path in walk.asked}


def test_the_walks_come_to_every_page(busy: Walked, demo: Walked) -> None:
    there = {rule.endpoint for rule in busy.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    left_out = there - reached(busy) - reached(demo)
    assert {each for each in left_out if not each.startswith(FOR_PROGRAMS)} == set(NOT_WALKED)
    for walked in (busy, demo):
        assert [walk.failed for walk in walked.walks.values()] == [[]] * len(walked.walks)


@pytest.mark.parametrize("people", ["busy", "demo"])
def test_no_page_says_what_is_not_said(people: str, request: pytest.FixtureRequest) -> None:
    walked: Walked = request.getfixturevalue(people)
    for reader, walk in walked.walks.items():
        assert sum(len(each.text) for each in walk.said) > (100 if reader == "a stranger" else 20_000), reader
        assert wrong(walk.said) == [], reader


def test_every_page_ends_with_the_fixed_notice_and_every_export_holds_it(busy: Walked, demo: Walked) -> None:
    for walked in (busy, demo):
        for reader, walk in walked.walks.items():
            pages = [each for each in walk.said if "Skip to the content" in each.text]
            assert len(pages) > (0 if reader == "a stranger" else 15), reader
            assert [each.where for each in pages if plain(each.text).count(NOTICE) != 1] == []
        for ending in ("findings.json", "/finding.json", "for-the-doctor.pdf", "fhir.json", "/results.json", ".ics"):
            exports = [each for walk in walked.walks.values() for each in walk.said if each.where.endswith(ending)]
            texts: dict[str, str] = {}
            for each in exports:
                texts[each.where] = texts.get(each.where, "") + " " + plain(each.text)
            assert exports or walked is demo, ending
            assert [where for where, text in texts.items() if NOTICE not in text] == []


def test_the_notice_says_what_has_to_be_said() -> None:
    for said in ("no diagnosis", "no treatment", "cannot detect an injury", "a doctor's diagnosis comes first", "stop"):
        assert said in NOTICE


def texts_of(arrived: Arrived) -> list[Said]:
    return [Said(f"{kind} by {channel}", PRODUCT_LANGUAGE, text) for kind, channel, text in arrived]


def test_every_kind_of_reminder_arrives_by_every_channel_and_says_nothing_wrong(reminded: Arrived) -> None:
    came = {(kind, channel) for kind, channel, _ in reminded}
    assert came >= set(product(("session", "retest", "test", "follow-up"), {each.value for each in Channel}))
    assert any("Side bridge" in text for kind, channel, text in reminded if (kind, channel) == ("session", "mail"))
    assert wrong(texts_of(reminded)) == []


def composed() -> Iterator[str]:
    """Yield what programs/ puts together from its parts: every need, contraindication, phase and moved time."""
    for kind, against in product(TITLES, (None, *CONTRAINDICATIONS)):
        history = History(contraindications=(against,) if against else ())
        try:
            program = prescribe([Need(kind, 1.0, "You moved.")], history, 3, 4)
        except NoAnswer as error:
            yield str(error)
            continue
        yield from (program.title, program.because, *(item.because for item in program.exercises))
        yield from (text for rule in program.rest for text in (rule.text, rule.because, rule.source))
        yield from session_time(program, Availability("Europe/Berlin", preferred=time(1), wake=time(3))).moved
    for phase, pain, clear in product(Phase, (None, 1, 8), (True, False)):
        now = guide(phase, Course(timedelta(weeks=7), pain, 8, clear))
        yield from (now.title, *now.does, *now.leaves, *now.next_when, now.review or "")


def test_what_programs_put_together_says_nothing_wrong() -> None:
    said = [Said("programs", PRODUCT_LANGUAGE, text) for text in composed()]
    assert len(said) > 500
    assert wrong(said) == []


@pytest.mark.parametrize("kind", TITLES)
def test_an_exercise_aims_at_something_and_corrects_nothing(kind: str) -> None:
    program = prescribe([Need(kind, 1.0, "You moved.")], History(), 3, 4)
    for item in program.exercises:
        assert " aims at " in item.because


def test_a_program_for_two_sides_says_what_it_aims_at() -> None:
    program = prescribe([Need("side_difference", 1.0, "Your left side held less long.")], History(), 3, 4)
    assert "aims at better balance" in program.title


def test_a_planted_sentence_is_found_wherever_it_is_shown(tmp_path: Path) -> None:
    with open_store(tmp_path / "backstop.db") as store:
        migrate(store)
        club = found_club(store, FakeClock())
        train(club)
        today = club.clock.now.date()
        club.services.treatments.add(
            club.athlete, club.athlete_id, TreatmentKind.DOCTOR, "k", today, None, "a belt that heals"
        )
        with store.begin() as tx:
            tx.exec_driver_sql("UPDATE planned_session SET because = 'It prevents everything.'")
            tx.exec_driver_sql(f"UPDATE planned_session SET exercises = {NAMED}", ("Safe bird-dog",))
        own, app = f"/athletes/{club.athlete_id}", site(club, tmp_path)
        calendar = f"/calendar/{club.services.plans.calendar_token(club.athlete, club.athlete_id)}.ics"
        walk = Walk(signed_in(app, club, club.athlete)).from_("/week", also=(f"{own}/treatments", calendar))
    found = {(where, phrase) for where, phrase, _ in (each.split(": ", 2) for each in wrong(walk.said))}
    assert found >= {
        (f"{own}/treatments", "heals"),
        (f"{own}/for-the-doctor", "heals"),
        (f"{own}/for-the-doctor.pdf", "heals"),
        (f"{own}/for-the-doctor.fhir.json", "heals"),
        (calendar, "Safe"),
    }
    assert any(where.startswith("/sessions/") and phrase == "prevents" for where, phrase in found)


def test_a_planted_sentence_is_found_in_every_channel(tmp_path: Path) -> None:
    found = {each.split(": ")[0] for each in wrong(texts_of(remind(tmp_path, "Healing bird-dog")))}
    assert found >= {f"session by {each.value}" for each in Channel}


def test_a_page_is_read_with_all_that_it_says_and_in_its_language() -> None:
    page = (
        '<html lang="de"><title>Das heilt.</title><style>.safe {}</style><p aria-label="Das <b>lindert">Rücken</p>'
        '<a href="/week" title="Garantie">x</a><script>prevents()</script><button type="submit" value="behebt"></html>'
    )
    said, links = of_page("/today", page)
    assert [each.split(": ")[1] for each in wrong([said])] == ["heilt", "lindert", "Garantie", "behebt"]
    assert links == ["/week"]
    (unknown,) = wrong([of_page("/today", page.replace('"de"', '"fr"'))[0]])
    assert unknown == "/today: no list of phrases for the language 'fr'"
