"""Whatever bytes a peer sends, IRC's parsers give a result or their own error, and what was parsed can be sent on."""

from __future__ import annotations

import harness

from protocols import irc


def one(data: bytes) -> None:
    """One chunk of bytes: lines of a server, fed to all that reads them."""
    caps, batches = irc.CapNegotiation(["batch", "sasl"]), irc.Batches()
    sasl = irc.SASLExchange([irc.ScramSHA256("u", "p", nonce="n"), irc.Plain("u", "p")])
    features, sts = irc.ServerSupportedFeatures(), irc.STSPolicies()
    caps.start()
    sasl.start()
    for line in data.split(b"\n"):
        try:
            message = irc.Message.parse(line)
        except irc.IRCBadMessage:
            continue
        _roundTrip(message)
        for read in (caps.received, batches.received):
            try:
                read(message)
            except irc.IRCBadMessage:
                pass
        sasl.received(message)
        features.parse(message.params)
        for text in message.params:
            sts.advertised("host", text, 0.0, 6697)
            _text(text, features)


def _roundTrip(message: irc.Message) -> None:
    try:
        line = message.format(maximum=1 << 30)
    except ValueError:
        assert message.command[0] in ":@", message
        return
    assert not set(line) & set(b"\r\n\0"), line
    assert irc.Message.parse(line) == message, line


def _text(text: str, features: irc.ServerSupportedFeatures) -> None:
    assert irc.lowDequote(irc.lowQuote(text)) == text
    assert irc.ctcpDequote(irc.ctcpQuote(text)) == text
    for _, request in irc.ctcpExtract(text)["extended"]:
        irc.dccDescribe(request or "")
    tree = irc.parseFormattedText(text)
    assert irc.stripFormatting(irc.assembleFormattedText(tree)) == irc.stripFormatting(text)
    assert all(len(piece.encode("utf-8", "surrogateescape")) <= 8 for piece in irc.split(text, 8))
    assert "/" not in irc.safeFileName(text)
    irc.matchesMask(text[:50], text[:200])
    irc.dccDescribe(text)
    features.splitPrefixes(text)
    try:
        irc.parseModes(text, [text], features.paramModes)
    except irc.IRCBadModes:
        pass


if __name__ == "__main__":
    harness.main(one)
