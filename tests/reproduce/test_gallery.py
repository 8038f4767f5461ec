"""The page of figures is one file."""

import pathlib

from reproduce import gallery, report


def test_the_page_stands_alone(kept, tmp_path):
    folder = tmp_path / "short" / "flights_post"
    folder.mkdir(parents=True)
    source = pathlib.Path(report.__file__).parents[1] / "genetic" / "convergence.png"
    (folder / "convergence.png").write_bytes(source.read_bytes())
    known = kept("flights_post", gap=0.05, feasible=True, config={})
    known["flights_post"]["result"]["config"] = {
        "initial_probability": 0.5,
        "mutation": 0.01,
    }
    page = gallery.render(known, tmp_path)
    assert page.count("data:image/png;base64,") == 1
    assert "http" not in page and 'src="/' not in page
    assert "95.0 % of the optimum" in page
