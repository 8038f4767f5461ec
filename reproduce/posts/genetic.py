"""Post "Gett'n jiggy with genetic algorithms", statement by statement."""

import functools

from reproduce import post

POST = post.Post(
    "Gett'n jiggy with genetic algorithms",
    "genetic/README.md",
    front=[
        "[Genetic algorithms](genetic/README.md)",
        "the flights that earn an airline most, or a solver for your own problem",
        "`make demo-genetic`",
        "good solutions, without a figure",
        "a profit of {flights[best_objective]:,.1f} k$; the most possible is "
        "{flights[optimum]:,.1f} k$",
    ],
    pictures={"convergence.png": "The post's algorithm, and the proven optimum."},
    experiments=[
        post.Experiment(
            "toy", "genetic.main --scheme=post --problem={data}/toy.csv --exact"
        ),
        post.Experiment(
            "flights_post", "genetic.main --scheme=post --generations=300 --exact"
        ),
        post.Experiment("flights", "genetic.main --exact"),
    ],
    figures={
        "flights_post/convergence.png": "The post's scheme on 36 flights.",
        "flights/convergence.png": "The modern scheme on the same flights.",
        "flights_post/population.png": "Which flights the population takes.",
    },
)


@POST.claim("o = (1, 2, 3): a genetic algorithm maximizes o'x", "toy")
def toy(result: post.Result) -> post.Judgement:
    """Asks for the optimum; the post prints o alone, so the constraint is ours."""
    best, optimum = result["best_objective"], result["optimum"]
    found = f"{best:g}, where the optimum is {optimum:g}, with c = (1, 1, 1), b = 2"
    return post.verdict(found, best == optimum)


@POST.claim(
    "A gene is 1 with p = 0.5 at the start and mutates with p = 0.01", "flights_post"
)
def probabilities(result: post.Result) -> post.Judgement:
    """Compares the probabilities with the defaults of the post's scheme."""
    same = post.used(result["config"], "initial_probability=0.5 mutation=0.01")
    outcome = (
        f"{post.percent(1 - result['gap'], 1)} of the optimum after 300 generations"
    )
    return post.settings(same, outcome, result["feasible"])


@POST.claim("It finds a good choice of an airline's flights", "flights_post", "flights")
def airline(first: post.Result, modern: post.Result) -> post.Judgement:
    """Compares with the proven optimum for 36 flights under four constraints."""
    found = (
        f"{post.percent(first['gap'], 1)} short of the optimum after 300 generations "
        f"by the post's scheme, {100 * modern['gap']:g} % by the modern one"
    )
    return post.verdict(found, first["feasible"] and first["gap"] < 0.1)


POST.tables["flights"] = functools.partial(
    post.run_table,
    names="flights_post flights",
    columns={
        "flags": "{flags}",
        "seed": "{config[seed]}",
        "generations": "{generations:,}",
        "seconds": "{seconds:.1f}",
        "best": "{best_objective:g}",
        "gap": "{gap:.1%}",
    },
)
