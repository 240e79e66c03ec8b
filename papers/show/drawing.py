"""Figures as a notebook's output, with an alternative text for those who cannot see them."""

import base64
import io
from html import escape

from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure


class Drawing:
    """A figure's picture and its alternative text, as HTML.

    JupyterLab draws a plain PNG output without an alternative text, so the picture stands in HTML,
    which it also shows in a notebook that is not trusted. The figure is closed. One that is
    ``folded`` stands behind a line that opens it.
    """

    def __init__(self, figure: Figure, alt: str, folded: bool = False) -> None:
        self.alt, self.folded = alt, folded
        buffer = io.BytesIO()
        # A layout keeps everything within the figure; where there is none, titles may stand out.
        tight = "tight" if figure.get_layout_engine() is None else None
        figure.savefig(buffer, format="png", metadata={"Software": None}, bbox_inches=tight)
        plt.close(figure)
        self.png = buffer.getvalue()

    def _repr_html_(self) -> str:
        content = base64.b64encode(self.png).decode()
        image = f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{content}">'
        if not self.folded:
            return image
        return f"<details><summary>{escape(self.alt)}</summary>{image}</details>"

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"


def show_figure(figure: Figure, alt: str, folded: bool = False) -> None:
    """Display a figure; ``alt`` says what is seen in it."""
    display(Drawing(figure, alt, folded))
