"""The post's install guide as steps that are judged, in its order and by its names."""

import dataclasses
import re
import shlex
from collections.abc import Callable

from gpu_setup import compatibility as fit
from gpu_setup.probes import Facts, Gpu

PIP_GPU = "python -m pip install --upgrade 'tensorflow[and-cuda]'"
BLACKLIST = (
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo update-initramfs -u"
)
INSTALL_DRIVER = "sudo ubuntu-drivers install"


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the guide: what was found, what is right, what to type next."""

    id: str
    title: str
    status: str  # ok, problem, skip or unknown
    found: str = ""
    expected: str = ""
    advice: str = ""
    command: str = ""


@dataclasses.dataclass(frozen=True)
class Judgement:
    """All steps in order, and what they come to: ready, problem or cpu."""

    verdict: str
    steps: list[Step]

    @property
    def first_problem(self) -> Step | None:
        """The step to mend first; the guide's order is the order of causes."""
        return next((s for s in self.steps if s.status == "problem"), None)


class Case:
    """The facts with what several steps conclude from them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.tensorflow = facts.tensorflow
        build = self.tensorflow.get("build") or {}
        self.version = str(
            self.tensorflow.get("version")
            or facts.python.get("packages", {}).get("tensorflow", "")
        )
        self.row = fit.build_of(self.version) if self.version else None
        self.is_cuda_build = build.get("is_cuda_build")
        self.cuda = str(
            build.get("cuda_version") or (self.row.cuda if self.row else "")
        )
        self.cudnn = str(self.row.cudnn if self.row else build.get("cudnn_version", ""))
        own = build.get("cuda_compute_capabilities")
        self.architectures = own or fit.wheel_architectures(self.version)
        self.sees_gpus = bool(self.tensorflow.get("gpus"))
        libcuda = facts.libraries.libcuda
        self.has_gpu = bool(
            facts.pci_gpus
            or facts.smi_gpus
            or facts.loaded_driver
            or self.sees_gpus
            or (facts.wsl and libcuda and "/wsl/" in libcuda.path)
        )
        self.driver = facts.loaded_driver or next(
            (g.driver for g in facts.smi_gpus if g.driver), ""
        )
        self.own_kernel = not (facts.wsl or facts.container)

    def cards(self) -> list[Gpu]:
        """The cards, by nvidia-smi or else by TensorFlow."""
        told = self.tensorflow.get("gpus", [])
        return self.facts.smi_gpus or [
            Gpu(g.get("name", "GPU"), "", g.get("capability", ""), "") for g in told
        ]


Result = tuple[str, str, str, str, str]  # status, found, expected, advice, command


def no_kernel(case: Case) -> Result:
    """A step about a kernel that WSL2 or the container's host owns."""
    owner = "Windows" if case.facts.wsl else f"the host of this {case.facts.container}"
    return "skip", "", "", f"the kernel and its driver belong to {owner}", ""


def previous_drivers(case: Case) -> Result:
    """Section "Removing previous drivers and modules"."""
    found = case.facts.packages
    if found is None:
        return "unknown", "no dpkg to ask", "one driver branch", "", ""
    pattern = r"nvidia-(?:headless-|driver-|tesla-)?(\d{3})(?:-open|-server)*$"
    drivers = [(n, re.match(pattern, n), s) for n, _, s in found]
    installed = {m[1]: n for n, m, s in drivers if m and s == "ii"}
    names = ", ".join(sorted(installed.values())) or "no driver package"
    half = [n for n, _, s in found if s[0] == "i" and s[1] in "UFHW"]
    if half:
        advice = "a package was left half-installed"
        return "problem", ", ".join(half), "", advice, "sudo dpkg --configure -a"
    if case.facts.wsl and installed:
        purge = "sudo apt-get purge " + shlex.join(sorted(installed.values()))
        advice = "WSL2 takes the driver of Windows; one installed inside breaks it"
        return "problem", names, "no Linux driver inside WSL2", advice, purge
    if len(installed) > 1:
        newest = max(installed)
        old = shlex.join(n for k, n in sorted(installed.items()) if k != newest)
        advice = "two driver branches overwrite each other's files"
        return "problem", names, "one branch", advice, f"sudo apt-get purge {old}"
    return "ok", names, "at most one driver branch", "", ""


def kernel_modules(case: Case) -> Result:
    """Section "nvidia modules"."""
    if not case.own_kernel:
        return no_kernel(case)
    rows = case.facts.dkms
    if rows is None:
        return "unknown", "dkms gave no answer", "", "", ""
    rows = [r for r in rows if r[0].startswith("nvidia")]
    if not rows:
        return "ok", "no nvidia module in dkms", "none, or one version", "", ""
    versions = sorted({r[1] for r in rows}, key=fit.parse_version)
    found = ", ".join(f"{m}/{v} {k} {s}".replace("  ", " ") for m, v, k, s in rows)
    if len(versions) > 1:
        old = f"sudo dkms remove {rows[0][0]}/{versions[0]} --all"
        return "problem", found, "one version", "an older module is still there", old
    release = case.facts.kernel
    built = {k for _, _, k, s in rows if s == "installed"}
    if release not in built and not case.facts.loaded_driver:
        command = "sudo apt-get install linux-headers-$(uname -r) && "
        command += "sudo dkms autoinstall"
        advice = "the module was never built for the kernel that runs"
        return "problem", found, f"installed for {release}", advice, command
    return "ok", found, "one version, installed", "", ""


def old_toolkits(case: Case) -> Result:
    """Section "Uninstalling CUDA Toolkit"."""
    found = ", ".join(f"CUDA {v} in {p}" for p, v in case.facts.toolkits) or "none"
    path = case.facts.libraries.old_cuda_path
    wanted = fit.parse_version(case.cuda)[:1]
    number = re.search(r"cuda-?(\d+)", path)
    if path and number and wanted and (int(number[1]),) != wanted:
        advice = f"LD_LIBRARY_PATH puts {path} before the CUDA that TensorFlow needs"
        expected = f"nothing before CUDA {case.cuda}"
        return "problem", path, expected, advice, "unset LD_LIBRARY_PATH"
    several = len({v for _, v in case.facts.toolkits}) > 1
    advice = "toolkits live side by side; only what LD_LIBRARY_PATH names counts"
    return "ok", found, "no old one in the way", advice if several else "", ""


def nomodeset(case: Case) -> Result:
    """Section "nomodeset" (nouveau, and the kernel's boot line)."""
    if not case.own_kernel:
        return no_kernel(case)
    if case.facts.modules is None:
        return "unknown", "/proc/modules cannot be read", "", "", ""
    words = (case.facts.boot_line or "").split()
    if "nouveau" in case.facts.modules and case.has_gpu:
        advice = "nouveau holds the card, so the nvidia module cannot; then reboot"
        return "problem", "nouveau is loaded", "nouveau off", advice, BLACKLIST
    if "nomodeset" in words and case.facts.loaded_driver:
        advice = "no longer needed once the driver works; take it out of /etc/default/"
        return "ok", "nomodeset is set", "not set", advice + "grub", "sudo update-grub"
    return "ok", "nouveau is not loaded", "nouveau off", "", ""


def gpu(case: Case) -> Result:
    """Section "1. Physically install the GPU"."""
    if case.facts.wsl:
        seen = ", ".join(c.name for c in case.cards()) or "a card lent by Windows"
        if case.has_gpu:
            return "ok", seen, "a card that Windows lends", "", ""
        advice = "update the NVIDIA driver of Windows, then run wsl --update"
        return "problem", "no card", "/usr/lib/wsl/lib/libcuda.so", advice, ""
    found = case.facts.pci_gpus
    if not found:
        if case.has_gpu:
            names = ", ".join(c.name for c in case.cards()) or "a loaded driver"
            return "ok", f"{names} (the bus cannot be read)", "a card", "", ""
        if found is None:
            return "unknown", "the PCI bus cannot be read", "an NVIDIA card", "", ""
        advice = "the steps about the card are left out"
        return "skip", "no NVIDIA card on the PCI bus", "", advice, ""
    names = [c.name for c in case.facts.smi_gpus]
    shown = ", ".join(names or [f"{g.address} 10de:{g.device[2:]}" for g in found])
    slow = [
        f"{g.address}: card {g.card_link[0]:g} GT/s x{g.card_link[1]}, slot "
        f"{g.slot_link[0]:g} GT/s x{g.slot_link[1]}"
        for g in found
        if all(g.slot_link)
        and (g.slot_link[0] < g.card_link[0] or g.slot_link[1] < g.card_link[1])
    ]
    advice = "; ".join(slow) + " (a faster slot feeds it faster)" if slow else ""
    return "ok", shown, "PCIe as fast as the card", advice, ""


def _has_pip(case: Case, name: str) -> str:
    packages = case.facts.python.get("packages", {})
    major = case.cuda.partition(".")[0]
    return packages.get(f"nvidia-{name}-cu{major}") or packages.get(
        f"nvidia-{name}", ""
    )


def cuda(case: Case) -> Result:
    """Section "2. Install CUDA 8.0RC"."""
    system = [v for _, v in case.facts.toolkits] + [case.facts.nvcc]
    pip = _has_pip(case, "cuda-runtime")
    found = ", ".join(f"CUDA {v}" for v in dict.fromkeys(system) if v)
    found = ", ".join(x for x in (found, f"pip {pip}" if pip else "") if x) or "none"
    expected = f"CUDA {case.cuda} for TensorFlow {case.version}" if case.cuda else ""
    if not case.has_gpu or not case.cuda or case.is_cuda_build is False:
        return "skip", found, expected, "nothing here needs it", ""
    if case.sees_gpus:
        return "ok", found, expected, "TensorFlow loads it", ""
    major = fit.parse_version(case.cuda)[:1]
    for card in case.cards():
        state = fit.cuda_knows(card.capability, case.cuda)
        if state == "too new":
            last = (fit.cuda_range(card.capability) or ("", ""))[1]
            advice = f"CUDA {last} is the last for {card.name} ({card.capability})"
            return "problem", found, expected, advice, ""
    majors = {fit.parse_version(v)[:1] for v in [*system, pip] if v}
    if major in majors:
        return "ok", found, expected, "", ""
    advice = "TensorFlow finds no CUDA runtime of its major version"
    return "problem", found, expected, advice, _pip_gpu(case)


def _pip_gpu(case: Case) -> str:
    pinned = f"=={case.version}" if case.version else ""
    return f"python -m pip install --upgrade 'tensorflow[and-cuda]{pinned}'"


def cudnn(case: Case) -> Result:
    """Section "3. cuDNN v5.1"."""
    library = case.facts.libraries.libcudnn
    pip = _has_pip(case, "cudnn")
    first = library and library.origin
    versions = [v for _, v in case.facts.cudnns]
    here = pip if first == "pip" or not versions else versions[0]
    found = f"cuDNN {here}" if here else "none"
    if library:
        found += f"; {library.path} is loaded first ({library.origin})"
    expected = f"cuDNN {case.cudnn} or a later one of its major" if case.cudnn else ""
    if library and library.is_fake:
        advice = f"{library.path} is another library, {library.target}, by that name"
        command = f"sudo rm {shlex.quote(library.path)}"
        return "problem", found, expected, advice, command
    if not case.has_gpu or not case.cudnn or case.is_cuda_build is False:
        return "skip", found, expected, "nothing here needs it", ""
    name = f"nvidia-cudnn-cu{case.cuda.partition('.')[0]}"
    series = fit.parse_version(case.cudnn)
    bounds = f"{name}>={case.cudnn},<{series[0] + 1}" if series else name
    command = f"python -m pip install --upgrade '{bounds}'"
    if here and not fit.cudnn_fits(here, case.cudnn):
        return "problem", found, expected, "too old, or another major", command
    if case.sees_gpus or here:
        return "ok", found, expected, "", ""
    return "problem", found, expected, "TensorFlow finds no cuDNN", command


def driver(case: Case) -> Result:
    """Section "4. Install the 367.44 driver"."""
    facts, library = case.facts, case.facts.libraries.libcuda
    if not case.has_gpu:
        return "skip", "", "", "no card to drive", ""
    where = f"; libcuda is {library.path} ({library.origin})" if library else ""
    found = (f"driver {case.driver}" if case.driver else "no driver loaded") + where
    need = fit.driver_need(case.cuda) if case.cuda else None
    expected = f"{need.floor} or later for CUDA {case.cuda}" if need else "a driver"
    if facts.libraries.is_stub:
        advice = "this libcuda is the toolkit's stub for linking and drives no card"
        return "problem", found, expected, advice, "unset LD_LIBRARY_PATH"
    if facts.container and not library:
        advice = "the container was started without the NVIDIA container toolkit"
        command = "docker run --gpus all --rm IMAGE nvidia-smi"
        return "problem", found, expected, advice, command
    if facts.smi_state == "timeout":
        advice = "nvidia-smi never answered: the driver or a card hangs"
        return "unknown", found, expected, advice, "sudo dmesg | grep -i xid"
    if facts.smi_state == "GPU lost":
        advice = "a card fell off the bus: power, heat or the slot; then reboot"
        return "problem", found, expected, advice, "sudo dmesg | grep -i xid"
    if not (case.driver or facts.installed_driver or facts.wsl or case.sees_gpus):
        advice = "the card has no driver"
        return "problem", found, expected, advice, INSTALL_DRIVER
    if library is None and not case.sees_gpus:
        advice = "the driver's user-space library libcuda.so.1 is missing"
        branch = (case.driver or facts.installed_driver).partition(".")[0]
        command = f"sudo apt-get install libnvidia-compute-{branch}"
        return "problem", found, expected, advice, command
    if case.driver and need:
        state = fit.driver_fits(case.driver, case.cuda)
        if state == "old":
            advice = f"too old for CUDA {case.cuda}"
            return "problem", found, expected, advice, INSTALL_DRIVER
        if state == "limited":
            advice = f"runs by minor-version compatibility; {need.shipped} has it all"
            return "ok", found, expected, advice, ""
    off = [g for g in facts.smi_gpus if g.mig == "Enabled"]
    if off and not facts.mig_instances:
        advice = "MIG is on but no instance exists, so no program gets a GPU"
        command = "sudo nvidia-smi mig --create-gpu-instance 0 -C"
        return "problem", found, "a MIG instance", advice, command
    advice = "MIG: a program sees one instance only" if off else ""
    return "ok", found, expected, advice, ""


def reboot(case: Case) -> Result:
    """Section "5. Reboot"."""
    if not case.own_kernel:
        return no_kernel(case)
    facts = case.facts
    loaded = facts.loaded_driver
    others = {v for v in (facts.library_driver, facts.installed_driver) if v}
    shown = f"loaded {loaded or 'none'}, on disk {', '.join(sorted(others)) or 'none'}"
    mismatch = "mismatch" in facts.smi_state
    if mismatch or (loaded and others - {loaded}):
        advice = "the loaded module is older than the libraries on disk"
        return "problem", shown, "one version", advice, "sudo reboot"
    if facts.installed_driver and not loaded and case.has_gpu:
        if facts.secure_boot:
            advice = "secure boot refuses a module that is not signed: enrol its key"
            command = "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der"
            return "problem", "secure boot is on", "a signed module", advice, command
        advice = "the driver is installed and was not loaded"
        return "problem", shown, "the driver loaded", advice, "sudo reboot"
    if not case.has_gpu:
        return "skip", "", "", "no driver to load", ""
    return ("ok" if loaded else "unknown"), shown, "one version", "", ""


def bazel(case: Case) -> Result:
    """Sections 6 to 10, a build from source, which pip's wheels made needless."""
    found = f"Bazel {case.facts.bazel}" if case.facts.bazel else "no Bazel"
    wanted = case.row.bazel if case.row else ""
    expected = f"Bazel {wanted}" if wanted else ""
    return "skip", found, expected, "only for a build from source", ""


def environment(case: Case) -> Result:
    """Section "11. Set up conda environment to install tensorflow"."""
    python = case.facts.python.get("version", "")
    if not python:
        return "unknown", "no Python was recorded", "", "", ""
    base = case.facts.environment.get("CONDA_PREFIX")
    kind = "conda" if base else "virtual" if _is_virtual(case) else "system"
    found = f"Python {python} in a {kind} environment".replace(
        "a system environment", "the system itself"
    )
    newest = fit.builds()[0]
    expected = f"Python {newest.python} for TensorFlow {newest.tensorflow}"
    if case.tensorflow.get("state") == "ok":
        return "ok", found, expected, "", ""
    best = fit.newest_build_for(python)
    if best is None:
        command = f"conda create --name tensorflow python={fit.pythons(newest)}"
        late = fit.parse_version(python)[:2] > fit.parse_version(fit.pythons(newest))
        advice = f"no TensorFlow wheel for a Python so {'new' if late else 'old'}"
        return "problem", found, expected, advice, command
    advice = "" if best == newest else f"its newest TensorFlow is {best.tensorflow}"
    return "ok", found, expected, advice, ""


def _is_virtual(case: Case) -> bool:
    prefix = case.facts.python.get("prefix", "/usr")
    return not re.match(r"/usr(/local)?/?$|/opt/python", prefix)


def tensorflow(case: Case) -> Result:
    """Section "12. Install Tensorflow"."""
    told = case.tensorflow
    state = told.get("state", "unrecorded")
    install = PIP_GPU if case.has_gpu else "python -m pip install tensorflow"
    best = fit.newest_build_for(case.facts.python.get("version", ""))
    expected = f"TensorFlow {best.tensorflow}" if best else "TensorFlow"
    if state in ("skipped", "unrecorded", "denied"):
        return "unknown", f"TensorFlow was not asked ({state})", expected, "", ""
    if state == "missing":
        return "problem", "not installed", expected, "install it", install
    if state == "timeout":
        advice = f"`import tensorflow` took over {told.get('seconds', '?')} s"
        return "unknown", "no answer", expected, advice, ""
    if state != "ok":
        advice = "the import fails: " + str(told.get("error", state))
        return "problem", "broken", expected, advice, f"{install} --force-reinstall"
    found = f"TensorFlow {case.version}"
    if told.get("cpu_product") is not True:
        advice = f"a matrix product on the CPU gave {told.get('cpu_product')}"
        return "problem", found, expected, advice, f"{install} --force-reinstall"
    if case.has_gpu and case.is_cuda_build is False:
        advice = "this build has no GPU code at all"
        return "problem", f"{found}, a CPU-only build", expected, advice, PIP_GPU
    if case.has_gpu and told.get("missing") and not case.sees_gpus:
        advice = "cannot load " + ", ".join(told["missing"])
        return "problem", found, expected, advice, _pip_gpu(case)
    built = f", built with CUDA {case.cuda}" if case.is_cuda_build else ""
    advice = (
        "" if case.row else "newer or older than the tables: only tried, not judged"
    )
    return "ok", found + built, expected, advice, ""


def card(case: Case) -> Result:
    """Does this build run on this card? (The post's "10-series" question.)"""
    if not case.has_gpu:
        return "skip", "", "", "no card", ""
    if not case.cards() or not case.architectures:
        return "unknown", "the card or the build does not say", "", "", ""
    words = {"native": "natively", "ptx": "from PTX", "none": "not at all"}
    ways = [fit.runs_on(c.capability, case.architectures) for c in case.cards()]
    found = "; ".join(
        f"{c.name} ({c.capability or '?'}): {words.get(w, 'unknown')}"
        for c, w in zip(case.cards(), ways, strict=True)
    )
    expected = "one of " + " ".join(case.architectures)
    if "none" in ways:
        capability = case.cards()[ways.index("none")].capability
        release = fit.newest_release_for(capability)
        if release:
            advice = f"TensorFlow {release} is the newest known to run on {capability}"
            command = f"python -m pip install 'tensorflow[and-cuda]=={release}'"
            return "problem", found, expected, advice, command
        advice = "no release known here has code for this card: build from source"
        return "problem", found, expected, advice, ""
    if "unknown" in ways:
        return "unknown", found, expected, "", ""
    advice = "the driver compiles at first use: minutes once, then cached; if it "
    advice += "reports INVALID_PTX, take a newer TensorFlow and driver"
    return "ok", found, expected, advice if "ptx" in ways else "", ""


def works(case: Case) -> Result:
    """The post's "You're all done!", proven by a matrix product on each GPU."""
    if not case.has_gpu:
        return "skip", "", "", "no card", ""
    if case.tensorflow.get("state") != "ok":
        return "unknown", "TensorFlow did not run", "every GPU multiplies", "", ""
    hidden = case.facts.environment.get("CUDA_VISIBLE_DEVICES")
    gpus = case.tensorflow.get("gpus", [])
    if not gpus and hidden is not None and not re.match(r"\d|GPU|MIG", hidden):
        advice = f"CUDA_VISIBLE_DEVICES={hidden!r} hides every card"
        command = "unset CUDA_VISIBLE_DEVICES"
        return "problem", "no GPU", "a GPU", advice, command
    if not gpus:
        advice = "TensorFlow sees no GPU; mend the first problem above, else read its "
        advice += "log with --log"
        return "problem", "no GPU", "a GPU", advice, ""
    bad = [f"{g['name']}: {g.get('product')}" for g in gpus if g["product"] is not True]
    if bad:
        return "problem", "; ".join(bad), "a right product", "the card fails", ""
    count = f"{len(gpus)} GPU" + "s" * (len(gpus) > 1)
    return "ok", f"{count}, each multiplied two matrices right", "", "", ""


GUIDE: list[tuple[str, str, Callable[[Case], Result]]] = [
    ("previous_drivers", "0. Removing previous drivers and modules", previous_drivers),
    ("kernel_modules", "0. nvidia modules", kernel_modules),
    ("old_toolkits", "0. Uninstalling CUDA Toolkit", old_toolkits),
    ("nomodeset", "0. nomodeset", nomodeset),
    ("gpu", "1. Physically install the GPU", gpu),
    ("cuda", "2. Install CUDA", cuda),
    ("cudnn", "3. cuDNN", cudnn),
    ("driver", "4. Install the driver", driver),
    ("reboot", "5. Reboot", reboot),
    ("bazel", "6-10. Bazel, clone, configure, build", bazel),
    ("environment", "11. Set up conda environment", environment),
    ("tensorflow", "12. Install Tensorflow", tensorflow),
    ("card", "Does this build run on this card?", card),
    ("works", "You're all done!", works),
]
_PROBES = {"previous_drivers": "packages", "kernel_modules": "kernel", "gpu": "pci"}
_PROBES |= {"nomodeset": "kernel", "cuda": "toolkits", "cudnn": "cudnns"}
_PROBES |= {"driver": "driver", "reboot": "driver"}


def judge(facts: Facts) -> Judgement:
    """Judges every step of the guide.

    Args:
      facts: from `probes.collect`.

    Returns:
      The steps in the guide's order. The verdict is "cpu" without a card and without a
      problem, "ready" if TensorFlow multiplied on every card and nothing is wrong, and
      "problem" otherwise: a card that was not seen to work is not ready.
    """
    case = Case(facts)
    steps = []
    for name, title, step in GUIDE:
        error = facts.errors.get(_PROBES.get(name, ""))
        result = ("unknown", error, "", "", "") if error else step(case)
        steps.append(Step(name, title, *result))
    states = {s.id: s.status for s in steps}
    if "problem" in states.values():
        verdict = "problem"
    elif not case.has_gpu:
        verdict = "cpu"
    else:
        verdict = "ready" if states["works"] == "ok" else "problem"
    return Judgement(verdict, steps)
