"""The workers of a run are checked, meet, and watch one another."""

import json
import pathlib
import re
import socket
import threading

import pytest

from runkit.workers import cluster, meeting
from tests.runkit.cluster_of_tests import free_addresses, tf_config

ROOT = pathlib.Path(__file__).parents[2]


TWO = ["host0:5000", "host1:5000"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not set"),
        ("{", "Expecting"),
        ("[1]", 'no "cluster"'),
        ('{"task": {"type": "worker", "index": 0}}', 'no "cluster"'),
        ('{"cluster": {"worker": []}}', "neither a chief nor a worker"),
        ('{"cluster": {"ps": ["host:1"]}}', "'ps'"),
        ('{"cluster": {"worker": ["host"]}}', "'host' is not host:port"),
        ('{"cluster": {"worker": ["host:99999"]}}', "not host:port"),
        ('{"cluster": {"worker": ["host:1", "host:1"]}}', "host:1 stands there 2"),
        ('{"cluster": {"chief": ["host:1", "host:2"]}}', "two chiefs"),
        ('{"cluster": {"worker": ["host:1"]}}', 'no "task"'),
        (tf_config(TWO, 2), "'worker 2' is not one of worker 0, worker 1"),
        (tf_config(TWO, -1), "'worker -1'"),
        (tf_config(TWO, 0).replace('type": "worker', 'type": "chief'), "'chief 0'"),
    ],
)
def test_a_wrong_tf_config_says_what_is_wrong(text, message):
    with pytest.raises(ValueError, match="TF_CONFIG") as error:
        cluster.parse(text)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_the_chief_is_the_one_named_so_or_the_first_worker():
    assert cluster.parse(tf_config(TWO, 1)).chief == "worker 0"
    config = {
        "cluster": {"worker": TWO, "chief": ["host2:5000"]},
        "task": {"type": "chief", "index": 0},
    }
    found = cluster.parse(json.dumps(config))
    assert found.is_chief and found.others() == ["worker 0", "worker 1"]


def meet(addresses, purposes):
    """What `meeting.meet` raised in each of these workers, or None."""
    found = [None] * len(purposes)

    def one(index, purpose):
        member = cluster.parse(tf_config(addresses, index))
        try:
            meeting.meet(member, meeting.bind(member), purpose, 20)
        except (OSError, ValueError) as error:
            found[index] = error

    threads = [threading.Thread(target=one, args=each) for each in enumerate(purposes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_workers_meet():
    assert meet(free_addresses(3), ["same"] * 3) == [None] * 3


def test_workers_of_different_runs_do_not_meet():
    for error in meet(free_addresses(2), ["one", "another"]):
        assert isinstance(error, ValueError) and "other flags" in str(error)


def test_a_stranger_s_answer_is_none():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        addresses = [*free_addresses(1), f"127.0.0.1:{stranger.getsockname()[1]}"]
        member = cluster.parse(tf_config(addresses, 0))
        with pytest.raises(TimeoutError, match=addresses[1]):
            meeting.meet(member, meeting.bind(member), "", 0.5)


def test_the_watch_tells_of_a_worker_that_is_gone(monkeypatch):
    monkeypatch.setattr(meeting, "POLL", 0.05)
    addresses = free_addresses(2)
    lost, told = [], threading.Event()
    with meeting.bind(cluster.parse(tf_config(addresses, 1))) as other:
        other.listen()
        stop = meeting.watch(
            cluster.parse(tf_config(addresses, 0)),
            lambda name: (lost.append(name), told.set()),
        )
        assert not told.wait(0.5)
    assert told.wait(20) and lost == [f"worker 1 ({addresses[1]})"]
    stop()


def test_private_names_of_tensorflow_are_there():
    """If one is gone: mend `workers/private.py`, then raise the bound in setup.cfg."""
    keras = pytest.importorskip("keras")
    from tensorflow.python.distribute import collective_all_reduce_strategy
    from tensorflow.python.eager import context

    extended = collective_all_reduce_strategy.CollectiveAllReduceExtended
    assert hasattr(extended, "_enable_check_health")
    assert hasattr(context.context(), "configure_coordination_service")
    assert hasattr(keras.optimizers.SGD(), "_all_reduce_sum_gradients")


def test_private_names_of_tensorflow_stand_in_one_file():
    pattern = re.compile(r"tensorflow\.python|keras\.src|_all_reduce_sum_gradients")
    found = [
        path.relative_to(ROOT).as_posix()
        for package in ROOT.glob("*/__init__.py")
        for path in package.parent.rglob("*.py")
        if pattern.search(path.read_text())
    ]
    assert found == ["runkit/workers/private.py"]
    assert re.search(r"tensorflow>=[\d.]+,<2\.22\n", (ROOT / "setup.cfg").read_text())
