"""Make the web app: one blueprint per subject, the rules around them, nothing at import."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from coach.config import Config
from coach.live import LiveFeed
from coach.service import Services
from coach.serving import LiveDoor
from coach.web import (
    access,
    account,
    api,
    assessment_words,
    assessments,
    assets,
    athlete,
    availability,
    benchmarks,
    bounds,
    calendar,
    calibration,
    care,
    choices,
    coach,
    cookies,
    data,
    days,
    dead_letters,
    diary,
    doctor,
    doctor_link,
    failures,
    findings,
    findings_words,
    forms,
    gateways,
    groups,
    guided,
    guided_words,
    headers,
    health,
    imports,
    job_words,
    jobs,
    joining,
    language,
    library,
    library_words,
    limits,
    live,
    me,
    metrics,
    notes,
    offline,
    own_exercises,
    passkeys,
    people,
    phone_push,
    phones,
    places,
    plans,
    profiles,
    program_desk,
    program_desk_words,
    program_edit,
    program_templates,
    reading,
    reanalysis,
    reminders,
    request_ids,
    roster_words,
    safety,
    sessions,
    sharing,
    signals,
    spasm,
    spoken,
    start,
    steps,
    team_calendar,
    team_days,
    team_reports,
    tokens,
    units,
    wall,
    wearables,
    weeks,
    welcome,
    words,
)  # fmt: skip
from coach.web.admission import Admission
from coach.web.house import House, furnish, house
from coach.web.short_way import IN_FRONT, ShortWay
from coach.web.streams import Streams
from devices.hostclock import HostClock, SystemClock

SUBJECTS = (
    welcome,
    account,
    passkeys,
    me,
    athlete,
    start,
    offline,
    coach,
    groups,
    findings,
    benchmarks,
    days,
    signals,
    profiles,
    plans,
    steps,
    program_desk,
    program_edit,
    program_templates,
    library,
    own_exercises,
    notes,
    choices,
    availability,
    safety,
    spasm,
    care,
    doctor,
    sessions,
    guided,
    weeks,
    assessments,
    wearables,
    calibration,
    gateways,
    calendar,
    live,
    wall,
    team_calendar,
    team_reports,
    api,
    phone_push,
    phones,
    imports,
    jobs,
    diary,
    reminders,
    health,
    metrics,
    tokens,
    people,
    reanalysis,
    dead_letters,
    sharing,
    data,
    joining,
    doctor_link,
)

# What everybody outside this package calls the app: only coach.web imports flask.
WebApp = Flask

# Own choice: the largest form is the safety questions; chunks have their own bound.
FORM_BYTES_MAX = 64 * 1024


def create_app(
    services: Services,
    live_feed: LiveFeed,
    config: Config,
    secret_key: str,
    *,
    clock: HostClock | None = None,
    door: LiveDoor | None = None,
) -> Flask:
    """Return the web app over services that are built already. Starts no thread and opens no file.

    secret_key signs the session cookies. door takes live blocks that gateways elsewhere send.
    """
    app = Flask("coach.web", static_folder=None)
    app.config.update(
        SECRET_KEY=secret_key,
        MAX_CONTENT_LENGTH=FORM_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX,
        # A page may stay open all day on a desk; the token ends with the session.
        WTF_CSRF_TIME_LIMIT=None,
        # headers.py compares Origin with Host, also over https.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    furnish(app, House(services, live_feed, config, clock or SystemClock(), Streams(live_feed), door))
    _install(app, config)
    for subject in SUBJECTS:
        app.register_blueprint(subject.blueprint)
    access.check_declared(app)
    _stand_in_front(app, services, config)
    return app


def _stand_in_front(app: Flask, services: Services, config: Config) -> None:
    """Put in front of the app what answers without it: who is one too many, and signal that is as it should be."""
    short_way = ShortWay(app.wsgi_app, services, limits.PostBounds(app), metrics.metrics_of(app).count)
    app.wsgi_app = short_way  # type: ignore[method-assign, assignment]
    # A proxy that ends https says so. Only the asker's own cookie and links depend on it. The host is never
    # taken from a proxy, for Origin is compared with it; the address only from as many as are known to be in front.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.web.proxies, x_proto=1, x_host=0)  # type: ignore[method-assign]
    admission = Admission(
        app.wsgi_app,
        pages_max=config.web.page_threads,
        ingest_max=config.web.ingest_threads,
        waiting=lambda: services.motion.waiting() + services.log.waiting(),
        waiting_max=config.web.chunks_waiting_max,
    )
    app.wsgi_app = admission  # type: ignore[method-assign, assignment]
    app.extensions[IN_FRONT] = (short_way, admission)


def _install(app: Flask, config: Config) -> None:
    """Put around every request what stands around it, and give the templates their words."""
    language.install(app)
    request_ids.install(app)
    metrics.install(app)
    cookies.install(app, config.web.session_days)
    bounds.install(app)
    # Order counts: limits count a request before CSRF or the sign-in can refuse it.
    limits.install(app)
    headers.install(app)
    imports.install(app)
    doctor.install(app)
    csrf = CSRFProtect(app)
    access.install(app)
    offline.install(app)
    start.install(app)
    language.install_again(app)
    reading.install(app)
    bounds.install_body(app)
    forms.install(app)
    failures.install(app)
    assets.install(app)
    words.install(app)
    findings_words.install(app)
    benchmarks.install(app)
    team_days.install(app)
    assessment_words.install(app)
    guided_words.install(app)
    job_words.install(app)
    library_words.install(app)
    program_desk_words.install(app)
    notes.install(app)
    roster_words.install(app)
    care.install(app)
    spasm.install(app)
    places.install(app)
    units.install(app)
    spoken.install(app)
    app.jinja_env.globals["someone"] = access.someone
    app.jinja_env.globals["disk_trouble"] = lambda: house().services.machine.trouble()
    # Programs bring a token of their own, which no browser adds by itself.
    csrf.exempt(api.blueprint)
    csrf.exempt(phone_push.blueprint)
