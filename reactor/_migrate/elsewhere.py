"""Modules and packages of Twisted's that have no counterpart here, and what takes their place.

The longest name that a module begins with counts. Those of `BESIDE` know no reactor and no Deferred, so that they can
stay in a program that has left the rest of Twisted.
"""

from __future__ import annotations

_BESIDE = "Twisted's own can stay, it knows no reactor"
_REACTOR = "reactor.base.Reactor(selector)"
_GUI = "a loop of its own in a thread, and callFromThread"
_HTTP = "an HTTP library of asyncio's, such as aiohttp, on reactor.aio"
_ASYNCIO = "a library of asyncio's, on reactor.aio"
_OWN = "a protocol of your own, on protocols.basic"
_RUN = "reactor.service.run"
_DESCRIPTOR = "reactor.compat.abstract.FileDescriptor"
_TESTS = "pytest with the fixture reactor"
_PRIVATE = "a detail of Twisted's"

#: Those that can stay.
BESIDE = tuple(
    f"twisted.{name}"
    for name in (
        "copyright cred.error logger persisted.dirdbm persisted.sob persisted.styles"
        " plugin plugins python.compat python.context python.deprecate"
        " python.fakepwd python.filepath python.formmethod python.htmlizer python.lockfile python.log python.logfile"
        " python.modules python.monkey python.procutils python.randbytes python.rebuild python.reflect python.release"
        " python.roots python.runtime python.sendmsg python.shortcut python.syslog python.systemd"
        " python.text python.url python.urlpath python.usage python.util python.versions python.win32 python.zippath"
        " python.zipstream web.http_headers"
    ).split()
)

#: Twisted's module or package -> what takes its place.
MODULES = dict.fromkeys(BESIDE, _BESIDE) | {
    "twisted": "the modules that are used, by their names",
    "twisted.__version__": "reactor.__version__",
    "twisted.version": "reactor.__version__",
    "twisted.application": _RUN,
    "twisted.application.strports": "reactor.service.StreamServerEndpointService, of serverFromString",
    "twisted.conch": _ASYNCIO,
    "twisted.cred": "a check of your own: Twisted's gives Twisted's Deferreds",
    "twisted.enterprise": f"reactor.threads.deferToThread, or {_ASYNCIO}",
    "twisted.internet": _PRIVATE,
    "twisted.internet._producer_helpers": _PRIVATE,
    "twisted.internet._sslverify": "reactor.ssl",
    "twisted.internet.asyncioreactor": "reactor.aio",
    "twisted.internet.cfreactor": _GUI,
    "twisted.internet.default": _REACTOR,
    "twisted.internet.epollreactor": _REACTOR,
    "twisted.internet.gireactor": _GUI,
    "twisted.internet.glib2reactor": _GUI,
    "twisted.internet.gtk2reactor": _GUI,
    "twisted.internet.gtk3reactor": _GUI,
    "twisted.internet.inotify": _DESCRIPTOR,
    "twisted.internet.iocpreactor": "a reactor of ours, on Linux",
    "twisted.internet.kqreactor": _REACTOR,
    "twisted.internet.pollreactor": _REACTOR,
    "twisted.internet.posixbase": "reactor.base.Reactor",
    "twisted.internet.pyuisupport": _GUI,
    "twisted.internet.selectreactor": _REACTOR,
    "twisted.internet.serialport": _DESCRIPTOR,
    "twisted.internet.test": "tests/ of the project has tests of its own",
    "twisted.internet.tksupport": _GUI,
    "twisted.internet.win32eventreactor": "a reactor of ours, on Linux",
    "twisted.internet.wxreactor": _GUI,
    "twisted.internet.wxsupport": _GUI,
    "twisted.logger": "logging, which the reactor uses; " + _BESIDE,
    "twisted.mail": _ASYNCIO,
    "twisted.names": "protocols.dns to ask name servers, and as the reactor's resolver; for a server " + _ASYNCIO,
    "twisted.pair": _DESCRIPTOR,
    "twisted.persisted": "the module pickle, or a library for data that lasts",
    "twisted.positioning": _OWN,
    "twisted.protocols": _OWN,
    "twisted.protocols.amp": _OWN,
    "twisted.protocols.finger": _OWN,
    "twisted.protocols.ftp": _ASYNCIO,
    "twisted.protocols.htb": "protocols.policies.ThrottlingFactory",
    "twisted.protocols.ident": _OWN,
    "twisted.protocols.memcache": _ASYNCIO,
    "twisted.protocols.pcp": "IPushProducer and IConsumer",
    "twisted.protocols.postfix": _OWN,
    "twisted.protocols.shoutcast": _HTTP,
    "twisted.protocols.sip": _OWN,
    "twisted.protocols.test": "tests/ of the project has tests of its own",
    "twisted.python": _PRIVATE,
    "twisted.python.test": _TESTS,
    "twisted.python.log": "logging, which the reactor uses; " + _BESIDE,
    "twisted.runner": "the system's service manager, or reactor.workers",
    "twisted.scripts": "python -m reactor",
    "twisted.spread": _OWN,
    "twisted.tap": _RUN,
    "twisted.test": _TESTS,
    "twisted.test.iosim": "reactor.testing.connectedPair",
    "twisted.trial": _TESTS,
    "twisted.web": _HTTP,
    "twisted.web.client": "protocols.http.Client, or protocols.http.get, post ...; in place of all agents",
    "twisted.words": _OWN,
    "twisted.words.protocols": _OWN,
    "twisted.words.protocols.jabber": _ASYNCIO,
    "twisted.words.xish": _ASYNCIO,
}
