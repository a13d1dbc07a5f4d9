"""`backstop job`: the published examples typed by hand, and one sentence for whatever is typed wrong."""

from __future__ import annotations

import json

import pytest

from coach.__main__ import main
from coach.commands.job import MODELS


def test_niosh_example_in_us_units(capsys: pytest.CaptureFixture[str]) -> None:
    task = (
        "load=26,horizontal=10,vertical=22,distance=37,asymmetry_deg=0,per_min=3,duration_h=1,recovery_h=1,"
        "coupling=fair,units=us"
    )
    assert main(["job", "niosh", "--task", task, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["values"]["recommended_weight_limit"] == pytest.approx(34.81, abs=0.01)
    assert told["validity"] == "in range"
    assert set(told["inputs"].values()) == {"entered"}


def test_several_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = ["load_kg=10,reach_m=0.5,repetitions=500", "load_kg=20,reach_m=0.5,repetitions=100"]
    assert main(["job", "lifft", "--task", tasks[0], "--task", tasks[1]]) == 0
    told = capsys.readouterr().out
    assert "share of task 2" in told
    assert "not about a person" in told
    composite = ["load=30,limit=20,per_min=1", "load=20,limit=20,per_min=2", "load=10,limit=15,per_min=4"]
    arguments = [part for task in composite for part in ("--task", task)]
    assert main(["job", "niosh-composite-short", *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["values"]["composite_lifting_index"] == pytest.approx(1.86, abs=0.01)


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_says_what_it_needs(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With one input only, the rest is named; nothing is guessed."""
    name = next(iter(MODELS[model].task.__dataclass_fields__))
    assert main(["job", model, "--task", f"{name}=0.1"]) == 0
    assert "not computable, needs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rula"], "No model is called 'rula'"),
        (["lifft"], "takes at least one --task"),
        (["hal", "--task", "duty_percent=5", "--task", "duty_percent=6"], "exactly one --task"),
        (["lifft", "--task", "weight=5"], "lifft knows load_kg, reach_m, repetitions"),
        (["lifft", "--task", "load_kg"], "write NAME=VALUE"),
        (["lifft", "--task", "load_kg=heavy"], "'heavy' is no number"),
        (["lifft", "--task", "load_kg=nan"], "is no number"),
        (["lifft", "--task", "load_kg=10,load_kg=3"], "load_kg is there twice"),
        (["lifft", "--task", "load_kg=-4,reach_m=1,repetitions=2"], "is impossible"),
        (["niosh", "--task", "coupling=slippery"], "choose one of good, fair, poor"),
        (["shoulder", "--task", "push_or_pull=maybe"], "write yes or no"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["job", *arguments]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
