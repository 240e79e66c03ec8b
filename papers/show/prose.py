"""Sentences made from data, as a notebook's text and not in the type of a terminal."""

import re

from IPython.display import Markdown, display


class Prose(Markdown):
    """Markdown that says itself where no Markdown is drawn."""

    def __repr__(self) -> str:
        return str(self.data)


def say(*paragraphs: str) -> None:
    """Display paragraphs of Markdown."""
    display(Prose("\n\n".join(paragraphs)))


def with_items(text: str) -> str:
    """Lines of a terminal as Markdown: a line that two spaces indent becomes an item of a list."""
    lines = [re.sub(r"^  (?=\S)", "- ", line) for line in text.splitlines()]
    parted = "\n".join(line if line.startswith(("-", " ")) else f"\n{line}" for line in lines)
    return parted.strip()
