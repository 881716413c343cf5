"""Numbers as they are written down: `plum forty two` -> `plum 42`."""

from __future__ import annotations

_TEENS = {
    word: value
    for value, word in enumerate(
        (
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ),
        start=10,
    )
}
_TENS = {
    word: value * 10
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_DIGITS = {
    word: value
    for value, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), start=1)
}


def with_figures(text: str) -> str:
    """Write the numbers from ten to ninety-nine in figures; smaller ones stay words, as in running text."""
    written: list[str] = []
    words = text.split()
    position = 0
    while position < len(words):
        word, following = words[position], words[position + 1 : position + 2]
        if word in _TENS and following and following[0] in _DIGITS:
            written.append(str(_TENS[word] + _DIGITS[following[0]]))
            position += 2
            continue
        value = _TENS.get(word, _TEENS.get(word))
        written.append(word if value is None else str(value))
        position += 1
    return " ".join(written)
