"""The cells by hand, against Keras, and by tables."""

import numpy as np
import pytest
import tensorflow as tf

from char_rnn import fast
from char_rnn.config import Config
from char_rnn.model import CharRNN, initial_values
from char_rnn.sampler import Sampler, softmax

FORMS = [
    {"arch": arch, "combine": combine, "activation": activation}
    for arch in (1, 2)
    for combine in ("concat", "sum")
    for activation in ("relu", "tanh")
]


def make(dtype=tf.float64, size=6, **settings):
    """A small network with a bias that matters."""
    config = Config(**{"num_nodes": 5, "initialization": "orthogonal"} | settings)
    model = CharRNN(config, size, dtype)
    random = np.random.default_rng(1)
    for bias in (model.b, model.c):
        bias.assign(random.normal(0, 0.3, bias.shape))
    return model


def characters(steps=7, batch=3, size=6, seed=0):
    random = np.random.default_rng(seed)
    return tf.constant(random.integers(0, size, (steps, batch)), tf.int32)


def state_of(model, batch=3):
    """A state that the network could have left."""
    _, state = model.unroll(characters(seed=9), model.zero_state(batch), False)
    return state


def test_shapes_are_the_post_s():
    one = CharRNN(Config(arch=1), 27)
    assert [w.shape for w in one.weights] == [
        (27, 100),
        (200, 100),
        (200,),
        (200, 27),
        (27,),
    ]
    two = CharRNN(Config.of_recipe(arch=2), 27)
    assert [w.shape for w in two.weights] == [(27, 50), (27, 50), (100,), (100, 27), 27]
    assert CharRNN(Config(combine="sum"), 27).W.shape == (100, 100)


def test_the_cell_by_hand():
    model = make(size=2, num_nodes=1, combine="concat")
    model.U.assign([[2.0], [-1.0]])
    model.W.assign([[0.5], [1.0]])
    model.b.assign([0.25, -0.5])
    model.V.assign([[1.0, 0.0], [2.0, -1.0]])
    model.c.assign([0.1, 0.2])
    h, o = model.cell(tf.constant([[1.0, 0.0]], tf.float64), [[1.0, 3.0]])
    # relu(2 + 0.25) and relu(1 * 0.5 + 3 * 1 - 0.5)
    np.testing.assert_allclose(h, [[2.25, 3.0]])
    np.testing.assert_allclose(o, [[2.25 + 6.0 + 0.1, -3.0 + 0.2]])


def test_the_sum_is_the_simple_rnn_of_keras():
    model = make(tf.float32, combine="sum", activation="tanh")
    layer = tf.keras.layers.SimpleRNN(5, return_sequences=True)
    x = tf.one_hot(tf.transpose(characters()), 6)
    layer.build(x.shape)
    layer.set_weights([model.U, model.W, model.b])
    expected = layer(x) @ model.V + model.c
    logits, _ = model.unroll(characters(), model.zero_state(3))
    np.testing.assert_allclose(tf.transpose(logits, [1, 0, 2]), expected, atol=1e-5)


@pytest.mark.parametrize(
    "form", FORMS, ids=lambda form: "-".join(map(str, form.values()))
)
@pytest.mark.parametrize("teacher_forcing", [True, False])
@pytest.mark.parametrize("size", [6, 30])  # fewer and more than the window has
def test_tables_are_the_plain_form(form, teacher_forcing, size):
    model = make(size=size, **form)
    results = []
    for unroll in (CharRNN.unroll, fast.unroll):
        state = state_of(model)
        with tf.GradientTape() as tape:
            tape.watch(state)
            logits, after = unroll(model, characters(), state, teacher_forcing)
            loss = tf.reduce_sum(tf.sin(logits)) + tf.reduce_sum(tf.cos(after))
        gradients = tape.gradient(
            loss, [*model.weights, state], unconnected_gradients="zero"
        )
        results.append([logits, after, *gradients])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-12)
    assert float(tf.norm(results[0][3])) > 1e-3  # of W


def test_the_gradient_of_the_recurrence_is_its_difference_quotient():
    random = np.random.default_rng(0)
    values = [random.normal(size=s) for s in ([3, 2, 4], [4, 4], [2, 4])]

    def loss(*arguments):
        return tf.reduce_sum(tf.sin(fast.recurrence(*arguments, "tanh")))

    analytic, numeric = tf.test.compute_gradient(
        loss, [tf.constant(value) for value in values]
    )
    for exact, quotient in zip(analytic, numeric, strict=True):
        np.testing.assert_allclose(exact, quotient, atol=1e-5)


@pytest.mark.parametrize(
    "form", FORMS, ids=lambda form: "-".join(map(str, form.values()))
)
def test_the_sampler_in_numpy_is_the_same_network(form):
    model = make(**form)
    expected, _ = model.unroll(characters(batch=1), model.zero_state(1), False)
    sampler = Sampler(model.config, model.arrays())
    for character, logits in zip(
        characters(batch=1)[:, 0], expected[:, 0], strict=True
    ):
        np.testing.assert_allclose(sampler.logits(int(character)), logits, rtol=1e-9)


def test_under_teacher_forcing_arch_2_knows_the_current_character_alone():
    model = make(arch=2)
    one, _ = model.unroll(tf.constant([[1], [2], [3]]), model.zero_state(1))
    other, _ = model.unroll(tf.constant([[4], [0], [3]]), model.zero_state(1))
    np.testing.assert_array_equal(one[-1], other[-1])
    fed, _ = model.unroll(tf.constant([[1], [2], [3]]), model.zero_state(1), False)
    differently, _ = model.unroll(
        tf.constant([[4], [0], [3]]), model.zero_state(1), False
    )
    assert np.abs(fed[-1] - differently[-1]).max() > 1e-6


def test_arch_2_feeds_probabilities_back():
    model = make(arch=2)
    logits, state = model.unroll(characters(), model.zero_state(3), False)
    np.testing.assert_allclose(state[0], softmax(logits[-1, 0].numpy()))


def test_initial_values_as_printed_and_as_meant():
    shape = dict(alphabet_size=27, hidden=200, state_size=200)
    for name, mean, low, high in (
        ("printed", -0.1, -0.3, 0.1),
        ("range", 0.0, -0.1, 0.1),
    ):
        U, W, b, V, c = initial_values(Config(initialization=name), **shape)
        for value in (U, W, V):
            assert float(tf.reduce_mean(value)) == pytest.approx(mean, abs=0.005)
            assert low <= float(tf.reduce_min(value)) < low + 0.05
            assert high - 0.05 < float(tf.reduce_max(value)) <= high
        assert not np.any(b) and not np.any(c)


def test_orthogonal_keeps_lengths_round_the_recurrence():
    for combine, state_size in (("concat", 200), ("sum", 100)):
        config = Config(initialization="orthogonal", combine=combine)
        _, W, *_ = initial_values(config, 27, state_size, state_size)
        loop = W[-100:]
        np.testing.assert_allclose(loop @ tf.transpose(loop), np.eye(100), atol=1e-5)


def test_the_seed_settles_the_weights():
    one, same, other = (CharRNN(Config(seed=s), 27).arrays() for s in (3, 3, 4))
    for letter in "UWV":
        np.testing.assert_array_equal(one[letter], same[letter])
        assert np.abs(one[letter] - other[letter]).max() > 1e-3
    assert np.abs(one["W"][:27] - one["U"]).max() > 1e-3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"W": np.zeros((3, 5))}, r"W are \(3, 5\)"), ({"c": None}, "c are")],
)
def test_weights_that_do_not_fit_are_named(wrong, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        model.assign(model.arrays() | wrong)
    with pytest.raises(ValueError, match="V are missing"):
        model.assign({letter: model.arrays()[letter] for letter in "UWbc"})
