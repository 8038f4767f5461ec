"""The guide's steps about the system: packages, modules, the card, the driver.

The sentences of each finding stand in data/guide.json.
"""

import re
import shlex

from gpu_setup import compatibility as fit
from gpu_setup import logs, remedies
from gpu_setup.case import Case, Finding, say

DRIVER_PACKAGE = re.compile(
    r"nvidia-(?:headless-|driver-|tesla-)?(\d{3})(?:-open|-server)*$"
)
# Parts of a Linux driver, any of which hides the driver that Windows lends.
DRIVER_PART = re.compile(
    r"(lib)?nvidia-(?!container|cuda|docker|modprobe|settings|vaapi|egl-wayland)"
    r"|xserver-xorg-video-nvidia|cuda-drivers"
)


def _not_our_kernel(case: Case) -> Finding:
    owners = {"wsl": "Windows", "jetson": "NVIDIA's JetPack"}
    owner = owners.get(case.platform.system, "the host of this container")
    return say("not_our_kernel", owner=owner)


def previous_drivers(case: Case) -> Finding:
    """Section "Removing previous drivers and modules"."""
    rows = case.facts.packages
    if rows is None:
        return say("no_dpkg")
    installed = [name for name, _, state in rows if state == "ii"]
    branches = {m[1]: m.string for m in map(DRIVER_PACKAGE.match, installed) if m}
    names = ", ".join(sorted(branches.values())) or "no driver package"
    half = [n for n, _, state in rows if state[0] == "i" and state[1] in "UFHW"]
    if half:
        return say("half_installed", found=", ".join(half))
    parts = sorted(name for name in installed if DRIVER_PART.match(name))
    if case.facts.wsl and parts:
        found = ", ".join(parts)
        return say("linux_driver_in_wsl", found=found, purge=shlex.join(parts))
    if len(branches) > 1:
        older = [n for k, n in sorted(branches.items()) if k != max(branches)]
        return say("two_branches", found=names, purge=shlex.join(older))
    if branches and case.facts.has_runfile_driver:
        return say("runfile_driver", found=names)
    return say("drivers_ok", found=names)


def kernel_modules(case: Case) -> Finding:
    """Section "nvidia modules"."""
    if not case.owns_kernel:
        return _not_our_kernel(case)
    if case.facts.dkms is None:
        return say("no_dkms")
    rows = [r for r in case.facts.dkms if r[0].startswith("nvidia")]
    if not rows:
        return say("no_module")
    found = ", ".join(" ".join([f"{m}/{v}", *filter(None, x)]) for m, v, *x in rows)
    versions = sorted({r[1] for r in rows}, key=fit.parse_version)
    if len(versions) > 1:
        return say("older_module", found=found, module=f"{rows[0][0]}/{versions[0]}")
    built_for = {kernel for _, _, kernel, state in rows if state == "installed"}
    release = case.facts.kernel
    if release and release not in built_for and not case.facts.loaded_driver:
        return say("never_built", found=found, kernel=release)
    return say("modules_ok", found=found)


def old_toolkits(case: Case) -> Finding:
    """Section "Uninstalling CUDA Toolkit"."""
    toolkits = case.facts.toolkits
    folder, version = case.facts.libraries.cuda_in_path
    if folder and case.cuda and not fit.cuda_fits(version, case.cuda):
        words = {"folder": folder, "version": version, "cuda": case.cuda}
        if case.works:
            return say("other_cuda_works", **words)
        if case.toolkit:
            return say("other_cuda_first", toolkit=case.toolkit, **words)
        if case.pip_version("cuda-runtime") and case.looks_in_pip:
            return say("other_cuda_before_pip", **words)
    several = len({v for _, v in toolkits}) > 1
    found = ", ".join(f"CUDA {v} in {p}" for p, v in toolkits) or "none"
    return say("several_toolkits" if several else "toolkits", found=found)


def nomodeset(case: Case) -> Finding:
    """Section "nomodeset" (nouveau, and the kernel's boot line)."""
    if not case.owns_kernel:
        return _not_our_kernel(case)
    if case.facts.modules is None:
        return say("no_modules_file")
    if "nouveau" in case.facts.modules and case.has_gpu:
        return say("nouveau")
    if "nomodeset" in (case.facts.boot_line or "").split() and case.driver:
        return say("nomodeset")
    return say("no_nouveau")


def gpu(case: Case) -> Finding:
    """Section "1. Physically install the GPU"."""
    names = ", ".join(card.name for card in case.cards)
    if case.facts.jetson:
        return say("jetson", found=names or case.facts.jetson)
    if case.facts.wsl:
        return (
            say("wsl_card", found=names or "a card")
            if case.has_gpu
            else say("no_wsl_card")
        )
    found = case.facts.pci_gpus
    if not found:
        if case.has_gpu:
            return say("card_off_the_bus_list", names=names or "a loaded driver")
        return say("no_bus" if found is None else "no_nvidia_card")
    shown = names or ", ".join(f"{g.address} 10de:{g.device[2:]}" for g in found)
    slow = [
        f"{g.address}: the card can do {g.card_link[0]:g} GT/s x{g.card_link[1]}, the "
        f"slot {g.slot_link[0]:g} GT/s x{g.slot_link[1]}"
        for g in found
        if all(g.slot_link)
        and (g.slot_link[0] < g.card_link[0] or g.slot_link[1] < g.card_link[1])
    ]
    return say("slow_slot" if slow else "card", found=shown, slow="; ".join(slow))


def driver(case: Case) -> Finding:
    """Section "4. Install the 367.44 driver"."""
    if not case.has_gpu:
        return say("no_card")
    library, need = case.libcuda, _need(case)
    found = f"driver {case.driver}" if case.driver else "no driver loaded"
    if library:
        found += f"; libcuda is {library.path} ({library.origin})"
    if case.facts.jetson:
        return say("jetson_driver", found=found)
    words = {"found": found, "expected": "a driver"}
    if need:
        words["expected"] = f"{need.floor} or later for CUDA {case.cuda}"
    if trouble := _driver_trouble(case, words):
        return trouble
    state = fit.driver_fits(case.driver, need.cuda) if need and case.driver else ""
    if state == "old":
        words["where"] = ": update it on the host" if case.facts.container else ""
        words["command"] = remedies.install_driver(case.platform) or "wsl.exe --update"
        return say("old_driver", driver=case.driver, cuda=case.cuda, **words)
    if need and state == "limited":
        return say("limited_driver", shipped=need.shipped, **words)
    if any(card.mig == "Enabled" for card in case.facts.smi_gpus):
        return say("mig" if case.facts.mig_instances else "no_mig_instance", **words)
    return say("driver", **words)


def _need(case: Case) -> fit.DriverNeed | None:
    """By the toolkit's full version where it is the build's: 8.0 RC is not 8.0."""
    wanted = fit.parse_version(case.cuda)[:2]
    for _, version in case.facts.toolkits:
        if wanted and fit.parse_version(version)[:2] == wanted:
            return fit.driver_need(version)
    return fit.driver_need(case.cuda) if case.cuda else None


def _driver_trouble(case: Case, words: dict[str, str]) -> Finding | None:
    """What keeps a driver from working, whatever its version."""
    facts, library = case.facts, case.libcuda
    if library and library.is_stub:
        return say("stub", **words)
    if facts.container and not library and not case.gpus:
        starts = remedies.COMMANDS["containers"]
        command = starts.get(facts.container, starts["docker"])
        return say("no_cards_in_container", command=command, **words)
    if facts.smi_state in ("timeout", "GPU lost"):
        hangs = facts.smi_state == "timeout"
        return say("smi_hangs" if hangs else "card_lost", **words)
    cause = logs.explain(facts.smi_state).cause
    if cause and facts.smi_state.startswith("exit"):
        return say("smi_says", advice=cause.means, command=cause.fix, **words)
    if facts.wsl and library and "/wsl/" not in library.path:
        return say("hidden_wsl_driver", path=library.path, **words)
    if not (case.driver or facts.installed_driver or facts.wsl or case.gpus):
        command = remedies.install_driver(case.platform)
        return say("no_driver", command=command, **words)
    if library is None and not case.gpus:
        branch = (case.driver or facts.installed_driver).partition(".")[0]
        return say("no_libcuda", branch=branch, **words)
    return None


def reboot(case: Case) -> Finding:
    """Section "5. Reboot"."""
    if not case.owns_kernel:
        return _not_our_kernel(case)
    facts = case.facts
    loaded = facts.loaded_driver
    others = {v for v in (facts.libraries.driver, facts.installed_driver) if v}
    shown = f"loaded {loaded or 'none'}, on disk {', '.join(sorted(others)) or 'none'}"
    if "mismatch" in facts.smi_state or (loaded and others - {loaded}):
        return say("two_versions", found=shown)
    if facts.installed_driver and not loaded and case.has_gpu:
        return say("secure_boot" if facts.secure_boot else "not_loaded", found=shown)
    if not case.has_gpu:
        return say("no_driver_to_load")
    return say("loaded" if loaded else "nothing_loaded", found=shown)
