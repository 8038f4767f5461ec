"""The guide's steps about the system: packages, modules, the card, the driver."""

import re
import shlex

from gpu_setup import compatibility as fit
from gpu_setup import logs, remedies
from gpu_setup.case import Case, Finding, ok, problem, skip, unknown

BLACKLIST = (
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo update-initramfs -u"
)
BUILD_MODULE = "sudo apt-get install linux-headers-$(uname -r) && sudo dkms autoinstall"
DRIVER_PACKAGE = re.compile(
    r"nvidia-(?:headless-|driver-|tesla-)?(\d{3})(?:-open|-server)*$"
)
# Parts of a Linux driver, any of which hides the driver that Windows lends.
DRIVER_PART = re.compile(
    r"(lib)?nvidia-(?!container|cuda|docker|modprobe|settings|vaapi|egl-wayland)"
    r"|xserver-xorg-video-nvidia|cuda-drivers"
)
XID = "sudo dmesg | grep -i xid"


def not_our_kernel(case: Case) -> Finding:
    """A step about a kernel that WSL2, a Jetson or the container's host owns."""
    owners = {"wsl": "Windows", "jetson": "NVIDIA's JetPack"}
    owner = owners.get(case.platform.system, "the host of this container")
    return skip(advice=f"The kernel and its driver belong to {owner}.")


def previous_drivers(case: Case) -> Finding:
    """Section "Removing previous drivers and modules"."""
    rows = case.facts.packages
    if rows is None:
        return unknown("no dpkg to ask", "one driver branch")
    installed = [name for name, _, state in rows if state == "ii"]
    branches = {m[1]: m.string for m in map(DRIVER_PACKAGE.match, installed) if m}
    names = ", ".join(sorted(branches.values())) or "no driver package"
    half = [n for n, _, state in rows if state[0] == "i" and state[1] in "UFHW"]
    if half:
        advice = "A package of the driver was left half-installed."
        return problem(", ".join(half), "", advice, "sudo dpkg --configure -a")
    purge = "sudo apt-get purge "
    parts = sorted(name for name in installed if DRIVER_PART.match(name))
    if case.facts.wsl and parts:
        advice = "WSL2 uses the driver of Windows, which packages of a Linux driver hide."
        expected = "no Linux driver inside WSL2"
        return problem(", ".join(parts), expected, advice, purge + shlex.join(parts))
    if len(branches) > 1:
        newest = max(branches)
        purge += shlex.join(n for k, n in sorted(branches.items()) if k != newest)
        advice = "Two driver branches overwrite each other's files."
        return problem(names, "one branch", advice, purge)
    if branches and case.facts.has_runfile_driver:
        advice = "A driver from NVIDIA's .run file lies over the packaged one."
        return problem(names, "one or the other", advice, "sudo nvidia-uninstall")
    return ok(names, "at most one driver branch")


def kernel_modules(case: Case) -> Finding:
    """Section "nvidia modules"."""
    if not case.owns_kernel:
        return not_our_kernel(case)
    if case.facts.dkms is None:
        return unknown("dkms gave no answer", "none, or one version")
    rows = [r for r in case.facts.dkms if r[0].startswith("nvidia")]
    if not rows:
        return ok("no nvidia module in dkms", "none, or one version")
    found = ", ".join(" ".join([f"{m}/{v}", *filter(None, x)]) for m, v, *x in rows)
    versions = sorted({r[1] for r in rows}, key=fit.parse_version)
    if len(versions) > 1:
        remove = f"sudo dkms remove {rows[0][0]}/{versions[0]} --all"
        advice = "An older version of the nvidia module is still there."
        return problem(found, "one version", advice, remove)
    built_for = {kernel for _, _, kernel, state in rows if state == "installed"}
    release = case.facts.kernel
    if release and release not in built_for and not case.facts.loaded_driver:
        advice = "The nvidia module was never built for the kernel that runs."
        return problem(found, f"installed for {release}", advice, BUILD_MODULE)
    return ok(found, "one version, installed")


def old_toolkits(case: Case) -> Finding:
    """Section "Uninstalling CUDA Toolkit"."""
    toolkits = case.facts.toolkits
    found = ", ".join(f"CUDA {v} in {p}" for p, v in toolkits) or "none"
    folder, version = case.facts.libraries.cuda_in_path
    if folder and case.cuda and not fit.cuda_fits(version, case.cuda):
        expected = f"CUDA {case.cuda} comes first"
        advice = f"LD_LIBRARY_PATH names {folder}, CUDA {version}, and TensorFlow needs "
        advice += f"CUDA {case.cuda}"
        if case.works:
            return ok(folder, expected, advice + "; it works all the same.")
        if case.toolkit:
            path = f"export LD_LIBRARY_PATH={case.toolkit}/lib64:$LD_LIBRARY_PATH"
            advice += f", which lies in {case.toolkit}."
            return problem(folder, expected, advice, path)
        if case.pip_version("cuda-runtime"):
            advice += ", which pip has installed."
            return problem(folder, expected, advice, "unset LD_LIBRARY_PATH")
    several = len({v for _, v in toolkits}) > 1
    advice = "Toolkits live side by side; only what LD_LIBRARY_PATH names counts."
    return ok(found, "no other one in the way", advice if several else "")


def nomodeset(case: Case) -> Finding:
    """Section "nomodeset" (nouveau, and the kernel's boot line)."""
    if not case.owns_kernel:
        return not_our_kernel(case)
    if case.facts.modules is None:
        return unknown("/proc/modules cannot be read", "nouveau off")
    if "nouveau" in case.facts.modules and case.has_gpu:
        advice = "nouveau holds the card, so the nvidia module cannot; reboot after this."
        return problem("nouveau is loaded", "nouveau off", advice, BLACKLIST)
    if "nomodeset" in (case.facts.boot_line or "").split() and case.driver:
        advice = "The driver works without it: take it out of /etc/default/grub."
        return ok("nomodeset is set", "not set", advice, "sudo update-grub")
    return ok("nouveau is not loaded", "nouveau off")


def gpu(case: Case) -> Finding:
    """Section "1. Physically install the GPU"."""
    names = [card.name for card in case.cards]
    if case.facts.jetson:
        return ok(", ".join(names) or case.facts.jetson, "a card on the chip")
    if case.facts.wsl:
        if case.has_gpu:
            return ok(", ".join(names) or "a card", "a card that Windows lends")
        advice = "Windows lends no card: update its NVIDIA driver, then WSL2 itself."
        expected = "/usr/lib/wsl/lib/libcuda.so.1"
        return problem("no card", expected, advice, "wsl.exe --update")
    found = case.facts.pci_gpus
    if not found:
        if case.has_gpu:
            seen = ", ".join(names) or "a loaded driver"
            return ok(f"{seen} (not on a bus that can be read)", "a card")
        if found is None:
            return unknown("the PCI bus cannot be read", "an NVIDIA card")
        advice = "The steps about the card are left out."
        return skip("no NVIDIA card on the PCI bus", "", advice)
    shown = ", ".join(names or [f"{g.address} 10de:{g.device[2:]}" for g in found])
    slow = [
        f"{g.address}: the card can do {g.card_link[0]:g} GT/s x{g.card_link[1]}, the "
        f"slot {g.slot_link[0]:g} GT/s x{g.slot_link[1]}"
        for g in found
        if all(g.slot_link)
        and (g.slot_link[0] < g.card_link[0] or g.slot_link[1] < g.card_link[1])
    ]
    advice = "; ".join(slow) + "; it works, and a faster slot feeds it faster."
    return ok(shown, "PCIe as fast as the card", advice if slow else "")


def driver(case: Case) -> Finding:
    """Section "4. Install the 367.44 driver"."""
    if not case.has_gpu:
        return skip(advice="There is no card to drive.")
    library = case.libcuda
    found = f"driver {case.driver}" if case.driver else "no driver loaded"
    if library:
        found += f"; libcuda is {library.path} ({library.origin})"
    if case.facts.jetson:
        return skip(found, "", "A Jetson's driver comes with its JetPack.")
    need = _need(case)
    expected = f"{need.floor} or later for CUDA {case.cuda}" if need else "a driver"
    trouble = _driver_trouble(case)
    if trouble:
        status, advice, command = trouble
        return Finding(status, found, expected, advice, command)
    state = fit.driver_fits(case.driver, need.cuda) if need and case.driver else ""
    if state == "old":
        where = ": update it on the host" if case.facts.container else ""
        advice = f"The driver {case.driver} is too old for CUDA {case.cuda}{where}."
        command = remedies.install_driver(case.platform) or "wsl.exe --update"
        return problem(found, expected, advice, command)
    if need and state == "limited":
        advice = f"It runs by minor-version compatibility; {need.shipped} has it all."
        return ok(found, expected, advice)
    if any(card.mig == "Enabled" for card in case.facts.smi_gpus):
        if not case.facts.mig_instances:
            advice = "MIG is on but no instance exists, so no program gets a GPU."
            command = "sudo nvidia-smi mig --create-gpu-instance 0 -C"
            return problem(found, "a MIG instance", advice, command)
        return ok(found, "a MIG instance", "MIG: a program sees one instance only.")
    return ok(found, expected)


def _need(case: Case) -> fit.DriverNeed | None:
    """By the toolkit's full version where it is the build's: 8.0 RC is not 8.0."""
    wanted = fit.parse_version(case.cuda)[:2]
    for _, version in case.facts.toolkits:
        if wanted and fit.parse_version(version)[:2] == wanted:
            return fit.driver_need(version)
    return fit.driver_need(case.cuda) if case.cuda else None


def _driver_trouble(case: Case) -> tuple[str, str, str] | None:
    """What keeps a driver from working, whatever its version: status, advice, command."""
    facts, library = case.facts, case.libcuda
    if library and library.is_stub:
        advice = "This libcuda is the toolkit's stub for linking, which drives no card."
        return "problem", advice, "unset LD_LIBRARY_PATH"
    if facts.container and not library and not case.gpus:
        advice = "The container was started without the cards."
        return "problem", advice, remedies.start_container(facts.container)
    if facts.smi_state == "timeout":
        return "unknown", "nvidia-smi never answered: the driver or a card hangs.", XID
    if facts.smi_state == "GPU lost":
        advice = "A card fell off the bus: power, heat or the slot; reboot after a look."
        return "problem", advice, XID
    cause = logs.explain(facts.smi_state).cause
    if cause and facts.smi_state.startswith("exit"):
        return "problem", cause.means, cause.fix
    if facts.wsl and library and "/wsl/" not in library.path:
        advice = f"{library.path} hides the driver's library that Windows lends."
        path = "export LD_LIBRARY_PATH=/usr/lib/wsl/lib:$LD_LIBRARY_PATH"
        return "problem", advice, path
    if not (case.driver or facts.installed_driver or facts.wsl or case.gpus):
        return "problem", "The card has no driver.", remedies.install_driver(case.platform)
    if library is None and not case.gpus:
        branch = (case.driver or facts.installed_driver).partition(".")[0]
        command = f"sudo apt-get install libnvidia-compute-{branch}"
        return "problem", "The driver's library libcuda.so.1 is missing.", command
    return None


def reboot(case: Case) -> Finding:
    """Section "5. Reboot"."""
    if not case.owns_kernel:
        return not_our_kernel(case)
    facts = case.facts
    loaded = facts.loaded_driver
    others = {v for v in (facts.library_driver, facts.installed_driver) if v}
    shown = f"loaded {loaded or 'none'}, on disk {', '.join(sorted(others)) or 'none'}"
    if "mismatch" in facts.smi_state or (loaded and others - {loaded}):
        advice = "The loaded module is not of the libraries' version."
        return problem(shown, "one version", advice, "sudo reboot")
    if facts.installed_driver and not loaded and case.has_gpu:
        if facts.secure_boot:
            advice = "Secure boot refuses a module that is not signed: enrol its key."
            command = "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der"
            return problem("secure boot is on", "a signed module", advice, command)
        advice = "The driver is installed and was not loaded."
        return problem(shown, "the driver loaded", advice, "sudo reboot")
    if not case.has_gpu:
        return skip(advice="There is no driver to load.")
    return ok(shown, "one version") if loaded else unknown(shown, "one version")
