"""The parts of the site's pages; ``tests/browser`` has the pages that are made of them."""

import re
from html import escape
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.printed import list_papers
from papers.show import gallery, markdown, paper_tables
from papers.site import build, claims, front, images, literature
from papers.site import html as parts
from srlib.networks import NETWORKS

RUN = "ded86ad1c7"
plain = st.text(st.characters(codec="ascii", exclude_characters="<>"), max_size=30)


class Seen(HTMLParser):
    """The links, ids and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += filter(None, [found.get("href")])
        self.ids += filter(None, [found.get("id")])

    def handle_data(self, data: str) -> None:
        self.words += data


@given(before=plain, after=plain)
def test_a_runs_id_in_text_is_linked_and_the_words_stay(before: str, after: str) -> None:
    text = f"<p>{before} {RUN} {after}</p>"
    found = Seen(parts.runs_linked(text, {RUN}, "../"))
    assert found.links == [f"../runs/{RUN}.html"]
    assert found.words == Seen(text).words


@pytest.mark.parametrize(
    "text",
    [
        f'<a href="x">{RUN}</a>',
        f'<img alt="{RUN}">',
        f"<script>const a = '{RUN}';</script>",
        f"<title>Run {RUN}</title>",
        "<p>0123456789</p>",
        f"<p>{RUN}ab</p>",
    ],
)
def test_what_is_no_text_or_no_run_stays_as_it_is(text: str) -> None:
    assert parts.runs_linked(text, {RUN}, "") == text


def test_linking_twice_changes_nothing_more() -> None:
    once = parts.runs_linked(f"<td>{RUN} {RUN}</td>", {RUN}, "")
    assert parts.runs_linked(once, {RUN}, "") == once


@given(plain)
def test_a_measured_number_leads_to_the_first_of_its_runs(number: str) -> None:
    title = f"run {RUN} ffffffffff"
    text = paper_tables.RUN.format(escape(number), by=title)
    found = Seen(parts.numbers_linked(text, {RUN}, "../"))
    assert (found.links, found.words) == ([f"../runs/{RUN}.html"], Seen(text).words)


@pytest.mark.parametrize("by", ["counted by srlib.complexity", "run ffffffffff"])
def test_a_number_without_a_page_of_its_run_stays_as_it_is(by: str) -> None:
    text = paper_tables.RUN.format("32.12", by=by)
    assert parts.numbers_linked(text, {RUN}, "") == text


# a page's own line ends are all that a reader of HTML may change
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=30))
def test_a_table_shows_what_it_was_given(text: str) -> None:
    cells = [{"a": parts.link(text, "x"), "b": 1.5}]
    found = Seen(parts.table(cells, {"a": text, "b": "b"}, text))
    assert found.words.count(text) >= 2


def test_a_column_of_sentences_is_marked_by_what_is_seen_of_it() -> None:
    folded = f"few<details>{'words ' * 20}</details>"
    row = {"a": "words " * 20, "b": folded, "c": f'<a href="{"x" * 90}">few</a>'}
    assert parts.table([row], {key: key for key in row}, "n").count('class="prose"') == 1


@pytest.mark.parametrize(("number", "said"), [(0, "none hold"), (1, "1 holds"), (2, "2 hold")])
def test_the_front_page_counts_claims_in_english(number: int, said: str) -> None:
    verdicts = ["holds"] * number + ["fails"]
    told = front.judged(pd.DataFrame({"asked_by": "paper", "verdict": verdicts}))
    assert f"make, {said}, 1 fails, and none are not decided." in told


def test_the_front_pages_table_is_rows_of_the_whole_one() -> None:
    glance = markdown.markdown(only=markdown.GLANCE).splitlines()
    whole = markdown.markdown().splitlines()
    assert len(glance) == 2 + 8 and set(glance) <= set(whole)


@pytest.mark.parametrize(
    ("paper", "source", "named"),
    [
        ("aidn", "Abstract; Sections 4.3, 5; Table 3", ["3"]),
        ("aidn", "Section 4.3, Table 1; poster", ["1", "poster"]),
        ("aidn", "Sections 1, 3.2", []),
        ("rdsrn", "Tables I and II", ["I", "II"]),
        ("rdsrn", "Section II", []),
        ("fdiwn", "Table", ["poster"]),
    ],
)
def test_a_claims_source_leads_to_its_tables(paper: str, source: str, named: list[str]) -> None:
    assert claims.tables_named(paper, source) == named


def test_a_paper_is_cited_by_its_own_title() -> None:
    for paper in list_papers():
        bib = (literature.FOLDER / paper / "cite.bib").read_text()
        assert literature.load_paper(paper).paper["title"] in bib


def test_every_network_of_the_registry_has_its_page() -> None:
    assert {literature._home(name) for name in NETWORKS} == set(gallery.PAGES)


def test_the_browser_of_images_has_every_image_once() -> None:
    page = images.images_page()
    assert page.count("<tr>") - 1 == 5 + 14 + 100 + 100
    assert "look.html#image=Set14-barbara" in page


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[words](00_start_here.ipynb#Words)", "[words](../words.md)"),
        ("[page](../results/figures/a.html)", "[page](../figures/a.html)"),
        ("[claims](../papers/claims.py)", "claims (`../papers/claims.py`)".replace("../", "")),
        ("[papers/claims.py](../papers/claims.py)", "`papers/claims.py`"),
        ("[next](01_aidn.ipynb)", "[next](01_aidn.ipynb)"),
    ],
)
def test_a_notebooks_links_lead_to_where_they_do_on_the_site(source: str, expected: str) -> None:
    for pattern, instead in build.MOVED:
        source = re.sub(pattern, instead, source)
    assert source == expected
