"""What the analysis refuses. The message is a sentence: what happened, where, what to do."""

from __future__ import annotations


class AnalysisError(ValueError):
    """A chunk or a stored state that cannot be analysed."""
