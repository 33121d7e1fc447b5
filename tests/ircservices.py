"""Services for an InspIRCd: what takes passwords (SASL) and says who is logged in, which networks run beside their
servers.

It links to the server as another server of the network, speaks as much of InspIRCd's protocol between servers (1205) as
SASL needs, in a thread on a blocking socket, and knows the accounts that it is given. PLAIN is RFC 4616, EXTERNAL RFC
4422, SCRAM-SHA-256 RFC 7677.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
import time

from patience import PATIENCE

SECONDS = PATIENCE
SID = "0SV"
AGENT = SID + "AAAAAA"

# What the server needs in its configuration; `linkPort` is an option of it. `extra` is filled in with str.format.
CONFIGURATION = """
<bind address="127.0.0.1" port="{linkPort}" type="servers">
<link name="services.test" ipaddr="127.0.0.1" port="7000" allowmask="127.0.0.1" sendpass="link" recvpass="link">
<uline server="services.test" silent="yes">
<sasl target="services.test">
"""
MODULES = "spanningtree sasl"


class Scram:
    """The server's side of one exchange of SCRAM-SHA-256."""

    salt, rounds = b"a salt of 16 byt", 4096

    def __init__(self, accounts: dict[str, str]) -> None:
        self.accounts = accounts
        self.account = ""
        self.first = b""

    def answer(self, message: bytes) -> bytes | None:
        """The answer to a message of the client; None when the password is wrong."""
        if not self.first:
            self.bare = message.split(b",", 2)[2]
            fields = dict(part.split(b"=", 1) for part in self.bare.split(b","))
            self.account = fields[b"n"].decode()
            salt = base64.b64encode(self.salt)
            self.first = b"r=%s%s,s=%s,i=%d" % (fields[b"r"], b"servernonce", salt, self.rounds)
            return self.first
        withoutProof, proof = message.rsplit(b",p=", 1)
        password = self.accounts.get(self.account, "").encode()
        salted = hashlib.pbkdf2_hmac("sha256", password, self.salt, self.rounds)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        whole = b",".join((self.bare, self.first, withoutProof))
        signature = hmac.digest(stored, whole, "sha256")
        key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        if hashlib.sha256(key).digest() != stored:
            return None
        verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), whole, "sha256")
        return b"v=" + base64.b64encode(verifier)


class Services:
    """Linked to the server at `port`. `accounts` are names and passwords; EXTERNAL is believed and gives `external`.

    `asked` is what clients did: (mechanism, account, whether it went well).
    """

    mechanisms = "PLAIN,EXTERNAL,SCRAM-SHA-256"

    def __init__(self, port: int, accounts: dict[str, str], external: str = "holder") -> None:
        self.accounts, self.external = accounts, external
        self.asked: list[tuple[str, str, bool]] = []
        self.exchanges: dict[str, tuple[str, Scram]] = {}
        self.lines: list[str] = []
        self.linked = threading.Event()
        self.sock = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.sock.settimeout(None)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        if not self.linked.wait(SECONDS):
            self.close()
            raise AssertionError(f"the services are not linked: {self.lines}")

    def close(self) -> None:
        """Leave the network."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The server has been killed.
            pass
        self.thread.join()
        self.sock.close()

    def send(self, *lines: str) -> None:
        self.sock.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def _run(self) -> None:
        self.send("CAPAB START 1205", "CAPAB CAPABILITIES :PROTOCOL=1205 CASEMAPPING=rfc1459", "CAPAB END")
        self.send(f"SERVER services.test link 0 {SID} :Services")
        with self.sock.makefile("r", encoding="utf-8", errors="replace") as file:
            for line in file:
                self.lines.append(line.strip())
                self._heard(line.strip())

    def _heard(self, line: str) -> None:
        prefix, line = line[1:].split(" ", 1) if line.startswith(":") else ("", line)
        head, _, last = line.partition(" :")
        words = [*head.split(), *([last] if last else [])]
        match words:
            case ["SERVER", *_] if not self.linked.is_set():
                now = int(time.time())
                self.send(f":{SID} BURST {now}", f":{SID} METADATA * saslmechlist :{self.mechanisms}")
                self.send(f":{SID} ENDBURST")
            case ["ENDBURST"]:
                self.linked.set()
            case ["PING", source, *_]:
                self.send(f":{SID} PONG {SID} {prefix or source}")
            case ["ENCAP", _, "SASL", client, _, "S", mechanism, *_]:
                self.exchanges[client] = (mechanism, Scram(self.accounts))
                self._say(client, "C", "+")
            case ["ENCAP", _, "SASL", client, _, "C", data] if client in self.exchanges:
                self._continue(client, b"" if data == "+" else base64.b64decode(data))

    def _say(self, client: str, kind: str, data: str) -> None:
        self.send(f":{SID} ENCAP {client[:3]} SASL {AGENT} {client} {kind} {data}")

    def _continue(self, client: str, data: bytes) -> None:
        mechanism, scram = self.exchanges[client]
        if mechanism == "PLAIN":
            _, account, password = data.decode().split("\0")
            self._end(client, account, self.accounts.get(account) == password)
        elif mechanism == "EXTERNAL":
            self._end(client, self.external, True)
        elif scram.first and not data:
            # The client has taken our last message.
            self._end(client, scram.account, True)
        else:
            answer = scram.answer(data)
            if answer is None:
                self._end(client, scram.account, False)
            else:
                self._say(client, "C", base64.b64encode(answer).decode())

    def _end(self, client: str, account: str, good: bool) -> None:
        mechanism, _ = self.exchanges.pop(client)
        self.asked.append((mechanism, account, good))
        if good:
            self.send(f":{SID} METADATA {client} accountname :{account}")
        self._say(client, "D", "S" if good else "F")
