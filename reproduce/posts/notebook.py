"""Post "Using your remote Jupyter Notebook through ssh", statement by statement."""

from reproduce import post

POST = post.Post(
    "Using your remote Jupyter Notebook through ssh",
    "remote_notebook/README.md",
    front=[
        "[A remote notebook](remote_notebook/README.md)",
        "Jupyter on another machine, in this machine's browser",
        "`python -m remote_notebook user@host`",
        "two commands in two terminals",
        "one command, which also keeps the tunnel open and cleans up",
    ],
    experiments=[
        post.Experiment("notebook", "remote_notebook ubuntu@host --print_only")
    ],
    figures={"notebook/log.txt": "The two commands that it runs."},
)


@POST.claim(
    "ssh -N -L localhost:8888:localhost:8886 and jupyter --no-browser --port 8886",
    "notebook",
)
def tunnel(result: post.Result) -> post.Judgement:
    """Compares with the commands that the package prints and runs."""
    jupyter, ssh = result["commands"]
    holds = "--no-browser" in jupyter and "--port=8886" in jupyter
    holds = holds and "-N" in ssh and "127.0.0.1:8888:127.0.0.1:8886" in ssh
    return post.verdict(f"`{ssh}`", holds)


POST.open(
    "The notebook then opens at localhost:8888",
    "a remote machine (the tests use an ssh server on this one)",
)
