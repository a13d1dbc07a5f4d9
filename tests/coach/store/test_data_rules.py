"""Each table has a rule of data, and each rule is of what is there."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary, Table

from coach.store.data_rules import RULES, Kept, Rule, of_athlete
from coach.store.every_table import metadata

# Names that a secret's column has. A table with one does not leave, or leaves without it.
SECRETS = ("hash", "secret", "token", "password", "auth", "p256dh", "private", "recovery")


def faults(table: Table, rule: Rule) -> list[str]:
    """Tell what is wrong with a table's rule."""
    found = []
    here = table
    for place, name in enumerate(rule.path):
        if name not in here.c:
            return [f"{table.name}: its path names {here.name}.{name}, which is not there"]
        column = here.c[name]
        last = place == len(rule.path) - 1
        if last and here.name == "athlete" and name == "id":
            break
        if len(column.foreign_keys) != 1:
            return [f"{table.name}: {here.name}.{name} of its path is no foreign key"]
        (key,) = column.foreign_keys
        if last and str(key.column) != "athlete.id":
            found.append(f"{table.name}: its path ends at {key.column}, not at athlete.id")
        here = key.column.table
    if "athlete_id" in table.c and rule.path != ("athlete_id",):
        found.append(f"{table.name} has an athlete_id, and its path is another one")
    named = {*rule.hidden, *rule.beside, *([rule.aged_by] if rule.aged_by else [])}
    found += [
        f"{table.name}: its rule names {name}, which is not there" for name in sorted(named - set(table.c.keys()))
    ]
    found += [
        f"{table.name}.{name} is not bytes" for name in rule.beside if not isinstance(table.c[name].type, LargeBinary)
    ]
    if not rule.exported and not rule.why_not:
        found.append(f"{table.name} is not exported, and its rule does not say why")
    if rule.exported:
        found += [
            f"{table.name}.{column.name} looks like a secret and is exported: hide it, or do not export the table"
            for column in table.c
            if any(part in SECRETS for part in column.name.split("_")) and column.name not in rule.hidden
        ]
    if rule.kept not in (Kept.ACCOUNT,) and rule.aged_by is None:
        found.append(f"{table.name} is kept for a time, and its rule does not say by which column")
    return found


def test_each_table_has_a_rule_and_each_rule_a_table() -> None:
    missing = sorted(set(metadata.tables) - set(RULES))
    assert missing == [], f"add a rule in coach/store/data_rules.py for {missing}"
    assert sorted(set(RULES) - set(metadata.tables)) == []


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_rule_is_of_what_is_there(name: str) -> None:
    assert faults(metadata.tables[name], RULES[name]) == []
    of_athlete(metadata.tables[name], "a")


@pytest.mark.parametrize(
    ("name", "rule", "says"),
    [
        ("chunk", Rule(("athlete_id",)), "chunk.athlete_id, which is not there"),
        ("chunk", Rule(("stream_id", "seq")), "stream.seq, which is not there"),
        ("chunk", Rule(("seq",)), "no foreign key"),
        ("chunk", Rule(("stream_id",)), "ends at stream.id"),
        ("checkin", Rule(()), "another one"),
        ("api_token", Rule(("athlete_id",)), "looks like a secret"),
        ("checkin", Rule(("athlete_id",), exported=False), "does not say why"),
        ("checkin", Rule(("athlete_id",), Kept.DIARY), "by which column"),
        ("checkin", Rule(("athlete_id",), hidden={"mood": "own"}), "names mood"),
    ],
)
def test_a_wrong_rule_is_found(name: str, rule: Rule, says: str) -> None:
    assert says in " ".join(faults(metadata.tables[name], rule))
