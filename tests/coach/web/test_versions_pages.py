"""Old findings stay readable, and what other limits say of the same days is told."""

from __future__ import annotations

import json
from pathlib import Path

from coach.config import Config
from coach.service import build_services
from coach.service.profile_files import SHIPPED
from coach.web import create_app
from tests.coach.web.test_pages import text_of
from tests.coach.web.told import store_of


def with_limits(world, folder: Path, before: str, after: str):
    """Return services and app over Ada's store, with another limit in the profile that she has."""
    text = (SHIPPED / "heavy_lifting.toml").read_text(encoding="utf-8")
    assert before in text
    (folder / "heavy_lifting.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    config = Config.model_validate({"profiles": {"folder": str(folder)}})
    services = build_services(store_of(world), config, world.clock)
    world.clock.forward(minutes=30)
    services.rerun.run(world.ada.athlete_id)
    return create_app(services, world.feed, config, "k" * 32, clock=world.clock)


def signed_in(world, app, person):
    client = app.test_client()
    assert (
        client.get(f"/enter/{world.services.accounts.issue_sign_in_link(person.identity.user_id)}").status_code == 303
    )
    return client


def test_a_finding_of_before_there_were_flags_and_windows_is_readable(world) -> None:
    old = {
        "values": {"rate_mean_per_min": 5.92, "count": 71},
        "threshold": {"rate_per_min": 4.0, "min_duration_s": 600.0},
        "source": "RULA and REBA.",
        "algorithm": {"name": "backstop", "version": "1"},
        "window": {"start_utc": "2026-11-24T13:48:00+00:00", "end_utc": "2026-11-24T14:00:00+00:00"},
    }
    with store_of(world).begin() as tx:
        tx.exec_driver_sql("UPDATE finding SET because = ?", (json.dumps(old),))
    client = world.client(world.ada)
    raw = client.get(f"/findings/{world.finding_id}").text
    page = text_of(raw)
    for part in ("more than 4 per minute, for 10 minutes", "RULA and REBA.", "mean rate 5.9 a minute", "backstop 1"):
        assert part in page, part
    assert f"/findings/{world.finding_id}/signal.json" in raw
    assert client.get(f"/findings/{world.finding_id}/signal.json").get_json()["t_utc_s"]
    assert client.get(f"/findings/{world.finding_id}/window").status_code == 404
    assert "more than 4 per minute, for 10 minutes: RULA and REBA." in text_of(client.get("/today/findings").text)


def test_other_limits_leave_the_old_finding_readable_and_say_what_the_new_ones_say(world, tmp_path: Path) -> None:
    old = world.services.findings.get(world.kim.identity, world.finding_id)
    app = with_limits(world, tmp_path, "rate_per_min = { value = 4,", "rate_per_min = { value = 3,")
    (new,) = world.services.findings.for_athlete(world.ada.athlete_id)
    assert new.finding_id != old.finding_id
    client = signed_in(world, app, world.ada)
    raw = client.get(f"/findings/{old.finding_id}").text
    page = text_of(raw)
    for part in ("Judged anew since.", "a flag above 4 a minute", "More than 3 a minute", old.edition):
        assert part in page, part
    assert f"/findings/{new.finding_id}" in raw
    assert "Judged anew" not in client.get(f"/findings/{new.finding_id}").text
    versions = client.get(f"/athletes/{world.ada.athlete_id}/versions").text
    for link in (f'href="/findings/{old.finding_id}"', f'href="/findings/{new.finding_id}"', "/days/2026-11-24"):
        assert link in versions, link
    said = text_of(versions)
    assert said.index(old.statement) < said.index(new.statement)
    assert "profile.detectors.repeated_bending.rate_per_min: 4 per min before, 3 per min now" in said
    # On a phone a long name goes on in a new line after one of its parts, not within a word.
    assert "profile.<wbr>detectors.<wbr>repeated_<wbr>bending.<wbr>rate_<wbr>per_<wbr>min: 4 per min" in versions
    assert f"From edition {old.edition} to {new.edition}" in said
    where = f"/athletes/{world.ada.athlete_id}/versions"
    assert "Nothing differs" in client.get(f"{where}?until=2026-11-24").text
    assert client.get(f"{where}?until=then").status_code == 422


def test_what_a_new_limit_does_not_find_any_more_is_said_on_the_old_finding(world, tmp_path: Path) -> None:
    app = with_limits(world, tmp_path, "rate_per_min = { value = 4,", "rate_per_min = { value = 9,")
    assert world.services.findings.for_athlete(world.ada.athlete_id) == ()
    client = signed_in(world, app, world.kim)
    raw = client.get(f"/findings/{world.finding_id}").text
    assert "The newer one says of today: not enough data." in text_of(raw)
    assert f"/athletes/{world.ada.athlete_id}/days/2026-11-24" in raw
    assert "Now: not enough data" in text_of(client.get(f"/athletes/{world.ada.athlete_id}/versions").text)
    assert "No pattern found so far" in client.get(f"/athletes/{world.ada.athlete_id}").text
