"""The post's install guide as steps that are judged, in its order and by its names."""

import dataclasses

from gpu_setup import steps_system, steps_tensorflow
from gpu_setup.case import Case, Finding, guide_data, say
from gpu_setup.facts import Facts


@dataclasses.dataclass(frozen=True)
class Step(Finding):
    """One step of the guide: what was found, under its id and its title."""

    id: str = ""
    title: str = ""


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
    looks = vars(steps_system) | vars(steps_tensorflow)
    steps = []
    for row in guide_data()["guide"]:
        # A step whose probe failed cannot be judged.
        error = facts.errors.get(row["probe"])
        finding = say("error", error=error) if error else looks[row["id"]](case)
        found = dataclasses.asdict(finding)
        steps.append(Step(id=row["id"], title=row["title"], **found))
    if any(s.status == "problem" for s in steps):
        return Judgement("problem", steps)
    if not case.has_gpu:
        return Judgement("cpu", steps)
    return Judgement("ready" if steps[-1].status == "ok" else "problem", steps)
