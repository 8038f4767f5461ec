"""The guide's steps about what TensorFlow needs, and about TensorFlow itself.

The sentences of each finding stand in data/guide.json.
"""

import re
import shlex

from gpu_setup import compatibility as fit
from gpu_setup import remedies
from gpu_setup.case import Case, Finding, say

# What TensorFlow says where the driver refuses the code that the build has for a card.
REFUSED = ("ptx_refused", "invalid_handle", "no_kernel_image")


def _not_needed(case: Case, words: dict[str, str]) -> Finding | None:
    if not case.has_gpu:
        return say("not_needed", reason="No card needs it.", **words)
    if case.is_cpu_build:
        return say("not_needed", reason="This TensorFlow has no GPU code.", **words)
    if not case.version:
        return say("not_needed", reason="It comes along with TensorFlow.", **words)
    return None


def cuda(case: Case) -> Finding:
    """Section "2. Install CUDA 8.0RC"."""
    system = [version for _, version in case.facts.toolkits] + [case.facts.nvcc]
    pip, libraries = case.pip_version("cuda-runtime"), case.facts.libraries
    names = [f"CUDA {v}" for v in dict.fromkeys(system) if v]
    names += [f"CUDA {pip} of pip"] if pip else []
    names += [f"CUDA {libraries.conda_cuda} of conda"] if libraries.conda_cuda else []
    release = case.version or (case.best.tensorflow if case.best else "")
    words = {"found": ", ".join(names) or "none", "expected": ""}
    if case.cuda:
        words["expected"] = f"CUDA {case.cuda} for TensorFlow {release}"
    if left_out := _not_needed(case, words):
        return left_out
    if case.gpus:
        return say("cuda_loads", **words)
    for card in case.cards:
        if fit.cuda_knows(card.capability, case.cuda) == "too new":
            _, last = fit.cuda_range(card.capability) or ("", "")
            advice, words["command"] = _release_for(case, card.capability)
            words |= {"last": last, "card": card.name, "release_advice": advice}
            return say("last_cuda", **words)
    reachable = [*system, pip if case.looks_in_pip else ""]
    reachable += [libraries.conda_cuda] if libraries.conda_in_path else []
    if any(fit.cuda_fits(version, case.cuda) for version in reachable):
        return say("cuda", **words)
    if case.is_in_conda:
        words["command"] = remedies.COMMANDS["conda_activate"]
        return say("conda_cuda", folder=libraries.conda, **words)
    if fit.cuda_fits(pip, case.cuda):
        return say("pip_only", **words | {"command": remedies.COMMANDS["pip_path"]})
    words |= {"instead": _instead(case, words["found"]), "command": _install_cuda(case)}
    words |= {"release": release, "cuda": case.cuda, "elsewhere": ""}
    if words["command"].startswith("conda"):
        words["elsewhere"] = (
            " (Without conda: developer.nvidia.com/cuda-toolkit-archive.)"
        )
    return say("no_cuda", **words)


def _install_cuda(case: Case) -> str:
    return remedies.install_cuda(case.platform, case.target or fit.builds()[0])


def _instead(case: Case, found: str) -> str:
    """What there is instead of the CUDA that is needed, and why it does not do."""
    if found == "none":
        return "there is none"
    version = re.findall(r"CUDA (\d+\.\d+)", found)
    theirs = fit.library_numbers(version[0]) if version else {}
    for name, number in fit.library_numbers(case.cuda).items():
        if theirs.get(name) != number:
            return f"{found} has no {name}.so.{number}"
    return f"there is {found}"


def _release_for(case: Case, capability: str) -> tuple[str, str]:
    """Advice and command for a card that the build cannot use."""
    here = fit.newest_fit(case.python, [capability])
    best = here or fit.newest_fit("", [capability])
    if best is None:
        advice = f"No TensorFlow wheel that is known has code for {capability}"
        return f"{advice}: use the CPU.", remedies.pip_install("tensorflow-cpu")
    advice = f"TensorFlow {best.tensorflow} is the newest that runs on {capability}"
    if here:
        return f"{advice}.", case.install(best.tensorflow)
    last = best.python.rpartition("-")[2]
    return f"{advice}, and it needs Python {best.python}.", remedies.run_on(last)


def cudnn(case: Case) -> Finding:
    """Section "3. cuDNN v5.1"."""
    library, headers = case.libcudnn, [version for _, version in case.facts.cudnns]
    pip, conda = case.pip_version("cudnn"), case.facts.libraries.conda_cudnn
    here = (library.version if library else "") or pip or (headers or [""])[0]
    found = f"cuDNN {here}" if here else f"cuDNN {conda} of conda" if conda else "none"
    if library:
        found += f"; {library.path} is loaded first ({library.origin})"
    words = {"found": found, "expected": ""}
    if case.cudnn:
        words["expected"] = f"cuDNN {case.cudnn} or a later one of its major"
    if library and library.is_fake:
        words |= {"path": library.path, "target": library.target}
        return say("fake_cudnn", quoted=shlex.quote(library.path), **words)
    if left_out := _not_needed(case, words):
        return left_out
    build = case.target or fit.builds()[0]
    words["command"] = remedies.install_cudnn(case.platform, build)
    if here and not fit.cudnn_fits(here, case.cudnn):
        older = fit.parse_version(here) < fit.parse_version(case.cudnn)
        than = "older than" if older else "newer than"
        return say("wrong_cudnn", here=here, than=than, cudnn=case.cudnn, **words)
    if case.gpus or here:
        return say("cudnn", **words | {"command": ""})
    if conda and case.is_in_conda and fit.cudnn_fits(conda, case.cudnn):
        return say(
            "conda_cudnn", **words | {"command": remedies.COMMANDS["conda_activate"]}
        )
    return say("no_cudnn", **words)


def bazel(case: Case) -> Finding:
    """Sections 6 to 10, a build from source, which pip's wheels made needless."""
    found = f"Bazel {case.facts.bazel}" if case.facts.bazel else "no Bazel"
    expected = f"Bazel {case.target.bazel}" if case.target else ""
    return say("bazel", found=found, expected=expected)


def environment(case: Case) -> Finding:
    """Section "11. Set up conda environment to install tensorflow"."""
    if not case.python:
        return say("no_python")
    newest, best = fit.builds()[0], fit.newest_fit(case.python)
    words = {"found": f"Python {case.python}{_kind(case)}"}
    words["expected"] = f"Python {newest.python} for TensorFlow {newest.tensorflow}"
    if case.told.get("state") == "ok" or best == newest:
        return say("python", **words)
    if best:
        return say("older_python", best=best.tensorflow, **words)
    last = newest.python.rpartition("-")[2]
    new = fit.parse_version(case.python)[:2] > fit.parse_version(last)
    words["command"] = remedies.run_on(last)
    return say("no_wheel", age="new" if new else "old", **words)


def _kind(case: Case) -> str:
    if case.facts.environment.get("CONDA_PREFIX"):
        return " in a conda environment"
    prefix = case.facts.python.get("prefix", "/usr")
    if re.match(r"/usr(/local)?/?$|/opt/python", prefix):
        return ", the system's own"
    return " in a virtual environment"


def tensorflow(case: Case) -> Finding:
    """Section "12. Install Tensorflow"."""
    told, state = case.told, case.told.get("state", "unrecorded")
    installed = f"TensorFlow {case.version}" if case.version else ""
    words = {"found": installed, "wheels": _own_wheels(case)}
    words["expected"] = f"TensorFlow {case.best.tensorflow}" if case.best else ""
    if state in ("skipped", "unrecorded", "denied"):
        words["found"] = f"{installed}, not asked" if installed else "not asked"
        return say("not_asked", **words | {"found": f"{words['found']} ({state})"})
    if state == "missing":
        return say("not_installed", command=case.install(), **words)
    if state == "timeout":
        return say("import_hangs", seconds=told.get("seconds", "?"), **words)
    words["command"] = f"{case.install(case.version)} --force-reinstall"
    if state != "ok":
        words["advice"] = f"The import fails: {told.get('error', state)}."
        if cause := case.failure:
            words |= {"advice": cause.means, "command": cause.fix or words["command"]}
        return say("broken", **words)
    if told.get("cpu_product") is not True:
        return say("wrong_on_cpu", product=told.get("cpu_product"), **words)
    if case.has_gpu and not case.gpus and (trouble := _blind(case, words)):
        return trouble
    if case.build.get("is_cuda_build"):
        words["found"] += f", built with CUDA {case.cuda}"
    words["command"] = ""
    return say("tensorflow" if fit.build_of(case.version) else "unlisted", **words)


def _own_wheels(case: Case) -> str:
    """What there is instead of PyPI's wheels, which have GPU code for x86_64 alone."""
    if case.facts.jetson:
        return " For a Jetson NVIDIA makes its own wheels; PyPI's have no GPU code."
    if case.has_gpu and case.platform.machine != "x86_64":
        machine = case.platform.machine
        return f" PyPI's wheels for {machine} have no GPU code; NVIDIA's container has."
    return ""


def _blind(case: Case, words: dict[str, str]) -> Finding | None:
    """Why a TensorFlow that works sees no card."""
    if case.is_cpu_build:
        words["command"] = case.install()
        return say("cpu_build", installed=words["found"], **words)
    missing = case.told.get("missing", [])
    if missing:
        path = f"export LD_LIBRARY_PATH={case.toolkit}/lib64:$LD_LIBRARY_PATH"
        words["command"] = path if case.toolkit else _install_cuda(case)
        return say("missing_library", missing=", ".join(missing), **words)
    if case.told.get("pip_only"):
        return say("pip_only", **words | {"command": remedies.COMMANDS["pip_path"]})
    return None


def card(case: Case) -> Finding:
    """Whether this build runs on this card, the post's "10-series" question."""
    if not case.has_gpu:
        return say("no_card")
    if not case.cards or not case.architectures:
        return _too_old(case) or say("card_does_not_say")
    ways = [fit.runs_on(c.capability, case.architectures) for c in case.cards]
    texts = {"native": "natively", "ptx": "from PTX", "none": "not at all"}
    found = "; ".join(
        f"{c.name} ({c.capability or '?'}): {texts.get(way, 'unknown')}"
        for c, way in zip(case.cards, ways, strict=True)
    )
    words = {"found": found, "expected": f"one of {' '.join(case.architectures)}"}
    if "none" in ways and not case.works:
        capability = case.cards[ways.index("none")].capability
        advice, words["command"] = _release_for(case, capability)
        return say(
            "no_code", advice=f"The build has no code for the card. {advice}", **words
        )
    if "none" in ways or "unknown" in ways:
        return say("card_left_out" if "none" in ways else "code_unknown", **words)
    cause = None if case.works or "ptx" not in ways else case.failure
    if cause and cause.id in REFUSED:
        return say("no_code", advice=cause.means, command=cause.fix, **words)
    return say("ptx" if "ptx" in ways else "native", **words)


def _too_old(case: Case) -> Finding | None:
    """A build by a CUDA that is older than the card, as the post's first attempt."""
    for card in case.cards:
        if not case.works and fit.cuda_knows(card.capability, case.cuda) == "too old":
            first, _ = fit.cuda_range(card.capability) or ("", "")
            advice, command = _release_for(case, card.capability)
            words = {"card": card.name, "capability": card.capability, "first": first}
            words |= {"cuda": case.cuda, "release_advice": advice, "command": command}
            return say("cuda_without_code", **words)
    return None


def works(case: Case) -> Finding:
    """The post's "You're all done!", proven by a matrix product on each GPU."""
    if not case.has_gpu:
        return say("no_card")
    if case.told.get("state") != "ok":
        return say("did_not_run")
    hidden = case.facts.environment.get("CUDA_VISIBLE_DEVICES")
    if not case.gpus and hidden is not None and not re.match(r"\d|GPU|MIG", hidden):
        return say("hidden_cards", hidden=repr(hidden))
    if not case.works:
        bad = [f"{g['name']}: {g.get('product')}" for g in case.gpus]
        found = "; ".join(bad) or "no GPU"
        if cause := case.failure:
            return say("log_says", found=found, advice=cause.means, command=cause.fix)
        if case.gpus:
            return say("wrong_product", found=found)
        named = case.facts.libraries.cuda_in_path[0]
        if case.toolkit and not named and not _too_old(case):
            return say("unnamed_toolkit", found=found, toolkit=case.toolkit)
        return say("no_gpu", found=found)
    count = f"{len(case.gpus)} GPU" + "s" * (len(case.gpus) > 1)
    there = max(len(case.cards), len(case.facts.pci_gpus or []))
    name = "some_work" if there > len(case.gpus) else "works"
    return say(name, count=count, seen=len(case.gpus), there=there)
