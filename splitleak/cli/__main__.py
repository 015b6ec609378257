"""``python -m splitleak.cli``."""

from splitleak.cli import main

if __name__ == "__main__":
    main()
