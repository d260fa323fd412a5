from .memory import SEED
def test_x() -> None:
    assert SEED == 1
