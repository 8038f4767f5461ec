"""The guide's steps about what TensorFlow needs, and about TensorFlow itself."""

import re
import shlex

from gpu_setup import compatibility as fit
from gpu_setup import remedies
from gpu_setup.case import Case, Finding, ok, problem, skip, unknown

# What TensorFlow says where the driver refuses the code that the build has for a card.
REFUSED = ("ptx_refused", "invalid_handle", "no_kernel_image")
ASK_LOG = (
    "python -c 'import tensorflow as tf; tf.config.list_physical_devices()' "
    "2> tensorflow.log; python -m gpu_setup.check --log=tensorflow.log"
)


def _not_needed(case: Case, found: str, expected: str) -> Finding | None:
    if not case.has_gpu:
        return skip(found, expected, "No card needs it.")
    if case.is_cpu_build:
        return skip(found, expected, "This TensorFlow has no GPU code.")
    if not case.version:
        return skip(found, expected, "It comes along with TensorFlow.")
    return None


def cuda(case: Case) -> Finding:
    """Section "2. Install CUDA 8.0RC"."""
    system = [version for _, version in case.facts.toolkits] + [case.facts.nvcc]
    pip, libraries = case.pip_version("cuda-runtime"), case.facts.libraries
    names = [f"CUDA {v}" for v in dict.fromkeys(system) if v]
    names += [f"CUDA {pip} of pip"] if pip else []
    names += [f"CUDA {libraries.conda_cuda} of conda"] if libraries.conda_cuda else []
    found = ", ".join(names) or "none"
    release = case.version or (case.best.tensorflow if case.best else "")
    expected = f"CUDA {case.cuda} for TensorFlow {release}" if case.cuda else ""
    if left_out := _not_needed(case, found, expected):
        return left_out
    if case.gpus:
        return ok(found, expected, "TensorFlow loads it.")
    for card in case.cards:
        if fit.cuda_knows(card.capability, case.cuda) == "too new":
            _, last = fit.cuda_range(card.capability) or ("", "")
            advice, command = _release_for(case, card.capability)
            advice = f"CUDA {last} is the last for {card.name}. {advice}"
            return problem(found, expected, advice, command)
    reachable = [*system, pip, libraries.conda_cuda if libraries.conda_in_path else ""]
    if any(fit.cuda_fits(version, case.cuda) for version in reachable):
        return ok(found, expected)
    if case.is_in_conda:
        advice = f"The CUDA that TensorFlow needs lies in {libraries.conda}, where the "
        advice += "loader does not look: set LD_LIBRARY_PATH."
        return problem(found, expected, advice, remedies.ACTIVATE)
    advice = f"TensorFlow {release} needs CUDA {case.cuda}, and {_instead(case, found)}."
    command = case.install_cuda()
    if command.startswith("conda"):
        advice += " (Without conda: developer.nvidia.com/cuda-toolkit-archive.)"
    return problem(found, expected, advice, command)


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
    if best := fit.newest_fit(case.python, [capability]):
        release = best.tensorflow
        return f"TensorFlow {release} is the newest that runs on {capability}.", (
            case.install(release)
        )
    if best := fit.newest_fit("", [capability]):
        last = best.python.rpartition("-")[2]
        advice = f"TensorFlow {best.tensorflow} is the newest that runs on {capability}, "
        return f"{advice}and it needs Python {best.python}.", remedies.run_on(last)
    advice = f"No TensorFlow wheel that is known has code for {capability}: use the CPU."
    return advice, remedies.pip_install("tensorflow-cpu")


def cudnn(case: Case) -> Finding:
    """Section "3. cuDNN v5.1"."""
    library, headers = case.libcudnn, [version for _, version in case.facts.cudnns]
    pip, conda = case.pip_version("cudnn"), case.facts.libraries.conda_cudnn
    here = (library.version if library else "") or pip or (headers or [""])[0]
    found = f"cuDNN {here}" if here else f"cuDNN {conda} of conda" if conda else "none"
    if library:
        found += f"; {library.path} is loaded first ({library.origin})"
    expected = f"cuDNN {case.cudnn} or a later one of its major" if case.cudnn else ""
    if library and library.is_fake:
        advice = f"{library.path} is another library, {library.target}, by that name."
        return problem(found, expected, advice, f"sudo rm {shlex.quote(library.path)}")
    if left_out := _not_needed(case, found, expected):
        return left_out
    if here and not fit.cudnn_fits(here, case.cudnn):
        older = fit.parse_version(here) < fit.parse_version(case.cudnn)
        advice = f"cuDNN {here} is {'older than' if older else 'newer than'} what "
        advice += f"TensorFlow was built with, {case.cudnn}."
        return problem(found, expected, advice, case.install_cudnn())
    if case.gpus or here:
        return ok(found, expected)
    if conda and case.is_in_conda and fit.cudnn_fits(conda, case.cudnn):
        advice = "It lies in the conda environment, where the loader does not look."
        return problem(found, expected, advice, remedies.ACTIVATE)
    return problem(found, expected, "TensorFlow finds no cuDNN.", case.install_cudnn())


def bazel(case: Case) -> Finding:
    """Sections 6 to 10, a build from source, which pip's wheels made needless."""
    found = f"Bazel {case.facts.bazel}" if case.facts.bazel else "no Bazel"
    expected = f"Bazel {case.target.bazel}" if case.target else ""
    return skip(found, expected, "Only a build from source needs it.")


def environment(case: Case) -> Finding:
    """Section "11. Set up conda environment to install tensorflow"."""
    if not case.python:
        return unknown("no Python was recorded")
    newest = fit.builds()[0]
    found = f"Python {case.python}{_kind(case)}"
    expected = f"Python {newest.python} for TensorFlow {newest.tensorflow}"
    if case.told.get("state") == "ok":
        return ok(found, expected)
    best = fit.newest_fit(case.python)
    if best is None:
        last = newest.python.rpartition("-")[2]
        new = fit.parse_version(case.python)[:2] > fit.parse_version(last)
        advice = f"No TensorFlow wheel takes a Python so {'new' if new else 'old'}."
        return problem(found, expected, advice, remedies.run_on(last))
    advice = f"Its newest TensorFlow is {best.tensorflow}."
    return ok(found, expected, "" if best == newest else advice)


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
    expected = f"TensorFlow {case.best.tensorflow}" if case.best else "TensorFlow"
    if state in ("skipped", "unrecorded", "denied"):
        found = f"TensorFlow {case.version}, not asked" if case.version else "not asked"
        return unknown(f"{found} ({state})", expected)
    if state == "missing":
        advice = f"TensorFlow is not installed.{_own_wheels(case)}"
        return problem("not installed", expected, advice, case.install())
    if state == "timeout":
        advice = f"import tensorflow took over {told.get('seconds', '?')} s."
        again = "python -m gpu_setup.check --tensorflow_seconds=600"
        return unknown("no answer", expected, advice, again)
    again = f"{case.install(case.version)} --force-reinstall"
    if state != "ok":
        if cause := case.failure:
            return problem("broken", expected, cause.means, cause.fix or again)
        advice = f"The import fails: {told.get('error', state)}."
        return problem("broken", expected, advice, again)
    found = f"TensorFlow {case.version}"
    if told.get("cpu_product") is not True:
        advice = f"A matrix product on the CPU gave {told.get('cpu_product')}."
        return problem(found, expected, advice, again)
    if case.has_gpu and not case.gpus and (trouble := _blind(case, found, expected)):
        return trouble
    if case.build.get("is_cuda_build"):
        found += f", built with CUDA {case.cuda}"
    advice = "It is newer or older than the tables: it was tried, not judged."
    return ok(found, expected, "" if fit.build_of(case.version) else advice)


def _own_wheels(case: Case) -> str:
    """What there is instead of PyPI's wheels, which have GPU code for x86_64 alone."""
    if case.facts.jetson:
        return " For a Jetson NVIDIA makes its own wheels; PyPI's have no GPU code."
    if case.has_gpu and case.platform.machine != "x86_64":
        machine = case.platform.machine
        return f" PyPI's wheels for {machine} have no GPU code; NVIDIA's container has."
    return ""


def _blind(case: Case, found: str, expected: str) -> Finding | None:
    """Why a TensorFlow that works sees no card."""
    if case.is_cpu_build:
        found = f"{found}, a CPU-only build"
        advice = f"This TensorFlow has no GPU code.{_own_wheels(case)}"
        return problem(found, expected, advice, case.install())
    missing = case.told.get("missing", [])
    if missing:
        advice = "TensorFlow cannot load " + ", ".join(missing) + "."
        path = f"export LD_LIBRARY_PATH={case.toolkit}/lib64:$LD_LIBRARY_PATH"
        command = path if case.toolkit else case.install_cuda()
        return problem(found, expected, advice, command)
    if case.told.get("pip_only"):
        advice = "TensorFlow does not look where pip put its CUDA libraries."
        return problem(found, expected, advice, remedies.PIP_PATH)
    return None


def card(case: Case) -> Finding:
    """Does this build run on this card? (The post's "10-series" question.)"""
    if not case.has_gpu:
        return skip(advice="There is no card.")
    if not case.cards or not case.architectures:
        return _too_old(case) or unknown("the card or the build does not say")
    ways = [fit.runs_on(c.capability, case.architectures) for c in case.cards]
    words = {"native": "natively", "ptx": "from PTX", "none": "not at all"}
    found = "; ".join(
        f"{c.name} ({c.capability or '?'}): {words.get(way, 'unknown')}"
        for c, way in zip(case.cards, ways, strict=True)
    )
    expected = "one of " + " ".join(case.architectures)
    if "none" in ways:
        if case.works:
            return ok(found, expected, "TensorFlow leaves out what it cannot use.")
        capability = case.cards[ways.index("none")].capability
        return problem(found, expected, *_release_for(case, capability))
    if "unknown" in ways:
        return unknown(found, expected)
    if "ptx" not in ways:
        return ok(found, expected)
    cause = None if case.works else case.failure
    if cause and cause.id in REFUSED:
        return problem(found, expected, cause.means, cause.fix)
    advice = "The driver compiles the PTX at first use: minutes once, then it is cached."
    return ok(found, expected, advice)


def _too_old(case: Case) -> Finding | None:
    """A build by a CUDA that is older than the card, as the post's first attempt."""
    for card in case.cards:
        if not case.works and fit.cuda_knows(card.capability, case.cuda) == "too old":
            first, _ = fit.cuda_range(card.capability) or ("", "")
            return problem(
                f"CUDA {case.cuda} has no code for {card.name} ({card.capability})",
                f"a build by CUDA {first} or newer",
                *_release_for(case, card.capability),
            )
    return None


def works(case: Case) -> Finding:
    """The post's "You're all done!", proven by a matrix product on each GPU."""
    if not case.has_gpu:
        return skip(advice="There is no card.")
    if case.told.get("state") != "ok":
        return unknown("TensorFlow did not run", "every GPU multiplies")
    hidden = case.facts.environment.get("CUDA_VISIBLE_DEVICES")
    if not case.gpus and hidden is not None and not re.match(r"\d|GPU|MIG", hidden):
        advice = f"CUDA_VISIBLE_DEVICES={hidden!r} hides every card."
        return problem("no GPU", "a GPU", advice, "unset CUDA_VISIBLE_DEVICES")
    if not case.works:
        bad = [f"{g['name']}: {g.get('product')}" for g in case.gpus]
        found, expected = "; ".join(bad) or "no GPU", "a right product on every GPU"
        if cause := case.failure:
            return problem(found, expected, cause.means, cause.fix or ASK_LOG)
        if case.gpus:
            advice = "A card computes wrongly or fails: look at its memory and heat."
            return problem(found, expected, advice, "nvidia-smi -q -d ECC,TEMPERATURE")
        advice = "TensorFlow sees no GPU"
        if case.toolkit and not case.facts.libraries.cuda_in_path[0]:
            advice += f", and LD_LIBRARY_PATH does not name its CUDA, {case.toolkit}."
            path = f"export LD_LIBRARY_PATH={case.toolkit}/lib64:$LD_LIBRARY_PATH"
            return problem(found, expected, advice, path)
        advice += ", and its log names no cause that is known."
        return problem(found, expected, advice, ASK_LOG)
    count = f"{len(case.gpus)} GPU" + "s" * (len(case.gpus) > 1)
    more = max(len(case.cards), len(case.facts.pci_gpus or []))
    left_out = f"{len(case.gpus)} of {more} cards; see CUDA_VISIBLE_DEVICES."
    return ok(
        f"{count}, each multiplied two matrices right",
        "every GPU multiplies",
        left_out if more > len(case.gpus) else "",
    )
