"""Bringing a file in by the page: look, confirm, imported once; what is wrong is a sentence and leaves nothing."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from coach.config import Config
from coach.network import own_address
from coach.web import uploads
from tests.coach.service.test_imports import bends, npz, phone_zip

Csrf = Callable[[FlaskClient], str]


@pytest.fixture
def folder(world, tmp_path: Path) -> Path:
    """Where uploads lie; the app takes at most 2 MB here."""
    config = Config.model_validate({"storage": {"directory": str(tmp_path / "var")}, "imports": {"upload_mb": 2.0}})
    world.app = world.restarted(config)
    return tmp_path / "var" / "uploads"


def send(client: FlaskClient, csrf: str, athlete_id: str, *files: tuple[str, bytes]):
    """Post a form as browsers encode it; by hand, because the test client leaves its own temporary files open."""
    head = '--edge\r\nContent-Disposition: form-data; name="'
    parts = [f'{head}csrf_token"\r\n\r\n{csrf}\r\n'.encode()]
    for name, data in files:
        parts += [f'{head}file"; filename="{name}"\r\n\r\n'.encode(), data, b"\r\n"]
    body, kind = b"".join([*parts, b"--edge--\r\n"]), "multipart/form-data; boundary=edge"
    return client.post(f"/athletes/{athlete_id}/imports", data=body, content_type=kind)


def kept(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.fixture
def phone(tmp_path: Path) -> bytes:
    return phone_zip(tmp_path / "walk.zip", *bends(60.0)).read_bytes()


@pytest.mark.parametrize("who", ["ada", "kim"])
def test_look_confirm_and_see_the_day(world, folder: Path, csrf_of: Csrf, phone: bytes, who: str) -> None:
    client, ada = world.client(getattr(world, who)), world.ada.athlete_id
    csrf = csrf_of(client)
    answer = send(client, csrf, ada, ("../../walk.zip", phone))
    assert answer.status_code == 303
    where = answer.headers["Location"]
    page = client.get(where).text
    assert "Sensor Logger, for Ada. Nothing is stored yet." in page
    assert "60 s at 50 samples a second" in page
    assert "at 09:00, until 09:01" in page
    assert world.services.imports.for_athlete(world.ada.identity, ada) == ()
    assert [Path(each).name for each in kept(folder)] == ["walk.zip"]

    missing = client.post(where, data={"csrf_token": csrf})
    assert missing.status_code == 422
    assert "Say where the sensor “phone” was worn" in missing.text
    done = client.post(where, data={"csrf_token": csrf, "placement-0": "lower_back", "start": ""})
    assert done.headers["Location"] == f"/athletes/{ada}/days/2025-11-26"
    (view,) = world.services.imports.for_athlete(world.ada.identity, ada)
    assert (view.placement, view.file_name) == ("lower_back", "walk.zip")
    assert kept(folder) == []
    assert client.get(where).status_code == 404

    while world.services.motion.handle_pending(view.stream_id).chunks:
        pass
    day = client.get(done.headers["Location"]).text
    data = re.search(r'data-window="([^"]+)"', day)
    assert data is not None
    line = client.get(data[1]).json
    assert max(each for each in line["inclination_deg"] if each is not None) == pytest.approx(50, abs=2)
    listed = client.get(f"/athletes/{ada}/imports").text
    assert "walk.zip" in listed
    assert "On Wed 26 Nov 2025, 09:00" in listed

    again = send(client, csrf, ada, ("other.zip", phone)).headers["Location"]
    page = client.get(again).text
    assert "imported already, from walk.zip" in page
    assert "Import it" not in page
    assert client.post(again, data={"csrf_token": csrf, "placement-0": "chest"}).status_code == 422
    assert client.post(f"{again}/discard", data={"csrf_token": csrf}).status_code == 303
    assert kept(folder) == []


def test_several_files_of_one_recording_and_a_start_of_ones_own(
    world, folder: Path, csrf_of: Csrf, tmp_path: Path
) -> None:
    client, ada = world.client(world.ada), world.ada.athlete_id
    csrf = csrf_of(client)
    head = "Phone timestamp;sensor timestamp [ns];"
    acc, gyr = bends(20.0)
    times = [str(599616000000000000 + k * 20_000_000) for k in range(len(acc))]

    def text(unit: str, values: np.ndarray) -> bytes:
        cells = [
            f"2025-07-11T20:06:00.086;{at};{x:.0f};{y:.0f};{z:.0f}" for at, (x, y, z) in zip(times, values, strict=True)
        ]
        return "\n".join([f"{head}X [{unit}];Y [{unit}];Z [{unit}]", *cells, ""]).encode()

    files = ("Polar_1_ACC.txt", text("mg", acc / 9.80665 * 1000)), ("Polar_1_GYRO.txt", text("dps", np.degrees(gyr)))
    where = send(client, csrf, ada, *files).headers["Location"]
    page = client.get(where).text
    assert "acceleration and turning" in page
    assert "taken as Europe/Berlin time" in page
    form = {"csrf_token": csrf, "placement-0": "chest", "start": "2026-03-29T02:30"}
    assert "the clock skipped it" in client.post(where, data=form).text
    form["start"] = "2026-10-05T07:15:30"
    assert client.post(where, data=form).headers["Location"].endswith("/days/2026-10-05")
    (view,) = world.services.imports.for_athlete(world.ada.identity, ada)
    assert view.started_at.isoformat() == "2026-10-05T05:15:30+00:00"


def test_what_is_wrong_is_said_and_nothing_stays(world, folder: Path, csrf_of: Csrf, phone: bytes) -> None:
    client, ada = world.client(world.ada), world.ada.athlete_id
    csrf = csrf_of(client)
    noise = os.urandom(1_500_000)
    for name, data in (("notes.txt", b"hello"), ("cut.zip", phone[:3000]), ("empty.csv", b""), ("noise.bin", noise)):
        page = client.get(send(client, csrf, ada, (name, data)).headers["Location"])
        assert page.status_code == 422
        assert name in page.text
        assert str(folder) not in page.text
        assert kept(folder) == []
    assert send(client, csrf, ada).status_code == 422
    large = send(client, csrf, ada, ("large.csv", b"x" * 2_100_000))
    assert large.status_code == 413
    assert "larger than 2 MB" in large.text
    assert send(client, "wrong", ada, ("walk.zip", phone)).status_code == 400
    assert kept(folder) == []


def test_a_stranger_may_not_even_send_much(world, folder: Path) -> None:
    assert send(world.client(), "x", world.ada.athlete_id, ("a.csv", b"x" * 200_000)).status_code == 413


def test_uploads_are_ones_own_one_at_a_time_and_go(world, folder: Path, csrf_of: Csrf, phone: bytes) -> None:
    ada, kim, athlete_id = world.client(world.ada), world.client(world.kim), world.ada.athlete_id
    first = send(ada, csrf_of(ada), athlete_id, ("one.zip", phone)).headers["Location"]
    assert kim.get(first).status_code == 404
    assert kim.post(f"{first}/discard", data={"csrf_token": csrf_of(kim)}).status_code == 303
    assert len(kept(folder)) == 1
    second = send(ada, csrf_of(ada), athlete_id, ("two.zip", phone)).headers["Location"]
    assert ada.get(first).status_code == 404
    assert ada.get(second).status_code == 200
    old = time.time() - uploads._LASTS_S - 10
    for each in folder.iterdir():
        os.utime(each, (old, old))
    kim.get(f"/athletes/{athlete_id}/imports")
    assert kept(folder) == []
    assert send(world.client(world.bo), csrf_of(world.client(world.bo)), athlete_id, ("a.zip", phone)).status_code in {
        400,
        404,
    }


def test_a_phone_is_added_and_forgotten_by_its_page(world, csrf_of: Csrf) -> None:
    client = world.client(world.ada)
    csrf = csrf_of(client)
    assert "Use your phone" in client.get("/wearables").text
    assert client.get("/wearables/phone").status_code == 200
    page = client.post("/wearables/phone", data={"csrf_token": csrf, "label": "My phone", "placement": "hip"}).text
    header = re.search(r'value="Bearer ([^"]+)"', page)
    assert header is not None
    # The page was asked for under a name that means this machine; a phone needs the one on the network.
    assert f'value="http://{own_address()}/api/v1/phone"' in page
    test = {"messageId": 0, "sessionId": "t", "deviceId": "p", "payload": []}
    push = world.client()
    assert push.post("/api/v1/phone", json=test, headers={"Authorization": f"Bearer {header[1]}"}).status_code == 200
    mine = next(each for each in world.services.wearables.for_athlete(world.ada.athlete_id) if each.family == "phone")
    listed = client.get("/wearables").text
    assert "My phone" in listed
    assert "Revoke the token of My phone" not in listed
    assert client.post(f"/wearables/{mine.wearable_id}/forget", data={"csrf_token": csrf}).status_code == 303
    assert push.post("/api/v1/phone", json=test, headers={"Authorization": f"Bearer {header[1]}"}).status_code == 499
    assert (
        client.post("/wearables/phone", data={"csrf_token": csrf, "label": "", "placement": "hip"}).status_code == 303
    )
    assert (
        client.post("/wearables/phone", data={"csrf_token": csrf, "label": "x", "placement": "nose"}).status_code == 303
    )


def test_files_are_no_wearables_to_manage(world, folder: Path, csrf_of: Csrf, tmp_path: Path) -> None:
    client, ada = world.client(world.ada), world.ada.athlete_id
    csrf = csrf_of(client)
    data = npz(tmp_path / "a.npz", chest=bends(12.0)).read_bytes()
    where = send(client, csrf, ada, ("a.npz", data)).headers["Location"]
    assert "required" in client.get(where).text.partition('id="start"')[2].partition(">")[0]
    assert client.post(where, data={"csrf_token": csrf, "start": "2026-11-20T10:00"}).status_code == 303
    assert "Backstop .npz file" not in client.get("/wearables").text


NAMES = {
    "../../../etc/cron.d/x": "x",
    "..\\..\\x.csv": "x.csv",
    "/etc/passwd": "passwd",
    "..": "recording",
    "C:\\walk.csv": "C_walk.csv",
    ".bashrc": "bashrc",
    "a\tb\x01.zip": "a_b_.zip",
    "walk.csv/": "walk.csv",
    "-rf.zip": "-rf.zip",
    "歩" * 300 + ".csv": ("歩" * 65 + ".csv"),
    "walk.html": "walk.html",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_kept_under_a_name_of_ours_within_its_own_folder(
    world, folder: Path, csrf_of: Csrf, phone: bytes, name: str
) -> None:
    ada = world.client(world.ada)
    answer = send(ada, csrf_of(ada), world.ada.athlete_id, (name, phone))
    assert answer.status_code == 303
    (path,) = kept(folder)
    assert path.count("/") == 1
    assert Path(path).name == NAMES[name]
    # What it is, is told by what is in it.
    page = ada.get(answer.headers["Location"])
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert "Sensor Logger" in page.text


def test_of_two_files_of_one_name_the_first_counts(world, folder: Path, csrf_of: Csrf, phone: bytes) -> None:
    ada = world.client(world.ada)
    send(ada, csrf_of(ada), world.ada.athlete_id, ("a/walk.zip", phone), ("b/walk.zip", b"other"))
    (path,) = kept(folder)
    assert (folder / path).read_bytes() == phone
