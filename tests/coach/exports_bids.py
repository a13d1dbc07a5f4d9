"""What the specification of Motion-BIDS asks for, as checks over the members of an archive.

Source: Brain Imaging Data Structure 1.10: common principles (names, participants, scans), Motion (files, channels, side
file). Written from its text; its own validator is not in Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_MOTION = re.compile(
    r"(?P<sub>sub-[A-Za-z0-9]+)/(?P<ses>ses-[A-Za-z0-9]+)/motion/"
    r"(?P=sub)_(?P=ses)_task-(?P<task>[A-Za-z0-9]+)_tracksys-(?P<tracksys>[A-Za-z0-9]+)"
    r"(_acq-[A-Za-z0-9]+)?(_run-[0-9]+)?_(?P<suffix>motion|channels)\.(?P<ending>tsv|json)"
)
_SCANS = re.compile(r"(?P<sub>sub-[A-Za-z0-9]+)/(?P<ses>ses-[A-Za-z0-9]+)/(?P=sub)_(?P=ses)_scans\.tsv")
_TOP = {"dataset_description.json", "README", "participants.tsv"}
_TYPES = {"ACCEL", "ANGACCEL", "GYRO", "JNTANG", "LATENCY", "MAGN", "MISC", "ORNT", "POS", "VEL"}
_COMPONENTS = {"x", "y", "z", "quat_x", "quat_y", "quat_z", "quat_w", "n/a"}
_UNITS = {"ACCEL": "m/s^2", "GYRO": "rad/s", "LATENCY": "s"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?|n/a")


def table(data: bytes) -> list[dict[str, str]]:
    """Return the rows of a table with a header."""
    header, *rows = [line.split("\t") for line in data.decode().splitlines()]
    assert all(len(row) == len(header) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def faults(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield what the specification forbids. files: by their path in the data set."""
    yield from (f"{name} is missing" for name in _TOP - set(files))
    described = json.loads(files["dataset_description.json"])
    if not {"Name", "BIDSVersion"} <= set(described) or described.get("DatasetType") != "raw":
        yield "dataset_description.json lacks what is required"
    if tuple(map(int, described["BIDSVersion"].split("."))) < (1, 9, 0):
        yield "there was no Motion before 1.9"
    subjects = {name.split("/")[0] for name in files} - _TOP
    if {row["participant_id"] for row in table(files["participants.tsv"])} != subjects:
        yield "participants.tsv lists others than there are"
    for name in sorted(set(files) - _TOP):
        if not (_MOTION.fullmatch(name) or _SCANS.fullmatch(name)):
            yield f"{name} is no name of the specification"
        elif name.endswith("_motion.tsv"):
            yield from _run_faults(files, name)
    yield from _scan_faults(files)


def _run_faults(files: Mapping[str, bytes], name: str) -> Iterator[str]:
    stem = name.removesuffix("motion.tsv")
    told, channels = json.loads(files[f"{stem}motion.json"]), table(files[f"{stem}channels.tsv"])
    first = list(channels[0])[:5]
    if first != ["name", "component", "type", "tracked_point", "units"]:
        yield f"{stem}channels.tsv begins with {first}"
    if not {"TaskName", "SamplingFrequency", "TrackingSystemName"} <= set(told):
        yield f"{stem}motion.json lacks what is required"
    found = _MOTION.fullmatch(name)
    assert found is not None
    if told["TrackingSystemName"] != found["tracksys"] or told["TaskName"] != found["task"]:
        yield f"{stem}motion.json names another system or task than its file"
    for row in channels:
        if row["type"] not in _TYPES or row["component"] not in _COMPONENTS or row["units"] != _UNITS[row["type"]]:
            yield f"{stem}channels.tsv: {row}"
    if told["MotionChannelCount"] != len(channels):
        yield f"{stem}motion.json counts other channels"
    for kind in ("ACCEL", "GYRO", "LATENCY"):
        if told[f"{kind}ChannelCount"] != sum(row["type"] == kind for row in channels):
            yield f"{stem}motion.json counts other {kind} channels"
    frames = {row["reference_frame"] for row in channels} - {"n/a"}
    if frames - set(json.loads(files[f"{stem}channels.json"])["reference_frame"]["Levels"]):
        yield f"{stem}channels.json does not describe {frames}"
    latencies = []
    for line in files[name].decode().splitlines():
        cells = line.split("\t")
        if len(cells) != len(channels) or not all(map(_NUMBER.fullmatch, cells)):
            yield f"{name}: {line!r}"
            return
        latencies.append(float(cells[-1]))
    if latencies != sorted(latencies) or latencies[0] != 0.0:
        yield f"{name}: latencies do not go on from the onset"


def _scan_faults(files: Mapping[str, bytes]) -> Iterator[str]:
    listed = set()
    for name in files:
        if _SCANS.fullmatch(name):
            folder = name.rpartition("/")[0]
            for row in table(files[name]):
                listed.add(f"{folder}/{row['filename']}")
                if not _TIME.fullmatch(row["acq_time"]):
                    yield f"{name}: {row['acq_time']} is no time"
    if listed != {name for name in files if name.endswith("_motion.tsv")}:
        yield "the scans are others than there are"
