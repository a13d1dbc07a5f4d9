"""Pages in the reader's language: what the person chose, else what the browser asks for."""

from __future__ import annotations

from typing import Any

import flask_babel
from babel.support import NullTranslations
from flask import Flask, request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from coach import language
from coach.web import access
from coach.web.spoken import spoken, written


class _Words(flask_babel.Domain):  # type: ignore[misc]
    """The catalogues of coach/translations."""

    def get_translations(self) -> NullTranslations:
        return language.translations(language.current())


def chosen() -> str:
    """Return the language of this answer, a key of language.LANGUAGES."""
    person = access.someone()
    if person is not None and person.language in language.LANGUAGES:
        return person.language
    # By the first part of each tag, in the browser's order: de-AT is German, and en-US goes before a later de.
    asked = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((each for each in asked if each in language.LANGUAGES), language.DEFAULT)


@pass_context
def _gettext(context: Context, text: str, **values: Any) -> str:
    """Say a text in a template; a percent sign is one where no value is filled in, as it is in code."""
    said = language.translations(language.current()).ugettext(text)
    return _filled(context, said, values)


@pass_context
def _pgettext(context: Context, about: str, text: str, **values: Any) -> str:
    """Say a text whose translation depends on where it stands."""
    said = str(language.translations(language.current()).upgettext(about, text))
    return _filled(context, said, values)


def _filled(context: Context, said: str, values: dict[str, Any]) -> str:
    if not values:
        said = said.replace("%%", "%")
    marked = Markup(said) if context.eval_ctx.autoescape else said  # noqa: S704 - texts of ours; values are escaped
    return marked % {name: written(spoken(value)) for name, value in values.items()} if values else marked


def _speak() -> None:
    language.speak(chosen())
    flask_babel.refresh()


def install(app: Flask) -> None:
    """Speak from the beginning of a request, and again once it is known who asks."""
    babel = flask_babel.Babel(app, locale_selector=lambda: language.locale(language.current()).language)
    babel.domain_instance = _Words()
    # In place of Jinja's own, which format a text that no value is given for.
    app.jinja_env.globals.update(gettext=_gettext, pgettext=_pgettext)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals["language"] = language.current
    app.before_request(_speak)


def install_again(app: Flask) -> None:
    """Speak as the person chose, after access has found who it is."""
    app.before_request(_speak)
