"""Passkeys: what a script of the page asks and hands in as JSON, and the forms beside them."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from coach.errors import Conflict, InvalidInput
from coach.service.passkeys import Asked, Place, ask_for_one, place_of
from coach.web import access, cookies, welcome
from coach.web.account import may_change_keys
from coach.web.house import house

blueprint = Blueprint("passkeys", __name__)

_NEW, _SIGN_IN = "new passkey", "sign in"
_TOOK_TOO_LONG = "That took too long, or was asked in another tab: begin anew."


def _place() -> Place:
    return place_of(house().config.web.address, request.host_url)


def _asked(asked: Asked, purpose: str) -> Response:
    cookies.keep_challenge(asked.challenge, purpose)
    return Response(asked.options, content_type="application/json")


def _body() -> dict[str, Any]:
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise InvalidInput("This is no answer of a device: begin anew.")
    return found


def _challenge(purpose: str) -> str:
    found = cookies.take_challenge(purpose)
    if found is None:
        raise InvalidInput(_TOOK_TOO_LONG)
    return found


def _onward(page: str) -> Response:
    return Response(json.dumps({"next": page}), content_type="application/json")


@blueprint.post("/sign-in/passkey/options")
@access.public
def ask() -> Response:
    """Return what a device is asked for to sign in."""
    return _asked(ask_for_one(_place()), _SIGN_IN)


@blueprint.post("/sign-in/passkey")
@access.public
def sign_in() -> Response:
    """Sign in, or show that it is still you, with what the device answered."""
    body, challenge = _body(), _challenge(_SIGN_IN)
    confirming = body.get("confirm") is True and cookies.signed_in() is not None
    found = house().services.sign_ins.by_passkey(body.get("answer"), challenge, _place(), cookies.asker(confirming))
    return _onward(welcome.let_in(found, welcome.local_page(str(body.get("next", "")))))


@blueprint.post("/account/passkeys/options")
@access.signed_in
def ask_new() -> Response:
    """Return what a device is asked for, for a new passkey."""
    if not may_change_keys(access.me()):
        return access.confirm_first()
    return _asked(house().services.passkeys.ask_for_new(access.me(), _place()), _NEW)


@blueprint.post("/account/passkeys")
@access.signed_in
def add() -> Response:
    """Keep a new passkey."""
    if not may_change_keys(access.me()):
        return access.confirm_first()
    body, challenge = _body(), _challenge(_NEW)
    name = str(body.get("name", ""))[:200]
    try:
        house().services.passkeys.add(access.me(), body.get("answer"), name, challenge, _place())
    except Conflict as error:
        raise Conflict("This device's passkey is kept here already, or there are too many.") from error
    flash("Your passkey is kept: sign in with it from now on.", "done")
    return _onward(url_for("account.page"))


@blueprint.post("/account/passkeys/<passkey_id>/name")
@access.signed_in
def rename(passkey_id: str) -> Response:
    """Call a passkey something else."""
    house().services.passkeys.rename(access.me(), passkey_id, request.form.get("name", "")[:200])
    return redirect(url_for("account.page"), code=303)


@blueprint.post("/account/passkeys/<passkey_id>/remove")
@access.signed_in
@access.fresh
def remove(passkey_id: str) -> Response:
    """Forget a passkey."""
    house().services.passkeys.remove(access.me(), passkey_id)
    flash("That passkey is forgotten here. Delete it on the device too, so that it is not offered any more.", "done")
    return redirect(url_for("account.page"), code=303)
