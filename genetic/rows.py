"""Linear sums that are compared exactly: decimal numbers as whole multiples of a unit.

Whole numbers and decimals (10.9, 5e-06) are integers times a power of ten, and so are
their sums: nothing is lost. Only numbers of more than fifteen digits, which some
computation left behind, are compared with a tolerance.
"""

import dataclasses
import decimal
import math
from fractions import Fraction

import numpy as np

EXACT_FLOAT = 2**53  # below it, a float64 holds every whole number
DIGITS = 10**15  # a decimal with more digits is a rounded float
TOLERANCE = 1e-9  # of rounded numbers, relative to the largest of their row


def in_units(values: np.ndarray) -> tuple[list[int], Fraction] | None:
    """Writes numbers as whole multiples of a unit.

    Args:
        values: Finite numbers, float64 or Python integers, [n].

    Returns:
        The whole numbers, and the unit; None if the numbers have too many digits.
    """
    if values.dtype == float:
        for digits in (0, 1, 2, 3):
            multiples = np.rint(values * 10.0**digits)
            if (
                np.abs(multiples).max(initial=0) < EXACT_FLOAT / 16
                and (multiples / 10.0**digits == values).all()
            ):
                return [int(each) for each in multiples], Fraction(1, 10**digits)
    decimals = [decimal.Decimal(repr(each)) for each in values.tolist()]
    exponents = [int(each.normalize().as_tuple().exponent) for each in decimals]
    unit = Fraction(10) ** min(0, *exponents)
    found = [int(Fraction(each) / unit) for each in decimals]
    if unit < 1 and max(map(abs, found)) >= DIGITS:
        return None
    return found, unit


@dataclasses.dataclass(frozen=True)
class Row:
    """One linear sum and its limits, in units that make it whole if that is possible.

    Attributes:
        weights: The coefficients, float64 [n].
        low: The least that the sum may be, float; infinite where it is open.
        high: The most that it may be.
        size: What a violation is measured by.
        unit: The sum times it is in the problem's own terms.
        whole: Whether the weights are whole numbers.
        integers: The weights as Python integers if float64 sums would not be exact.
        limits: `low` and `high` as integers in that case; None where open.
    """

    weights: np.ndarray
    low: float
    high: float
    size: float
    unit: Fraction
    whole: bool
    integers: np.ndarray | None = None
    limits: tuple[int | None, int | None] = (None, None)

    @classmethod
    def of(cls, values: np.ndarray, low, high, largest: np.ndarray) -> "Row":
        """Scales a row.

        Args:
            values: The coefficients, [n].
            low: The least that the sum may be, or minus infinity.
            high: The most that it may be, or infinity.
            largest: The largest amounts, without sign, int64 [n].
        """
        found = in_units(values)
        sides = [abs(side) for side in (low, high) if not math.isinf(side)]
        if found is None:
            weights = values.astype(float)
            size = max([*sides, np.abs(weights).max(initial=0.0), 1e-300])
            slip = TOLERANCE * size
            return cls(weights, low - slip, high + slip, size, Fraction(1), False)
        integers, unit = found
        divisor = math.gcd(*integers) or 1
        integers, unit = [each // divisor for each in integers], unit * divisor
        least = None if math.isinf(low) else math.ceil(_fraction(low) / unit)
        most = None if math.isinf(high) else math.floor(_fraction(high) / unit)
        reach = sum(abs(a) * int(b) for a, b in zip(integers, largest, strict=True))
        bounds = [abs(each) for each in (least, most) if each is not None]
        size = float(max([*bounds, *(abs(each) for each in integers), 1]))
        wide = max([reach, *bounds]) >= EXACT_FLOAT
        return cls(
            weights=np.array(integers, float),
            low=-math.inf if least is None else float(least),
            high=math.inf if most is None else float(most),
            size=size,
            unit=unit,
            whole=True,
            integers=np.array(integers, object) if wide else None,
            limits=(least, most) if wide else (None, None),
        )

    def excess(self, solutions: np.ndarray) -> np.ndarray:
        """Returns by how much solutions [k, n] miss the limits, exactly; [k], 0: met.

        Only for a row with `integers`.
        """
        low, high = self.limits
        sums = solutions.astype(object) @ self.integers
        over = [
            max(
                0 if high is None else total - high,
                0 if low is None else low - total,
                0,
            )
            for total in sums
        ]
        return np.array(over, float)


def _fraction(number) -> Fraction:
    """The decimal that a number is written as."""
    return Fraction(repr(float(number)) if isinstance(number, float) else int(number))
