"""Safety questions before a program: red flags -> how urgent, what to say, whether sessions are locked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from programs.errors import ProgramError
from programs.types import Answer, Lock, TriageLevel, TriageQuestion, TriageResult

# Changes whenever a question, a rule or a message changes; stored with each set of answers.
QUESTIONS_VERSION = "2"

# The messages of our product. Source for levels and flags: Finucane 2020 (IFOMPT framework, JOSPT 50:350).
LOCAL_NUMBER = "your local emergency number"
NERVE_EMERGENCY = (
    "These can be signs of a rare emergency affecting nerves in the lower back. Go to an emergency department or call "
    f"{LOCAL_NUMBER} now. Don't exercise and don't wait."
)
EMERGENCY = (
    "These can be signs of an emergency. Go to an emergency department or call "
    f"{LOCAL_NUMBER} now. Don't exercise and don't wait."
)
SAME_DAY = "Please be assessed by a doctor today."
REVIEW_FIRST = "Please book a medical review before starting."
GUARDIAN = "Please talk with a parent or guardian and see a doctor together before starting."
MENTION = "Please mention your morning stiffness to a doctor at your next visit."
ADAPT = "Please have your leg pain reviewed by a doctor or physiotherapist, and leave out whatever makes it spread."
OPEN = (
    "Some answers are still open, so the program waits. Please answer every question, and your age where it matters; "
    "if you can't tell, ask a doctor or physiotherapist."
)

_E, _U, _P, _R = TriageLevel.EMERGENCY, TriageLevel.URGENT, TriageLevel.PROMPT, TriageLevel.ROUTINE
_LEVELS = tuple(TriageLevel)

# Own words. level: what a yes can lead to; FRA_MINOR and BONE count together only.
QUESTIONS: tuple[TriageQuestion, ...] = (
    TriageQuestion(
        "CES",
        "Do you have new trouble passing or holding urine or stool, numbness around your genitals, inner thighs or "
        "bottom, new numbness during sex, or weakness or pain in both legs?",
        _E,
    ),
    TriageQuestion(
        "AAA",
        "Do you have a new pulsing feeling in your belly or a sudden tearing pain, or have you fainted with back pain?",
        _E,
    ),
    TriageQuestion("VIS", "Do you have chest pain or breathlessness, or are you pregnant and bleeding?", _E),
    TriageQuestion(
        "NEU",
        "Is one of your legs getting weaker, does a foot drag or slap when you walk, or is numbness spreading?",
        _U,
    ),
    TriageQuestion("FRA", "Have you had a major fall, a crash or another hard blow recently?", _U),
    TriageQuestion("FRA_MINOR", "Has your back hurt since a small fall, a knock or a strain?", _U),
    TriageQuestion("BONE", "Do you have osteoporosis, or have you taken steroids for a long time?", _U),
    TriageQuestion(
        "INF", "Do you have a fever, chills or feel ill, or back pain all night that no position eases?", _U
    ),
    TriageQuestion(
        "INF_RISK",
        "Is your back pain new or worse, and have you recently had an infection or a procedure on your spine, injected "
        "drugs, or a weakened immune system?",
        _U,
    ),
    TriageQuestion("VIS_URINE", "Does it hurt when you pass urine, or is there blood in it?", _U),
    TriageQuestion(
        "CAN",
        "Have you ever had cancer, have you lost weight without trying, or, at 50 or older, is there a new back pain "
        "that doesn't ease when you rest?",
        _P,
    ),
    TriageQuestion(
        "CHILD",
        "If you are under 18: does back pain wake you at night, or has bending backwards in sport hurt for more than "
        "two weeks?",
        _P,
    ),
    TriageQuestion(
        "RAD", "Does pain run into one of your legs below the knee, for more than two weeks or severely?", _R
    ),
    TriageQuestion(
        "INFL",
        "Has your back hurt for more than three months, starting before you were 45, with more than half an hour of "
        "stiffness in the morning that eases as you move?",
        _R,
    ),
)

# Not sure counts as yes where waiting could cost most. Source: Finucane 2020 for CES; the other three: own heuristic.
UNSURE_IS_YES = frozenset({"CES", "NEU", "AAA", "VIS"})
# A minor injury counts from this age on. Source: Finucane 2020, row FRA of our facts.
FRAGILE_AGE_YEARS = 70
# Source: row CHILD of our facts.
ADULT_AGE_YEARS = 18
# Asked again at a pain of this much, and every so often while there is any pain. Source: Finucane 2020; figures own.
ASK_AT_PAIN = 6
ASK_EVERY = timedelta(days=7)

# One flag: level, message, the questions that decide. Most urgent first; the order of the messages.
_FLAGS: tuple[tuple[str, TriageLevel, str], ...] = (
    ("CES", _E, NERVE_EMERGENCY),
    ("AAA", _E, EMERGENCY),
    ("VIS", _E, EMERGENCY),
    ("NEU", _U, SAME_DAY),
    ("FRA", _U, SAME_DAY),
    ("FRA_MINOR", _U, SAME_DAY),
    ("INF", _U, SAME_DAY),
    ("INF_RISK", _U, SAME_DAY),
    ("VIS_URINE", _U, SAME_DAY),
    ("CAN", _P, REVIEW_FIRST),
    ("CHILD", _P, GUARDIAN),
    ("RAD", _R, ADAPT),
    ("INFL", _R, MENTION),
)
# What a yes at each level holds back. Source: decisions/0010.
LOCKS = {_E: Lock.ALL, _U: Lock.ALL, _P: Lock.STARTING}
_IDS = frozenset(question.id for question in QUESTIONS)


def questions() -> tuple[TriageQuestion, ...]:
    """Return the questions in the order to ask, most urgent first.

    Source: own words on the flags of Finucane 2020 (IFOMPT framework, JOSPT 50:350).
    """
    return QUESTIONS


def triage(answers: Mapping[str, Answer], age_years: int | None = None) -> TriageResult:
    """Return how urgent the answers are, what to show, and what is locked.

    answers: question id -> answer; a missing question is skipped. age_years: None when not told.
    EMERGENCY and URGENT lock everything, PROMPT locks starting and progress. Not sure or skipped counts as yes for CES,
    NEU, AAA and VIS. Elsewhere it locks everything without an alarm until it is answered (ROUTINE, or what the other
    answers say; the reasons name what is open), unless the answer could change nothing: a ROUTINE flag that was asked,
    osteoporosis without an injury, the question for minors at an adult's age.
    At an EMERGENCY only its messages are shown; the reasons still name every flag.
    Raises ProgramError for an unknown question, an answer that is none, or an age outside 0 to 130.
    Source: Finucane 2020 (JOSPT 50:350); single flags have low accuracy, hence no score; locks: own heuristic.
    """
    _check(answers, age_years)
    level, messages, reasons, waits_for = TriageLevel.CLEAR, [], [], []
    for flag, flag_level, message in _FLAGS:
        standing = _standing(flag, answers, age_years)
        if standing is Answer.UNKNOWN and (flag not in answers or flag_level is not _R):
            waits_for.append(flag)
        if standing is not Answer.YES:
            continue
        level = min(level, flag_level, key=_LEVELS.index)
        reasons += [flag, "BONE"] if flag == "FRA_MINOR" and answers.get("BONE") is Answer.YES else [flag]
        # Someone sent to an emergency department should not also read "today" or "at your next visit".
        if message not in messages and not (level is _E and flag_level is not _E):
            messages.append(message)
    if level in (_E, _U) or not waits_for:
        return TriageResult(level, LOCKS.get(level, Lock.NONE), tuple(messages), tuple(reasons))
    if level is _P:
        return TriageResult(level, Lock.ALL, (*messages, OPEN), (*reasons, *waits_for))
    return TriageResult(_R, Lock.ALL, (OPEN, *messages), (*waits_for, *reasons))


def naming(message: str, emergency_number: str) -> str:
    """Return a message with the emergency number in place of the words for it; "" leaves the words. Source: own."""
    return message.replace(LOCAL_NUMBER, f"the emergency number {emergency_number}") if emergency_number else message


def must_ask(
    last_answered: datetime | None, now: datetime, pain: int | None = None, pain_at: datetime | None = None
) -> bool:
    """Tell whether the questions are due: never answered, pain of 6 or more, or 7 days in pain since the last answers.

    pain: latest report, 0 to 10, None when there is none. pain_at: when it was reported; answers given since then count
    for it. Without pain_at a pain of 6 or more always asks. Moments are aware. Raises ProgramError for a naive moment
    or a pain outside 0 to 10. Source: facts of Finucane 2020; figures: own heuristic.
    """
    for moment in (last_answered, now, pain_at):
        if moment is not None and moment.utcoffset() is None:
            raise ProgramError("The safety questions need moments with a time zone; pass aware datetimes in UTC.")
    if pain is not None and not 0 <= pain <= 10:
        raise ProgramError(f"A pain of {pain} is outside 0 to 10; ask again.")
    if last_answered is None:
        return True
    if not pain:
        return False
    answered_since = pain_at is not None and last_answered >= pain_at
    return (pain >= ASK_AT_PAIN and not answered_since) or now - last_answered >= ASK_EVERY


def _standing(flag: str, answers: Mapping[str, Answer], age_years: int | None) -> Answer:
    """Return whether a flag stands: yes, no, or not known yet."""
    given = answers.get(flag, Answer.UNKNOWN)
    if flag in UNSURE_IS_YES:
        return Answer.NO if given is Answer.NO else Answer.YES
    if flag == "FRA_MINOR":
        old = Answer.UNKNOWN if age_years is None else _answer(age_years >= FRAGILE_AGE_YEARS)
        return _both(given, _either(old, answers.get("BONE", Answer.UNKNOWN)))
    if flag == "CHILD" and age_years is not None and age_years >= ADULT_AGE_YEARS:
        return Answer.NO
    return given


def _answer(holds: bool) -> Answer:
    return Answer.YES if holds else Answer.NO


def _both(one: Answer, other: Answer) -> Answer:
    if Answer.NO in (one, other):
        return Answer.NO
    return Answer.UNKNOWN if Answer.UNKNOWN in (one, other) else Answer.YES


def _either(one: Answer, other: Answer) -> Answer:
    if Answer.YES in (one, other):
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in (one, other) else Answer.NO


def _check(answers: Mapping[str, Answer], age_years: int | None) -> None:
    for question, given in answers.items():
        if question not in _IDS:
            raise ProgramError(f"There is no safety question '{question}'; known are {', '.join(sorted(_IDS))}.")
        if not isinstance(given, Answer):
            raise ProgramError(f"The answer to safety question '{question}' should be yes, no or unknown.")
    if age_years is not None and not 0 <= age_years <= 130:
        raise ProgramError(f"An age of {age_years} years is outside 0 to 130; correct it or leave it out.")
