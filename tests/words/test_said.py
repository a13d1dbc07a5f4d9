"""What is stored in English is said in German: every sentence that the code makes, with all of its values."""

from __future__ import annotations

import re
import tomllib

import pytest

from coach import language
from coach.analysis.assessment_errors import name_of
from coach.analysis.assessment_types import AssessmentTest
from coach.said import fields_of, said
from coach.service.care_views import IMAGING_WORDS, KIND_WORDS
from coach.service.diary import SYMPTOMS
from coach.service.everyday import STATEMENTS
from programs import triage
from programs.exercises import CONTRAINDICATIONS, EQUIPMENT, library
from tests.words.catalogues import ROOT
from tests.words.phrases import Said, wrong
from tests.words.sayable import sayable
from tests.words.written import of_catalogue

TOLD = tomllib.loads((language.CATALOGUES / "de" / "said.toml").read_text(encoding="utf-8"))["said"]
# Files of words that nothing of `<file>.de.toml` stands beside; profiles besides.
DATA = ("coach/web/guided_tests.toml", "programs/drawings.toml")
PROFILES = ROOT / "coach" / "profiles"
# Two words beside each other, or one that is a sentence.
SENTENCE = re.compile(r"[^\W\d_]{2,}[,.:;!?]? \(?[^\W\d_]{2,}|\w\.$")
_FIELD = re.compile(r"\{\w*(?::[^{}]*)?\}")
# What only somebody who calls the code wrongly reads, in a log.
FOR_PROGRAMMERS = re.compile(
    r"aware datetime|fold the days|give them in order|was asked for|known are|weeks? ahead|count from 0|goes from|"
    r"weekdays go|levels count|it should be|cannot be: give a number|has no minutes|is not a date|holds one|pass an|"
    r"answered, locked|plan off|of a check-in|check-in tells of|weaker side of|"
    r"ask again\.|propose anew|no number of|never|should be yes, no|minutes count|"
    r"are two tests: compare|is not taken so; choose|cannot be compared: give two numbers|"
    r"cannot be; it is left or right|"
    # Of the library's own file and its drawings, for whoever writes one.
    r"^\{\}: |exercise library has no|^kind of need$|^way to be seen$|^<"
)


@pytest.fixture
def german():
    with language.speaking("de"):
        yield


def bare(text: str) -> str:
    return _FIELD.sub("{}", text)


def test_every_sentence_that_is_made_is_known_in_german() -> None:
    known = {bare(each) for each in TOLD} | {bare(each).partition("} ")[2] for each in TOLD}
    marked = language.translations("de")
    made = sayable()
    assert len(made) > 300
    missing = [
        f"{path}: {text}"
        for text, path in made.items()
        if bare(text) not in known and marked.ugettext(text) == text and not FOR_PROGRAMMERS.search(text)
    ]
    assert missing == []


def test_values_are_the_same_in_both_languages() -> None:
    different = [text for text, told in TOLD.items() if sorted(fields_of(text)) != sorted(fields_of(told))]
    assert different == []


def test_what_a_report_names_is_known_in_german(german) -> None:
    """Where something is from, and single names: no sentence that the code makes holds them."""
    names = [one.source for one in library().values()]
    names += [name_of(test) for test in AssessmentTest]
    names += [*SYMPTOMS.values(), *KIND_WORDS.values(), *IMAGING_WORDS.values(), *STATEMENTS.values()]
    names += [*CONTRAINDICATIONS.values(), *EQUIPMENT.values()]
    assert [each for each in names if said(each) == each] == []


@pytest.mark.parametrize(
    "file", [*DATA, *sorted(each.relative_to(ROOT).as_posix() for each in PROFILES.glob("*.toml"))]
)
def test_every_sentence_of_a_data_file_is_known_in_german(german, file: str) -> None:
    texts = [each for each in of_catalogue((ROOT / file).read_text(encoding="utf-8")) if SENTENCE.search(each)]
    assert texts
    assert [each for each in texts if said(each) == each] == []


def test_german_sentences_say_nothing_that_is_never_said() -> None:
    assert wrong([Said(text, "de", told) for text, told in TOLD.items()]) == []


@pytest.mark.parametrize(
    ("english", "german_text"),
    [
        (
            "You bent forward 84 times in 12 min in 3 stretches, 7.2 times a minute. "
            "More than 4 a minute for 10 minutes counts as repeated bending.",
            "84-mal vorgebeugt in 12 min in 3 Abschnitten, 7,2-mal pro Minute. "
            "Mehr als 4 pro Minute über 10 Minuten zählt als wiederholtes Beugen.",
        ),
        (
            "You were bent by 60 degrees or more for 8.9 % of 6 h 3 min worn so far. More than 5.0 % counts as much.",
            "Um 60 Grad oder mehr gebeugt: 8,9 % von 6 h 3 min Tragezeit bisher. Mehr als 5,0 % zählt als viel.",
        ),
        ("Bird-dog is left out because of neck pain.", "Bird-Dog fällt weg, wegen: Nackenschmerzen."),
        ("Version 0.4.1, 2026-11-24 at 18.30.", "Version 0.4.1, 2026-11-24 at 18.30."),
        ("Thanks, and see you on the court of the club!", "Thanks, and see you on the court of the club!"),
    ],
)
def test_values_are_taken_out_and_put_in_again(german, english: str, german_text: str) -> None:
    assert said(english) == german_text


def test_english_stays_as_it_was_said() -> None:
    text = "You bent forward 84 times in 12 min, 7.2 times a minute."
    with language.speaking("en"):
        assert said(text) == text


def test_red_flags_are_asked_and_answered_in_german(german) -> None:
    for question in triage.QUESTIONS:
        asked = said(question.text)
        assert asked != question.text
        assert asked.endswith("?")
    messages = (
        triage.NERVE_EMERGENCY, triage.EMERGENCY, triage.SAME_DAY, triage.REVIEW_FIRST, triage.GUARDIAN,
        triage.MENTION, triage.ADAPT, triage.OPEN,
    )  # fmt: skip
    assert all(said(each) != each for each in messages)
    emergency = said(
        "These can be signs of an emergency. Go to an emergency department or call the emergency number 112 now. "
        "Don't exercise and don't wait."
    )
    assert "112" in emergency
    assert "Notaufnahme" in emergency
    assert "jetzt" in emergency
    assert "warte nicht" in emergency
    assert "the" not in emergency.split()
