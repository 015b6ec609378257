"""``python -m splitleak``: the command line."""

from splitleak.cli import main

if __name__ == "__main__":
    main()
