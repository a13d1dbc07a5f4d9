"""The program desk: proposals as differences, changed by hand, decided for one and many; templates and own things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coach.errors import Conflict, InvalidInput, Locked, NoSuch, NotAllowed
from coach.service.plan_differences import MadeFrom, Mark
from coach.service.program_desk import Held
from coach.service.types import Identity, Level, PlanState, PlanView, Role
from coach.store import exporting
from programs.compose import Chosen
from programs.dose import session_duration_min
from programs.exercises import library
from programs.types import Answer
from tests.club.desk import OWN
from tests.coach.club import Club
from tests.coach.held import nothing_to_tell
from tests.coach.service.test_plans import answer_no, bend, proposed


def another(club: Club, name: str, asked: bool = True) -> tuple[Identity, str]:
    """Another athlete of the coach's, with a sign-in, and with nothing to tell where they were asked."""
    services = club.services
    athlete_id = services.athletes.create(name, "Europe/Berlin", club.coach.user_id)
    athlete = services.accounts.identity(services.accounts.create_user(name, Role.ATHLETE, athlete_id=athlete_id))
    assert athlete is not None
    if asked:
        nothing_to_tell(services, athlete, athlete_id)
    return athlete, athlete_id


def stranger(club: Club, name: str = "Lou") -> Identity:
    found = club.services.accounts.identity(club.services.accounts.create_user(name, Role.COACH))
    assert found is not None
    return found


def chosen_of(plan: PlanView) -> list[Chosen]:
    return [Chosen(item.exercise_id, item.level) for item in plan.prescription.exercises]


def template(club: Club, *chosen: Chosen, name: str = "Back basics") -> str:
    picked = chosen or (Chosen("bird_dog", 2), Chosen("side_bridge", 1))
    return club.services.plan_templates.make(club.coach, name, picked, 3, 4).template_id


def test_a_proposal_is_a_difference_to_what_runs_each_item_with_its_because(club: Club) -> None:
    first = proposed(club)
    (waiting,) = club.services.program_desk.waiting(club.coach)
    assert waiting.held is Held.NEVER_ASKED
    assert waiting.proposal is not None
    assert waiting.proposal.made_from is MadeFrom.FINDINGS
    assert waiting.proposal.difference.runs is None
    assert {line.mark for line in waiting.proposal.difference.lines} == {Mark.ADDED}
    assert all("bent forward" in line.because for line in waiting.proposal.difference.lines)
    answer_no(club)
    club.services.plans.accept(first.plan_id, club.coach)
    assert club.services.program_desk.waiting(club.coach) == ()
    # A program that runs, changed by hand: one goes, one rises, one comes.
    gone, raised, *rest = chosen_of(first)
    new = [replace(raised, level=raised.level + 2), *rest, Chosen("heel_tap", 0)]
    edited = club.services.program_desk.edit(club.coach, first.plan_id, new, 4, 6)
    assert edited.state is PlanState.PROPOSED
    assert edited.finding_ids == first.finding_ids
    (waiting,) = club.services.program_desk.waiting(club.coach)
    assert waiting.held is None
    assert waiting.proposal is not None
    difference = waiting.proposal.difference
    marks = {
        (line.after or line.before).exercise_id: line.mark for line in difference.lines if line.after or line.before
    }
    assert marks[gone.exercise_id] is Mark.REMOVED
    assert marks[raised.exercise_id] is Mark.MORE
    assert marks[new[-1].exercise_id] is Mark.ADDED
    assert {marks[each.exercise_id] for each in rest} == {Mark.SAME}
    assert difference.asks_for_more
    assert difference.runs is not None
    assert (difference.runs.sessions_per_week, difference.proposed.sessions_per_week) == (
        first.prescription.sessions_per_week, 4
    )  # fmt: skip
    assert (waiting.proposal.made_from, waiting.proposal.by) == (MadeFrom.EDITED, "Kim")
    # Nothing of it runs before the yes.
    active = club.services.plans.active(club.athlete_id)
    assert active is not None
    assert active.prescription == first.prescription
    club.services.plans.accept(edited.plan_id, club.coach)
    active = club.services.plans.active(club.athlete_id)
    assert active is not None
    assert active.prescription == edited.prescription


def test_a_proposal_that_somebody_changed_stays_while_findings_go_on(club: Club) -> None:
    first = proposed(club)
    kept = chosen_of(first)[:2]
    edited = club.services.program_desk.edit(club.coach, first.plan_id, kept, 3, 4)
    assert edited.prescription.session_duration_min == session_duration_min(
        item.dose for item in edited.prescription.exercises
    )
    assert edited.prescription.rest == first.prescription.rest
    bend(club, "again")
    assert club.services.plans.replan(club.athlete_id) is None
    waiting = club.services.plans.proposal(club.athlete_id)
    assert waiting is not None
    assert waiting.plan_id == edited.plan_id
    with pytest.raises(Conflict):
        club.services.plans.accept(first.plan_id, club.coach)


def test_a_dose_of_ones_own_and_what_is_none(club: Club) -> None:
    first = proposed(club)
    desk = club.services.program_desk
    one = chosen_of(first)[0]
    edited = desk.edit(club.coach, first.plan_id, [replace(one, repetitions=(5, 3), hold_s=8)], 2, 4)
    (item,) = edited.prescription.exercises
    assert item.dose.repetitions == (5, 3)
    assert item.dose.hold_s == 8
    assert item.because == first.prescription.exercises[0].because
    for chosen, course in (
        ([], (3, 4)),
        ([one, one], (3, 4)),
        ([Chosen("none", 0)], (3, 4)),
        ([replace(one, level=99)], (3, 4)),
        ([replace(one, level=-1)], (3, 4)),
        ([replace(one, repetitions=())], (3, 4)),
        ([replace(one, repetitions=(1000,))], (3, 4)),
        ([replace(one, hold_s=10_000.0)], (3, 4)),
        ([replace(one, repetitions=(100,) * 10)], (3, 4)),
        ([one], (8, 4)),
        ([one], (3, 99)),
        ([Chosen(each, 0) for each in list(library())[:11]], (3, 4)),
        (chosen_of(edited), (2, 4)),
    ):
        with pytest.raises(InvalidInput):
            desk.edit(club.coach, edited.plan_id, chosen, *course)
    assert club.services.plans.proposal(club.athlete_id) == edited


def test_what_speaks_against_an_exercise_keeps_it_out_of_an_edit(fit: Club) -> None:
    first = proposed(fit)
    fit.services.choices.say_no(fit.athlete, fit.athlete_id, "cat_camel")
    with pytest.raises(InvalidInput, match="said no to"):
        fit.services.program_desk.edit(fit.coach, first.plan_id, [*chosen_of(first)[:2], Chosen("cat_camel", 0)], 3, 4)


def test_only_who_decides_changes_a_proposal(club: Club) -> None:
    first, desk, other = proposed(club), club.services.program_desk, stranger(club)
    for by, error in ((club.athlete, NotAllowed), (other, NoSuch)):
        with pytest.raises(error):
            desk.edit(by, first.plan_id, chosen_of(first)[:1], 3, 4)
        with pytest.raises(error):
            desk.editing(by, first.plan_id)
    with pytest.raises(NotAllowed):
        desk.waiting(club.athlete)
    assert desk.waiting(other) == ()
    club.services.sharing.set_level(club.athlete, club.athlete_id, club.coach.user_id, Level.VIEW)
    assert desk.waiting(club.coach) == ()
    with pytest.raises(NotAllowed):
        desk.edit(club.coach, first.plan_id, chosen_of(first)[:1], 3, 4)


def test_many_are_decided_as_one_is_and_a_locked_one_holds_up_nobody(club: Club) -> None:
    services, desk = club.services, club.services.program_desk
    answer_no(club)
    people = {"Ada": (club.athlete, club.athlete_id)} | {name: another(club, name) for name in ("Ben", "Cleo", "Dora")}
    outcomes = services.plan_templates.apply(club.coach, template(club), [each for _, each in people.values()])
    assert [each.problem for each in outcomes] == [None] * 4
    ben, ben_id = people["Ben"]
    services.triage.answer(ben, ben_id, {question.id: Answer.YES for question in services.triage.questions()}, 30)
    plan_ids = [each.plan_id for each in outcomes if each.plan_id is not None]
    dora_plan = plan_ids.pop()
    locked_plan = plan_ids[1]
    with pytest.raises(Locked) as refused:
        services.plans.accept(locked_plan, club.coach)
    found = {each.name: each.problem for each in desk.accept_many(club.coach, [*plan_ids, "none"], (), "go")}
    assert found == {"Ada": None, "Ben": str(refused.value), "Cleo": None, "": "There is no plan none on your list."}
    for name, (_, athlete_id) in people.items():
        runs = services.plans.active(athlete_id)
        assert (runs is not None) == (name in ("Ada", "Cleo")), name
        days = services.plans.week(athlete_id, club.clock.now.date())
        assert bool(days) == (name in ("Ada", "Cleo")), name
    (waits,) = [each for each in desk.waiting(club.coach) if each.name == "Ben"]
    assert waits.held is Held.PAUSED
    # A no to the two that are left, with its reason.
    found = {each.name: each.problem for each in desk.decline_many(club.coach, [locked_plan, dora_plan], (), "not now")}
    assert found == {"Ben": None, "Dora": None}
    assert services.plans.get(club.coach, dora_plan).note == "not now"
    assert services.plans.get(club.coach, dora_plan).state is PlanState.DECLINED
    assert desk.waiting(club.coach) == ()
    for chosen in ([], ["x"] * 201):
        with pytest.raises(InvalidInput):
            desk.accept_many(club.coach, chosen)
    (other,) = desk.accept_many(stranger(club), [locked_plan])
    assert other.problem is not None
    assert other.name == ""  # that somebody exists is not told to strangers


def test_a_template_is_of_nobody_and_of_one_coach(club: Club) -> None:
    first = proposed(club)
    templates = club.services.plan_templates
    made = templates.make_from(club.coach, first.plan_id, "  From  Ada ")
    assert made.name == "From Ada"
    assert [item.exercise_id for item in made.exercises] == [item.exercise_id for item in first.prescription.exercises]
    assert all(item.because == "" and item.first_side is None and not item.extra_set for item in made.exercises)
    with pytest.raises(Conflict):
        templates.make_from(club.coach, first.plan_id, "from ada")
    with pytest.raises(InvalidInput):
        templates.make_from(club.coach, first.plan_id, " ")
    other = stranger(club)
    assert templates.of_coach(other) == ()
    for call in (templates.get, templates.drop):
        with pytest.raises(NoSuch):
            call(other, made.template_id)
    with pytest.raises(NoSuch):
        templates.apply(other, made.template_id, [club.athlete_id])
    with pytest.raises(NotAllowed):
        templates.of_coach(club.athlete)
    templates.drop(club.coach, made.template_id)
    assert templates.of_coach(club.coach) == ()


def test_a_template_raises_nobody_without_a_yes_to_more(club: Club) -> None:
    answer_no(club)
    services, templates = club.services, club.services.plan_templates
    low = template(club, Chosen("bird_dog", 1), Chosen("curl_up", 0), name="Low")
    high = template(club, Chosen("bird_dog", 3), Chosen("side_bridge", 2), name="High")
    (first,) = templates.apply(club.coach, low, [club.athlete_id], more=True)
    assert first.plan_id is not None
    assert services.plans.accept(first.plan_id, club.coach).prescription.exercises[0].level == 1
    (second,) = templates.apply(club.coach, high, [club.athlete_id])
    assert second.plan_id is not None
    bird, bridge = services.plans.get(club.coach, second.plan_id).prescription.exercises
    ran = services.plans.get(club.coach, first.plan_id).prescription.exercises[0]
    assert (bird.level, bird.dose) == (1, ran.dose)
    assert (bridge.level, bridge.dose) == (0, library()["side_bridge"].dose_by_level[0])
    assert second.notes == ("At the level of today, or the easiest: Bird-dog, Side bridge.",)
    (third,) = templates.apply(club.coach, high, [club.athlete_id], more=True)
    assert third.plan_id is not None
    assert [item.level for item in services.plans.get(club.coach, third.plan_id).prescription.exercises] == [3, 2]
    runs = services.plans.active(club.athlete_id)
    assert runs is not None
    assert runs.plan_id == first.plan_id  # a template alone changes nothing that runs


def test_a_template_leaves_out_what_must_not_be_given_and_says_so(fit: Club) -> None:
    services = fit.services
    services.choices.say_no(fit.athlete, fit.athlete_id, "bird_dog")
    services.choices.choose(fit.athlete, fit.athlete_id, ["none"])
    with_band = next(one.id for one in library().values() if "band" in one.equipment and one.phase == "strength")
    made = template(fit, Chosen("bird_dog", 0), Chosen(with_band, 0), Chosen("side_bridge", 0))
    (outcome,) = services.plan_templates.apply(fit.coach, made, [fit.athlete_id])
    assert outcome.problem is None
    assert outcome.plan_id is not None
    plan = services.plans.get(fit.coach, outcome.plan_id)
    assert [item.exercise_id for item in plan.prescription.exercises] == ["side_bridge"]
    assert outcome.notes == (
        "Bird-dog is left out: it was said no to.",
        f"{library()[with_band].name} is left out: it needs an elastic band, which is not at hand.",
    )
    assert all(note in plan.prescription.because for note in outcome.notes)
    nothing = template(fit, Chosen("bird_dog", 0), name="Nothing left")
    (outcome,) = services.plan_templates.apply(fit.coach, nothing, [fit.athlete_id])
    assert outcome.problem is not None
    assert "said no to" in outcome.problem
    assert outcome.plan_id is None


def test_a_declined_template_leaves_what_was_found_its_say(club: Club) -> None:
    answer_no(club)
    found = proposed(club)
    (outcome,) = club.services.plan_templates.apply(club.coach, template(club), [club.athlete_id])
    assert outcome.plan_id is not None
    assert club.services.plans.get(club.coach, found.plan_id).state is PlanState.SUPERSEDED
    club.services.plans.decline(outcome.plan_id, club.coach)
    (again,) = club.services.plans.replan_wanted()
    assert again.prescription == found.prescription


def test_an_own_exercise_is_read_by_the_rules_of_the_library(club: Club) -> None:
    own = club.services.own_exercises
    made = own.add(club.coach, OWN)
    assert made.exercise.id.startswith("own_")
    assert {"acute_illness", "chest_symptoms", "recent_surgery", "third_trimester"} == set(
        made.exercise.contraindications
    )
    for change in (
        {"plane": "diagonal"}, {"answers": ["nothing"]}, {"answers": []}, {"cues": []}, {"name": " "},
        {"name": "x" * 81},
        {"equipment": ["a horse"]}, {"contraindications": ["boredom"]}, {"easier": "nothing"}, {"levels": []},
        {"muscle_group": "ears"}, {"drawn_as": "nothing"}, {"unknown": 1}, {"source": ""}, {"target": "x" * 501},
        {"levels": [{"name": "a", "repetitions": [101], "rest_s": 0, "per_side": False}]},
        {"levels": [{"name": "a", "repetitions": [0], "rest_s": 0, "per_side": False}]},
        {"seen": {"placement": "", "as": "hold"}}, {"seen": {"placement": ["chest"], "as": "hold"}}, {"name": "a\x00b"},
        {"seen": []}, {"levels": [1]}, {"levels": {}}, {"contraindications": [{}]}, {"easier": []}, {"name": ["x"]},
        {"cues": [f"{n}" for n in range(9)]}, {"levels": OWN["levels"] * 5},
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            own.add(club.coach, {**OWN, **change})
    with pytest.raises(InvalidInput):
        own.add(club.coach, {name: each for name, each in OWN.items() if name != "regression"})
    assert [each.exercise.id for each in own.of_coach(club.coach)] == [made.exercise.id]
    assert own.change(club.coach, made.exercise.id, {**OWN, "name": "Suitcase"}).exercise.name == "Suitcase"


def test_an_own_exercise_is_in_no_other_coachs_view(club: Club) -> None:
    own, other = club.services.own_exercises, stranger(club)
    made = own.add(club.coach, OWN).exercise
    assert own.of_coach(other) == ()
    for call in (
        lambda: own.get(other, made.id),
        lambda: own.drop(other, made.id),
        lambda: own.change(other, made.id, OWN),
    ):
        with pytest.raises(NoSuch):
            call()
    with pytest.raises(InvalidInput):
        club.services.plan_templates.make(other, "Theirs", [Chosen(made.id, 0)], 3, 4)
    with pytest.raises(NotAllowed):
        own.of_coach(club.athlete)


def test_an_own_exercise_reaches_the_session_and_goes_on_when_it_is_deleted(club: Club) -> None:
    services = club.services
    answer_no(club)
    made = services.own_exercises.add(club.coach, OWN).exercise
    first = proposed(club)
    edited = services.program_desk.edit(club.coach, first.plan_id, [*chosen_of(first)[:2], Chosen(made.id, 1)], 3, 4)
    assert "Suitcase hold" in edited.prescription.exercises[-1].because
    services.plans.accept(edited.plan_id, club.coach)
    services.own_exercises.drop(club.coach, made.id)
    session = services.plans.week(club.athlete_id, club.clock.now.date())[0]
    shown = services.plans.session(club.athlete, session.session_id).exercises[-1]
    assert (shown["name"], shown["level"], shown["cues"]) == ("Suitcase hold", "longer", tuple(OWN["cues"]))
    runs = services.plans.active(club.athlete_id)
    assert runs is not None
    assert runs.prescription.exercises[-1].own == made


def test_what_a_doctor_rules_out_takes_an_own_exercise_out_of_what_runs_and_keeps_it_out(fit: Club) -> None:
    services = fit.services
    made = services.own_exercises.add(fit.coach, OWN).exercise
    first = proposed(fit)
    kept = Chosen("side_bridge", 0)
    edited = services.program_desk.edit(fit.coach, first.plan_id, [kept, Chosen(made.id, 0)], 3, 4)
    services.plans.accept(edited.plan_id, fit.coach)
    services.doctor.record_plan(
        fit.athlete, fit.athlete_id, fit.clock.now.date(), contraindications=["third_trimester"]
    )
    runs = services.plans.active(fit.athlete_id)
    assert runs is not None
    # Its easier exercise, of the library, stands in; what the doctor did not name stays.
    assert [item.exercise_id for item in runs.prescription.exercises] == ["side_bridge", OWN["easier"]]
    (change,) = services.progress.lately(fit.athlete_id)
    assert "suitcase hold" in change.because
    with pytest.raises(InvalidInput, match="last third of a pregnancy"):
        services.program_desk.edit(fit.coach, runs.plan_id, [kept, Chosen(made.id, 0)], 3, 4)


def test_a_message_goes_with_its_session_to_whom_it_is_for(club: Club) -> None:
    answer_no(club)
    plan = proposed(club)
    club.services.plans.accept(plan.plan_id, club.coach)
    messages = club.services.session_messages
    session = club.services.plans.week(club.athlete_id, club.clock.now.date())[0].session_id
    messages.write(club.coach, session, "  Slowly today. ")
    messages.write(club.coach, session, "Slower still.")
    (read,) = messages.of_session(club.athlete, session)
    assert (read.text, read.by, read.own) == ("Slower still.", "Kim", False)
    second = stranger(club)
    club.services.athletes.link_coach(second.user_id, club.athlete_id)
    assert messages.of_session(second, session) == ()
    with pytest.raises(InvalidInput):
        messages.write(club.coach, session, "x" * 501)
    with pytest.raises(NotAllowed):
        messages.write(club.athlete, session, "hello")
    with pytest.raises(NoSuch):
        messages.of_session(stranger(club, "Max"), session)
    messages.write(club.coach, session, " ")
    assert messages.of_session(club.athlete, session) == ()


def test_notes_are_read_by_who_wrote_them_and_by_nobody_else(club: Club) -> None:
    notes = club.services.coach_notes
    notes.add(club.coach, club.athlete_id, "Prefers mornings.")
    club.clock.forward(minutes=1)
    notes.add(club.coach, club.athlete_id, "Likes a count.")
    assert [each.text for each in notes.of_athlete(club.coach, club.athlete_id)] == [
        "Likes a count.",
        "Prefers mornings.",
    ]
    second = stranger(club)
    with pytest.raises(NoSuch):
        notes.of_athlete(second, club.athlete_id)
    club.services.athletes.link_coach(second.user_id, club.athlete_id)
    assert notes.of_athlete(second, club.athlete_id) == ()
    first_note = notes.of_athlete(club.coach, club.athlete_id)[0].note_id
    with pytest.raises(NoSuch):
        notes.drop(second, club.athlete_id, first_note)
    with pytest.raises(NotAllowed):
        notes.of_athlete(club.athlete, club.athlete_id)
    for text in ("", " ", "x" * 2001):
        with pytest.raises(InvalidInput):
            notes.add(club.coach, club.athlete_id, text)
    # The athlete's copy of everything holds them: they are about the athlete.
    with club.store.read() as tx:
        taken = [row["text"] for row in exporting.plain_rows(tx, "coach_note", club.athlete_id)]
    assert sorted(taken) == ["Likes a count.", "Prefers mornings."]
    notes.drop(club.coach, club.athlete_id, first_note)
    assert len(notes.of_athlete(club.coach, club.athlete_id)) == 1
    # When the link ends, so does reading.
    club.services.sharing.end(club.athlete, club.athlete_id, club.coach.user_id)
    with pytest.raises(NoSuch):
        notes.of_athlete(club.coach, club.athlete_id)
