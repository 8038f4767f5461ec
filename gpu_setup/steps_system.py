"""The guide's steps about the system: packages, modules, the card, the driver."""

import re
import shlex

from gpu_setup import compatibility as fit
from gpu_setup.case import Case, Finding, ok, problem, skip, unknown

BLACKLIST = (
    "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' | sudo tee "
    "/etc/modprobe.d/blacklist-nouveau.conf && sudo update-initramfs -u"
)
DRIVER_PACKAGE = re.compile(
    r"nvidia-(?:headless-|driver-|tesla-)?(\d{3})(?:-open|-server)*$"
)


def install_driver(case: Case) -> str:
    """The distribution's own command; "" where it is not known."""
    system = case.facts.system.lower()
    if "ubuntu" in system:
        return "sudo ubuntu-drivers install"
    return "sudo apt-get install nvidia-driver" if "debian" in system else ""


def not_our_kernel(case: Case) -> Finding:
    """A step about a kernel that WSL2 or the container's host owns."""
    owner = "Windows" if case.facts.wsl else "the host of this container"
    return skip(advice=f"the kernel and its driver belong to {owner}")


def previous_drivers(case: Case) -> Finding:
    """Section "Removing previous drivers and modules"."""
    rows = case.facts.packages
    if rows is None:
        return unknown("no dpkg to ask", "one driver branch")
    matches = [(DRIVER_PACKAGE.match(n), n) for n, _, state in rows if state == "ii"]
    branches = {match[1]: name for match, name in matches if match}
    names = ", ".join(sorted(branches.values())) or "no driver package"
    half = [n for n, _, state in rows if state[0] == "i" and state[1] in "UFHW"]
    if half:
        advice = "a package was left half-installed"
        return problem(", ".join(half), "", advice, "sudo dpkg --configure -a")
    purge = "sudo apt-get purge "
    if case.facts.wsl and branches:
        purge += shlex.join(sorted(branches.values()))
        advice = "WSL2 takes the driver of Windows; one installed inside breaks it"
        return problem(names, "no Linux driver inside WSL2", advice, purge)
    if len(branches) > 1:
        newest = max(branches)
        purge += shlex.join(n for k, n in sorted(branches.items()) if k != newest)
        advice = "two driver branches overwrite each other's files"
        return problem(names, "one branch", advice, purge)
    if branches and case.facts.has_runfile_driver:
        advice = "a driver from NVIDIA's .run file lies over the packaged one"
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
        return problem(found, "one version", "an older module is still there", remove)
    built_for = {kernel for _, _, kernel, state in rows if state == "installed"}
    release = case.facts.kernel
    if release and release not in built_for and not case.facts.loaded_driver:
        advice = "the module was never built for the kernel that runs"
        build = "sudo apt-get install linux-headers-$(uname -r) && "
        build += "sudo dkms autoinstall"
        return problem(found, f"installed for {release}", advice, build)
    return ok(found, "one version, installed")


def old_toolkits(case: Case) -> Finding:
    """Section "Uninstalling CUDA Toolkit"."""
    toolkits = case.facts.toolkits
    found = ", ".join(f"CUDA {v} in {p}" for p, v in toolkits) or "none"
    folder, version = case.facts.libraries.cuda_in_path
    wanted = fit.parse_version(case.cuda)[:2]
    if folder and wanted and fit.parse_version(version) < wanted:
        expected = f"nothing before CUDA {case.cuda}"
        advice = f"LD_LIBRARY_PATH puts {folder} (CUDA {version}) before the CUDA "
        advice += "that TensorFlow needs"
        if case.works:
            return ok(folder, expected, advice + "; it works all the same")
        return problem(folder, expected, advice, "unset LD_LIBRARY_PATH")
    several = len({v for _, v in toolkits}) > 1
    advice = "toolkits live side by side; only what LD_LIBRARY_PATH names counts"
    return ok(found, "no old one in the way", advice if several else "")


def nomodeset(case: Case) -> Finding:
    """Section "nomodeset" (nouveau, and the kernel's boot line)."""
    if not case.owns_kernel:
        return not_our_kernel(case)
    if case.facts.modules is None:
        return unknown("/proc/modules cannot be read", "nouveau off")
    if "nouveau" in case.facts.modules and case.has_gpu:
        advice = "nouveau holds the card, so the nvidia module cannot; then reboot"
        return problem("nouveau is loaded", "nouveau off", advice, BLACKLIST)
    if "nomodeset" in (case.facts.boot_line or "").split() and case.driver:
        advice = "not needed once the driver works: take it out of /etc/default/grub"
        return ok("nomodeset is set", "not set", advice, "sudo update-grub")
    return ok("nouveau is not loaded", "nouveau off")


def gpu(case: Case) -> Finding:
    """Section "1. Physically install the GPU"."""
    names = [card.name for card in case.cards]
    if case.facts.wsl:
        if case.has_gpu:
            return ok(", ".join(names) or "a card", "a card that Windows lends")
        advice = "update the NVIDIA driver of Windows, then run wsl --update"
        return problem("no card", "/usr/lib/wsl/lib/libcuda.so.1", advice)
    found = case.facts.pci_gpus
    if not found:
        if case.has_gpu:
            seen = ", ".join(names) or "a loaded driver"
            return ok(f"{seen} (not on a bus that can be read)", "a card")
        if found is None:
            return unknown("the PCI bus cannot be read", "an NVIDIA card")
        advice = "the steps about the card are left out"
        return skip("no NVIDIA card on the PCI bus", "", advice)
    shown = ", ".join(names or [f"{g.address} 10de:{g.device[2:]}" for g in found])
    slow = [
        f"{g.address}: the card can do {g.card_link[0]:g} GT/s x{g.card_link[1]}, the "
        f"slot {g.slot_link[0]:g} GT/s x{g.slot_link[1]}"
        for g in found
        if all(g.slot_link)
        and (g.slot_link[0] < g.card_link[0] or g.slot_link[1] < g.card_link[1])
    ]
    advice = "; ".join(slow) + "; it works, a faster slot feeds it faster"
    return ok(shown, "PCIe as fast as the card", advice if slow else "")


def driver(case: Case) -> Finding:
    """Section "4. Install the 367.44 driver"."""
    if not case.has_gpu:
        return skip(advice="no card to drive")
    library = case.libcuda
    found = f"driver {case.driver}" if case.driver else "no driver loaded"
    if library:
        found += f"; libcuda is {library.path} ({library.origin})"
    need = _need(case)
    expected = f"{need.floor} or later for CUDA {case.cuda}" if need else "a driver"
    return (
        _driver_trouble(case, found, expected)
        or _driver_version(case, found, expected, need)
        or _mig(case, found)
        or ok(found, expected)
    )


def _need(case: Case) -> fit.DriverNeed | None:
    """By the toolkit's full version where it is the build's: 8.0 RC is not 8.0."""
    wanted = fit.parse_version(case.cuda)[:2]
    for _, version in case.facts.toolkits:
        if wanted and fit.parse_version(version)[:2] == wanted:
            return fit.driver_need(version)
    return fit.driver_need(case.cuda) if case.cuda else None


def _driver_trouble(case: Case, found: str, expected: str) -> Finding | None:
    """What keeps a driver from working, whatever its version."""
    facts, library = case.facts, case.libcuda
    if library and library.is_stub:
        advice = "this libcuda is the toolkit's stub for linking and drives no card"
        return problem(found, expected, advice, "unset LD_LIBRARY_PATH")
    if facts.container and not library and not case.gpus:
        advice = "the container was started without the NVIDIA container toolkit"
        command = "docker run --gpus all --rm IMAGE nvidia-smi"
        return problem(found, expected, advice, command)
    if facts.smi_state == "timeout":
        advice = "nvidia-smi never answered: the driver or a card hangs"
        return unknown(found, expected, advice, "sudo dmesg | grep -i xid")
    if facts.smi_state == "GPU lost":
        advice = "a card fell off the bus: power, heat or the slot; then reboot"
        return problem(found, expected, advice, "sudo dmesg | grep -i xid")
    if not (case.driver or facts.installed_driver or facts.wsl or case.gpus):
        return problem(found, expected, "the card has no driver", install_driver(case))
    if library is None and not case.gpus:
        advice = "the driver's user-space library libcuda.so.1 is missing"
        branch = (case.driver or facts.installed_driver).partition(".")[0]
        command = f"sudo apt-get install libnvidia-compute-{branch}"
        return problem(found, expected, advice, command)
    return None


def _driver_version(
    case: Case, found: str, expected: str, need: fit.DriverNeed | None
) -> Finding | None:
    state = fit.driver_fits(case.driver, need.cuda) if need and case.driver else ""
    if state == "old":
        advice = f"too old for CUDA {case.cuda}"
        return problem(found, expected, advice, install_driver(case))
    if state == "limited":
        advice = f"runs by minor-version compatibility; {need.shipped} has it all"
        return ok(found, expected, advice)
    return None


def _mig(case: Case, found: str) -> Finding | None:
    if not any(card.mig == "Enabled" for card in case.facts.smi_gpus):
        return None
    if not case.facts.mig_instances:
        advice = "MIG is on but no instance exists, so no program gets a GPU"
        command = "sudo nvidia-smi mig --create-gpu-instance 0 -C"
        return problem(found, "a MIG instance", advice, command)
    return ok(found, "a MIG instance", "MIG: a program sees one instance only")


def reboot(case: Case) -> Finding:
    """Section "5. Reboot"."""
    if not case.owns_kernel:
        return not_our_kernel(case)
    facts = case.facts
    loaded = facts.loaded_driver
    others = {v for v in (facts.library_driver, facts.installed_driver) if v}
    shown = f"loaded {loaded or 'none'}, on disk {', '.join(sorted(others)) or 'none'}"
    if "mismatch" in facts.smi_state or (loaded and others - {loaded}):
        advice = "the loaded module is not of the libraries' version"
        return problem(shown, "one version", advice, "sudo reboot")
    if facts.installed_driver and not loaded and case.has_gpu:
        if facts.secure_boot:
            advice = "secure boot refuses a module that is not signed: enrol its key"
            command = "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der"
            return problem("secure boot is on", "a signed module", advice, command)
        advice = "the driver is installed and was not loaded"
        return problem(shown, "the driver loaded", advice, "sudo reboot")
    if not case.has_gpu:
        return skip(advice="no driver to load")
    return ok(shown, "one version") if loaded else unknown(shown, "one version")
