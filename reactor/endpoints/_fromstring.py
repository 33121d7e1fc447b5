"""From a description to the endpoint: which types there are, and which options each has."""

from __future__ import annotations

from reactor.endpoints._adopted import AdoptedStreamServerEndpoint
from reactor.endpoints._ssl import SSL4ClientEndpoint, SSL4ServerEndpoint, wrapClientTLS
from reactor.endpoints._strings import Description, Options, wrong
from reactor.endpoints._tcp import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def clientFromString(reactor: Any, description: str) -> Any:
    """The client endpoint that `description` describes, see the page on endpoints; nothing is opened yet but the files
    it names.

    :raises ValueError: shows the description, the place that is wrong, and what was expected there.
    """
    return _endpoint("client", _CLIENTS, reactor, description)


def serverFromString(reactor: Any, description: str) -> Any:
    """The server endpoint that `description` describes, see the page on endpoints; nothing is opened yet but the files
    it names.

    :raises ValueError: shows the description, the place that is wrong, and what was expected there.
    """
    return _endpoint("server", _SERVERS, reactor, description)


def _endpoint(side: str, types: Mapping[str, Callable[[Any, Description], Any]], reactor: Any, text: str) -> Any:
    if not isinstance(text, str):
        raise TypeError(f"{side}FromString(): description must be a str, not {text!r}")
    description = Description(text)
    if description.type in types:
        return types[description.type](reactor, description)
    from reactor.endpoints._plugins import fromPlugin

    return fromPlugin(side, reactor, description, types)


# Clients.

_HOST = ("host", "port")
_COMMON = ("timeout", "bindAddress")


def _bindAddress(options: Options) -> tuple[str, int] | None:
    return (options.text("bindAddress"), 0) if options.has("bindAddress") else None


def _tcpClient(reactor: Any, description: Description) -> Any:
    options = Options(description, _HOST, _COMMON, skip=True)
    kind = TCP6ClientEndpoint if description.type == "tcp6" else TCP4ClientEndpoint
    return kind(
        reactor,
        options.required("host"),
        options.port(),
        timeout=options.seconds("timeout", 30),
        bindAddress=_bindAddress(options),
    )


def _sslClient(reactor: Any, description: Description) -> Any:
    names = (*_COMMON, "privateKey", "certKey", "caCertsDir", "hostname")
    options = Options(description, _HOST, names, skip=True)
    host, port, timeout = options.required("host"), options.port(), options.seconds("timeout", 30)
    from reactor.endpoints._tlsoptions import clientOptions

    context = clientOptions(options, options.text("hostname", host), "privateKey", "certKey", "caCertsDir")
    return SSL4ClientEndpoint(reactor, host, port, context, timeout=timeout, bindAddress=_bindAddress(options))


def _tlsClient(reactor: Any, description: Description) -> Any:
    options = Options(description, (*_HOST, *_COMMON), ("certificate", "privateKey", "trustRoots", "endpoint"))
    host, port, timeout = options.required("host"), options.port(), options.seconds("timeout", 30)
    if options.has("endpoint"):
        inner = clientFromString(reactor, options.text("endpoint"))
    else:
        inner = HostnameEndpoint(reactor, host, port, timeout=timeout, bindAddress=_bindAddress(options))
    from reactor.endpoints._tlsoptions import clientOptions

    return wrapClientTLS(clientOptions(options, host, "privateKey", "certificate", "trustRoots"), inner)


def _unixClient(reactor: Any, description: Description) -> Any:
    options = Options(description, ("path",), ("timeout", "lockfile", "checkPID"))
    path, timeout = options.required("path"), options.seconds("timeout", 30)
    checkPID = options.flag("lockfile", False) or options.flag("checkPID", False)
    from reactor.endpoints._unix import UNIXClientEndpoint

    return UNIXClientEndpoint(reactor, path, timeout=timeout, checkPID=checkPID)


# Servers.


def _backlog(options: Options) -> int:
    return options.number("backlog", 50)


_SHARED = ("reusePort",)


def _reusePort(options: Options) -> bool:
    # Said in words, too: unlike the other flags, this one is nobody's inheritance.
    words = {"yes": True, "no": False}
    given = options.text("reusePort")
    return words[given] if given in words else options.flag("reusePort", False)


def _tcpServer(reactor: Any, description: Description) -> Any:
    options = Options(description, ("port", "interface", "backlog"), _SHARED)
    return TCP4ServerEndpoint(
        reactor, options.port(), _backlog(options), options.text("interface"), reusePort=_reusePort(options)
    )


def _tcp6Server(reactor: Any, description: Description) -> Any:
    options = Options(description, ("port", "backlog", "interface"), _SHARED)
    return TCP6ServerEndpoint(
        reactor, options.port(), _backlog(options), options.text("interface", "::"), reusePort=_reusePort(options)
    )


def _sslServer(reactor: Any, description: Description) -> Any:
    options = Options(
        description,
        ("port", "privateKey", "certKey", "sslmethod", "interface", "backlog", "extraCertChain", "dhParameters"),
        _SHARED,
    )
    port, backlog = options.port(), _backlog(options)
    from reactor.endpoints._tlsoptions import serverOptions

    return SSL4ServerEndpoint(
        reactor, port, serverOptions(options), backlog, options.text("interface"), reusePort=_reusePort(options)
    )


def _tlsServer(reactor: Any, description: Description) -> Any:
    options = Options(description, ("path", "port", "backlog", "interface"), _SHARED)
    port, backlog = options.port(443), _backlog(options)
    from reactor.endpoints._tlsoptions import serverFolder

    return SSL4ServerEndpoint(
        reactor, port, serverFolder(options), backlog, options.text("interface", "::"), reusePort=_reusePort(options)
    )


def _unixServer(reactor: Any, description: Description) -> Any:
    options = Options(description, ("address", "mode", "backlog", "lockfile"))
    address, mode, backlog = options.required("address"), options.mode("mode", 0o600), _backlog(options)
    wantPID = options.flag("lockfile", True)
    from reactor.endpoints._unix import UNIXServerEndpoint

    return UNIXServerEndpoint(reactor, address, backlog=backlog, mode=mode, wantPID=wantPID)


def _fdServer(reactor: Any, description: Description) -> Any:
    options = Options(description, ("fileno", "domain"))
    fileno = options.number("fileno")
    return AdoptedStreamServerEndpoint(reactor, fileno, _family(options, "fileno", fileno))


def _systemdServer(reactor: Any, description: Description) -> Any:
    import os

    from reactor.endpoints._systemd import inherited

    options = Options(description, ("domain", "index", "name"))
    if options.has("index") == options.has("name"):
        raise options.wrong("name", "expected either index= or name=, to say which socket")
    try:
        sockets = inherited(os.environ, os.getpid())
    except ValueError as e:
        raise wrong(description.source, 0, f"cannot tell which sockets the service manager gave: {e}") from e
    which = "index" if options.has("index") else "name"
    if which == "index":
        index = options.number("index")
        found = [fileno for fileno, _ in sockets[index : index + 1]]
    else:
        found = [fileno for fileno, name in sockets if name == options.text("name")]
    if len(found) != 1:
        given = ", ".join([f"{index} {name!r}" for index, (_, name) in enumerate(sockets)]) or "none"
        many = "more than one socket" if found else "no socket"
        raise options.wrong(which, f"{many} of that {which} was given by the service manager; expected one of: {given}")
    # Children of ours are not to have them.
    try:
        os.set_inheritable(found[0], False)
    except OSError as e:
        raise options.wrong(which, f"descriptor {found[0]}: {e.strerror}") from e
    return AdoptedStreamServerEndpoint(reactor, found[0], _family(options, which, found[0]))


def _stdioServer(reactor: Any, description: Description) -> Any:
    # Nothing is wanted, but "stdio:" has an empty value behind its colon.
    if [each for each in description.arguments if each.text or each.name is not None]:
        Options(description, ())
    from reactor.endpoints._stdio import StandardIOEndpoint

    return StandardIOEndpoint(reactor)


def _family(options: Options, which: str, fileno: int) -> int:
    """The address family that was named, else that of the socket."""
    import os
    import socket

    families = {"INET": socket.AF_INET, "INET6": socket.AF_INET6, "UNIX": socket.AF_UNIX}
    if options.text("domain"):
        domain = options.text("domain").upper()
        if domain not in families:
            raise options.wrong("domain", f"expected domain to be {', '.join(families)}, not {domain!r}")
        return families[domain]
    try:
        with socket.socket(fileno=os.dup(fileno)) as sock:
            return sock.family
    except (OSError, OverflowError) as e:
        why = getattr(e, "strerror", None) or e
        raise options.wrong(which, f"expected a socket, but descriptor {fileno} is none: {why}") from e


_CLIENTS = {"tcp": _tcpClient, "tcp6": _tcpClient, "ssl": _sslClient, "tls": _tlsClient, "unix": _unixClient}
_SERVERS = {
    "tcp": _tcpServer,
    "tcp6": _tcp6Server,
    "ssl": _sslServer,
    "tls": _tlsServer,
    "unix": _unixServer,
    "systemd": _systemdServer,
    "fd": _fdServer,
    "stdio": _stdioServer,
}
