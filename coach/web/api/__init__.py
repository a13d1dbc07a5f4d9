"""The interface for programs: one file per subject, each view described beside itself."""

from coach.web.api.subjects import blueprint

__all__ = ["blueprint"]
