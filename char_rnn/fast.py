"""The same networks, computed faster: what depends on one character alone is a table.

Arch 1 by concatenation has h_t = [e_t, r_t] with e_t = act(x_t U + b_1), which depends
on x_t alone, and r_t = act(h_{t-1} W + b_2). Split W into its rows W_e and W_r:

    r_t = act(e_{t-1} W_e + b_2 + r_{t-1} W_r)
    o_t = e_t V_e + c + r_t V_r

There are only A characters, so act(U + b_1) W_e + b_2 and act(U + b_1) V_e + c are two
tables of A rows, made once a step and looked up. What is left to do T times in sequence
is one [n, n] product, a quarter of the arithmetic of h_{t-1} W and h_t V together. The
sum needs no such split: x_t U + b is itself a table. Under teacher forcing both inputs
of Arch 2 are x_t, so all of it is one table [A, A]: the bigram is its ceiling. Where
the alphabet has more characters than the window, rows are computed as they are needed.
"""

from collections.abc import Callable

import tensorflow as tf

from char_rnn.model import ACTIVATIONS, CharRNN

# The derivative of each activation, by its value.
SLOPES: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": lambda r: tf.cast(r > 0, r.dtype),
    "tanh": lambda r: 1 - r * r,
}


def unroll(
    model: CharRNN,
    characters: tf.Tensor,
    state: tf.Tensor,
    teacher_forcing: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes what `CharRNN.unroll` returns, to rounding; with `plain`, just so."""
    config, nodes, V, c = model.config, model.config.num_nodes, model.V, model.c
    if config.plain or config.arch == 2 and not teacher_forcing:
        return model.unroll(characters, state, teacher_forcing)
    act = ACTIVATIONS[config.activation]
    if config.arch == 2:
        if config.combine == "sum":
            h = act(model.U + model.W + model.b)
        else:
            h = act(tf.concat([model.U, model.W], axis=1) + model.b)
        logits = into(h, V, c, characters)
        return logits, tf.nn.softmax(logits[-1])
    if config.combine == "sum":
        drive = lookup(model.U + model.b, characters)
        r = recurrence(drive, model.W, state, config.activation)
        return product(r, V) + c, r[-1]
    e = act(model.U + model.b[:nodes])  # [A, n]
    first = state[:, :nodes] @ model.W[:nodes] + model.b[nodes:]
    later = into(e, model.W[:nodes], model.b[nodes:], characters[:-1])
    drive = tf.concat([first[tf.newaxis], later], axis=0)  # [T, B, n]
    r = recurrence(drive, model.W[nodes:], state[:, nodes:], config.activation)
    logits = into(e, V[:nodes], c, characters) + product(r, V[nodes:])
    return logits, tf.concat([lookup(e, characters[-1]), r[-1]], axis=1)


def into(
    table: tf.Tensor, W: tf.Tensor, b: tf.Tensor, characters: tf.Tensor
) -> tf.Tensor:
    """Computes table W + b for each character, [T, B, m].

    Args:
        table: A row for each character of the alphabet, [A, k].
        W: A matrix [k, m].
        b: A bias [m].
        characters: The ids [T, B].
    """
    if table.shape[0] <= (characters.shape.num_elements() or table.shape[0]):
        return lookup(table @ W + b, characters)
    return product(lookup(table, characters), W) + b


def lookup(table: tf.Tensor, characters: tf.Tensor) -> tf.Tensor:
    """Looks up rows of a table, [..., k] of [A, k] and ids [...].

    The gradient is a product with one-hot vectors; XLA's is a scatter, row by row.
    """

    @tf.custom_gradient
    def run(table):
        def grad(upstream):
            x = tf.one_hot(characters, table.shape[0], dtype=table.dtype)
            return tf.matmul(_flat(x), _flat(upstream), transpose_a=True)

        return tf.gather(table, characters), grad

    return run(table)


def product(a: tf.Tensor, W: tf.Tensor) -> tf.Tensor:
    """Computes a W for all steps and streams, [T, B, k] by [k, m], as one product.

    XLA computes it a third faster than the same product of a batch of matrices.
    """
    return tf.reshape(_flat(a) @ W, [*a.shape[:2], W.shape[1]])


def _flat(a: tf.Tensor) -> tf.Tensor:
    return tf.reshape(a, [-1, a.shape[-1]])


def recurrence(
    drive: tf.Tensor, W: tf.Tensor, before: tf.Tensor, activation: str
) -> tf.Tensor:
    """Computes r_t = act(drive_t + r_{t-1} W) for every t.

    Its gradient is written out so that W's is one large product over all steps, not a
    sum of T small ones: with d_t the gradient at what the activation is applied to,
        d_t = (dL/dr_t + d_{t+1} W') act'(r_t),  dL/dW = sum over t of r_{t-1}' d_t.

    Args:
        drive: What comes from the characters, [T, B, n].
        W: The recurrent matrix, [n, n].
        before: The first r_{t-1}, [B, n].
        activation: "relu" or "tanh".

    Returns:
        All r_t, [T, B, n].
    """

    @tf.custom_gradient
    def run(drive, W, before):
        act = ACTIVATIONS[activation]
        r = tf.scan(lambda r, a: act(a + r @ W), drive, before)

        def grad(upstream):
            transposed = tf.transpose(W)
            d = tf.scan(
                lambda later, now: (now[0] + later @ transposed) * now[1],
                (upstream, SLOPES[activation](r)),
                tf.zeros_like(before),
                reverse=True,
            )
            previous = tf.concat([before[tf.newaxis], r[:-1]], axis=0)
            into_W = tf.matmul(_flat(previous), _flat(d), transpose_a=True)
            return d, into_W, d[0] @ transposed

        return r, grad

    return run(drive, W, before)
