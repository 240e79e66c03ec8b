"""``python -m srlib COMMAND``, where the command ``srlib`` is not on the path."""

import sys

from srlib.cli import main

if __name__ == "__main__":
    sys.exit(main())
