"""Where a run computes: one CPU or GPU, or all that ``torchrun`` starts it on."""

import os

import torch
import torch.distributed as dist

from srlib.config import Train


class Devices:
    """Set the device and, under torchrun, the process group up; take it down again."""

    def __init__(self, recipe: Train) -> None:
        self.recipe = recipe

    def __enter__(self) -> tuple[torch.device, int, int]:
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if self.recipe.batch % world:
            raise ValueError(f"train.batch: {self.recipe.batch} is not a multiple of {world} ranks")
        torch.set_num_threads(self.recipe.threads)
        device = torch.device("cpu")
        if self.recipe.device == "cuda":
            if not torch.cuda.is_available():
                raise ValueError(
                    "train.device: cuda, but PyTorch sees no GPU; set it to cpu, or install a "
                    "CUDA build of torch (README, section Hardware)"
                )
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
            torch.backends.cudnn.benchmark = True
        if "RANK" in os.environ:
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return device, rank, world

    def __exit__(self, *_: object) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()
