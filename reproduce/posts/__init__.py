"""The six posts, in the order of the README."""

from reproduce.posts import genetic, gpu, modules, notebook, style, text

POSTS = [style.POST, text.POST, modules.POST, genetic.POST, gpu.POST, notebook.POST]
EXPERIMENTS = [experiment for post in POSTS for experiment in post.experiments]
CURVES = {name: curve for post in POSTS for name, curve in post.curves.items()}
