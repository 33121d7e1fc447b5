"""A program with ldaptor, for Twisted: `on_ldap.py PATH ROOT LDAPSEARCH`.

As a client of slapd, whose socket is at PATH and whose certificate ROOT (PEM) has signed; and as a server, which the
program `ldapsearch` asks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ldaptor.inmemory import ReadOnlyInMemoryLDAPEntry
from ldaptor.interfaces import IConnectedLDAPEntry
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from ldaptor.protocols.ldap.ldaperrors import LDAPInvalidCredentials
from ldaptor.protocols.ldap.ldapserver import LDAPServer
from ldaptor.protocols.ldap.ldapsyntax import LDAPEntry
from twisted.internet import defer, endpoints, protocol, reactor, ssl, task, utils
from twisted.python.components import registerAdapter

PATH, ROOT, LDAPSEARCH = sys.argv[1:]
ADMIN, SUFFIX = "cn=admin,dc=example,dc=org", "dc=example,dc=org"


def people(number: int) -> dict[str, Any]:
    return {"objectClass": ["inetOrgPerson"], "cn": [f"Person {number}"], "sn": [f"P{number}"]}


async def asClient() -> None:
    where = endpoints.clientFromString(reactor, f"unix:path={PATH}")
    client = await endpoints.connectProtocol(where, LDAPClient())
    trusted = ssl.Certificate.loadPEM(Path(ROOT).read_bytes())
    await client.startTLS(ssl.optionsForClientTLS("localhost", trusted))
    try:
        await client.bind(ADMIN, "wrong")
    except LDAPInvalidCredentials:
        print("LDAPInvalidCredentials")
    await client.bind(ADMIN, "secret")
    print("TLS", client.transport.getPeerCertificate() is not None)
    organization = {"objectClass": ["dcObject", "organization"], "o": ["Example"], "dc": ["example"]}
    root = await LDAPEntry(client, "dc=org").addChild("dc=example", organization)
    await defer.gatherResults([root.addChild(f"uid=p{number}", people(number)) for number in range(50)])
    found = await root.search(filterText="(objectClass=inetOrgPerson)")
    print(len(found), sorted(entry.dn.getText() for entry in found)[0])
    [entry] = await root.search(filterText="(uid=p7)")
    entry["mail"] = ["p7@example.org"]
    await entry.commit()
    [entry] = await root.search(filterText="(mail=p7@*)", attributes=["mail"])
    print(entry.dn.getText(), sorted(each.decode() for each in entry["mail"]))
    await entry.delete()
    print(len(await root.search(filterText="(uid=*)")))
    client.unbind()


class Directory(protocol.ServerFactory):
    """A directory in memory."""

    protocol = LDAPServer

    def __init__(self) -> None:
        self.root = ReadOnlyInMemoryLDAPEntry(SUFFIX, {"objectClass": ["dcObject"], "dc": ["example"]})
        for number in range(3):
            self.root.addChild(f"uid=p{number}", {**people(number), "uid": [f"p{number}"]})


async def asServer() -> None:
    registerAdapter(lambda factory: factory.root, Directory, IConnectedLDAPEntry)
    server = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    port = await server.listen(Directory())
    url = f"ldap://127.0.0.1:{port.getHost().port}"
    arguments = ["-x", "-LLL", "-H", url, "-b", SUFFIX, "(uid=*)", "sn"]
    out, err, code = await utils.getProcessOutputAndValue(LDAPSEARCH, arguments)
    print(code, err.decode(), sorted(line for line in out.decode().split("\n") if line.startswith("sn")))
    await port.stopListening()


async def program(clock: Any) -> None:
    assert clock is reactor
    await asClient()
    await asServer()


task.react(lambda clock: defer.ensureDeferred(program(clock)))
