"""Search for patterns that begin with one of a few words."""

import bisect
import re
from collections.abc import Callable, Iterable, Iterator


def line_counter(text: str) -> Callable[[int], int]:
    """Return a function from a place in a text to its line, counted from 1.

    Counting from the start at every find would take time that grows with the square of the text.
    """
    ends: list[int] = []

    def line_of(place: int) -> int:
        if not ends:
            ends.extend(found.start() for found in re.finditer("\n", text))
            ends.append(len(text))
        return bisect.bisect_left(ends, place) + 1

    return line_of


def find_at(
    text: str, lowered: str, words: Iterable[str], pattern: re.Pattern[str]
) -> Iterator[re.Match[str]]:
    """Return the matches of a pattern that begins with one of the words, in any case.

    Args:
        text: Where to search.
        lowered: The same in lower case.
        words: Lower-case words; looking for them is many times faster than the pattern alone.
        pattern: Matched where a word stands.

    """
    if len(lowered) != len(text):
        # A letter whose lower case is two letters: places don't agree.
        yield from pattern.finditer(text)
        return
    for word in words:
        start = lowered.find(word)
        while start >= 0:
            found = pattern.match(text, start)
            if found:
                yield found
            # A long match that holds the word again and again would be looked at as often.
            start = lowered.find(word, max(start + 1, found.end() if found else 0))
