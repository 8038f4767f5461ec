"""What the probes find out about a machine, and the steps of the guide judge."""

import dataclasses
from typing import Any, NamedTuple

from gpu_setup.libraries import Found
from gpu_setup.remedies import Platform


class Gpu(NamedTuple):
    """One card as nvidia-smi names it; "" where it does not say."""

    name: str
    driver: str
    capability: str
    mig: str


class PciGpu(NamedTuple):
    """One NVIDIA display device on the bus; speeds in GT/s, widths in lanes."""

    address: str
    device: str
    card_link: tuple[float, int]
    slot_link: tuple[float, int]


@dataclasses.dataclass
class Facts:
    """Everything found; None always means "could not tell", never "absent"."""

    platform: Platform = dataclasses.field(default_factory=Platform)
    kernel: str = ""
    container: str = ""
    jetson: str = ""  # the model's name
    packages: list[tuple[str, str, str]] | None = None
    has_runfile_driver: bool = False
    dkms: list[tuple[str, str, str, str]] | None = None
    modules: set[str] | None = None
    boot_line: str | None = None
    pci_gpus: list[PciGpu] | None = None
    smi_state: str = ""
    smi_gpus: list[Gpu] = dataclasses.field(default_factory=list)
    mig_instances: int = 0
    loaded_driver: str = ""
    installed_driver: str = ""
    toolkits: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    nvcc: str = ""
    cudnns: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    libraries: Found = dataclasses.field(default_factory=Found)
    secure_boot: bool | None = None
    bazel: str = ""
    python: dict[str, Any] = dataclasses.field(default_factory=dict)
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    tensorflow: dict[str, Any] = dataclasses.field(default_factory=dict)
    errors: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def wsl(self) -> bool:
        """Whether this is Linux inside Windows."""
        return self.platform.system == "wsl"
