"""For every page and form: what a program asks instead, or why a program would not want it."""

from __future__ import annotations

# Endpoint of a page -> operations of the document that tell a program the same.
TWINS: dict[str, str] = {
    "assessments.own": "api_tests api_assessments",
    "assessments.of_athlete": "api_tests api_assessments",
    "assessments.results": "api_assessment",
    "assessments.record": "api_add_assessment",
    "athlete.today": "api_today",
    "athlete.next_part": "api_today api_plans",
    "athlete.pauses_part": "api_today",
    "athlete.findings_part": "api_findings",
    "athlete.heart_part": "api_heart",
    "athlete.week": "api_sessions api_plans",
    "availability.own": "api_availability",
    "availability.of_athlete": "api_availability",
    "availability.change": "api_set_availability",
    "care.treatments": "api_treatments api_response",
    "care.add": "api_add_treatment",
    "care.end": "api_end_treatment",
    "care.drop": "api_drop_treatment",
    "care.questions": "api_questionnaires",
    "care.answer_everyday": "api_answer_everyday",
    "care.rate_activities": "api_rate_activities",
    "choices.own": "api_choices",
    "choices.of_athlete": "api_choices",
    "choices.choose": "api_set_choices",
    "choices.say_no": "api_decline_exercise",
    "choices.take_back": "api_take_exercise_back",
    "coach.roster": "api_athletes",
    "coach.desk": "api_today api_athlete",
    "coach.findings_part": "api_findings",
    "coach.heart_part": "api_heart",
    "coach.recordings_part": "api_recordings",
    "coach.plan_part": "api_plans api_sessions",
    "data.export": "api_export",
    "days.own": "api_day",
    "days.page": "api_day api_day_signal",
    "diary.own": "api_checkins api_trainings",
    "diary.check_in": "api_add_checkin",
    "diary.checkin": "api_checkin",
    "diary.complete": "api_change_checkin",
    "diary.drop_checkin": "api_drop_checkin",
    "diary.add_training": "api_add_training",
    "diary.drop_training": "api_drop_training",
    "doctor.page": "api_doctor doctor_fhir",
    "findings.finding": "api_finding",
    "findings.window": "api_finding_signal",
    "findings.versions": "api_differences",
    "jobs.of_athlete": "api_jobs",
    "jobs.job": "api_job",
    "plans.accept": "api_accept_plan",
    "plans.decline": "api_decline_plan",
    "profiles.page": "api_profiles api_athlete",
    "profiles.change": "api_set_profile",
    "reminders.page": "api_reminders",
    "reminders.choose": "api_set_reminders",
    "reminders.snooze": "api_snooze_session",
    "safety.own": "api_safety",
    "safety.of_athlete": "api_safety",
    "sessions.session_page": "api_session",
    "sessions.outcome": "api_session_outcome",
    "sharing.own": "api_consents api_sharing api_ledger",
    "sharing.of_athlete": "api_consents api_sharing api_ledger",
    "spasm.page": "api_spasm",
    "steps.accept": "api_accept_step",
    "steps.decline": "api_decline_step",
    "tokens.page": "api_tokens",
    "account.page": "api_me",
    "wearables.own": "api_wearables api_recordings api_gateways api_connection_logs",
    "wearables.state_part": "api_wearable",
    "wearables.recordings_part": "api_recordings",
}
_SIGN_IN = "signing in and its keys are a person's: a token that could do that would be one for everything"
_SHARING = "agreeing, inviting and ending are a person's own act, done where the page says what it means"
_GUIDED = "a person is led through it, try by try, in front of the page"
_READ_FIRST = "the questions are answered by who reads them; a lock is lifted by who has seen the clinician's word"
_DEVICE = "done with the wearable or the phone in hand"
_PART = "a part of a page that has a twin"
# Endpoint -> why a program would not want it.
NONE: dict[str, str] = {
    **dict.fromkeys(
        (
            "account.confirm", "account.set_password", "account.end_session", "account.end_others",
            "account.waiting_factor", "account.begin_factor", "account.confirm_factor", "account.renew_codes",
            "account.remove_factor", "passkeys.ask", "passkeys.sign_in", "passkeys.ask_new", "passkeys.add",
            "passkeys.rename", "passkeys.remove", "tokens.make", "tokens.revoke", "welcome.welcome", "welcome.enter",
            "welcome.sign_in", "welcome.sign_in_page", "welcome.code", "welcome.enter_code", "welcome.sign_out",
            "gateways.add_token", "gateways.revoke", "calendar.renew",
        ),
        _SIGN_IN,
    ),
    **dict.fromkeys(
        (
            "sharing.agree", "sharing.withdraw", "sharing.set_level", "sharing.end_coach", "sharing.end_guardian",
            "sharing.invite", "sharing.end_code", "sharing.make_link", "sharing.end_link", "joining.page",
            "joining.look", "joining.agree", "joining.new", "people.page", "people.invite", "people.end_code",
            "people.leave", "doctor.share", "data.own", "data.of_athlete", "data.erase",
        ),
        _SHARING,
    ),
    **dict.fromkeys(
        (
            "assessments.before", "assessments.start", "assessments.guided", "assessments.step", "assessments.begin",
            "assessments.stop", "assessments.enter", "assessments.skip", "assessments.finish", "assessments.entry",
            "spasm.begin", "spasm.told", "spasm.go_on", "spasm.over", "spasm.undo", "spasm.comfort", "spasm.timer",
        ),
        _GUIDED,
    ),
    **dict.fromkeys(("safety.answer_own", "safety.answer_for", "safety.clear", "spasm.questions"), _READ_FIRST),
    **dict.fromkeys(
        (
            "calibration.page", "calibration.start", "calibration.check", "calibration.keep_upright",
            "wearables.look", "wearables.look_part", "wearables.choose", "wearables.add", "wearables.placement_page",
            "wearables.place", "wearables.forget", "phones.choose", "phones.add",
        ),
        _DEVICE,
    ),
    **dict.fromkeys(
        ("reminders.add_device", "reminders.drop_device", "reminders.set_webhook", "reminders.drop_webhook"),
        "makes or ends an address with a secret, which only its page shows",
    ),
    **dict.fromkeys(("doctor_link.page", "doctor_link.pdf"), "for a doctor's eyes, behind a link that ends by itself"),
    **dict.fromkeys(
        ("doctor.record_plan", "doctor.add_imaging", "doctor.imaging_file", "doctor.drop_imaging"),
        "papers, copied down by who holds them; they are in the FHIR bundle and in the export",
    ),
    **dict.fromkeys(
        ("imports.page", "imports.upload", "imports.preview", "imports.take", "imports.discard"),
        "a program hands in chunks; files are looked at by a person before they are taken, or by `backstop import`",
    ),
    **dict.fromkeys(("jobs.new", "jobs.add", "jobs.remove"), "a coach describes a job while looking at it"),
    "reminders.try_channel": "a test that a person waits for",
    "reminders.worker": "the script behind a browser's push",
    "static": "files of the pages",
}  # fmt: skip
