# Everything CI does, by verb. `just` alone lists them.

_default:
    @just --list

# the tests
test *args:
    uv run pytest {{ args }}

# style and formatting
lint:
    uv run ruff check .
    uv run ruff format --check .

# the type checker
types:
    uv run mypy

# what CI runs
check: test lint types

# rewrite to the house style
format:
    uv run ruff check --fix .
    uv run ruff format .

# verify the simulator in all dialects
verify *args:
    uv run chatproof verify {{ args }}

# the measurements, each as a table
bench:
    uv run python -m bench.start
    uv run python -m bench.serve
    uv run python -m bench.reader
    uv run python -m bench.verify
    uv run python -m bench.judge
    uv run python -m bench.load
