"""Giant components: remove as few rows as possible until whole components can be packed into the sizes asked for."""

from splitleak.separation.rows import separate_rows
from splitleak.separation.separate import Separation, separate

__all__ = ["Separation", "separate", "separate_rows"]
