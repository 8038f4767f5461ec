"""Both optimizers on losses whose answers are known, stopped and resumed."""

import numpy as np
import pytest
import tensorflow as tf

from style_transfer import losses, optimize

TARGET = np.float32([[[-40.0, 10.0, 128.0], [200.0, 255.0, 300.0]]])
OPTIMIZERS = {"adam": optimize.Adam, "lbfgs": optimize.Lbfgs}


def objective(image):
    pixels = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        loss = losses.pixel_loss(pixels, TARGET)
    return {"total_loss": loss}, tape.gradient(loss, pixels)


def rosenbrock(image):
    """A curved valley in each pixel, on a scale of 100; its floor is at 100."""
    x, y, z = np.moveaxis(np.float64(image) / 100, -1, 0)
    value = 100 * (y - x**2) ** 2 + (1 - x) ** 2 + (z - 1) ** 2
    slopes = (
        -400 * x * (y - x**2) - 2 * (1 - x),
        200 * (y - x**2),
        2 * (z - 1),
    )
    gradient = np.float32(np.stack(slopes, axis=-1) / 100)
    return {"total_loss": value.sum()}, gradient


def states(name, function, start, steps):
    """The start and what follows, until no step is found."""
    state = OPTIMIZERS[name].start(start)
    found = [state]
    for _ in range(steps):
        rate = (4.0,) if name == "adam" else ()
        state = state.step(function, *rate)
        if state is None:
            break
        found.append(state)
    return found


@pytest.mark.parametrize(("name", "steps"), [("adam", 200), ("lbfgs", 20)])
def test_reaches_the_nearest_allowed_picture(name, steps):
    found = states(name, objective, np.full_like(TARGET, 127.5), steps)
    for state in found:
        assert state.image.dtype == np.float32
        assert state.image.min() >= 0 and state.image.max() <= 255
    np.testing.assert_allclose(found[-1].image, np.clip(TARGET, 0, 255), atol=0.5)


def test_lbfgs_follows_a_curved_valley():
    start = np.float32(np.random.default_rng(0).uniform(0, 200, (3, 4, 3)))
    found = states("lbfgs", rosenbrock, start, 200)
    totals = [state.losses["total_loss"] for state in found[1:]]
    assert totals == sorted(totals, reverse=True)
    np.testing.assert_allclose(found[-1].image, 100.0, atol=1.0)


def test_first_adam_step_is_the_learning_rate():
    found = states("adam", objective, np.full_like(TARGET, 127.5), 1)
    expected = 127.5 + 4.0 * np.sign(TARGET - 127.5)
    np.testing.assert_allclose(found[1].image, expected, rtol=1e-6)


def test_adam_is_kerass():
    ours = states("adam", objective, np.full_like(TARGET, 127.5), 10)[-1]
    pixels = tf.Variable(np.full_like(TARGET, 127.5))
    theirs = tf.keras.optimizers.Adam(4.0)
    for _ in range(10):
        theirs.apply([objective(pixels.numpy())[1]], [pixels])
        pixels.assign(tf.clip_by_value(pixels, 0.0, 255.0))
    np.testing.assert_allclose(ours.image, pixels, rtol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_goes_on_exactly_and_leaves_earlier_states_as_they_were(name):
    start = np.float32(np.random.default_rng(0).uniform(0, 200, (3, 4, 3)))
    arrays = {}
    state = states(name, rosenbrock, start, 8)[-1]
    arrays = {key: np.array(value) for key, value in state.arrays().items()}
    rate = (4.0,) if name == "adam" else ()
    straight = state
    again = OPTIMIZERS[name].restored(arrays, dict(state.losses))
    for _ in range(15):
        straight, again = (s.step(rosenbrock, *rate) for s in (straight, again))
    np.testing.assert_array_equal(straight.image, again.image)
    assert straight.losses == again.losses
    for key, value in state.arrays().items():
        np.testing.assert_array_equal(value, arrays[key])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loss_that_is_not_finite_is_an_error(name):
    calls = []

    def breaks(image):
        calls.append(1)
        loss, gradient = objective(image)
        return (loss, gradient) if len(calls) < 3 else (loss, gradient * np.nan)

    with pytest.raises(FloatingPointError, match="not finite: lower --learning_rate"):
        states(name, breaks, np.full_like(TARGET, 127.5), 10)
