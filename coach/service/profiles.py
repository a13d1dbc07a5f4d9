"""Sports and kinds of work: files that say what is looked for, with which limits, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from coach.analysis.detectors.types import Kind, Profile
from coach.analysis.types import AnalysisParams, BendingParams, BendParams, ReferenceParams
from coach.config import Config
from coach.errors import ConfigError, InvalidInput
from coach.service.profile_files import SHIPPED, profile_from
from coach.store.rows import Row

GENERAL = "general"

# Words that people use for their sport or work, and the profile that fits. Own list.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "baseball": ("baseball", "softball", "pitcher", "pitching"),
    "golf": ("golf", "golfer", "golfing"),
    "tennis": ("tennis", "padel", "squash", "badminton"),
    "heavy_lifting": ("heavy lifting", "weightlifting", "powerlifting", "lifting", "strength training", "gym"),
    "shovelling": ("shovelling", "shoveling", "digging", "gardening", "landscaping", "construction"),
    "desk": ("desk", "desk work", "office", "office work", "gaming", "programming"),
}


class Profiles:
    """All profiles, read once: the shipped files, and before them those of the folder that the configuration names."""

    def __init__(self, config: Config) -> None:
        """Read every file. Raises ConfigError with one sentence that names the file and the key."""
        own = Path(config.profiles.folder) if config.profiles.folder else None
        if own is not None and not own.is_dir():
            raise ConfigError(f"profiles.folder is {own}, which is no folder: make it, or leave the key empty.")
        folders = [own, SHIPPED] if own is not None else [SHIPPED]
        self._by_id: dict[str, Profile] = {}
        for path in _files(folders):
            caps_folders = [folder / "caps" for folder in folders]
            self._by_id.setdefault(path.stem, profile_from(path, caps_folders))

    def get(self, profile_id: str) -> Profile:
        """Return a profile. Raises InvalidInput for an unknown id."""
        try:
            return self._by_id[profile_id]
        except KeyError:
            raise InvalidInput(f"There is no profile {profile_id!r}: choose one of {', '.join(self.ids())}.") from None

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all profiles, in order."""
        return tuple(sorted(self._by_id))

    def all(self) -> tuple[Profile, ...]:
        """Return all profiles in the order of their ids."""
        return tuple(self._by_id[each] for each in self.ids())

    def of_athlete(self, row: Row) -> Profile:
        """Return the profile that an athlete's row names. Raises ConfigError when its file is gone."""
        try:
            return self.get(row["profile"])
        except InvalidInput:
            raise ConfigError(
                f"The profile {row['profile']!r} of an athlete has no file: put {row['profile']}.toml back, or choose "
                f"another profile for them from {', '.join(self.ids())}."
            ) from None

    def for_sport(self, sport: str) -> str:
        """Return the id of the profile that fits a sport in somebody's own words; the general one for other words."""
        wanted = " ".join(sport.casefold().replace("_", " ").split())
        if wanted.replace(" ", "_") in self._by_id:
            return wanted.replace(" ", "_")
        return next((each for each, words in _WORDS.items() if wanted in words and each in self._by_id), GENERAL)


def load_profile(config: Config, name: str) -> Profile:
    """Return the profile of that id, or of that file where the name ends in .toml. Raises ConfigError, InvalidInput."""
    if not name.endswith(".toml"):
        return Profiles(config).get(name)
    path = Path(name)
    return profile_from(path, [path.parent / "caps", SHIPPED / "caps"])


def analysis_params(config: Config, profile: Profile) -> AnalysisParams:
    """Return the frozen parameters that the analysis takes; the only way from configuration to analysis."""
    bending = profile.detectors[Kind.REPEATED_BENDING]
    return AnalysisParams(
        posture_thresholds_deg=config.posture.thresholds_deg,
        reference=ReferenceParams(**config.reference.model_dump()),
        bend=BendParams(**config.bend.model_dump()),
        bending=BendingParams(
            rate_per_min=bending["rate_per_min"].value,
            min_duration_s=bending["duration_min"].value * 60.0,
            min_range_deg=bending["range_deg"].value,
            coverage_share=profile.least["coverage_share"].value,
        ),
        swing=profile.stroke,
    )


def _files(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob("*.toml"))
