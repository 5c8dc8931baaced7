"""What a ``with`` block closes."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Something to be closed after use: by ``close()``, or at the end of a ``with`` block."""

    @abstractmethod
    def close(self) -> None:
        """End what it has started; twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
