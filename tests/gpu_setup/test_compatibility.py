"""What fits what, by hand; and that the tables are whole."""

import pytest

from gpu_setup import compatibility as fit


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("12.5.1", (12, 5, 1)),
        ("0.10.0rc0", (0, 10, 0)),
        ("9", (9,)),
        ("x", ()),
        ("", ()),
    ],
)
def test_parse_version(text, version):
    assert fit.parse_version(text) == version


@pytest.mark.parametrize(
    ("found", "built_with", "fits"),
    [
        ("9.3.0", "9.3", True),
        ("9.10.2", "9.3", True),
        ("9.1.0", "9.3", False),
        ("8.9.7", "9.3", False),
        ("7", "7", True),
        ("7.6", "7", True),
    ],
)
def test_cudnn_needs_the_same_major_and_an_equal_or_higher_minor(
    found, built_with, fits
):
    assert fit.cudnn_fits(found, built_with) == fits


@pytest.mark.parametrize(
    ("driver", "cuda", "state"),
    [
        ("555.42.06", "12.5.1", "ok"),
        ("535.104.05", "12.5", "limited"),
        ("510.47.03", "12.5", "old"),
        ("470.256.02", "11.8", "limited"),
        ("367.44", "8.0.27", "ok"),
        ("367.44", "8.0", "old"),
        ("367.48", "8.0", "ok"),
        ("375.20", "8.0.61", "old"),
        ("560.28.03", "12.7", "ok"),  # there is no 12.7: by what came before it
        ("580.65.06", "13.0", "ok"),
        ("560.0", "13.0", "old"),
        ("", "12.5", "unknown"),
        ("555.42.06", "99.0", "unknown"),
    ],
)
def test_driver_fits(driver, cuda, state):
    assert fit.driver_fits(driver, cuda) == state


@pytest.mark.parametrize(
    ("capability", "architectures", "way"),
    [
        ("8.6", "sm_80 compute_90", "native"),
        ("8.0", "sm_86", "none"),
        ("6.1", "sm_60 sm_70", "native"),
        ("9.0", "sm_80 compute_90", "native"),
        ("12.0", "sm_89 compute_90", "ptx"),
        ("12.0", "sm_60 sm_89", "none"),
        ("5.2", "sm_60 compute_90", "none"),
        ("12.0", "sm_120a", "native"),
        ("", "sm_60", "unknown"),
        ("8.6", "", "unknown"),
    ],
)
def test_runs_on(capability, architectures, way):
    assert fit.runs_on(capability, architectures.split()) == way


@pytest.mark.parametrize(
    ("capability", "cuda", "state"),
    [
        ("6.1", "8.0", "ok"),
        ("6.1", "7.5", "too old"),
        ("6.1", "13.0", "too new"),
        ("3.7", "12.0", "too new"),
        ("7.5", "13.1", "ok"),
        ("12.0", "12.5", "too old"),
        ("99.0", "12.5", "unknown"),
    ],
)
def test_cuda_knows(capability, cuda, state):
    assert fit.cuda_knows(capability, cuda) == state


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("GeForce GTX 1060 6GB", "6.1"),
        ("Tesla K80", "3.7"),
        ("GeForce GTX 960", "5.2"),
        ("GeForce GTX 960M", "5.0"),
        ("GeForce GTX TITAN X", "5.2"),
        ("GeForce GTX TITAN Black", "3.5"),
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("Tesla P4", "6.1"),
        ("Tesla T4", "7.5"),
        ("NVIDIA A100-PCIE-40GB", "8.0"),
        ("NVIDIA A10", "8.6"),
        ("NVIDIA GeForce RTX 3090", "8.6"),
        ("Matrox Millennium", ""),
    ],
)
def test_capability_of(name, capability):
    assert fit.capability_of(name) == capability


@pytest.mark.parametrize(
    ("python", "capabilities", "driver", "release"),
    [
        ("3.12.3", [], "", "2.21.0"),
        ("3.9.1", [], "", "2.20.0"),
        ("3.8.10", [], "", "2.13.0"),
        ("3.12.3", ["5.2"], "", "2.16.1"),
        ("3.12.3", ["8.6", "5.2"], "", "2.16.1"),
        ("3.11.2", ["3.7"], "", "2.14.0"),
        ("3.11.2", ["8.6"], "470.256.02", "2.14.0"),
        ("3.12.3", ["12.0"], "580.65.06", "2.21.0"),
        ("3.6.9", ["6.1"], "418.87", "2.3.0"),
        ("3.15.0", [], "", None),
        ("3.12.3", ["3.0"], "", None),
        ("2.7.18", [], "", "2.1.0"),
    ],
)
def test_newest_fit(python, capabilities, driver, release):
    build = fit.newest_fit(python, capabilities, driver)
    assert (build and build.tensorflow) == release


@pytest.mark.parametrize(
    ("cuda", "library", "number"),
    [
        ("8.0.61", "libcudart", "8.0"),
        ("9.0", "libcublas", "9.0"),
        ("10.0", "libcusolver", "10.0"),
        ("10.1", "libcudart", "10.1"),
        ("10.1", "libcublas", "10"),
        ("11.0", "libcusolver", "10"),
        ("11.2", "libcusolver", "11"),
        ("11.8", "libcudart", "11.0"),
        ("11.8", "libcufft", "10"),
        ("12.5.1", "libcudart", "12"),
        ("12.5.1", "libcusolver", "11"),
        ("13.0", "libcusparse", "12"),
    ],
)
def test_numbers_in_the_names_of_libraries(cuda, library, number):
    assert fit.library_numbers(cuda)[library] == number


@pytest.mark.parametrize(
    ("found", "built_with", "fits"),
    [
        ("9.1", "9.0", False),
        ("10.2", "10.1", False),
        ("11.2", "11.0", False),
        ("11.8", "11.2", True),
        ("12.2.140", "12.5.1", True),
        ("13.0", "12.5", False),
        ("", "12.5", False),
    ],
)
def test_cuda_fits_where_its_libraries_have_the_names_that_are_asked_for(
    found, built_with, fits
):
    assert fit.cuda_fits(found, built_with) == fits


@pytest.mark.parametrize(
    "name",
    [
        "tensorflow_builds",
        "cuda_drivers",
        "capabilities",
        "wheel_architectures",
        "card_names",
        "source_paths",
    ],
)
def test_every_row_has_a_source(name):
    rows = fit.table(name)
    assert rows and all(row["source"] for row in rows)


def test_tables_hang_together():
    newest_first = [fit.parse_version(build.tensorflow) for build in fit.builds()]
    assert newest_first == sorted(newest_first, reverse=True)
    for build in fit.builds():
        assert fit.driver_need(build.cuda), build
        assert build.takes_python(build.python.rpartition("-")[2])
    for row in fit.table("card_names"):
        assert fit.cuda_range(row["capability"]), row
    for row in fit.table("cuda_drivers"):
        assert fit.parse_version(row["floor"]) <= fit.parse_version(row["driver"])
