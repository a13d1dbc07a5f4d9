"""Passwords hashed with little effort, for tests of what lies around it. The library and its format are real."""

from __future__ import annotations

from argon2 import PasswordHasher


class QuickHasher(PasswordHasher):
    """The same hashes with a hundredth of the effort, unless a test says other parameters."""

    def __init__(self, time_cost: int = 1, memory_cost: int = 64, parallelism: int = 1) -> None:
        super().__init__(time_cost, memory_cost, parallelism)
