"""The web: pages for athletes and coaches, the live line, the interface for programs."""

from coach.web.app import create_app

__all__ = ["create_app"]
