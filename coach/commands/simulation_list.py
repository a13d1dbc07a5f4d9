"""What `backstop simulate --list` says: products, motions and faults, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from devices.profiles import recognise
from devices.sim.motions import MOTIONS
from devices.sim.products import PRODUCTS, make_firmware
from devices.sim.switches import FAULTS
from devices.types import Advertisement

_COLUMNS = 80
_NAME_COLUMNS = 26
_ADDRESS = "C0:FF:EE:00:00:01"


def simulation_list() -> list[str]:
    """Return the lines."""
    return [
        "products, with their rates (* its family is unproven on hardware):",
        *(line for product in PRODUCTS for line in _entry(_marked(product), _rates(product))),
        "motions:",
        *(line for name, make in MOTIONS.items() for line in _entry(name, _said(make.__doc__))),
        "faults, as NAME[:ARG]@T_S with T_S in seconds of the wearables' clock:",
        *(line for name, fault in FAULTS.items() for line in _entry(_called(name), fault.meaning)),
    ]


def is_proven(product: str) -> bool:
    """Tell whether the family of a simulated product is proven on hardware. Raises Refused for none of ours."""
    firmware = make_firmware(product, _ADDRESS)
    data = {} if firmware.company_id is None else {firmware.company_id: firmware.company_data()}
    profile = recognise(Advertisement(_ADDRESS, firmware.name, firmware.advertised_uuids, data, 0))
    return profile is not None and profile.proven


def _entry(name: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _COLUMNS - _NAME_COLUMNS) or [""]
    yield f"  {name}".ljust(_NAME_COLUMNS) + lines[0]
    for line in lines[1:]:
        yield " " * _NAME_COLUMNS + line


def _marked(product: str) -> str:
    return product if is_proven(product) else f"{product} *"


def _rates(product: str) -> str:
    return ", ".join(f"{rate:g}" for rate in make_firmware(product, _ADDRESS).rates_hz) + " Hz"


def _said(docstring: str | None) -> str:
    return (docstring or "").removeprefix("Return ").rstrip(".")


def _called(name: str) -> str:
    takes = FAULTS[name].argument
    if takes is None:
        return name
    return f"{name}:{takes.word}" if takes.default is None else f"{name}[:{takes.word}]"
