"""The author's own runs, from the logs in his notebooks, beside ours.

The logs are Tommy Mulc's, from his repositories VanillaRNN and Inception (MIT, 2017).
"""

import csv
import dataclasses
import pathlib

from runkit import files

DATA = pathlib.Path(__file__).parent / "data"
Points = list[tuple[int, float]]  # steps and values


@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve of the author's, and where to find the same one of ours.

    Attributes:
        log: His log in this package's data, with a column of steps and one of values.
        unit: One of our units, in his.
        column: The column of our log.csv.
        label: What the curve shows.
        his: What to say of his run in the legend.
        logarithmic: Whether the values span orders of magnitude.
        first: The first step to draw.
    """

    log: str
    unit: float
    column: str
    label: str
    his: str
    logarithmic: bool = False
    first: int = 0

    def author(self) -> Points:
        """Reads the author's points, in our unit."""
        with open(DATA / self.log) as file:
            _, *rows = csv.reader(file)
        return [(int(step), float(value) / self.unit) for step, value in rows]

    def ours(self, path: pathlib.Path) -> Points:
        """Reads the points of a log.csv, to five digits."""
        with open(path) as file:
            rows = list(csv.DictReader(file))
        return [(int(r["step"]), float(f"{float(r[self.column]):.5g}")) for r in rows]

    def draw(self, path: pathlib.Path, ours: Points, description: str) -> None:
        """Draws both curves into a PNG.

        Args:
            path: The PNG.
            ours: Our points.
            description: What to say of our run in the legend.
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        for points, label in ((self.author(), self.his), (ours, description)):
            drawn = [point for point in points if point[0] >= self.first]
            axes.plot(*zip(*drawn, strict=True), label=label, linewidth=1)
        axes.set(xlabel="step", ylabel=self.label)
        axes.set_yscale("log" if self.logarithmic else "linear")
        axes.legend(frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.save_figure(path, figure)
