# Every target sets up what it needs: `make demo` works in a fresh clone.
PYTHON ?= python3
BIN_NAME := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := .venv/$(BIN_NAME)
INSTALLED := .venv/installed
PACKAGES := char_rnn genetic gpu_setup inception_mnist remote_notebook reproduce runkit \
  style_transfer

.DEFAULT_GOAL := help
.PHONY: help install demo demo-gpu demo-genetic demo-rnn demo-inception demo-style
.PHONY: train-rnn train-rnn-2 train-inception train-inception-2 gpu-report
.PHONY: reproduce reproduce-full notebooks check-notebooks docs
.PHONY: test test-light test-oldest lint package check-wheel constraints clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED)  ## Make .venv and install the project into it

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,test]'
	touch $@

demo: demo-gpu demo-genetic demo-rnn demo-inception demo-style  ## Run every topic on embedded data
	@echo 'Look at:' && ls out/genetic/*.png out/char_rnn/demo/*.png \
	  out/inception_mnist/demo/*.png out/inception_mnist/operations/*.png \
	  out/style_transfer/*.png \
	  out/style_transfer/overview.jpg out/style_transfer/progress.gif

demo-genetic: $(INSTALLED)  ## Choose an airline's flights, and check the choice
	$(BIN)/python -m genetic.main --exact

demo-rnn: $(INSTALLED)  ## Teach a small network to write like Austen and Melville
	$(BIN)/python -m char_rnn.main --corpus=embedded --recipe=modern --steps=6000 \
	  --out_dir=out/char_rnn/demo
	$(BIN)/python -m char_rnn.sample --checkpoint=out/char_rnn/demo --prime='the ' \
	  --temperature=0.7

train-rnn: $(INSTALLED)  ## Train on text8, or on the embedded text without a network
	$(BIN)/python -m char_rnn.main --recipe=modern

PORT ?= 47100
PORT_2 ?= 47101
train-rnn-2: $(INSTALLED)  ## The same by two processes of this machine, over loopback
	@workers='["127.0.0.1:$(PORT)", "127.0.0.1:$(PORT_2)"]'; \
	train() { \
	  TF_CONFIG="{\"cluster\": {\"worker\": $$workers}, \"task\": {\"type\": \"worker\", \
	    \"index\": $$1}}" exec $(BIN)/python -m char_rnn.main --recipe=modern \
	    --distribute=multiworker --out_dir=out/char_rnn/two; \
	}; \
	train 1 & second=$$!; \
	trap "kill $$second 2> /dev/null" EXIT INT TERM; \
	(train 0) && wait $$second

demo-inception: $(INSTALLED)  ## Count the modules' arithmetic, then teach them digits
	$(BIN)/python -m inception_mnist.operations
	$(BIN)/python -m inception_mnist.main --recipe=modern --dataset=digits \
	  --steps=600 --out_dir=out/inception_mnist/demo

train-inception: $(INSTALLED)  ## Train on MNIST if it is at hand, else on the demo's digits
	$(BIN)/python -m inception_mnist.main --recipe=modern

train-inception-2: $(INSTALLED)  ## The same by two processes of this machine, over loopback
	@workers='["127.0.0.1:$(PORT)", "127.0.0.1:$(PORT_2)"]'; \
	train() { \
	  TF_CONFIG="{\"cluster\": {\"worker\": $$workers}, \"task\": {\"type\": \"worker\", \
	    \"index\": $$1}}" exec $(BIN)/python -m inception_mnist.main --recipe=modern \
	    --distribute=multiworker --threads=1 --out_dir=out/inception_mnist/two; \
	}; \
	train 1 & second=$$!; \
	trap "kill $$second 2> /dev/null" EXIT INT TERM; \
	(train 0) && wait $$second

demo-style: $(INSTALLED)  ## Paint the embedded photograph in the embedded style
	$(BIN)/python -m style_transfer.main --size=512

demo-gpu: $(INSTALLED)  ## Look at this machine, step by step; a CPU will do
	$(BIN)/python -m gpu_setup.check --expect=cpu

gpu-report: $(INSTALLED)  ## Write a redacted report of this machine, in every format
	$(BIN)/python -m gpu_setup.check --expect=cpu --redact \
	  --format=text,markdown,json,html --out_dir=out/gpu_setup > /dev/null
	@echo 'Look at:' && ls out/gpu_setup/report.*

reproduce: $(INSTALLED)  ## Check what the posts claim, in minutes, offline
	$(BIN)/python -m reproduce.main $(REPRODUCE)

reproduce-full: $(INSTALLED)  ## The same at the posts' own lengths: hours
	$(BIN)/python -m reproduce.main --length=full $(REPRODUCE)

notebooks: $(INSTALLED)  ## Open the six lessons in Jupyter
	$(BIN)/jupyter notebook notebooks

check-notebooks: $(INSTALLED)  ## Run the six lessons; it fails if one of them does
	$(BIN)/python -m pytest tests/test_notebooks.py

docs: $(INSTALLED)  ## Build pages of all functions into out/docs
	$(BIN)/python docs/build.py out/docs

ON_CORES := --numprocesses=auto --maxprocesses=4 --dist=loadfile
test: $(INSTALLED)  ## Run the tests, on up to four cores
	$(BIN)/python -m pytest $(ON_CORES)

LIGHT := .venv-light/$(BIN_NAME)/python
# Windows has neither sshd nor pseudo-terminals.
LIGHT_TESTS := runkit genetic gpu_setup test_entry_points.py \
  $(if $(filter Windows_NT,$(OS)),,remote_notebook)
test-light:  ## Run the quick tests of what needs no TensorFlow, where there is none
	$(PYTHON) -m venv --clear .venv-light
	$(LIGHT) -m pip install --quiet --constraint constraints.txt --editable '.[notebook]' pytest
	$(LIGHT) -m pytest -m 'not slow' $(addprefix tests/,$(LIGHT_TESTS))

OLDEST := .venv-oldest/$(BIN_NAME)/python
test-oldest: $(INSTALLED)  ## Run the tests with the lowest versions that setup.cfg allows
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python 3.10 .venv-oldest
	$(BIN)/uv pip install --quiet --python $(OLDEST) --resolution lowest-direct \
	  --editable '.[all,test]'
	$(OLDEST) -m pytest $(ON_CORES) $(OLDEST_TESTS)

lint: $(INSTALLED)  ## Check style, formatting and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES)

package: $(INSTALLED)  ## Build the wheel and the source distribution, and check them
	rm -rf dist && $(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*

check-wheel: package  ## Try the wheel with each extra, and say how large they are
	.ci/check_wheel $(PYTHON)

constraints: $(INSTALLED)  ## Choose the newest versions of everything, for all Pythons
	$(BIN)/python -m pip install --quiet uv
	echo '# The versions that were tested together; `make constraints` writes them again.' \
	  > constraints.txt
	echo 'tensorflow==2.21.*' | $(BIN)/uv pip compile --quiet --universal \
	  --python-version 3.10 --no-header --no-annotate --extra all --extra test \
	  setup.cfg - >> constraints.txt

clean:  ## Remove everything that the targets made
	rm -rf .venv* out build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
