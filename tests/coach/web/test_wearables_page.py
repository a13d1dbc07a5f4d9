"""The wearables' page: what is in reach, what blocks it, pairing, placing, calibrating, gateways, forgetting."""

from __future__ import annotations

import html
import re

import pytest

from coach import wire
from coach.network import own_address
from coach.service.looks import HERE, LOOK_S
from coach.wire import Beat, InReach, LinkLogText
from devices.profiles import PROFILES
from devices.types import LinkState, LinkStatus, Placement
from tests.coach.service.test_calibration import Body

HX = {"HX-Request": "true"}
DOT = InReach("AA:BB:CC:00:00:01", "<b>DOT</b>", "movella-dot", -58)


class Page:
    """Ada's browser on the page."""

    def __init__(self, world, csrf_of) -> None:
        self.world, self.client = world, world.client(world.ada)
        self.token = csrf_of(self.client)

    def get(self, path: str = "/wearables") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def post(self, path: str, **form: str):
        return self.client.post(path, data=form, headers={**HX, "X-CSRFToken": self.token})

    def heard(self, *seen: InReach, trouble: str | None = None) -> None:
        self.world.services.looks.heard(self.world.ada.athlete_id, HERE, seen, trouble)


@pytest.fixture
def page(world, csrf_of) -> Page:
    return Page(world, csrf_of)


@pytest.fixture
def radio(world) -> list[str]:
    """This process has a radio; what is returned grows with each look that it is asked for."""
    begun: list[str] = []
    world.services.looks.attach(lambda: begun.append("look"))
    return begun


def test_without_any_radio_the_page_says_what_to_do(page) -> None:
    said = page.post("/wearables/look").text
    assert "no Bluetooth of its own" in said
    assert "gateway" in said
    assert "hx-trigger" not in said


def test_a_look_asks_the_radio_and_reads_along_until_it_is_over(world, page, radio) -> None:
    first = page.post("/wearables/look").text
    assert radio == ["look"]
    assert 'hx-trigger="every 1s"' in first
    assert "Looking, 20 s left" in first
    page.heard(DOT, InReach("AA:BB:CC:00:00:02", "", None, -50))
    page.heard(InReach("AA:BB:CC:00:00:03", "Strap", "polar-h10", -90), InReach(DOT.address, "", "movella-dot", -70))
    said = page.get("/wearables/look")
    assert "&lt;b&gt;DOT&lt;/b&gt;" in said
    assert said.index("DOT&lt;") < said.index("Strap"), "the nearest first"
    assert ("very near" in said, "far: come closer" in said) == (True, True)
    assert "AA:BB:CC:00:00:02" not in said
    assert PROFILES["movella-dot"].title in said
    for line in PROFILES["movella-dot"].cannot:
        assert line in html.unescape(said)
    world.clock.forward(seconds=LOOK_S)
    over = page.get("/wearables/look")
    assert "hx-trigger" not in over
    assert "Look again" in over
    assert "Strap" in over


def test_a_family_without_a_real_stream_behind_it_says_so(page, radio) -> None:
    marked = [family for family, profile in PROFILES.items() if not profile.proven]
    plain = [family for family, profile in PROFILES.items() if profile.proven]
    assert marked
    assert plain
    page.post("/wearables/look")
    page.heard(InReach("AA:BB:CC:00:00:05", "one", marked[0], -60))
    assert "unproven on hardware" in page.get("/wearables/look")
    # Said where a finger reaches it as well, not only to a pointer that rests on the mark.
    assert "<li>Unproven on hardware: what it sends is known from documents only" in page.get("/wearables/look")
    page.post("/wearables/look")
    page.heard(InReach("AA:BB:CC:00:00:06", "two", plain[0], -60))
    assert "unproven on hardware" not in page.get("/wearables/look")


def test_what_a_strap_says_before_anybody_connects(page, radio) -> None:
    page.post("/wearables/look")
    page.heard(InReach("AA:BB:CC:00:00:08", "Strap", "polar-h10", -60, "worn, 72 bpm"), DOT)
    said = page.get("/wearables/look")
    assert said.count("worn, 72 bpm") == 1


def test_what_blocks_a_look_is_said_unless_another_radio_hears(world, page, radio) -> None:
    trouble = "Bluetooth is switched off on this machine: switch it on."
    page.post("/wearables/look")
    page.heard(trouble=trouble)
    assert trouble in page.get("/wearables/look")
    world.services.looks.heard(world.ada.athlete_id, "laptop", (DOT,), None)
    both = page.get("/wearables/look")
    assert trouble not in both
    assert "DOT" in both
    page.post("/wearables/look")
    page.heard()
    world.clock.forward(seconds=LOOK_S)
    assert "No wearable that Backstop knows is in reach" in page.get("/wearables/look")


def test_looks_of_others_are_not_seen(world, page, radio) -> None:
    page.post("/wearables/look")
    page.heard(DOT)
    assert "DOT" not in world.client(world.bo).get("/wearables/look").text


def test_looking_has_a_limit(page, radio) -> None:
    assert [page.post("/wearables/look").status_code for _ in range(11)] == [200] * 10 + [429]


def test_pairing_goes_by_what_was_heard_to_the_body_and_the_calibration(world, page, radio) -> None:
    page.post("/wearables/look")
    page.heard(DOT)
    where = page.get(f"/wearables/new?address={DOT.address}")
    assert {each.value for each in Placement} == set(re.findall(r'name="placement" value="(\w+)"', where))
    assert re.findall(r'value="(\w+)" checked', where) == ["lower_back"]
    added = page.post("/wearables", address=DOT.address, placement="upper_arm_left")
    assert added.status_code == 303
    again = page.post("/wearables", address=DOT.address, placement="hip")
    assert again.status_code == 303
    mine = world.services.wearables.for_athlete(world.ada.athlete_id)
    assert [(each.name, each.placement) for each in mine] == [
        ("<b>DOT</b>", "upper_arm_left"),
        ("Chest strap", "chest"),
    ]
    assert added.headers["Location"].endswith(f"/wearables/{mine[0].wearable_id}/calibration")
    assert "paired already" in page.get()
    # It is yours, so it is not in reach as something to add.
    assert DOT.address not in page.get("/wearables/look")


def test_two_of_one_product_are_told_apart(world, page, radio) -> None:
    page.post("/wearables/look")
    for tail in ("AA:01", "BB:02"):
        page.heard(InReach(f"AA:BB:CC:00:{tail}", "DOT", "movella-dot", -58))
        page.post("/wearables", address=f"AA:BB:CC:00:{tail}", placement="hip")
    names = [each.name for each in world.services.wearables.for_athlete(world.ada.athlete_id)]
    assert names == ["Chest strap", "DOT", "DOT BB:02"]


@pytest.mark.parametrize("address", ["", "AA:BB:CC:00:00:09", "AA:BB:CC:00:00:02"])
def test_only_what_was_heard_can_be_added(world, page, radio, address: str) -> None:
    page.post("/wearables/look")
    page.heard(DOT, InReach("AA:BB:CC:00:00:02", "TV", None, -40))
    assert page.client.get(f"/wearables/new?address={address}").status_code == 422
    assert page.post("/wearables", address=address, placement="hip").status_code == 422
    assert len(world.services.wearables.for_athlete(world.ada.athlete_id)) == 1


def test_a_heart_rate_strap_has_no_pose(world, page, radio) -> None:
    page.post("/wearables/look")
    family = next(family for family, profile in PROFILES.items() if "acc" not in profile.sensors)
    page.heard(InReach("AA:BB:CC:00:00:07", "HR", family, -58))
    assert page.post("/wearables", address="AA:BB:CC:00:00:07", placement="chest").headers["Location"] == "/wearables"
    card = page.get().partition("HR</h2>")[2].partition("</article>")[0]
    assert "upright" not in card.lower()


def test_a_place_is_changed_on_the_body(world, page) -> None:
    path = f"/wearables/{world.wearable_id}/placement"
    assert re.findall(r'value="(\w+)" checked', page.get(path)) == ["chest"]
    assert page.post(path, placement="upper_back").status_code == 303
    assert page.post(path, placement="nose").status_code == 303
    assert world.services.wearables.get(world.ada.identity, world.wearable_id).placement == "upper_back"
    assert "nose" in page.get()


def test_a_calibration_on_the_page_from_start_to_saved(world, page) -> None:
    path = f"/wearables/{world.wearable_id}/calibration"
    assert "Bow forward once" in page.get(path)
    assert "begin it again" in page.post(path).text
    started = page.post(f"{path}/start").text
    assert 'hx-trigger="every 700ms"' in started
    assert "Waiting for its first signal" in started
    said = []
    for block in Body(3).stand(4).lean(50).lean(0).stand(2).blocks():
        world.clock.forward(seconds=0.25)
        world.services.poses.take(world.wearable_id, block)
        said.append(page.post(path).text)
    for sees in ("Still for", "Upright pose taken", "Bowing:", "Coming back up:", "Bow seen:"):
        assert any(sees in each for each in said), sees
    done = next(each for each in said if "Bow seen:" in each)
    assert "hx-trigger" not in done
    assert "forward is told from sideways" in done
    assert world.services.wearables.get(world.ada.identity, world.wearable_id).forward is not None
    assert "with a bow" in page.get()


def test_a_back_that_should_not_bow_keeps_the_pose_alone(world, page) -> None:
    path = f"/wearables/{world.wearable_id}/calibration"
    page.post(f"{path}/start")
    assert "not taken yet" in page.post(f"{path}/upright").text
    page.post(f"{path}/start")
    for block in Body(4).stand(4).blocks():
        world.services.poses.take(world.wearable_id, block)
        shown = page.post(path).text
    assert "Save without a bow" in shown
    assert "without a bow" in page.post(f"{path}/upright").text
    stored = world.services.wearables.get(world.ada.identity, world.wearable_id)
    assert (stored.upright is not None, stored.forward) == (True, None)


def test_a_gap_is_shown_at_once_and_what_the_person_can_do(world, page) -> None:
    shown = LinkStatus(
        LinkState.BLOCKED,
        world.clock.utc_s() - 30,
        "Movella DOT is heard but lets nobody connect: close other apps that use it.",
        battery_share=0.82,
        silent_since_utc_s=world.clock.utc_s() - 12,
    )
    world.services.links.show(world.wearable_id, lambda: shown)
    state = page.get(f"/wearables/{world.wearable_id}/state")
    assert "Nothing since 12 s" in state
    assert "close other apps" in state
    assert "battery 82" in state
    assert "one phone or computer at a time" in page.get()


def test_forgetting(world, page) -> None:
    assert page.post(f"/wearables/{world.wearable_id}/forget").status_code == 303
    assert world.services.wearables.for_athlete(world.ada.athlete_id) == ()
    assert "What it recorded stays" in page.get()


def test_a_token_is_shown_once_and_revoked(world, page) -> None:
    made = page.post("/wearables/tokens", label=" laptop  in the attic ")
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    token = re.search(r'id="token" value="([^"]+)"', made.text)[1]
    # The page was asked for under a name that means this machine; the gateway's needs the one on the network.
    assert f"gateway --server http://{own_address()}</textarea>" in made.text
    assert token not in page.get()
    assert "laptop in the attic" in page.get()
    assert "never used yet" in page.get()
    headers = {"Authorization": f"Bearer {token}"}
    gateway = world.client()
    body = wire.encode(Beat("i", world.clock.utc_s() + 200, {}, waiting=7, full=True))
    assert gateway.post("/api/v1/gateway", data=body, headers=headers).status_code == 200
    shown = page.get()
    assert ("running, 7 pieces" in shown, "is full" in shown, "200 s ahead" in shown) == (True, True, True)
    world.clock.forward(minutes=2)
    assert "not running; last heard today at 15:00" in page.get()
    (view,) = world.services.tokens.of_athlete(world.ada.identity, world.ada.athlete_id)
    assert page.post(f"/wearables/tokens/{view.token_id}/revoke").status_code == 303
    assert gateway.post("/api/v1/gateway", data=body, headers=headers).status_code == 401
    assert world.services.gateways.of_athlete(world.ada.identity, world.ada.athlete_id) == {}
    assert "laptop in the attic" not in page.get()


def test_a_token_needs_a_name_and_making_them_has_a_limit(page) -> None:
    assert page.post("/wearables/tokens", label=" ").status_code == 303
    assert "Name the machine" in page.get()
    assert [page.post("/wearables/tokens", label="x").status_code for _ in range(5)] == [200] * 4 + [429]


def test_connection_logs_can_be_downloaded_redacted_unless_asked(world, page) -> None:
    assert "Connection logs" not in page.get()
    world.services.gateways.keep_log(LinkLogText(world.wearable_id, "rec", "<address> lost", "C0:FF lost"))
    shown = page.get()
    path = re.search(r'href="(/wearables/logs/\w+\.txt)"', shown)[1]
    assert page.get(path) == "<address> lost"
    assert page.get(f"{path}?whole=1") == "C0:FF lost"
    assert world.client(world.bo).get(path).status_code == 404


def test_a_coach_has_no_such_page(world) -> None:
    coach = world.client(world.kim)
    for path in ("/wearables", "/wearables/look", f"/wearables/{world.wearable_id}/calibration"):
        assert coach.get(path).status_code == 403
