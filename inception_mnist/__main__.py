"""Makes `python -m inception_mnist` run `inception_mnist.main`."""

from inception_mnist.main import command

if __name__ == "__main__":
    command()
