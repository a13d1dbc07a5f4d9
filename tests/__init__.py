"""The tests: a package, because some wheels install a top-level `tests` too, which would hide a folder without this."""
