"""The power goes at any moment of a gateway's spooling, and of a first start that makes its keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coach.durable import make_folder, replace, write_once
from coach.errors import ConfigError
from coach.instance import secret_key
from coach.notify.vapid import own_key
from coach.spool import Spool
from tests.power.cuts import Cut, Journal
from tests.power.disk import Kind
from tests.power.shim import Shim
from tests.power.spooling import SPOOL_BYTES


def played(folder: Path, *planted: str, starts: int = 3, count: int = 60) -> Journal:
    root = folder / "cut"
    root.mkdir()
    shim = Shim(folder, root)
    for start in range(starts):
        shim.run("spooling.py", str(root), f"s{start}", str(count), *planted)
    return Journal.read(root, shim.journal)


def left_in(cut: Cut) -> list[str]:
    """Return the names of what a gateway finds in its spool after the cut."""
    spool, found = Spool(cut.folder / "gateway" / "spool", SPOOL_BYTES), []
    while batch := spool.peek(50, 1 << 20):
        found += [blob.split()[0].decode() for blob in batch]
        spool.drop(len(batch))
    spool.close()
    return found


def lost_in(cut: Cut) -> list[str]:
    """Return what was kept, not delivered, and is not there any more."""
    delivered, found = set(cut.marks.get("delivered", ())), set(left_in(cut))
    return [name for name in cut.marks.get("kept", ()) if name not in delivered and name not in found]


@pytest.mark.proof
def test_a_power_cut_loses_nothing_that_the_spool_has_kept(
    tmp_path: Path, full_or_quick: Callable[[int, int], int], figure: Callable[[str, object, str], None]
) -> None:
    journal = played(tmp_path)
    random_ones, syncs = journal.moments(full_or_quick(500, 60), 11), journal.at_syncs()
    moments = sorted({*random_ones, *syncs[:: full_or_quick(1, 8)]})
    for cut in journal.cuts(moments, 11):
        assert lost_in(cut) == [], cut.at
    for cut in journal.cuts(random_ones[::5], 12):
        found, kept = left_in(cut), cut.marks.get("kept", [])
        # In order, each once, and nothing that was never put in: at most one append was under way.
        known = [name for name in found if name in set(kept)]
        assert known == sorted(set(known), key=kept.index), cut.at
        assert len(found) - len(known) <= 3, cut.at
    figure("calls that changed a file, and syncs", f"{len(journal.calls)}, {journal.count(Kind.SYNC)}", "")
    figure("power cuts", len(moments), "")


def test_a_spool_that_does_not_sync_is_caught(tmp_path: Path) -> None:
    journal = played(tmp_path, "off", starts=1)
    assert any(lost_in(cut) for cut in journal.cuts(journal.moments(100, 11), 11))


def started(folder: Path, *planted: str) -> Journal:
    root = folder / "cut"
    root.mkdir()
    shim = Shim(folder, root)
    shim.run("keeping.py", str(root), *planted)
    return Journal.read(root, shim.journal)


def sound_start(cut: Cut) -> bool:
    """Tell whether a start goes on after the cut, with what was told to be there."""
    directory = cut.folder / "var"
    make_folder(directory)
    orders = directory / "orders.json"
    words = orders.read_bytes().split() if orders.exists() else []
    told = int(cut.marks.get("orders", ["-1"])[-1])
    whole = len(set(words)) == 1 and len(words) == 400 and int(words[0]) >= told if words else told < 0
    try:
        session, vapid = secret_key(directory), own_key(directory).public()
    except ConfigError:
        return False
    return whole and cut.marks.get("session", [session]) == [session] and cut.marks.get("vapid", [vapid]) == [vapid]


def test_a_power_cut_leaves_a_first_start_with_whole_keys_or_none(tmp_path: Path) -> None:
    journal = started(tmp_path)
    for seed in range(3):
        for cut in journal.cuts(range(1, len(journal.calls) + 1), seed):
            assert sound_start(cut), (seed, cut.at)


def test_keys_that_are_not_synced_are_caught(tmp_path: Path) -> None:
    journal = started(tmp_path, "off")
    assert not all(sound_start(cut) for cut in journal.cuts(range(1, len(journal.calls) + 1), 1))


def test_a_file_that_is_there_is_never_written_over_but_to_replace_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "key"
    make_folder(path.parent)
    write_once(path, b"first")
    write_once(path, b"second")
    assert path.read_bytes() == b"first"
    replace(path, b"third")
    assert path.read_bytes() == b"third"
    assert [each.name for each in path.parent.iterdir()] == ["key"]
