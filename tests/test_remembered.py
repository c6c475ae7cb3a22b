"""What is kept at hand."""

from collections.abc import Mapping, Sequence

from rag.remembered import Recent


def test_what_is_asked_for_again_is_loaded_once_and_what_is_not_is_forgotten() -> None:
    """Passages that one question after another needs are read once, and memory stays bounded whatever is asked."""
    loaded: list[list[int]] = []

    def load(numbers: Sequence[int]) -> Mapping[int, str]:
        loaded.append(list(numbers))
        return {number: str(number) for number in numbers if number >= 0}

    recent: Recent[str] = Recent(3)
    assert recent.of([2, 1, -1], load) == ["2", "1"]
    for number in range(3, 30):
        assert recent.of([1, number], load) == ["1", str(number)]
    assert loaded == [[2, 1, -1], *([number] for number in range(3, 30))]
    recent.of([2], load)
    assert loaded[-1] == [2]
    assert recent.of([7, 7, 2, 7], load) == ["7", "7", "2", "7"]
