"""How much memory a network needs for a picture, how much is free, and the tile that fits.

The need is not looked up but counted: a pass on PyTorch's meta device, where tensors have sizes and
no values, shows how many bytes live at once. So it holds for every network, and for attention whose
need grows with the square of the picture.
"""

import copy
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from srlib.evaluation import tiles
from srlib.evaluation.inference import forward, unwrapped

# What a process takes is more than its tensors: scratch of convolutions, holes between tensors of
# a few megabytes. Measured of 12 networks at LR 256x256 and 640x640: at most 1.5 times the count
# and 150 MB (tests/srlib/test_memory.py).
SCRATCH, FIXED = 1.5, 150 * 10**6
OVERLAP = 32  # LR pixels that a tile sees beyond its own part; less is seen as seams
TILES = (2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32)
OF_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "out of memory")


def counted_bytes(network: nn.Module, height: int, width: int, tile: int = 0) -> int:
    """Bytes that live at once while an LR picture of this size is enlarged.

    Args:
        network: as ``forward`` takes it; it is copied to the meta device and stays as it was.
        height, width: of the LR image in pixels.
        tile: as in ``forward``.

    Returns:
        The count of tensors, without the weights, and of the picture's pixels; 0 for a network
        that cannot run on the meta device.
    """
    # a compiled network is counted as the network in PyTorch that it came of
    there = copy.deepcopy(unwrapped(network)).to("meta").eval()
    overlap = tiles.OVERLAP if tiles.can_be_exact(there) else OVERLAP
    side = tile + 2 * overlap if tile else max(height, width)
    seen = torch.empty(1, 3, min(height, side), min(width, side), device="meta")
    counter = _LiveBytes()
    try:
        with counter:
            forward(there, seen)
    except Exception:  # it asks for values, which the meta device has not
        return 0
    values = 3 * height * width * int(network.scale) ** 2  # type: ignore[arg-type]
    if tile:
        return counter.peak + 2 * values  # the pixels are in 16 bits at most
    return max(counter.peak, (4 + 4) * values)  # the result in float32, and clipped


def needed_bytes(network: nn.Module, height: int, width: int, tile: int = 0) -> int:
    """Bytes to have free for it: the count, and what a process takes beside it."""
    return int(SCRATCH * counted_bytes(network, height, width, tile)) + FIXED


def fitting_tile(network: nn.Module, height: int, width: int, device: str = "cpu") -> int:
    """The largest tile for which the free memory is enough; 0 where the whole picture fits.

    Raises:
        ValueError: not even the smallest tile fits; says how much is needed and how much is free.
    """
    free = free_bytes(device)
    for tile in (0, *smaller_tiles(max(height, width))):
        needed = needed_bytes(network, height, width, tile)
        if needed <= free:
            return tile
    raise ValueError(
        f"{width}x{height} pixels need about {_size(needed)} even in small tiles, and "
        f"{_size(free)} are free; enlarge a part of the picture, or free memory"
    )


def smaller_tiles(side: int) -> tuple[int, ...]:
    """The tiles to try after one of this side, the largest first."""
    return tuple(tile for tile in TILES if tile < side)


def check_fits(network: nn.Module, height: int, width: int, tile: int, device: str) -> None:
    """Refuse a tile that was asked for where it cannot fit, before any work.

    Raises:
        ValueError: the tensors alone are larger than the free memory.
    """
    needed, free = counted_bytes(network, height, width, tile), free_bytes(device)
    if needed > free:
        raise ValueError(
            f"--tile {tile}: {width}x{height} pixels need {_size(needed)}, and {_size(free)} are "
            "free; take --tile auto"
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that there was no more memory, in whatever allocator's words."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in OF_MEMORY)
    )


def free_bytes(device: str = "cpu") -> int:
    """What a device can still give: the least of what machine, container and limits leave."""
    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(0, min(psutil.virtual_memory().available, *_left_by_cgroups(), *_left_by_rlimit()))


def _left_by_cgroups(root: Path = Path("/sys/fs/cgroup"), own: Path | None = None) -> list[int]:
    """What each control group of this process leaves: containers and batch systems set them."""
    left = []
    try:
        lines = (own or Path("/proc/self/cgroup")).read_text().splitlines()
    except OSError:  # no Linux
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2
            base, most, used, cache = root, "memory.max", "memory.current", "inactive_file"
        elif controllers == "memory":
            base, most = root / "memory", "memory.limit_in_bytes"
            used, cache = "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        place = base / path.strip("/")
        while place.is_relative_to(base):
            left += _left_by(place, most, used, cache)
            place = place.parent
    return left


def _left_by(group: Path, most: str, used: str, cache: str) -> list[int]:
    try:
        limit = int((group / most).read_text())
        taken = int((group / used).read_text())
        rows = (line.split() for line in (group / "memory.stat").read_text().splitlines())
        freed = next((int(value) for name, value in rows if name == cache), 0)
    except (OSError, ValueError):  # no such group from inside a container, or "max"
        return []
    return [limit - taken + freed]


def _left_by_rlimit() -> list[int]:
    if sys.platform == "win32":
        return []
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return [] if limit == resource.RLIM_INFINITY else [limit - psutil.Process().memory_info().vms]


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


class _LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that operations make, as long as they live."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, Tensor):
                self._add(each)
        return result

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        if key in self._known:  # a view, or changed in place
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size
