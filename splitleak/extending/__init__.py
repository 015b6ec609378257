"""New rows for a frozen split; old rows never move."""

from splitleak.extending.adding import extend

__all__ = ["extend"]
