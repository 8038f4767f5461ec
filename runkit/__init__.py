"""The machinery that every run shares; a reader of a topic never needs to open it.

It imports no topic. At import it needs the standard library alone (`checkpoint` needs
NumPy too), so that `gpu_setup` and `remote_notebook` run where nothing is installed.
"""

__version__ = "1.0.0"
