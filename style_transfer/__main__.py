"""Makes `python -m style_transfer` run `style_transfer.main`."""

from style_transfer.main import command

if __name__ == "__main__":
    command()
