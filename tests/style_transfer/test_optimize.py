"""Both optimizers on a loss whose answer is known."""

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import losses, optimize

TARGET = np.float32([[[-40.0, 10.0, 128.0], [200.0, 255.0, 300.0]]])


def objective(image):
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = losses.pixel_loss(image, TARGET)
    return {"total_loss": loss}, tape.gradient(loss, image)


def run(optimizer, steps, objective=objective):
    seen = []

    def report(step, losses, image):
        seen.append((step, losses["total_loss"], image.copy()))

    start = np.full_like(TARGET, 127.5)
    if optimizer == "adam":
        optimize.adam(objective, start, steps, 4.0, report)
    else:
        optimize.lbfgs(objective, start, steps, report)
    return seen


@pytest.mark.parametrize(("optimizer", "steps"), [("adam", 200), ("lbfgs", 20)])
def test_reaches_the_nearest_allowed_picture(optimizer, steps):
    seen = run(optimizer, steps)
    np.testing.assert_allclose(seen[-1][2], np.clip(TARGET, 0, 255), atol=0.5)
    assert [step for step, _, _ in seen] == list(range(1, len(seen) + 1))
    for _, _, image in seen:
        assert image.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 255


def test_first_adam_step_is_the_learning_rate():
    _, _, image = run("adam", 1)[0]
    expected = 127.5 + 4.0 * np.sign(TARGET - 127.5)
    np.testing.assert_allclose(image, expected, rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_loss_that_is_not_finite_stops_with_the_step(optimizer):
    calls = []

    def breaks(image):
        calls.append(1)
        loss, gradient = objective(image)
        return (loss, gradient) if len(calls) < 3 else (loss, gradient * np.nan)

    with pytest.raises(FloatingPointError, match="step [23]: .*--learning_rate"):
        run(optimizer, 10, breaks)
