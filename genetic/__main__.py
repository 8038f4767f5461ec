"""Makes `python -m genetic` run `genetic.main`."""

from genetic.main import command

if __name__ == "__main__":
    command()
