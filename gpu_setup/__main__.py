"""Makes `python -m gpu_setup` run `gpu_setup.check`."""

from gpu_setup.check import command

if __name__ == "__main__":
    command()
