"""Makes `python -m char_rnn` run `char_rnn.main`."""

from char_rnn.main import command

if __name__ == "__main__":
    command()
