"""Makes `python -m reproduce` run `reproduce.main`."""

from reproduce.main import command

if __name__ == "__main__":
    command()
