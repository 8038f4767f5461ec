"""Makes `python -m remote_notebook` run `remote_notebook.main`."""

import runpy

runpy.run_module("remote_notebook.main", run_name="__main__", alter_sys=True)
