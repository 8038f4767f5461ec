"""A Jupyter notebook on a remote machine, opened through ssh in one command."""
