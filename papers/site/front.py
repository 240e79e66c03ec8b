"""The front page: the answer in three sentences, a picture, the scores at a glance, where to go."""

from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt

from papers.claims import FAILS, HOLDS, NOT_HERE
from papers.printed import cells
from papers.show import figures, markdown, paper_tables
from papers.show.tables import gains
from srlib.paths import ROOT

LONGEST, NETWORK, SET, SCALE = "aidn-wide", "aidn-aidb", "Set5", 4
PICTURE = "barbara"
# Sections of the sidebar: caption -> first digit of their notebooks.
SECTIONS = {"General": "0", "Networks": "1", "AIDN": "2", "RFDN": "3", "RDSRN": "4", "FDIWN": "5"}
SECTIONS |= {"Across the papers": "6", "After AIDN": "7"}
OWN = """
try
look
images
ledger
facts
papers/index
networks/index
runs/index
words
api
"""


def front_page(folder: Path, claims: pd.DataFrame, root: Path = ROOT) -> str:
    """Draw the picture into ``folder`` and return the page.

    Args:
        folder: of the figures.
        claims: from ``papers.ledger.ledger``.
        root: where ``results/`` is.
    """
    drawn = figures.crops("benchmarks", PICTURE, root=root, methods=figures.GLANCE)
    drawn.savefig(folder / "front.png")
    plt.close(drawn)
    names = ", ".join(figures.LABELS[method] for method in figures.GLANCE)
    sets = markdown.SETS[1:]  # the first is of the quick run alone
    trees = [
        f"```{{toctree}}\n:caption: {caption}\n:hidden:\n:glob:\n\nnotebooks/{first}*\n```"
        for caption, first in SECTIONS.items()
    ]
    return "\n\n".join(
        [
            "# srlib",
            "Every table and figure of four papers on lightweight single-image super-resolution "
            "(AIDN, RFDN, RDSRN and FDIWN), published beside measured. Every number leads to the "
            "run that made it, and every run to the line that makes it again.",
            " ".join([paper_tables.tallied(paper_tables.tally()), judged(claims), trained(root)]),
            "[Try your own picture](try.md), [slide two reconstructions](look.md), [browse the "
            "images](images.md), [ask which claims hold](ledger.md), or [find why your PSNR is "
            "different](notebooks/05_why_is_my_psnr_different.ipynb).",
            f"![A part of {PICTURE} as drawn by {names}](figures/front.png)",
            "## Results",
            _wide(markdown.markdown(root, markdown.GLANCE, sets)),
            "<details><summary>every network and every training</summary>\n\n"
            f"{_wide(markdown.markdown(root))}\n\n</details>",
            f"```{{toctree}}\n:caption: To browse\n:hidden:\n{OWN}```",
            *trees,
        ]
    )


def judged(claims: pd.DataFrame) -> str:
    """How many of the papers' own claims hold and fail: a sentence."""
    own = claims.loc[claims["asked_by"] == "paper", "verdict"]
    hold, fail, not_here = (int((own == verdict).sum()) for verdict in (HOLDS, FAILS, NOT_HERE))
    printed_alone = f"{_counted(not_here, 'holds', 'hold')} as printed and not here, "
    return (
        f"Of {_counted(len(own), 'claim', 'claims')} that the papers make, "
        f"{_counted(hold, 'holds', 'hold')}, {_counted(fail, 'fails', 'fail')}, "
        f"{printed_alone if not_here else ''}and "
        f"{_counted(len(own) - hold - fail - not_here, 'is', 'are')} not decided."
    )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number or 'none'} {one if number == 1 else many}"


def trained(root: Path = ROOT) -> str:
    """How near the network that was trained here for the longest has come to print: a sentence."""
    scores = gains(LONGEST, root).set_index(["method", "scale", "set"])["psnr_y"]
    ours = float(scores[NETWORK, SCALE, SET])
    printed = cells("psnr_y").set_index(["network", "scale", "column"])["value"]
    theirs = float(printed[NETWORK, SCALE, SET])
    way = "below" if ours < theirs else "above"
    return (
        f"What was trained here for the longest, AIDN's block {figures.LABELS[NETWORK]}, is "
        f"{abs(theirs - ours):.2f} dB {way} its printed {theirs:.2f} dB on {SET} at ×{SCALE}."
    )


def _wide(table: str) -> str:
    return f'<div class="srlib-wide">\n\n{table}\n\n</div>'
