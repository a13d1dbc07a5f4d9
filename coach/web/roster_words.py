"""Why an athlete needs the coach, as words."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from coach.language import gettext as _
from coach.language import ngettext
from coach.service.roster import Attention, Reason, RosterRow

_TONE = {Attention.PAUSED: "red", Attention.QUIET: "plain"}


def attention_name(kind: Attention) -> str:
    """Return what a reason is called in a list to choose from."""
    return {
        Attention.PAUSED: _("paused"),
        Attention.PROPOSAL: _("a proposal waits"),
        Attention.FINDING: _("new finding"),
        Attention.PAIN: _("pain"),
        Attention.MISSED: _("sessions not done"),
        Attention.QUIET: _("quiet"),
    }[kind]


def reason_text(reason: Reason) -> str:
    """Return a reason in a few words, with its number where it has one."""
    if reason.kind is Attention.FINDING:
        return ngettext("new finding", "%(num)s new findings", reason.count)
    if reason.kind is Attention.PAIN:
        return _("pain %(pain)s of 10", pain=reason.count)
    if reason.kind is Attention.MISSED:
        return ngettext("%(num)s session not done", "%(num)s sessions not done", reason.count)
    if reason.kind is Attention.QUIET:
        return ngettext("quiet for %(num)s day", "quiet for %(num)s days", reason.count)
    return _("paused: medical review advised") if reason.kind is Attention.PAUSED else _("a proposal waits for you")


def reason_tone(reason: Reason) -> str:
    """Return the tone of a reason's tag."""
    return _TONE.get(reason.kind, "amber")


def needing(rows: Sequence[RosterRow]) -> list[RosterRow]:
    """Return those whom something waits at."""
    return [row for row in rows if row.reasons]


def install(app: Flask) -> None:
    """Give the words to the templates."""
    for word in (attention_name, reason_text, reason_tone):
        app.jinja_env.filters[word.__name__] = word
