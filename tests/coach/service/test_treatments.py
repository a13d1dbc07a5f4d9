"""Treatments, answers, the doctor's plan and imaging: what is kept, what is refused, and who may read it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from coach.analysis.response import DISABILITY, PAIN, Seen
from coach.errors import Conflict, InvalidInput, NoSuch, NotAllowed
from coach.service.care_views import ImagingKind, TreatmentKind
from coach.service.diary import CheckIn
from coach.service.doctor import FILE_BYTES_MAX
from coach.service.everyday import STATEMENTS
from coach.service.planning import prescription_for
from coach.service.responses import ON_ITS_WAY, TOGETHER
from coach.service.types import Identity, Purpose, Role
from coach.store import athletes, care
from coach.store.care_tables import treatment
from programs.exercises import ALWAYS_AGAINST, library
from programs.types import Need
from tests.coach.club import Club

TODAY = date(2026, 11, 24)
HEAT, REST = TreatmentKind.HEAT, TreatmentKind.REST


def tell_pain(club: Club, pains: list[int]) -> None:
    """Tell one pain a day; the clock stands on the day after the last."""
    for pain in pains:
        club.services.diary.check_in(club.athlete, club.athlete_id, CheckIn(pain_in_motion=pain), str(club.clock.now))
        club.clock.forward(days=1)


def today(club: Club) -> date:
    return club.clock.now.date()


def test_what_is_tried_begins_ends_and_is_listed(club: Club) -> None:
    tries = club.services.treatments
    heat = tries.add(club.athlete, club.athlete_id, HEAT, "a", note="evenings")
    assert tries.add(club.athlete, club.athlete_id, HEAT, "a").treatment_id == heat.treatment_id
    club.clock.forward(days=3)
    rest = tries.add(club.athlete, club.athlete_id, REST, "b", started_on=TODAY + timedelta(days=1))
    ended = tries.end(club.athlete, heat.treatment_id)
    assert (ended.started_on, ended.ended_on, ended.note) == (TODAY, TODAY + timedelta(days=3), "evenings")
    assert ended.days_until(today(club)) == 4
    assert [each.treatment_id for each in tries.of_athlete(club.athlete, club.athlete_id)] == [
        rest.treatment_id,
        heat.treatment_id,
    ]
    tries.drop(club.athlete, heat.treatment_id)
    with pytest.raises(NoSuch):
        tries.end(club.athlete, heat.treatment_id)


def test_of_medicine_only_that_it_was_taken_is_kept(club: Club) -> None:
    tries = club.services.treatments
    for words, note in (("a name", ""), ("", "two a day")):
        with pytest.raises(InvalidInput, match="only that it was taken"):
            tries.add(club.athlete, club.athlete_id, TreatmentKind.MEDICINE, "m", words=words, note=note)
    taken = tries.add(club.athlete, club.athlete_id, TreatmentKind.MEDICINE, "m")
    assert (taken.words, taken.note, taken.name) == ("", "", "medicine (taken)")
    # The database refuses it too, whoever writes.
    with pytest.raises(Conflict), club.store.begin() as tx:
        tx.execute(sa.update(treatment).values(note="two a day"))
    with club.store.read() as tx:
        assert care.medicine_within(tx, club.athlete_id, TODAY, TODAY)
        assert not care.medicine_within(tx, club.athlete_id, TODAY - timedelta(days=9), TODAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("kind", "how", "says"),
    [
        (HEAT, {"started_on": TODAY + timedelta(days=1)}, "between .* and today"),
        (HEAT, {"started_on": TODAY - timedelta(days=800)}, "between .* and today"),
        (HEAT, {"ended_on": TODAY - timedelta(days=1)}, "The last day"),
        (TreatmentKind.DOCTOR, {}, "what the doctor named"),
        (HEAT, {"note": "x" * 1001}, "at most 1000"),
        (HEAT, {"key": ""}, "incomplete"),
    ],
)
def test_wrong_input_is_one_sentence(club: Club, kind: TreatmentKind, how: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        club.services.treatments.add(club.athlete, club.athlete_id, kind, **({"key": "k"} | how))  # type: ignore[arg-type]
    assert club.services.treatments.of_athlete(club.athlete, club.athlete_id) == ()


def test_what_changed_after_what_is_an_observation_with_its_interval(club: Club) -> None:
    tell_pain(club, [6, 7, 6, 6, 7, 6, 7, 6])
    club.services.treatments.add(club.athlete, club.athlete_id, HEAT, "h", started_on=today(club))
    tell_pain(club, [3, 3, 2, 3, 3, 2, 3, 3])
    case = club.services.treatments.response(club.athlete, club.athlete_id)
    (change,) = case.changes
    assert change.comparison.measure is PAIN
    assert change.comparison.seen is Seen.BETTER
    assert change.title == "After warmth began, 2026-12-02"
    assert change.sentence.startswith("Pain: 3.6 points lower than before (95 % interval ")
    assert "8 days with an entry since, 8 before" in change.sentence
    assert change.caveats == ()
    assert [(week.monday, week.pain) for week in case.weeks] == [
        (date(2026, 11, 23), 6.0),
        (date(2026, 11, 30), 3.0),
        (date(2026, 12, 7), 3.0),
    ]
    assert [phase.names for phase in case.phases] == [(), ("warmth",)]


def test_what_cannot_be_told_apart_or_was_on_its_way_is_said(club: Club) -> None:
    tell_pain(club, [9, 9, 8, 8, 7, 7, 6, 6])
    for kind in (HEAT, REST):
        club.services.treatments.add(club.athlete, club.athlete_id, kind, kind.value, started_on=today(club))
        club.clock.forward(minutes=1)
    tell_pain(club, [2, 1, 2, 1, 2, 1])
    (change,) = club.services.treatments.response(club.athlete, club.athlete_id).changes
    assert change.began == ("warmth", "rest")
    assert change.caveats == (TOGETHER, ON_ITS_WAY)


def test_few_entries_are_said_to_be_few(club: Club) -> None:
    tell_pain(club, [6, 7, 6, 6, 7])
    club.services.treatments.add(club.athlete, club.athlete_id, HEAT, "h", started_on=today(club))
    tell_pain(club, [3, 3])
    (change,) = club.services.treatments.response(club.athlete, club.athlete_id).changes
    assert change.sentence == "Pain: not enough data: needs 3 more days with an entry since."


def test_answers_are_summed_and_compared_like_pain(club: Club) -> None:
    asked = club.services.questionnaires
    assert len(STATEMENTS) == 24
    for week in range(10):
        if week == 5:
            club.services.treatments.add(club.athlete, club.athlete_id, HEAT, "h", started_on=today(club))
        holds = list(STATEMENTS)[: 15 if week < 5 else 4]
        got = asked.answer_everyday(club.athlete, club.athlete_id, holds, f"w{week}")
        assert got.score == len(holds)
        club.clock.forward(days=7)
    case = club.services.treatments.response(club.athlete, club.athlete_id)
    (change,) = case.changes
    assert change.comparison.measure is DISABILITY
    assert change.comparison.seen is Seen.BETTER
    assert change.comparison.change == -11.0
    with pytest.raises(InvalidInput, match="no statement"):
        asked.answer_everyday(club.athlete, club.athlete_id, ["flying"], "x")


def test_up_to_three_own_activities_are_rated(club: Club) -> None:
    asked = club.services.questionnaires
    got = asked.rate_activities(club.athlete, club.athlete_id, {"lift my  child": 4, "golf": 7}, "a")
    assert got.answers == {"lift my child": 4, "golf": 7}
    assert got.score == 5.5
    for rated in ({}, {"a": 1, "b": 2, "c": 3, "d": 4}, {"golf": 11}, {" ": 3}):
        with pytest.raises(InvalidInput):
            asked.rate_activities(club.athlete, club.athlete_id, rated, "b")


def test_a_doctors_plan_steers_what_exercises_are_chosen_around(club: Club) -> None:
    doctor = club.services.doctor
    assert doctor.plan(club.athlete, club.athlete_id) is None
    doctor.record_plan(club.athlete, club.athlete_id, TODAY, diagnosis="slipped disc, they said")
    doctor.record_plan(
        club.athlete,
        club.athlete_id,
        TODAY,
        "Dr. Sand",
        "slipped disc, they said",
        ["knee_pain", "neck_pain"],
        ["hot and cold compresses", " "],
        TODAY + timedelta(days=21),
    )
    plan = doctor.plan(club.athlete, club.athlete_id)
    assert plan is not None
    assert plan.doctor == "Dr. Sand"
    assert plan.leaves_out == ("neck pain", "pain when kneeling")
    assert plan.measures == ("hot and cold compresses",)
    with club.store.read() as tx:
        assert care.contraindications(tx, club.athlete_id) == ("neck_pain", "knee_pain")
        assert club.athlete_id in athletes.wanting_replan(tx)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({}, "Nothing was written down"),
        ({"diagnosis": "x", "next_on": date(2206, 11, 24)}, "more than two years ahead"),
        ({"contraindications": ["flying"]}, "nothing that exercises"),
        ({"diagnosis": "x", "next_on": TODAY - timedelta(days=1)}, "next appointment"),
        ({"diagnosis": "x" * 1001}, "at most 1000"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(club: Club, how: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        club.services.doctor.record_plan(club.athlete, club.athlete_id, TODAY, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "kept", "media_type"),
    [
        ("../../MRI spine.exe", b"%PDF-1.7 ...", "MRI spine.pdf", "application/pdf"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n....", "a.png", "image/png"),
        ("C:\\scan.html", b"\xff\xd8\xff\xe0..", "scan.jpg", "image/jpeg"),
        ("page.html", "<script>alert(1)</script> Bericht: unauffällig".encode(), "page.txt", "text/plain"),
        ("", b"text", "report.txt", "text/plain"),
    ],
)
def test_a_files_type_is_its_contents(club: Club, name: str, content: bytes, kept: str, media_type: str) -> None:
    doctor = club.services.doctor
    view = doctor.add_imaging(club.athlete, club.athlete_id, ImagingKind.MRI, TODAY, "k", file=(name, content))
    assert (view.file_name, view.media_type, view.size_bytes) == (kept, media_type, len(content))
    file = doctor.imaging_file(club.athlete, view.imaging_id)
    assert (file.name, file.media_type, file.content) == (kept, media_type, content)


def test_imaging_needs_a_report_of_a_known_kind_and_size(club: Club) -> None:
    doctor, mri = club.services.doctor, ImagingKind.MRI
    for file, says in (
        (None, "Add the report"),
        (("a.zip", b"PK\x03\x04\x00"), "no PDF, PNG, JPEG or plain text"),
        (("a.pdf", b"%PDF-" + bytes(FILE_BYTES_MAX)), "larger than 5 MB"),
    ):
        with pytest.raises(InvalidInput, match=says):
            doctor.add_imaging(club.athlete, club.athlete_id, mri, TODAY, "k", file=file)
    view = doctor.add_imaging(club.athlete, club.athlete_id, mri, TODAY, "k", "Dr. Sand", "a disc bulges a little")
    assert doctor.imagings(club.athlete, club.athlete_id) == (view,)
    with pytest.raises(NoSuch):
        doctor.imaging_file(club.athlete, view.imaging_id)
    doctor.drop_imaging(club.athlete, view.imaging_id)
    assert doctor.imagings(club.athlete, club.athlete_id) == ()


def test_the_coach_reads_health_entries_only_while_they_are_shared(club: Club) -> None:
    services = club.services
    tried = services.treatments.add(club.athlete, club.athlete_id, HEAT, "h")
    image = services.doctor.add_imaging(
        club.athlete, club.athlete_id, ImagingKind.XRAY, TODAY, "i", file=("a.pdf", b"%PDF-1.7")
    )
    reads = (
        lambda by: services.treatments.of_athlete(by, club.athlete_id),
        lambda by: services.treatments.response(by, club.athlete_id),
        lambda by: services.treatments.end(by, tried.treatment_id),
        lambda by: services.questionnaires.of_athlete(by, club.athlete_id),
        lambda by: services.doctor.plan(by, club.athlete_id),
        lambda by: services.doctor.imagings(by, club.athlete_id),
        lambda by: services.doctor.imaging_file(by, image.imaging_id),
        lambda by: services.reports.offered(by, club.athlete_id),
        lambda by: services.reports.make(by, club.athlete_id),
    )
    assert not services.doctor.shared(club.coach, club.athlete_id)
    with pytest.raises(NotAllowed, match="Only the athlete"):
        services.consents.agree(club.coach, club.athlete_id, Purpose.PAIN_TEXT)
    for read in reads:
        with pytest.raises(NotAllowed, match="not shared"):
            read(club.coach)
    services.consents.agree(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
    for read in reads:
        read(club.coach)
    services.consents.withdraw(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
    with pytest.raises(NotAllowed):
        services.reports.make(club.coach, club.athlete_id)


def test_a_strange_coach_does_not_learn_that_there_is_anything_even_when_it_is_shared(club: Club) -> None:
    stranger, services = Identity("somebody", Role.COACH, "Lee", None), club.services
    tried = services.treatments.add(club.athlete, club.athlete_id, HEAT, "h")
    services.consents.agree(club.athlete, club.athlete_id, Purpose.PAIN_TEXT)
    for ask in (
        lambda: services.treatments.of_athlete(stranger, club.athlete_id),
        lambda: services.treatments.drop(stranger, tried.treatment_id),
        lambda: services.reports.make(stranger, club.athlete_id),
        lambda: services.doctor.shared(stranger, club.athlete_id),
        lambda: services.consents.withdraw(stranger, club.athlete_id, Purpose.PAIN_TEXT),
    ):
        with pytest.raises(NoSuch):
            ask()


def test_for_an_athlete_without_a_sign_in_the_coach_takes_them_down(club: Club) -> None:
    paper = club.services.athletes.create("Olaf", "Europe/Berlin", club.coach.user_id)
    club.services.treatments.add(club.coach, paper, REST, "r")
    assert len(club.services.treatments.of_athlete(club.coach, paper)) == 1


def test_a_program_is_chosen_around_what_the_doctor_ruled_out(club: Club) -> None:
    need = Need("repeated_bending", 0.8, "You bent forward often.", ("f1",))
    with club.store.read() as tx:
        before = prescription_for(tx, athletes.get(tx, club.athlete_id), [need], club.config, club.clock.now)
    held_against = [one for each in before.exercises for one in library()[each.exercise_id].contraindications]
    named = next(one for one in held_against if one not in ALWAYS_AGAINST)
    club.services.doctor.record_plan(club.athlete, club.athlete_id, TODAY, contraindications=[named])
    with club.store.read() as tx:
        after = prescription_for(tx, athletes.get(tx, club.athlete_id), [need], club.config, club.clock.now)
    assert after.exercises
    assert not any(named in library()[each.exercise_id].contraindications for each in after.exercises)
