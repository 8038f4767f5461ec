import numpy as np
import pytest

from runkit import pictures


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 7, 255]]), [[0, 7, 255]]),
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([0.0, 0.6, 255.0], np.float32), [0, 1, 255]),
    ],
)
def test_integers_and_floats_of_either_range_become_bytes(values, expected):
    found = pictures.as_bytes("picture", values)
    assert found.dtype == np.uint8
    assert found.tolist() == expected


@pytest.mark.parametrize(
    "values", [[-1.0], [256], [np.nan], [np.inf], [], ["a"], [True], [1j]]
)
def test_other_intensities_are_refused_by_name(values):
    with pytest.raises(ValueError, match="thing: .* must be"):
        pictures.as_bytes("thing", np.array(values))
