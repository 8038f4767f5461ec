"""What is on the machine: each probe reads one thing, never raises, changes nothing."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gpu_setup import compatibility as fit
from gpu_setup import tensorflow_probe
from gpu_setup.config import Probing
from gpu_setup.facts import Facts, Gpu, PciGpu
from gpu_setup.libraries import find
from gpu_setup.machine import Machine
from gpu_setup.remedies import Platform

SMI_FIELDS = "index,name,driver_version,compute_cap,mig.mode.current"
SMI = ("nvidia-smi", f"--query-gpu={SMI_FIELDS}", "--format=csv,noheader")
# The last two fields are unknown to drivers before 510 and 450: exit 2.
SMI_OLD = ("nvidia-smi", "--query-gpu=index,name,driver_version", SMI[-1])
SMI_LIST = ("nvidia-smi", "-L")
# nvidia-smi's exit codes, from its manual.
SMI_CODES = {9: "driver not loaded", 12: "library missing", 15: "GPU lost"}
SMI_CODES[18] = "driver/library version mismatch"
DPKG_FORMAT = "${db:Status-Abbrev} ${Package} ${Version}\\n"
DPKG = ("dpkg-query", "-W", "-f", DPKG_FORMAT, "*nvidia*", "cuda*", "libcudnn*")
DKMS, BAZEL, NVCC = ("dkms", "status"), ("bazel", "--version"), ("nvcc", "--version")
MODINFO = ("modinfo", "-F", "version", "nvidia")
MOKUTIL, LDCONFIG = ("mokutil", "--sb-state"), ("ldconfig", "-p")
COMMANDS = (SMI, SMI_LIST, DPKG, DKMS, BAZEL, NVCC, MODINFO, MOKUTIL, LDCONFIG)
PCI = "/sys/bus/pci/devices"
_VERSION = r"(\d+(?:\.\d+)+)"


def collect(machine: Machine, config: Probing) -> Facts:
    """Asks the machine everything, the slow questions side by side.

    Args:
        machine: This machine or a saved one.
        config: The time limits, and whether TensorFlow is asked at all.

    Returns:
        The facts; what a probe could not tell is None or "", its error in `errors`.
    """
    facts = Facts()
    with ThreadPoolExecutor(len(COMMANDS) + 1) as pool:
        asked = pool.submit(tensorflow_probe.ask, machine, config)
        for line in COMMANDS:  # the machine remembers the answers for the probes
            pool.submit(machine.run, *line, seconds=config.command_seconds)
    probes: list[Callable[[Machine, Facts], None]] = [
        place, packages, kernel, pci, nvidia_smi, driver, toolkits, cudnns, tools
    ]  # fmt: skip
    for probe in probes:
        try:
            probe(machine, facts)
        except Exception as error:  # a probe never stops the others
            facts.errors[probe.__name__] = f"{type(error).__name__}: {error}"
    facts.tensorflow = asked.result()
    return facts


def place(machine: Machine, facts: Facts) -> None:
    """Operating system, container, WSL2, Jetson, Python."""
    release = machine.read("/etc/os-release") or ""
    name = re.search(r'^PRETTY_NAME="?([^"\n]+)', release, re.M)
    facts.kernel = machine.uname.get("release", "")
    version = (machine.read("/proc/version") or "") + facts.kernel
    is_wsl = "microsoft" in version.lower() or machine.glob("/usr/lib/wsl/lib")
    tegra = machine.read("/etc/nv_tegra_release") or ""
    compatible = machine.read("/proc/device-tree/compatible") or ""
    if tegra or "nvidia,tegra" in compatible or facts.kernel.endswith("-tegra"):
        model = machine.read("/proc/device-tree/model") or "NVIDIA Jetson"
        facts.jetson = model.strip("\0\n ")
    l4t = re.search(r"R(\d+) \(release\)", tegra)
    facts.platform = Platform(
        "jetson" if facts.jetson else "wsl" if is_wsl else "linux",
        machine.uname.get("machine") or "x86_64",
        name[1] if name else "an unnamed system",
        l4t[1] if l4t else "",
    )
    facts.container = _container(machine)
    facts.python, facts.environment = machine.python, machine.environment


def _container(machine: Machine) -> str:
    """The kind of container, by the marks that each leaves; "" outside of one."""
    if "KUBERNETES_SERVICE_HOST" in machine.environment:
        return "kubepods"
    marks = {"/run/.containerenv": "podman", "/.singularity.d": "apptainer"}
    marks["/.dockerenv"] = "docker"
    for mark, kind in marks.items():
        if machine.glob(mark):
            return kind
    groups = machine.read("/proc/1/cgroup") or ""
    inside = re.search(r"docker|kubepods|containerd|lxc|podman", groups)
    return machine.environment.get("container", "") or (inside[0] if inside else "")


def packages(machine: Machine, facts: Facts) -> None:
    """NVIDIA and CUDA packages that dpkg knows: (name, version, status)."""
    answer = machine.run(*DPKG)
    if answer.state != "ok":
        return
    lines = re.findall(r"^(\w\w)\S* +(\S+) (\S+)$", answer.text, re.M)
    facts.packages = [(n, v, s) for s, n, v in lines if s[1] != "n"]
    facts.has_runfile_driver = machine.exists("/usr/bin/nvidia-uninstall")


def parse_dkms(text: str) -> list[tuple[str, str, str, str]]:
    """Reads `dkms status` of 2.x and 3.x.

    Returns:
        (module, version, kernel or "", status); what is glued behind the status, such
        as "(WARNING! Diff between built and installed module!)", is left out.
    """
    line = r"^([\w.-]+)(?:, ?|/)([^,:\s]+)(?:, ([^,:]+), ([^,:]+))?: ?([a-z]+)"
    return [(m, v, k, s) for m, v, k, _, s in re.findall(line, text, re.M)]


def kernel(machine: Machine, facts: Facts) -> None:
    """Modules built (dkms), modules loaded, and the line the kernel booted with."""
    answer = machine.run(*DKMS)
    if answer.state == "ok" and answer.code == 0:
        facts.dkms = parse_dkms(answer.text)
    elif answer.state == "missing":
        facts.dkms = []
    loaded = machine.read("/proc/modules", keep=r"^(nvidia|nouveau)")
    if loaded is not None:
        facts.modules = {line.split()[0] for line in loaded.splitlines()}
    facts.boot_line = machine.read("/proc/cmdline")


def _link(machine: Machine, folder: str) -> tuple[float, int]:
    speed = machine.read(f"{folder}/max_link_speed") or ""
    width = machine.read(f"{folder}/max_link_width") or ""
    rate = re.match(r"[\d.]+", speed)
    return (float(rate[0]) if rate else 0.0, int(width) if width.strip() else 0)


def pci(machine: Machine, facts: Facts) -> None:
    """Display devices (class 03xx) of NVIDIA (vendor 10de), and the slot of each."""
    if not machine.glob(PCI):
        return
    found = []
    for folder in machine.glob(f"{PCI}/*"):
        vendor = (machine.read(f"{folder}/vendor") or "").strip()
        kind = (machine.read(f"{folder}/class") or "").strip()
        if vendor != "0x10de" or not kind.startswith("0x03"):
            continue
        slot = machine.link(folder).rpartition("/")[0]
        bridged = slot and not re.search(r"/pci[\da-f:]+$", slot)
        found.append(
            PciGpu(
                folder.rpartition("/")[2],
                (machine.read(f"{folder}/device") or "").strip(),
                _link(machine, folder),
                _link(machine, slot) if bridged else (0.0, 0),
            )
        )
    facts.pci_gpus = found


def nvidia_smi(machine: Machine, facts: Facts) -> None:
    """The cards by nvidia-smi; `smi_state` is "ok" or why there is no answer."""
    answer = machine.run(*SMI)
    if "not a valid field" in answer.text:
        answer = machine.run(*SMI_OLD)
    facts.smi_state = answer.state
    if answer.state != "ok":
        return
    if answer.code:
        first = (answer.text.strip().splitlines() or ["no message"])[0]
        facts.smi_state = SMI_CODES.get(answer.code, f"exit {answer.code}: {first}")
        return
    for line in answer.text.splitlines():
        cells = [re.sub(r"^\[.*\]$", "", c.strip()) for c in line.split(",")]
        if len(cells) >= 3 and cells[0].isdigit():
            name, version, capability, mig = [*cells[1:], "", ""][:4]
            capability = capability or fit.capability_of(name)
            facts.smi_gpus.append(Gpu(name, version, capability, mig))
    listed = machine.run(*SMI_LIST)
    facts.mig_instances = len(re.findall(r"^\s+MIG ", listed.text, re.M))


def driver(machine: Machine, facts: Facts) -> None:
    """The driver three times: loaded, installed on disk, and in user space."""
    loaded = machine.read("/proc/driver/nvidia/version", keep="NVRM") or ""
    number = re.search(rf"Kernel Module.*?\s{_VERSION}\s", loaded)
    facts.loaded_driver = number[1] if number else ""
    installed = machine.run(*MODINFO)
    if installed.state == "ok" and installed.code == 0:
        facts.installed_driver = installed.text.strip()
    facts.libraries = find(machine)
    state = machine.run(*MOKUTIL)
    if state.state == "ok" and "SecureBoot" in state.text:
        facts.secure_boot = "SecureBoot enabled" in state.text


def toolkits(machine: Machine, facts: Facts) -> None:
    """CUDA toolkits under /usr/local: (path, version), and what nvcc says."""
    for folder in machine.glob("/usr/local/cuda*") + machine.glob("/opt/cuda*"):
        version = toolkit_version(machine, folder)
        if version and not machine.link(folder):
            facts.toolkits.append((folder, version))
    if not facts.toolkits and (version := toolkit_version(machine, "/usr/local/cuda")):
        facts.toolkits.append(("/usr/local/cuda", version))
    release = re.search(r"release (\d+\.\d+)", machine.run(*NVCC).text)
    facts.nvcc = release[1] if release else ""


def toolkit_version(machine: Machine, folder: str) -> str:
    """Reads version.json (since 11.1), version.txt, cuda.h, or the folder's name."""
    if text := machine.read(f"{folder}/version.json"):
        try:
            return str(json.loads(text)["cuda"]["version"])
        except (ValueError, KeyError, TypeError):
            pass  # a cut file: the others may still say it
    text = machine.read(f"{folder}/version.txt") or ""
    if number := re.search(rf"CUDA Version {_VERSION}", text):
        return number[1]
    text = machine.read(f"{folder}/include/cuda.h", keep="define CUDA_VERSION") or ""
    if number := re.search(r"define CUDA_VERSION\s+(\d+)", text):
        return f"{int(number[1]) // 1000}.{int(number[1]) % 1000 // 10}"
    name = re.search(r"/cuda-(\d+\.\d+)$", folder)  # libraries alone, without headers
    return name[1] if name and machine.glob(f"{folder}/lib*") else ""


def cudnns(machine: Machine, facts: Facts) -> None:
    """(path, version) of cuDNN by cudnn_version.h, which it has since 8, or cudnn.h."""
    folders = ("/usr/local/cuda*/include", "/usr/include", "/usr/include/*-linux-gnu")
    for folder in [f for pattern in folders for f in machine.glob(pattern)]:
        if machine.link(folder.removesuffix("/include")):
            continue  # /usr/local/cuda is a second name of /usr/local/cuda-X.Y
        for header in ("cudnn_version.h", "cudnn.h"):
            path = f"{folder}/{header}"
            text = machine.read(path, keep=r"define CUDNN_(MAJOR|MINOR|PATCHLEVEL)\b")
            parts = dict(re.findall(r"define CUDNN_(\w+)\s+(\d+)", text or ""))
            if len(parts) == 3:
                version = ".".join(parts[k] for k in ("MAJOR", "MINOR", "PATCHLEVEL"))
                facts.cudnns.append((path, version))
                break


def tools(machine: Machine, facts: Facts) -> None:
    """Bazel, for a build from source."""
    number = re.search(rf"bazel {_VERSION}", machine.run(*BAZEL).text)
    facts.bazel = number[1] if number else ""
