"""Who gets in where, written down by hand and not taken from what the routes say of themselves.

Each letter is somebody who asks for Ada's things: of whose list they are is said in test_access.py.

S a stranger            O the owner of the machine   L a coach who is linked to somebody else
V, P, F Ada's coach at level view, plan, full        N Ada's coach at full, without the consent to health text
A Ada                   B another athlete            G Ada's guardian      H another child's guardian
W Ada's gateway token   T her phone's token          D the secret of a link for a doctor, shown as a token
"""

from __future__ import annotations

EVERYBODY = "SOLVPFNABGHWTD"
SIGNED_IN = "OLVPFNABGH"
COACHES = "LVPFN"
# Of Ada: coaches by level, Ada, her guardian.
VIEW, PLAN, FULL = "VPFNAG", "PFNAG", "FNAG"
# The same where coaches alone, or whoever looks after her, get in.
COACH_VIEW, COACH_PLAN, CARER_VIEW, CARER_FULL = "VPFN", "PFN", "VPFNG", "FNG"
# Health text.
HEALTH_VIEW, HEALTH_FULL = "VPFAG", "FAG"
# What an athlete asks for of themselves, by an address that names nobody: each gets their own.
OWN = "AB"
ADA, SPEAKER = "A", "AG"

_TABLE = {
    EVERYBODY: """
        static welcome.welcome welcome.enter welcome.sign_in welcome.sign_in_page welcome.sign_out welcome.code
        welcome.enter_code passkeys.ask passkeys.sign_in api.document calendar.feed health.alive health.ready
        reminders.worker offline.manifest offline.page offline.held offline.spasm
        joining.page joining.look joining.new doctor_link.page doctor_link.pdf""",
    SIGNED_IN: """
        account.begin_factor account.confirm account.confirm_factor account.end_others account.end_session account.page
        account.read_in account.remove_factor account.renew_codes account.set_password account.waiting_factor
        passkeys.add passkeys.ask_new passkeys.remove passkeys.rename tokens.make tokens.page tokens.revoke
        benchmarks.page api.library
        api.me api.profiles api.tokens people.page people.invite people.end_code joining.agree""",
    "O": """metrics.metrics health.parts reanalysis.page reanalysis.progress_part reanalysis.newest
        reanalysis.start reanalysis.stop dead_letters.page dead_letters.listed dead_letters.replay""",
    COACHES: """
        groups.page groups.make groups.edit groups.change groups.remove
        program_desk.page program_desk.accept program_desk.decline templates.page templates.make templates.one
        templates.apply templates.drop library.page library.exercise own_exercises.new own_exercises.add
        own_exercises.edit own_exercises.change own_exercises.drop
        api.program_desk api.decide_many api.templates api.add_template api.drop_template api.apply_template
        api.own_exercises api.add_own_exercise api.change_own_exercise api.drop_own_exercise
        coach.roster api.athletes wall.page wall.choose wall.stream
        team_calendar.page team_reports.page team_reports.table""",
    VIEW: """
        findings.finding findings.finding_json findings.signal findings.window findings.findings_json findings.day
        signals.of_athlete signals.part
        findings.versions days.page days.answers_json choices.of_athlete availability.of_athlete jobs.of_athlete
        jobs.job live.events profiles.page team_reports.pdf sessions.session_page
        api.messages
        api.athlete api.availability api.checkin api.checkins api.choices api.day api.day_signal api.differences
        api.finding api.finding_signal api.findings api.heart api.job api.jobs api.plan api.plans api.preview
        api.recording
        api.recording_chunks api.recordings api.safety api.session api.sessions api.step api.steps api.today
        api.trainings""",
    PLAN: """
        plans.accept plans.decline steps.accept steps.decline choices.choose choices.say_no choices.take_back
        availability.change profiles.change weeks.move reminders.snooze safety.clear sessions.outcome
        api.edit_plan
        api.accept_plan api.accept_step api.decline_plan api.decline_step api.decline_exercise api.take_exercise_back
        api.set_availability api.set_choices api.set_profile api.session_outcome api.snooze_session""",
    FULL: """
        assessments.entry assessments.record assessments.results assessments.results_as_json
        imports.discard imports.page imports.preview imports.take imports.upload
        api.add_assessment api.assessment api.assessments api.tests api.add_checkin api.change_checkin
        api.drop_checkin api.add_training api.drop_training api.connection_logs api.gateways api.wearable
        api.wearables""",
    COACH_VIEW: "people.leave notes.of_athlete notes.add notes.drop",
    COACH_PLAN: """
        jobs.new jobs.add jobs.remove program_edit.edit program_edit.change program_edit.make_template notes.message
        api.template_of_plan api.set_message""",
    CARER_VIEW: """
        coach.desk coach.time_line_json coach.time_line_part coach.findings_part coach.heart_part coach.plan_part
        coach.recordings_part safety.of_athlete""",
    CARER_FULL: "assessments.of_athlete safety.answer_for",
    HEALTH_VIEW: "care.treatments care.questions api.treatments api.response api.questionnaires api.spasm",
    HEALTH_FULL: """
        care.add care.answer_everyday care.drop care.end care.rate_activities
        doctor.add_imaging doctor.drop_imaging doctor.fhir doctor.imaging_file doctor.page doctor.pdf
        doctor.record_plan api.add_treatment api.drop_treatment api.end_treatment api.answer_everyday
        api.rate_activities api.doctor""",
    OWN: """
        athlete.findings_part athlete.heart_part athlete.next_part athlete.pauses_part athlete.today athlete.week
        assessments.before assessments.own assessments.start availability.own calendar.renew choices.own days.own
        diary.add_training diary.check_in diary.own gateways.add_token phones.add phones.choose reminders.add_device
        findings.own me.page signals.page offline.copies
        start.page start.onward start.step start.skip start.end start.consents start.agree start.body start.tell_body
        reminders.choose reminders.drop_device reminders.drop_webhook reminders.page reminders.set_webhook
        reminders.try_channel safety.answer_own safety.own sharing.own spasm.begin spasm.comfort spasm.go_on spasm.over
        spasm.page spasm.questions spasm.timer spasm.told spasm.undo wearables.add wearables.choose wearables.look
        wearables.look_part wearables.own wearables.recordings_part data.own""",
    ADA: """
        assessments.begin assessments.enter assessments.finish assessments.guided assessments.skip assessments.step
        assessments.stop calibration.check calibration.keep_upright calibration.page calibration.start
        diary.checkin diary.complete diary.drop_checkin diary.drop_training gateways.log gateways.revoke
        wearables.forget wearables.place wearables.placement_page wearables.state_part
        api.reminders api.set_reminders""",
    SPEAKER: """
        guided.page guided.begin guided.state guided.tell_set guided.finish guided.events
        doctor.share sharing.agree sharing.end_coach sharing.end_code sharing.end_guardian sharing.end_link
        sharing.invite sharing.make_link sharing.of_athlete sharing.set_level sharing.withdraw
        data.erase data.export data.of_athlete api.export
        api.ledger api.sharing api.consents""",
    "W": "api.add_chunks api.beat api.live",
    "T": "phone_push.push phone_push.push_by_path",
}

MAY: dict[str, str] = {endpoint: who for who, endpoints in _TABLE.items() for endpoint in endpoints.split()}
