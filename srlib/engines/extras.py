"""Packages that only some users need: the extras of ``pyproject.toml``."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any


class MissingExtra(ValueError):
    """A package is not installed; the message names the extra that brings it."""


def need(package: str, extra: str, what: str) -> Any:
    """The package as a module.

    Args:
        package: as it is imported.
        extra: the extra of srlib that installs it.
        what: who needs it, the first words of the message, such as "--engine openvino".

    Raises:
        MissingExtra: it is not installed.
    """
    if not installed(package):
        raise MissingExtra(f'{what} needs {package}: pip install "srlib[{extra}]"')
    return import_module(package)


def installed(package: str) -> bool:
    """Whether it could be imported; it is not imported, as that may take seconds."""
    return find_spec(package) is not None
