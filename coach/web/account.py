"""One's own account: password, second factor, and where one is signed in. Passkeys: passkeys."""

from __future__ import annotations

import io

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from coach import language
from coach.errors import Conflict, InvalidInput
from coach.language import N_, ngettext
from coach.language import gettext as _
from coach.service.second_factors import Enrolment
from coach.service.sign_in_types import LetIn, Way
from coach.service.types import Identity, Units
from coach.web import access, cookies, welcome
from coach.web.browsers import device_words
from coach.web.house import house

blueprint = Blueprint("account", __name__)

WAY_WORDS = {
    Way.LINK: N_("by a sign-in link"),
    Way.PASSWORD: N_("by password"),
    Way.CODE: N_("by password and code"),
    Way.RECOVERY: N_("by password and recovery code"),
    Way.PASSKEY: N_("by passkey"),
}
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def may_change_keys(identity: Identity) -> bool:
    """Tell whether passwords and passkeys may be changed now: after a fresh sign-in, or where there are none yet."""
    services = house().services
    first = not services.accounts.has_password(identity.user_id) and not services.passkeys.of_person(identity)
    return first or cookies.is_fresh()


def ago(moment_s: float) -> str:
    """Return how long ago a moment was, in seconds since 1970, in words."""
    passed = max(0.0, house().now().timestamp() - moment_s)
    if passed < 2 * _MINUTE_S:
        return _("now")
    if passed >= _DAY_S:
        return ngettext("%(num)s day ago", "%(num)s days ago", int(passed // _DAY_S))
    if passed >= _HOUR_S:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", int(passed // _HOUR_S))
    return ngettext("%(num)s minute ago", "%(num)s minutes ago", int(passed // _MINUTE_S))


def _page(problem: str | None = None) -> str:
    identity, present, services = access.me(), cookies.signed_in(), house().services
    return render_template(
        "account/account.html",
        me=identity,
        problem=problem,
        has_password=services.accounts.has_password(identity.user_id),
        may_change=may_change_keys(identity),
        fresh=cookies.is_fresh(),
        passkeys=services.passkeys.of_person(identity),
        no_passkey=welcome.why_no_passkey(),
        device=device_words(request.headers.get("User-Agent", "")),
        factor=services.second_factors.of_person(identity),
        sessions=services.sign_ins.of_person(identity, present.session_id if present is not None else None),
        failed=services.sign_ins.failed_lately(identity),
        way_words=WAY_WORDS,
        languages=language.LANGUAGES,
        ago=ago,
    )


def _unprocessable(page: str) -> Response:
    return Response(page, 422, content_type="text/html; charset=utf-8")


@blueprint.get("/account")
@access.signed_in
def page() -> str:
    """Show one's own account."""
    return _page()


@blueprint.get("/confirm")
@access.signed_in
def confirm() -> Response | str:
    """Ask who is signed in to show again who they are, before what is worth asking twice."""
    onward = welcome.local_page(request.args.get("next", "")) or url_for("account.page")
    if cookies.is_fresh():
        return redirect(onward, code=303)
    return welcome.confirm_page(access.me(), onward)


@blueprint.post("/account")
@access.signed_in
def set_password() -> Response:
    """Set one's own password."""
    identity, present = access.me(), cookies.signed_in()
    if present is None or not may_change_keys(identity):
        return access.confirm_first()
    password, again = request.form.get("password", ""), request.form.get("again", "")
    if password != again:
        return _unprocessable(_page(_("The two passwords differ, so nothing was changed. Type them again.")))
    services = house().services
    try:
        renewed = services.accounts.set_password(identity.user_id, password, but=present.session_id)
    except InvalidInput as error:
        return _unprocessable(_page(str(error)))
    # This session goes on, with another secret: whoever copied the old cookie is out.
    cookies.begin(LetIn(renewed, Way.PASSWORD, services.sign_ins.renew(present)))
    flash(_("Your password is set. Where you were signed in before, you are signed out now, except here."), "done")
    return redirect(url_for("account.page"), code=303)


@blueprint.post("/account/reading")
@access.signed_in
def read_in() -> Response:
    """Choose the language and the units of one's own pages."""
    wanted, units = request.form.get("language", ""), request.form.get("units", "")
    if units not in list(Units):
        raise InvalidInput(_("Choose metric or imperial units."))
    house().services.accounts.read_in(access.me(), wanted or None, Units(units))
    language.speak(wanted or language.current())
    flash(_("Your pages are in this language and these units from now on."), "done")
    return redirect(url_for("account.page"), code=303)


@blueprint.post("/account/sessions/<sign_in_id>/end")
@access.signed_in
def end_session(sign_in_id: str) -> Response:
    """Sign out elsewhere."""
    house().services.sign_ins.end(access.me(), sign_in_id)
    flash(_("That sign-in has ended."), "done")
    return redirect(url_for("account.page"), code=303)


@blueprint.post("/account/sessions/end-others")
@access.signed_in
def end_others() -> Response:
    """Sign out everywhere else."""
    present = cookies.signed_in()
    count = house().services.sign_ins.end_others(access.me(), present.session_id if present is not None else None)
    flash(ngettext("%(num)s other sign-in has ended.", "%(num)s other sign-ins have ended.", count), "done")
    return redirect(url_for("account.page"), code=303)


def _picture(uri: str) -> str:
    """Return the picture that an app's camera reads, as an SVG element."""
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, nl=False, omitsize=True, dark="black", light="white", svgclass="qr"
    )
    return out.getvalue().decode("utf-8")


def _factor_page(enrolment: Enrolment, problem: str | None = None) -> str:
    return render_template(
        "account/second_factor.html", enrolment=enrolment, picture=_picture(enrolment.uri), problem=problem
    )


@blueprint.get("/account/second-factor")
@access.signed_in
@access.fresh
def waiting_factor() -> Response | str:
    """Show the secret that waits for its first code, for whoever reloads."""
    waiting = house().services.second_factors.waiting(access.me())
    return _factor_page(waiting) if waiting is not None else redirect(url_for("account.page"), code=303)


@blueprint.post("/account/second-factor")
@access.signed_in
@access.fresh
def begin_factor() -> Response:
    """Make a secret for an app."""
    if not house().services.accounts.has_password(access.me().user_id):
        raise Conflict(_("A second factor is asked for after a password: set a password first."))
    house().services.second_factors.begin(access.me())
    return redirect(url_for("account.waiting_factor"), code=303)


@blueprint.post("/account/second-factor/confirm")
@access.signed_in
@access.fresh
def confirm_factor() -> Response | str:
    """Switch the second factor on with a first code, and show the recovery codes this once."""
    factors = house().services.second_factors
    try:
        codes = factors.confirm(access.me(), request.form.get("code", "")[:100])
    except InvalidInput as error:
        waiting = factors.waiting(access.me())
        if waiting is None:
            raise
        return _unprocessable(_factor_page(waiting, str(error)))
    return render_template("account/recovery_codes.html", codes=codes, switched_on=True)


@blueprint.post("/account/second-factor/codes")
@access.signed_in
@access.fresh
def renew_codes() -> str:
    """Show new recovery codes this once; older ones end."""
    codes = house().services.second_factors.renew_codes(access.me())
    return render_template("account/recovery_codes.html", codes=codes, switched_on=False)


@blueprint.post("/account/second-factor/remove")
@access.signed_in
@access.fresh
def remove_factor() -> Response:
    """Switch the second factor off."""
    house().services.second_factors.remove(access.me())
    flash(_("Your second factor is off: the password alone lets you in."), "done")
    return redirect(url_for("account.page"), code=303)
