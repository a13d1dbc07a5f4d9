"""The ergonomic models against their published worked examples (facts with their sources; see docs/ergonomics.md)."""

from __future__ import annotations

from typing import Any

import pytest

from coach.analysis.ergonomics import duet, hal, lifft, miner, niosh, shoulder_tool, strain_index
from coach.analysis.ergonomics.types import Exposure, Given, InputSource, Validity
from coach.analysis.errors import AnalysisError
from coach.analysis.types import NotComputable

LB, INCH = 0.45359237, 0.0254


def given(*values: float | None) -> list[Given | None]:
    return [None if value is None else Given(value) for value in values]


def computed(result: Exposure | NotComputable) -> Exposure:
    assert isinstance(result, Exposure), result
    return result


def test_tendon_damage() -> None:
    blocks = [miner.StressBlock(*given(s, n)) for n, s in ((1000, 30), (100, 50), (10, 70))]
    assert computed(miner.estimate_tendon_damage(blocks)).values["damage_share"] == pytest.approx(0.12882, rel=1e-4)
    for stress, cycles in ((20, 301_134), (50, 2_856), (70, 128.0), (90, 5.74)):
        assert 1 / miner.damage_per_cycle(stress) == pytest.approx(cycles, rel=1e-3)
    assert (miner.damage_per_cycle(0), miner.damage_per_cycle(-5), miner.damage_per_cycle(101.25)) == (0, 0, 1)
    assert miner.damage_per_cycle(150) == 1


def test_tendon_stress_outside_the_tests_is_said() -> None:
    result = computed(miner.estimate_tendon_damage([miner.StressBlock(*given(5, 10))]))
    assert result.validity is Validity.OUT_OF_RANGE
    assert "5 %" in result.remarks[0]


@pytest.mark.parametrize(
    ("tasks", "damage", "probability"),
    [
        ([(10, 0.5, 500)], 0.0023341, 0.2707),
        ([(10, 0.5, 500), (20, 0.5, 100), (5, 0.3, 800)], 0.0063575, 0.3676),
        ([(10, 0.5, 0)], 0.0, 0.0),
    ],
)
def test_lifft(tasks: list[tuple[float, ...]], damage: float, probability: float) -> None:
    values = computed(lifft.estimate_lifft([lifft.LiftingTask(*given(*task)) for task in tasks])).values
    assert values["damage"] == pytest.approx(damage, rel=1e-4)
    assert values["high_incidence_job_probability"] == pytest.approx(probability, abs=1e-4)


def test_lifft_shares_inverse_and_assistance() -> None:
    tasks = [lifft.LiftingTask(*given(*task)) for task in ((10, 0.5, 500), (20, 0.5, 100), (5, 0.3, 800))]
    values = computed(lifft.estimate_lifft(tasks)).values
    assert [values[f"share_of_task_{n}"] for n in (1, 2, 3)] == pytest.approx([0.367, 0.474, 0.159], abs=5e-4)
    for probability, damage in ((0.25, 0.0018344), (0.5, 0.021384), (0.7, 0.14214)):
        assert lifft.damage_at_probability(probability) == pytest.approx(damage, rel=1e-4)
    assert lifft.damage_per_lift(20.0 - 30) / lifft.damage_per_lift(20.0) == pytest.approx(0.3198, rel=1e-3)
    assert lifft.damage_per_lift(0.0) == pytest.approx(7.239e-7, rel=1e-3)
    with pytest.raises(AnalysisError, match="between 0 and 1"):
        lifft.damage_at_probability(1.0)


def test_lifft_beyond_its_moments_is_said() -> None:
    result = computed(lifft.estimate_lifft([lifft.LiftingTask(*given(30, 0.5, 10))]))
    assert result.validity is Validity.OUT_OF_RANGE


@pytest.mark.parametrize(("effort", "count", "probability"), [(2, 5400, 0.2653), (4, 1350, 0.3211)])
def test_duet(effort: float, count: float, probability: float) -> None:
    values = computed(duet.estimate_duet([duet.HandTask(*given(effort, count))])).values
    assert values["group_outcome_probability"] == pytest.approx(probability, abs=1e-4)


def test_duet_table() -> None:
    shares = (2.60e-7, 4.48e-7, 1.37e-6, 4.13e-6, 1.26e-5, 3.80e-5, 1.16e-4, 3.50e-4, 1.05e-3, 3.23e-3, 9.71e-3)
    assert [duet.damage_per_repetition(effort) for effort in range(11)] == pytest.approx(list(shares))
    table = (3_842_605, 2_231_607, 729_651, 242_301, 79_223, 26_308, 8_602, 2_856, 949, 310, 103)
    for effort, cycles in enumerate(table):
        assert 1 / miner.damage_per_cycle(duet.stress_percent(effort)) == pytest.approx(cycles, rel=3e-3)


def test_shoulder_tool() -> None:
    first = shoulder_tool.ShoulderTask(*given(2 * LB, 16 * INCH, 2880))
    values = computed(shoulder_tool.estimate_shoulder([first])).values
    assert shoulder_tool.moment_inlb(2 * LB, 16 * INCH) == pytest.approx(100.8)
    assert values["damage"] == pytest.approx(0.00428, rel=0.03)
    assert values["group_outcome_probability"] == pytest.approx(0.208, abs=0.003)
    second = shoulder_tool.ShoulderTask(*given(5 * LB, 18 * INCH, 4800))
    values = computed(shoulder_tool.estimate_shoulder([second])).values
    assert values["damage"] == pytest.approx(0.03331, rel=0.03)
    pushing = shoulder_tool.moment_inlb(2 * LB, 16 * INCH, push_or_pull=True)
    assert pushing == pytest.approx(32.0)


def us_lift(load: float | None, h: float, v: float, d: float, per_min: float, coupling: niosh.Coupling) -> niosh.Lift:
    return niosh.Lift(*given(load, h, v, d, 0, per_min, 1, 1), coupling, niosh.Units.US)


@pytest.mark.parametrize(
    ("lift", "printed", "exact"),
    [
        (us_lift(26, 10, 22, 37, 3, niosh.Coupling.FAIR), 34.9, 34.81),
        (us_lift(26, 20, 59, 37, 3, niosh.Coupling.FAIR), 15.2, 15.25),
        (us_lift(44, 23, 15, 49, 0.2, niosh.Coupling.FAIR), 16.3, 16.02),
        (us_lift(44, 23, 64, 49, 0.2, niosh.Coupling.FAIR), 14.5, 14.15),
    ],
)
def test_niosh_in_us_units(lift: niosh.Lift, printed: float, exact: float) -> None:
    values = computed(niosh.estimate_lift(lift)).values
    assert values["recommended_weight_limit"] == pytest.approx(exact, rel=5e-4)
    # The manual multiplies by factors of two decimals.
    assert values["recommended_weight_limit"] == pytest.approx(printed, rel=0.03)


def test_niosh_in_metric_units() -> None:
    ideal = niosh.Lift(*given(10, 25, 75, 25, 0, 0.2, 1, 1), niosh.Coupling.GOOD)
    values = computed(niosh.estimate_lift(ideal)).values
    assert values["recommended_weight_limit"] == pytest.approx(23.0)
    assert values["lifting_index"] == pytest.approx(10 / 23)
    other = niosh.Lift(*given(10, 40, 30, 60, 30, 6, 1, 1), niosh.Coupling.FAIR)
    values = computed(niosh.estimate_lift(other)).values
    assert values["frequency_multiplier"] == 0.75
    assert values["recommended_weight_limit"] == pytest.approx(7.168, rel=1e-4)


@pytest.mark.parametrize(("duration", "multiplier"), [("SHORT", 0.84), ("MODERATE", 0.72), ("LONG", 0.45)])
def test_niosh_frequency_columns_are_not_swapped(duration: str, multiplier: float) -> None:
    assert niosh.frequency_multiplier(4, niosh.Duration[duration], low=True) == multiplier


@pytest.mark.parametrize(
    ("per_min", "duration", "low", "multiplier"),
    [
        (9, "LONG", True, 0),
        (9, "LONG", False, 0.15),
        (12, "MODERATE", False, 0.21),
        (12, "MODERATE", True, 0),
        (15, "SHORT", False, 0.28),
        (15.1, "SHORT", False, 0),
        (2.5, "SHORT", True, 0.895),
        (0.05, "LONG", True, 0.85),
    ],
)
def test_niosh_frequency_table(per_min: float, duration: str, low: bool, multiplier: float) -> None:
    assert niosh.frequency_multiplier(per_min, niosh.Duration[duration], low) == pytest.approx(multiplier)


@pytest.mark.parametrize(
    ("work_h", "recovery_h", "duration"),
    [(1, 1, "SHORT"), (1, 0.9, "MODERATE"), (2, 0.6, "MODERATE"), (2, 0.5, "LONG"), (1, 0.2, "LONG"), (8, 0, "LONG")],
)
def test_niosh_duration(work_h: float, recovery_h: float, duration: str) -> None:
    assert niosh.duration_of(work_h, recovery_h) is niosh.Duration[duration]


def test_niosh_composite() -> None:
    tasks = [niosh.CompositeTask(*given(*task)) for task in ((10, 15, 4), (30, 20, 1), (20, 20, 2))]
    values = computed(niosh.estimate_composite(tasks, niosh.Duration.SHORT)).values
    assert values["composite_lifting_index"] == pytest.approx(1.86, abs=0.01)
    assert [round(values[f"index_of_task_{n}"], 1) for n in (1, 2, 3)] == [0.8, 1.6, 1.1]


def test_niosh_refuses_what_it_does_not_cover() -> None:
    lift = niosh.Lift(*given(10, 25, 75, 25, 0, 1, 1, 1), niosh.Coupling.GOOD, conditions=(niosh.Condition.ONE_HANDED,))
    answer = niosh.estimate_lift(lift)
    assert isinstance(answer, NotComputable)
    assert "one-handed" in answer.needs
    long = niosh.Lift(*given(10, 25, 75, 25, 0, 1, 9, 1), niosh.Coupling.GOOD)
    assert isinstance(niosh.estimate_lift(long), NotComputable)
    far = computed(niosh.estimate_lift(niosh.Lift(*given(10, 70, 75, 25, 0, 1, 1, 1), niosh.Coupling.GOOD)))
    assert "lifting_index" not in far.values
    assert far.validity is Validity.OUT_OF_RANGE
    assert "horizontal" in far.remarks[0]


@pytest.mark.parametrize(
    ("inputs", "wrist", "index"),
    [
        ((0.2, 10, 1, 0, 8), "FLEXION", 5.170),
        ((0.3, 15, 2, 30, 8), "FLEXION", 20.949),
        ((0.5, 4, 3, 45, 4), "EXTENSION", 8.322),
        ((0.1, 60, 0.5, 10, 8), "EXTENSION", 14.381),
    ],
)
def test_strain_index(inputs: tuple[float, ...], wrist: str, index: float) -> None:
    task = strain_index.StrainTask(*given(*inputs), wrist=strain_index.Wrist[wrist])
    assert computed(strain_index.estimate_strain_index(task)).values["strain_index"] == pytest.approx(index, rel=2e-4)


def test_strain_index_is_continuous() -> None:
    assert strain_index.intensity_multiplier(0.4) == pytest.approx(5.024)
    assert strain_index.intensity_multiplier(0.4 + 1e-9) == pytest.approx(5.024, abs=0.001)
    assert strain_index.frequency_multiplier(90) == pytest.approx(
        strain_index.frequency_multiplier(90 + 1e-9), rel=2e-3
    )
    assert strain_index.frequency_multiplier(120) > strain_index.frequency_multiplier(91)
    assert strain_index.duration_multiplier(60) == pytest.approx(19.05)
    assert strain_index.duration_multiplier(60 + 1e-9) == pytest.approx(19.05, abs=0.01)
    full = strain_index.StrainTask(*given(0.2, 40, 2, 0, 8))
    assert computed(strain_index.estimate_strain_index(full)).validity is Validity.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("frequency_hz", "duty", "level"), [(0.125, 10, 0.820), (0.5, 50, 4.535), (1, 50, 6.139), (1.25, 60, 6.840)]
)
def test_hand_activity(frequency_hz: float, duty: float, level: float) -> None:
    values = computed(hal.estimate_hand_activity(hal.HandActivity(*given(frequency_hz, duty)))).values
    assert values["hand_activity_level"] == pytest.approx(level, abs=1e-3)
    assert "peak_force_ratio" not in values
    forced = computed(hal.estimate_hand_activity(hal.HandActivity(*given(frequency_hz, duty, 3)))).values
    assert forced["peak_force_ratio"] == pytest.approx(3 / (10 - level), rel=1e-3)


MODELS: list[tuple[Any, type, int]] = [
    (lambda row: miner.estimate_tendon_damage([row]), miner.StressBlock, 2),
    (lambda row: lifft.estimate_lifft([row]), lifft.LiftingTask, 3),
    (lambda row: duet.estimate_duet([row]), duet.HandTask, 2),
    (lambda row: shoulder_tool.estimate_shoulder([row]), shoulder_tool.ShoulderTask, 3),
    (strain_index.estimate_strain_index, strain_index.StrainTask, 5),
    (hal.estimate_hand_activity, hal.HandActivity, 2),
    (lambda row: niosh.estimate_composite([row], niosh.Duration.SHORT), niosh.CompositeTask, 3),
]


@pytest.mark.parametrize(("estimate", "task", "count"), MODELS)
def test_each_missing_input_is_named(estimate: Any, task: Any, count: int) -> None:
    """A usable value everywhere but in one place: the answer is what is missing, never a number."""
    assert isinstance(estimate(task(*given(*[0.5] * count))), Exposure)
    for at in range(count):
        values: list[float | None] = [0.5] * count
        values[at] = None
        answer = estimate(task(*given(*values)))
        assert isinstance(answer, NotComputable)
        assert answer.needs
    assert isinstance(lifft.estimate_lifft([]), NotComputable)


def test_every_missing_input_is_named_together() -> None:
    answer = lifft.estimate_lifft([lifft.LiftingTask(None, None, Given(5, InputSource.MEASURED))])
    assert answer == NotComputable("LiFFT", "load and reach")
    answer = niosh.estimate_lift(niosh.Lift(*given(10, 25, 75, 25, 0, 1, 1, 1), None))
    assert answer == NotComputable("revised NIOSH lifting equation", "coupling")


def test_load_and_reach_never_come_from_a_wearable() -> None:
    counted = Given(500, InputSource.MEASURED)
    result = computed(lifft.estimate_lifft([lifft.LiftingTask(Given(10), Given(0.5), counted)]))
    assert result.inputs["number of repetitions"] is InputSource.MEASURED
    with pytest.raises(AnalysisError, match="cannot come from a wearable"):
        lifft.estimate_lifft([lifft.LiftingTask(Given(10, InputSource.MEASURED), Given(0.5), counted)])
    with pytest.raises(AnalysisError, match="cannot come from a wearable"):
        duet.estimate_duet([duet.HandTask(Given(2, InputSource.MEASURED), counted)])


def test_the_weakest_source_counts() -> None:
    tasks = [
        lifft.LiftingTask(Given(10), Given(0.5, InputSource.ASSUMED), Given(5, InputSource.MEASURED)),
        lifft.LiftingTask(Given(10), Given(0.5), Given(5)),
    ]
    assert set(computed(lifft.estimate_lifft(tasks)).inputs.values()) == {InputSource.ASSUMED, InputSource.ENTERED}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_number_is_no_input(value: float) -> None:
    with pytest.raises(AnalysisError, match="is no number"):
        Given(value)


def test_impossible_inputs_are_refused() -> None:
    with pytest.raises(AnalysisError, match="effort of 11 is impossible: enter 0 to 10"):
        duet.estimate_duet([duet.HandTask(*given(11, 5))])
    with pytest.raises(AnalysisError, match="load of -1 is impossible"):
        lifft.estimate_lifft([lifft.LiftingTask(*given(-1, 0.5, 5))])
