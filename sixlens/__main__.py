"""`python -m sixlens` is the command `sixlens`."""

from __future__ import annotations

from sixlens.cli import main

if __name__ == "__main__":
    main()
