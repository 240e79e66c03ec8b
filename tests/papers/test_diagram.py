"""Diagrams say what the modules do, and nothing in a drawing overlaps."""

import io
from collections import Counter
from functools import cache
from itertools import pairwise

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from papers.show.diagram.draw import Diagram, draw, graph_of, layer_table, place
from srlib.evaluation.complexity import complexity, parameters
from srlib.networks import create_network, list_networks
from srlib.networks.aidn import AIDB, AIDN, AIEB, BLOCKS, FDC
from srlib.networks.blocks import ESA

matplotlib.use("Agg")

LEAVES = (ESA, AIEB)
EDGE = 1e-3  # inches: positions are rounded


def kinds(diagram: Diagram) -> Counter[str]:
    return Counter(node.kind for node in diagram.nodes)


def labels(diagram: Diagram) -> list[str]:
    return [node.label for node in diagram.nodes]


@cache
def some_diagrams() -> list[tuple[str, Diagram]]:
    """Small and large ones, at each level of detail that a figure could want."""
    return [
        ("AIEB", graph_of(AIEB(50, 25))),
        ("ESA", graph_of(ESA(50, 12))),
        ("AIDN", graph_of(AIDN(), leaves=(AIDB,))),
        ("FDC", graph_of(FDC(50), leaves=LEAVES)),
        ("AIDB", graph_of(AIDB(50), leaves=LEAVES)),
        ("AIDB, whole", graph_of(AIDB(50))),
    ]


def test_aieb_is_the_papers_two_branches() -> None:
    diagram = graph_of(AIEB(50, 25))
    assert labels(diagram) == [
        "input",
        "3×1, 50→25\nLeakyReLU 0.05",
        "1×3",
        "1×3, 50→25\nLeakyReLU 0.05",
        "3×1",
        "+",
        "output",
    ]
    assert diagram.edges == ((0, 1), (1, 2), (0, 3), (3, 4), (2, 5), (4, 5), (5, 6))


def test_aidb_is_the_papers_block() -> None:
    diagram = graph_of(AIDB(50), leaves=LEAVES)
    assert kinds(diagram) == {
        "input": 1,
        "conv": 5,  # three distil, the 3x3, the fusion
        "block": 4,  # three AIEBs, ESA
        "add": 3,
        "activation": 3,  # after the additions; the others are in the convolutions' boxes
        "concat": 1,
        "output": 1,
    }
    assert len(diagram.edges) == 28
    distil = [node for node in diagram.nodes if node.name.startswith("distil")]
    assert [node.label for node in distil] == [
        "1×1, 50→25\nLeakyReLU 0.05",
        "1×1\nLeakyReLU 0.05",
        "1×1\nLeakyReLU 0.05",
    ]
    concat = next(node for node in diagram.nodes if node.kind == "concat")
    read = [diagram.nodes[i].name for i in diagram.inputs(concat.id)]
    assert read == ["distil1", "distil2", "distil3", "refine4"]
    assert concat.shape == (1, 100, 64, 64)
    assert labels(diagram)[-2:] == ["ESA", "output"]


def test_fdc_adds_less_than_aidb() -> None:
    def addends(module: nn.Module) -> list[int]:
        diagram = graph_of(module, leaves=LEAVES)
        return [len(diagram.inputs(n.id)) for n in diagram.nodes if n.kind == "add"]

    assert addends(AIDB(50)) == [2, 4, 5]
    assert addends(FDC(50)) == [2, 3, 3]


def test_network_is_the_papers_figure_2() -> None:
    diagram = graph_of(AIDN(scale=4), leaves=(AIDB,))
    assert labels(diagram) == [
        "input",
        "3×3, 3→50",
        *["AIDB"] * 6,
        "concat",
        "1×1, 300→50\nLeakyReLU 0.1",
        "3×3",
        "+",
        "3×3, 50→48",
        "pixel shuffle ×4",
        "output",
    ]
    assert diagram.inputs(8) == [2, 3, 4, 5, 6, 7]
    assert sorted(diagram.inputs(11)) == [1, 10]  # the head's skip
    assert not any("expand" in node.name or "as_rgb" in node.name for node in diagram.nodes)


def test_esa_labels() -> None:
    found = labels(graph_of(ESA(50, 12)))
    assert {"3×3 /2", "MaxPool 7×7 /3", "bilinear resize", "1×1, 12→50\nsigmoid", "×"} <= {*found}


def test_leaves_by_name() -> None:
    diagram = graph_of(AIDB(50), leaves=("refine1", "attention"))
    assert Counter(labels(diagram))["AIEB"] == 1


@pytest.mark.parametrize("name", list(BLOCKS))
def test_parameters_in_boxes_sum_to_the_block(name: str) -> None:
    block = BLOCKS[name](50)
    for leaves in ((), LEAVES):
        diagram = graph_of(block, leaves=leaves)
        assert sum(node.params for node in diagram.nodes) == parameters(block)


def test_shared_and_loose_parameters_count_once() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=1)
            self.gain = nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(x.shape[1] // 2):  # control flow on a shape
                x = self.conv(x) * self.gain.view(1, -1, 1, 1)
            first, second = x.chunk(2, dim=1)
            x = torch.cat([second, F.relu(first)], dim=1)
            return 1 + x * 0.5

    module = Shared()
    diagram = graph_of(module)
    assert [node.params for node in diagram.nodes if node.params] == [4 * 4 * 9 + 4, 4]
    expected = ["3×3", "×", "3×3", "×", "chunk", "ReLU", "concat", "×0.5", "+1"]
    assert labels(diagram)[1:-1] == expected


def test_trace_leaves_the_module_as_it_was() -> None:
    block = AIDB(50).train()
    graph_of(block)
    assert block.training and block.distil1.weight.device.type == "cpu"
    assert not any(part._forward_hooks for part in block.modules())


def test_untraceable_module_is_named() -> None:
    class Peeking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 2 if bool(x.mean() > 0) else x

    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(1)

    for module in (Peeking(), Constant()):
        with pytest.raises(ValueError, match=f"{type(module).__name__} cannot be traced"):
            graph_of(module)
    with pytest.raises(ValueError, match=r"AIDN cannot be traced .*8x8 pixels"):
        graph_of(AIDN(), example=torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize("direction", ["down", "right"])
def test_nothing_overlaps(direction: str) -> None:
    for name, diagram in some_diagrams():
        layout, sizes = place(diagram, direction, counts=True)
        boxes = [
            (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)
        ]
        for i, a in enumerate(boxes):
            assert a[0] > -EDGE and a[2] < layout.size[0] + EDGE, name
            assert a[3] < EDGE and a[1] > -layout.size[1] - EDGE, name
            for b in boxes[:i]:
                apart = max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])
                assert apart > 0.1, (name, diagram.nodes[i])
        # Arrows leave and enter boxes, and are nowhere inside one: sampled along the way.
        for way, _ in layout.arrows:
            for (x0, y0), (x1, y1) in pairwise(way):
                for t in (0.01, 0.25, 0.5, 0.75, 0.99):
                    x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
                    inside = [
                        a[0] + EDGE < x < a[2] - EDGE and a[1] + EDGE < y < a[3] - EDGE
                        for a in boxes
                    ]
                    assert not any(inside), name


def test_text_is_inside_its_box_and_readable() -> None:
    for name, diagram in some_diagrams():
        ax = draw(diagram, counts=True, title=name)
        ax.figure.canvas.draw()
        boxes = {p.get_gid(): p.get_window_extent() for p in ax.artists + list(ax.patches)}
        frames = [box for gid, box in boxes.items() if gid is not None]
        assert len(frames) == len(diagram.nodes)
        for text in ax.texts:
            words = text.get_window_extent()
            assert float(text.get_fontsize()) >= 7
            inside = [
                box.x0 <= words.x0 and words.x1 <= box.x1 and box.y0 <= words.y0 <= box.y1
                for box in frames
            ]
            assert sum(inside) == 1, (name, text.get_text())
        plt.close("all")


def test_drawing_is_deterministic() -> None:
    def picture() -> bytes:
        ax = draw(graph_of(AIDB(50), leaves=LEAVES), counts=True)
        file = io.BytesIO()
        ax.figure.figure.savefig(file, format="png", dpi=60)
        plt.close("all")
        return file.getvalue()

    assert picture() == picture()


def test_drawing_into_small_axes_enlarges_their_figure() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(2, 2))
    diagram = graph_of(AIEB(50, 25))
    for ax in axes:
        assert draw(diagram, ax) is ax
    layout, _ = place(diagram)
    assert figure.get_size_inches()[0] * axes[0].get_position().width >= layout.size[0]
    plt.close("all")


def test_unknown_direction() -> None:
    with pytest.raises(ValueError, match="direction='up'"):
        draw(graph_of(AIEB(8, 8)), direction="up")


@pytest.mark.parametrize("name", [name for name in list_networks() if name.startswith("aidn")])
def test_layer_table_sums_to_the_network(name: str) -> None:
    network = create_network(name, scale=3)
    table = layer_table(network, (48, 40))
    assert table["parameters"].sum() == parameters(network)
    expected = complexity(network, (48, 40)).conv_macs
    assert table["conv multiply-adds"].sum() == expected
    assert table["name"].tolist()[:2] == ["head", "blocks.0"]
    assert table["output shape"].iloc[-1] == (1, 3, 144, 120)


def test_layer_table_keeps_what_is_outside_children() -> None:
    class Loose(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.kernel = nn.Parameter(torch.zeros(3, 3, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(self.conv(self.conv(x)), self.kernel)

    table = layer_table(Loose(), (4, 4))
    assert table["name"].tolist() == ["conv", "conv", "(elsewhere)"]
    assert table["parameters"].tolist() == [84, 0, 9]
    assert table["conv multiply-adds"].tolist() == [16 * 81, 16 * 81, 16 * 9]
