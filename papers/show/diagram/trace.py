"""Which operation of a module reads which result: a diagram's boxes and arrows.

The module runs once on PyTorch's meta device (shapes, no values) while every function call and
leaf module is noted. Running it, where ``torch.fx`` would trace symbolically, lets ``forward``
branch on shapes and keeps input checks out of the picture.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FUNCTIONS = {  # name of a torch function: kind and label; any other is an operation by its name
    **dict.fromkeys(("add", "radd", "iadd"), ("add", "+")),
    **dict.fromkeys(("mul", "rmul", "imul"), ("multiply", "×")),
    **dict.fromkeys(("cat", "concat"), ("concat", "concat")),
    "relu": ("activation", "ReLU"),
    "leaky_relu": ("activation", "LeakyReLU"),
    **{name: ("activation", name) for name in ("sigmoid", "tanh", "gelu", "silu", "softmax")},
    "pixel_shuffle": ("shuffle", "pixel shuffle"),
}
# These rename or copy a tensor and are no step of the network; "get" reads an attribute.
TRIVIA = {"expand", "expand_as", "contiguous", "clone", "detach", "to", "type_as", "float", "get"}


@dataclass(frozen=True)
class Node:
    """One box. ``params`` counts a shared parameter once, in the first box that uses it."""

    id: int
    kind: str  # a key of ``papers.show.diagram.draw.COLOURS``
    label: str  # lines separated by "\n"
    name: str  # dotted name of the submodule, or the function's name
    params: int
    shape: tuple[int, ...]  # of its first result


@dataclass(frozen=True)
class Diagram:
    """Boxes in execution order, and arrows as pairs of their ids."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]

    def inputs(self, node: int) -> list[int]:
        """Ids of the nodes that ``node`` reads."""
        return [a for a, b in self.edges if b == node]

    def outputs(self, node: int) -> list[int]:
        """Ids of the nodes that read ``node``."""
        return [b for a, b in self.edges if a == node]


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Tensors in nested lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(item)


def _times(size: int | Sequence[int], short: bool = False) -> str:
    """(3, 1) -> "3×1"; a bare number means a square, which ``short`` writes as one number."""
    pair = (size, size) if isinstance(size, int) else tuple(size)
    return str(pair[0]) if short and len(set(pair)) == 1 else "×".join(map(str, pair))


def _module_label(module: Any) -> tuple[str, str]:
    """Kind and label of a leaf module."""
    name = type(module).__name__
    if name.startswith(("Identity", "Dropout")):
        return "trivia", name
    if isinstance(module, nn.modules.conv._ConvNd):
        up = module.transposed
        text = ("transposed " if up else "") + _times(module.kernel_size)
        if module.groups > 1:
            depthwise = module.groups == module.in_channels
            text = f"depthwise {text}" if depthwise else f"{text} in {module.groups} groups"
        if max(module.stride) > 1:
            text += (" ↑" if up else " /") + _times(module.stride, short=True)
        if max(module.dilation) > 1:
            text += f" dilated {_times(module.dilation, short=True)}"
        if module.in_channels != module.out_channels:
            text += f", {module.in_channels}→{module.out_channels}"
        return "conv", text
    if isinstance(module, nn.Linear):
        return "conv", f"linear, {module.in_features}→{module.out_features}"
    if isinstance(module, nn.PixelShuffle):
        return "shuffle", f"pixel shuffle ×{module.upscale_factor}"
    if isinstance(module, nn.LeakyReLU):
        return "activation", f"LeakyReLU {module.negative_slope:g}"
    if type(module).__module__ == "torch.nn.modules.activation" and "Attention" not in name:
        return "activation", name
    if "Pool" in name and hasattr(module, "kernel_size"):
        window = f"{_times(module.kernel_size)} /{_times(module.stride, short=True)}"
        return "operation", f"{name.removesuffix('2d')} {window}"
    return "operation" if type(module).__module__.startswith("torch.nn") else "block", name


def _function_label(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[str, str]:
    """Kind and label of a function's call."""
    kind, label = FUNCTIONS.get(name, ("operation", {"getitem": "slice"}.get(name, name)))
    if name in TRIVIA:
        kind = "trivia"
    if "alpha" in kwargs:  # a + alpha b is no plain sum
        kind = "operation"
    elif kind in ("add", "multiply") and len(list(tensors_in([args, kwargs]))) == 1:
        label += "".join(f"{a:g}" for a in (*args, *kwargs.values()) if isinstance(a, int | float))
    if name == "interpolate":
        label = f"{kwargs.get('mode', 'nearest')} resize"
    if name.startswith("conv") and len(args) > 1:
        up = "transposed " if "transpose" in name else ""
        kind, label = "conv", up + _times(args[1].shape[2:])
    return kind, label


class _Recorder(TorchFunctionMode):
    """Notes every function call and leaf module while a module runs."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.edges: list[tuple[int, int]] = []
        self.maker: dict[int, int] = {}  # id of a tensor: the node that made it
        self.unused: dict[int, list[Tensor]] = {}  # parameters in a tensor made of nothing else
        self.alive: list[Any] = []  # a tensor that died would give its id to another
        self.counted: set[int] = set()
        self.inside = 0  # leaf modules that are running
        for tensor in inputs:
            self.add("input", "input", "input", [], [], tensor)

    def add(
        self, kind: str, label: str, name: str, read: Any, params: list[Tensor], result: Any
    ) -> None:
        sources = [self.maker[id(t)] for t in tensors_in(read) if id(t) in self.maker]
        made = list(tensors_in(result))
        self.alive.append(made)
        for tensor in tensors_in(read):
            own = [tensor] if isinstance(tensor, nn.Parameter) else []
            params = params + own + self.unused.get(id(tensor), [])
        if kind != "input" and not sources:
            self.unused |= {id(t): params for t in made}
        elif kind == "trivia":
            self.maker |= {id(t): sources[0] for t in made}
        elif made or kind == "output":
            new = {id(p): p.numel() for p in params if id(p) not in self.counted}
            self.counted |= new.keys()
            shape = tuple(made[0].shape) if made else ()
            node = Node(len(self.nodes), kind, label, name, sum(new.values()), shape)
            self.nodes.append(node)
            self.edges += [(source, node.id) for source in sources]
            self.maker |= {id(t): node.id for t in made}

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self.inside and any(True for _ in tensors_in(result)):
            name = func.__name__.strip("_")
            kind, label = _function_label(name, args, kwargs or {})
            self.add(kind, label, name, [args, kwargs], [], result)
        return result

    def enter(self, *_: Any) -> None:
        self.inside += 1

    def leave(self, path: str, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        self.inside -= 1
        if not self.inside:
            kind, label = _module_label(module)
            self.add(kind, label, path, [args, kwargs], list(module.parameters()), result)


def example_for(module: nn.Module, size: tuple[int, int]) -> Tensor:
    """An input of ``size`` with the channels that the module's first layer takes."""
    for layer in module.modules():
        for key in ("in_channels", "in_features", "num_features"):
            if isinstance(getattr(layer, key, None), int):
                return torch.empty(1, getattr(layer, key), *size, device="meta")
    return torch.empty(1, 3, *size, device="meta")


def graph_of(
    module: nn.Module,
    example: Tensor | Sequence[Tensor] | None = None,
    leaves: Sequence[type[nn.Module] | str] = (),
) -> Diagram:
    """Trace a module into boxes and arrows.

    Chained additions become one box, an activation joins the convolution that alone feeds it, and
    what does not reach the result is left out.

    Args:
        module: a network or a block; it is copied, and stays as it was.
        example: its input or inputs, of which only the shapes count. Default: (1, C, 64, 64)
            with the channels C of the module's first layer.
        leaves: classes, or dotted names of submodules, to draw as one box each. PyTorch's own
            layers always are.

    Raises:
        ValueError: the module cannot be run on shapes alone, such as one that branches on the
            values of a tensor, or its result does not depend on the input.
    """
    given = example_for(module, (64, 64)) if example is None else example
    inputs = [torch.empty(tuple(t.shape), device="meta", dtype=t.dtype) for t in tensors_in(given)]
    who, shapes = type(module).__name__, ", ".join(str(tuple(t.shape)) for t in inputs)
    traced = copy.deepcopy(module).to("meta").eval()
    recorder = _Recorder(inputs)
    classes = tuple(leaf for leaf in leaves if isinstance(leaf, type))
    for path, part in traced.named_modules():
        plain = type(part).__module__.startswith("torch.nn") and not isinstance(
            part, nn.Sequential | nn.ModuleList | nn.ModuleDict
        )
        if plain or path in leaves or (isinstance(part, classes) and part is not traced):
            part.register_forward_pre_hook(recorder.enter)
            part.register_forward_hook(partial(recorder.leave, path), with_kwargs=True)
    try:
        with torch.no_grad(), torch.device("meta"), recorder:
            result = traced(*inputs)
        recorder.add("output", "output", "output", result, [], [])
    except Exception as error:  # whatever a foreign forward raises
        raise ValueError(
            f"{who} cannot be traced with input of shape {shapes}: {error}. Give an example input, "
            "or name the part that branches on values in leaves"
        ) from error
    if recorder.nodes[-1].kind != "output" or not recorder.edges:
        raise ValueError(f"{who} cannot be traced: its result does not depend on its input")
    return _simplify(Diagram(who, tuple(recorder.nodes), tuple(recorder.edges)))


def _simplify(raw: Diagram) -> Diagram:
    """Prune what is unused, merge chained additions, fold activations, number the rest anew."""
    live = {raw.nodes[-1].id}
    for a, b in reversed(raw.edges):  # execution order: readers come after what they read
        live |= {a} if b in live else set()
    nodes = {node.id: node for node in raw.nodes if node.id in live or node.kind == "input"}
    edges = [(a, b) for a, b in raw.edges if b in live]
    for a in list(nodes):
        first, readers = nodes[a], [edge for edge in edges if edge[0] == a]
        if len(readers) != 1:
            continue
        second = nodes[readers[0][1]]
        if first.label == second.label == "+":  # a + b, then + c: the later box takes all
            keep, label = second, "+"
            at = edges.index(readers[0])
            edges[at : at + 1] = [(x, keep.id) for x, y in edges if y == a]
            edges = [edge for edge in edges if edge[1] != a]
        elif first.kind == "conv" and second.kind == "activation":
            # into the later place, so that numbers still grow along every arrow
            keep, label = replace(first, id=second.id), f"{first.label}\n{second.label}"
            edges.remove(readers[0])
            edges = [(x, keep.id if y == a else y) for x, y in edges]
        else:
            continue
        total = first.params + second.params
        nodes[second.id] = replace(keep, label=label, params=total, shape=second.shape)
        del nodes[a]
    new = {old: i for i, old in enumerate(nodes)}
    return Diagram(
        raw.name,
        tuple(replace(node, id=new[old]) for old, node in nodes.items()),
        tuple((new[a], new[b]) for a, b in edges),
    )
