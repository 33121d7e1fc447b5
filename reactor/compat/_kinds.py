"""Classes that are there to be asked about: ``isinstance(port, tcp.Port)``, or an annotation.

What Twisted tells apart by class, this house tells apart by what an object is made of: one class of ports, one of
connections over TCP, whoever opened them. So a kind is a question.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Kind(type):
    """The class of the kinds. `isinstance` asks the kind's `holds`."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return bool(cls.holds(instance))

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{cls.__module__}.{cls.__qualname__} is here to be asked about and annotated with; the reactor's "
            "connect and listen methods make what it stands for"
        )

    def holds(cls, instance: Any) -> bool:
        """Whether `instance` is of this kind."""
        raise NotImplementedError(f"{cls!r} does not say what is of its kind")
