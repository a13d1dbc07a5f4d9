"""The use-cases, one class per subject. Web, clock, worker and gateway call these and nothing below them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from coach.config import Config
from coach.heart_log import TableHeartLog
from coach.log import TableChunkLog
from coach.notify.channels import Channels
from coach.server_keys import vapid_key
from coach.service.accounts import Accounts
from coach.service.arrivals import Arrivals
from coach.service.assessments import Assessments
from coach.service.athletes import Athletes
from coach.service.body import Bodies
from coach.service.choices import Choices
from coach.service.coach_notes import CoachNotes
from coach.service.consents import Consents
from coach.service.days import Days
from coach.service.dead_letters import DeadLetters
from coach.service.diary import Diary
from coach.service.doctor import Doctor
from coach.service.doctor_links import DoctorLinks
from coach.service.erasing import Erasing
from coach.service.exports import Exports
from coach.service.findings import Findings
from coach.service.first_run import FirstRun
from coach.service.gate import Gate
from coach.service.gateways import Gateways
from coach.service.ground import Ground
from coach.service.groups import Groups
from coach.service.guidance import Guidance
from coach.service.hearts import Hearts
from coach.service.imports import Imports
from coach.service.ingest import Ingest
from coach.service.invitations import Invitations
from coach.service.jobs import Jobs
from coach.service.ledger import Ledger
from coach.service.links import LinkBoard
from coach.service.looks import Looks
from coach.service.machine import Machine
from coach.service.motion import Motion
from coach.service.moving import Moving
from coach.service.own_exercises import OwnExercises
from coach.service.passkeys import Passkeys
from coach.service.personal_tokens import PersonalTokens
from coach.service.phones import Phones
from coach.service.plan_templates import PlanTemplates
from coach.service.plans import Plans
from coach.service.poses import Poses
from coach.service.profiles import Profiles
from coach.service.program_desk import ProgramDesk
from coach.service.progress import Progress
from coach.service.questionnaires import Questionnaires
from coach.service.reanalysis import Reanalysis
from coach.service.recordings import Recordings
from coach.service.reminder_settings import ReminderSettings
from coach.service.reminders import Reminders
from coach.service.reports import Reports
from coach.service.rerun import Rerun
from coach.service.restoring import Restoring
from coach.service.rests import Rests
from coach.service.retention import Retention
from coach.service.second_factors import SecondFactors
from coach.service.sent_answers import SentAnswers
from coach.service.sent_files import SentFiles
from coach.service.session_messages import SessionMessages
from coach.service.sharing import Sharing
from coach.service.sign_in_sessions import SignIns
from coach.service.signals import Signals
from coach.service.spasms import Spasms
from coach.service.team import Team
from coach.service.time_line import TimeLine
from coach.service.tokens import Tokens, senders
from coach.service.treatments import Treatments
from coach.service.triage import Triage
from coach.service.trials import Trials
from coach.service.walls import Walls
from coach.service.wearables import Wearables
from coach.store.engine import Store
from devices.hostclock import HostClock


@dataclass(frozen=True, slots=True)
class Services:
    """All use-cases over one store. log, heart_log: where chunks and heart rate go; links: where links are shown."""

    accounts: Accounts
    sign_ins: SignIns
    passkeys: Passkeys
    second_factors: SecondFactors
    tokens: Tokens
    personal_tokens: PersonalTokens
    gate: Gate
    consents: Consents
    sharing: Sharing
    invitations: Invitations
    doctor_links: DoctorLinks
    ledger: Ledger
    athletes: Athletes
    groups: Groups
    profiles: Profiles
    wearables: Wearables
    walls: Walls
    team: Team
    motion: Motion
    arrivals: Arrivals
    dead_letters: DeadLetters
    signals: Signals
    days: Days
    reanalysis: Reanalysis
    rerun: Rerun
    recordings: Recordings
    hearts: Hearts
    findings: Findings
    time_line: TimeLine
    jobs: Jobs
    diary: Diary
    treatments: Treatments
    questionnaires: Questionnaires
    doctor: Doctor
    reports: Reports
    triage: Triage
    plans: Plans
    progress: Progress
    moving: Moving
    program_desk: ProgramDesk
    plan_templates: PlanTemplates
    own_exercises: OwnExercises
    session_messages: SessionMessages
    coach_notes: CoachNotes
    choices: Choices
    rests: Rests
    spasms: Spasms
    sent_answers: SentAnswers
    sent_files: SentFiles
    first_run: FirstRun
    bodies: Bodies
    reminders: Reminders
    reminder_settings: ReminderSettings
    assessments: Assessments
    trials: Trials
    guidance: Guidance
    ingest: Ingest
    imports: Imports
    exports: Exports
    restoring: Restoring
    erasing: Erasing
    retention: Retention
    gateways: Gateways
    looks: Looks
    phones: Phones
    poses: Poses
    log: TableChunkLog
    heart_log: TableHeartLog
    links: LinkBoard
    machine: Machine


def build_services(store: Store, config: Config, clock: HostClock, log: TableChunkLog | None = None) -> Services:
    """Return the services over a store whose schema is up to date. Starts nothing. Raises ConfigError: a profile.

    log: where chunks go, None for the store itself.
    """
    ground = Ground(store, config, Profiles(config), clock)
    links, looks = LinkBoard(clock), Looks(clock)
    channels = Channels(config, lambda: vapid_key(store, config))
    motion, days, hearts = Motion(ground), Days(ground), Hearts(ground)
    log, heart_log = log or TableChunkLog(store, clock, senders), TableHeartLog(store, hearts.mark)
    wearables, tokens, accounts = Wearables(ground, links), Tokens(ground), Accounts(ground)
    plans, progress = Plans(ground), Progress(ground)
    reanalysis = Reanalysis(ground, days)
    made: dict[str, Any] = {
        "accounts": accounts,
        "tokens": tokens,
        "personal_tokens": PersonalTokens(ground, accounts),
        "consents": Consents(ground, links),
        "athletes": Athletes(ground, links),
        "profiles": ground.profiles,
        "wearables": wearables,
        "walls": Walls(ground, links),
        "motion": motion,
        "arrivals": Arrivals(ground, motion),
        "dead_letters": DeadLetters(ground, motion, log),
        "days": days,
        "reanalysis": reanalysis,
        "rerun": Rerun(ground, reanalysis),
        "hearts": hearts,
        "plans": plans,
        "progress": progress,
        "program_desk": ProgramDesk(ground, plans, progress),
        "reminders": Reminders(ground, channels),
        "reminder_settings": ReminderSettings(ground, channels),
        "guidance": Guidance(ground, wearables),
        "ingest": Ingest(log, heart_log),
        "imports": Imports(ground, log),
        "erasing": Erasing(ground, links, log),
        "gateways": Gateways(ground, tokens, links, looks),
        "looks": looks,
        "phones": Phones(ground, log, links, tokens),
        "poses": Poses(ground, wearables),
        "log": log,
        "heart_log": heart_log,
        "links": links,
        "machine": Machine(ground, log, links),
    }
    kinds = get_type_hints(Services)
    # Whatever is not named above stands on the ground alone.
    alone = {each.name: kinds[each.name](ground) for each in fields(Services) if each.name not in made}
    return Services(**made, **alone)
