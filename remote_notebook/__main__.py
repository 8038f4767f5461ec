"""Makes `python -m remote_notebook` run `remote_notebook.main`."""

from remote_notebook.main import command

if __name__ == "__main__":
    command()
