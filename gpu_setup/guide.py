"""The post's install guide as steps that are judged, in its order and by its names."""

import dataclasses
from collections.abc import Callable

from gpu_setup import steps_system as system
from gpu_setup import steps_tensorflow as build
from gpu_setup.case import Case, Finding, unknown
from gpu_setup.facts import Facts

# Of each step: its id, its title, the probe that it cannot do without, its judge.
GUIDE: list[tuple[str, str, str, Callable[[Case], Finding]]] = [
    (
        "previous_drivers",
        "0. Removing previous drivers and modules",
        "packages",
        system.previous_drivers,
    ),
    ("kernel_modules", "0. nvidia modules", "kernel", system.kernel_modules),
    ("old_toolkits", "0. Uninstalling CUDA Toolkit", "toolkits", system.old_toolkits),
    ("nomodeset", "0. nomodeset", "kernel", system.nomodeset),
    ("gpu", "1. Physically install the GPU", "pci", system.gpu),
    ("cuda", "2. Install CUDA", "toolkits", build.cuda),
    ("cudnn", "3. cuDNN", "cudnns", build.cudnn),
    ("driver", "4. Install the driver", "driver", system.driver),
    ("reboot", "5. Reboot", "driver", system.reboot),
    ("bazel", "6-10. Bazel, clone, configure, build", "tools", build.bazel),
    ("environment", "11. Set up conda environment", "place", build.environment),
    ("tensorflow", "12. Install Tensorflow", "place", build.tensorflow),
    ("card", "12. The build's code for this card", "nvidia_smi", build.card),
    ("works", "You're all done!", "place", build.works),
]


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the guide, with what was found."""

    id: str
    title: str
    status: str
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


def judge(facts: Facts) -> Judgement:
    """Judges every step of the guide.

    Args:
        facts: What `probes.collect` found.

    Returns:
        The steps in the guide's order. The verdict is "cpu" without a card and without
        a problem, "ready" if TensorFlow multiplied on every card and nothing is wrong,
        and "problem" otherwise: a card that was not seen to work is not ready.
    """
    case = Case(facts)
    steps = []
    for name, title, probe, look in GUIDE:
        error = facts.errors.get(probe)
        finding = unknown(error) if error else look(case)
        steps.append(Step(name, title, **dataclasses.asdict(finding)))
    if any(s.status == "problem" for s in steps):
        return Judgement("problem", steps)
    if not case.has_gpu:
        return Judgement("cpu", steps)
    return Judgement("ready" if steps[-1].status == "ok" else "problem", steps)
