"""Strict transport security (IRCv3 "Strict Transport Security"): which hosts are to be talked to by TLS only.

Times are seconds since the epoch, of a clock that goes on while the program does not run, and come as arguments.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["STSPolicies"]

_END_OF_TIME = 1e12


def _values(value: str) -> dict[str, str]:
    return {name: text for name, _, text in (item.partition("=") for item in value.split(","))}


def _number(text: str | None, most: int) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return min(int(text), most)


class STSPolicies:
    """The policies of the hosts that have one.

    :param saved: what `asDict` gave, maybe in an earlier run. What makes no sense in it is left out.
    """

    #: No policy holds longer than this, in seconds: a mistake must not last for ever.
    MAX_DURATION = 366 * 86400
    #: How many hosts are remembered; the one that would expire first makes room.
    MAX_POLICIES = 1000

    def __init__(self, saved: dict[str, Any] | None = None) -> None:
        self._policies: dict[str, dict[str, float]] = {}
        for host, policy in (saved or {}).items():
            try:
                port, duration, expires = (policy[name] for name in ("port", "duration", "expires"))
            except (TypeError, KeyError):
                continue
            if any(type(number) not in (int, float) for number in (port, duration, expires)):
                continue
            if 0 < port < 65536 and 0 <= duration <= self.MAX_DURATION and 0 <= expires < _END_OF_TIME:
                self._policies[_key(host)] = {"port": int(port), "duration": duration, "expires": expires}

    def asDict(self) -> dict[str, Any]:
        """All policies, of dictionaries, strings and numbers (as for `json.dump`)."""
        return {host: dict(policy) for host, policy in self._policies.items()}

    def portFor(self, host: str, now: float) -> int | None:
        """The port to which to connect by TLS, with the certificate verified; None when `host` has no policy."""
        policy = self._policies.get(_key(host))
        if policy is None:
            return None
        if policy["expires"] <= now:
            del self._policies[_key(host)]
            return None
        return int(policy["port"])

    def advertised(self, host: str, value: str, now: float, securePort: int | None) -> int | None:
        """`host` has the capability ``sts`` with `value`.

        :param securePort: the port of the connection when it is by TLS, else None.
        :return: the port to go to at once, by TLS, dropping this connection; None to stay.
        """
        values = _values(value)
        if securePort is None:
            # How long is said on secure connections alone, where nobody else can say it.
            port = _number(values.get("port"), 1 << 30)
            return port if port and port < 65536 else None
        duration = _number(values.get("duration"), self.MAX_DURATION)
        if duration == 0:
            self._policies.pop(_key(host), None)
        elif duration is not None:
            self._policies.pop(_key(host), None)
            if len(self._policies) >= self.MAX_POLICIES:
                del self._policies[min(self._policies, key=lambda name: self._policies[name]["expires"])]
            self._policies[_key(host)] = {"port": securePort, "duration": duration, "expires": now + duration}
        return None

    def disconnected(self, host: str, now: float) -> None:
        """A secure connection to `host` ended: its policy holds from now on as long as it said."""
        policy = self._policies.get(_key(host))
        if policy is not None and policy["expires"] > now:
            policy["expires"] = now + policy["duration"]


def _key(host: str) -> str:
    return host.lower().rstrip(".")
