"""Commands name the data that is there."""

from reproduce.config import Config
from reproduce.posts import EXPERIMENTS

TEXT = next(each for each in EXPERIMENTS if each.name == "concat")


def test_real_data_is_taken_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "--corpus=embedded" in Config().command(TEXT, "out")
    cached = tmp_path / "char_rnn" / "text8.zip"
    cached.parent.mkdir()
    cached.touch()
    assert f"--corpus={cached}" in Config().command(TEXT, "out")
    named = tmp_path / "mine.zip"
    named.touch()
    assert f"--corpus={named}" in Config(text=str(named)).command(TEXT, "out")
