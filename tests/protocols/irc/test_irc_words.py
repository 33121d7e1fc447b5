"""Text, CTCP, modes, ISUPPORT, formatting, numerics and case mappings of IRC: beside Twisted's, and on their own."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import irc
from protocols.irc import ServerSupportedFeatures, assembleFormattedText, attributes, parseFormattedText, split

twisted: Any = None
try:
    from twisted.words.protocols import irc as twisted
except ImportError:
    HAS_TWISTED = False
else:
    HAS_TWISTED = True
needsTwisted = pytest.mark.skipif(not HAS_TWISTED, reason="Twisted is not installed")
quoted = st.text(st.sampled_from("aon0\x01\\\x10\r\n\0 \x02"), max_size=20)


@needsTwisted
@pytest.mark.parametrize("name", ["lowQuote", "lowDequote", "ctcpQuote", "ctcpDequote"])
def test_quotingIsTwisteds(name: str) -> None:
    ours, theirs = getattr(irc, name), getattr(twisted, name)

    @settings(max_examples=150)
    @given(quoted)
    def check(text: str) -> None:
        assert ours(text) == theirs(text)

    check()


@settings(max_examples=100)
@given(quoted)
def test_quotingIsUndone(text: str) -> None:
    assert irc.lowDequote(irc.lowQuote(text)) == text
    assert irc.ctcpDequote(irc.ctcpQuote(text)) == text
    assert not set(irc.lowQuote(text)) & set("\r\n\0")


@needsTwisted
@settings(max_examples=150)
@given(st.text(st.sampled_from("aon0\x01\x10\r\n\0 \x02"), max_size=20))
def test_whatHasNoBackslashIsExtractedAsByTwisted(text: str) -> None:
    assert irc.ctcpExtract(text) == twisted.ctcpExtract(text)


TALES = ["¯\\_(ツ)_/¯", "C:\\new\\a", "\\a\\", "\\", "\\\\server\\share", "a\x10nb"]


@pytest.mark.parametrize("text", TALES)
def test_nothingIsQuotedInRequests(text: str) -> None:
    assert irc.ctcpStringify([("ACTION", text)]) == f"\1ACTION {text}\1"
    assert irc.ctcpExtract(f"\1ACTION {text}\1") == {"extended": [("ACTION", text)], "normal": []}


@settings(max_examples=150)
@given(st.text(st.characters(exclude_characters="\x01"), min_size=1, max_size=20))
def test_requestsComeOutAsTheyWentIn(text: str) -> None:
    assert irc.ctcpExtract(irc.ctcpStringify([("A", text), ("B", None)]))["extended"] == [("A", text), ("B", None)]


@pytest.mark.parametrize("request_", [("A", "x\1y"), ("A\1", None), ("A", ["x", "\1"])])
def test_aRequestThatWouldEndBeforeItsEnd(request_: Any) -> None:
    with pytest.raises(ValueError, match="inside a CTCP request"):
        irc.ctcpStringify([request_])


@needsTwisted
@pytest.mark.parametrize("messages", [[("A", "b")], [("A", None), ("B", "")], [("A", ["x", 1]), ("B", ("y",))], []])
def test_stringifyIsTwisteds(messages: Any) -> None:
    assert irc.ctcpStringify(messages) == twisted.ctcpStringify(messages)


@needsTwisted
@settings(max_examples=300)
@given(
    st.text(st.sampled_from("+-ovlk"), max_size=8),
    st.lists(st.sampled_from("xyz"), max_size=4),
    st.sampled_from([("", ""), ("ovlk", "ovk"), ("o", "o")]),
)
def test_modesAreTwisteds(modes: str, params: list[str], paramModes: tuple[str, str]) -> None:
    try:
        expected = twisted.parseModes(modes, list(params), paramModes)
    except twisted.IRCBadModes:
        with pytest.raises(irc.IRCBadModes):
            irc.parseModes(modes, params, paramModes)
    else:
        assert irc.parseModes(modes, params, paramModes) == expected


@settings(max_examples=300)
@given(
    st.text(st.sampled_from("+-ovlkm"), max_size=8),
    st.lists(st.sampled_from("xyz"), max_size=4),
    st.sampled_from([("", ""), ("ovlk", "ovk"), ("o", "o")]),
)
def test_whatCanBeReadOfModesIsRead(modes: str, params: list[str], paramModes: tuple[str, str]) -> None:
    changes, odd = irc.readModes(modes, params, paramModes)
    assert "".join(change.mode for change in changes) == modes.translate({ord("+"): None, ord("-"): None})
    told = [change.param for change in changes if change.param is not None]
    assert told == params[: len(told)]
    if odd:
        with pytest.raises(irc.IRCBadModes):
            irc.parseModes(modes, params, paramModes)
    else:
        assert irc.parseModes(modes, params, paramModes) == (
            [(mode, param) for added, mode, param in changes if added],
            [(mode, param) for added, mode, param in changes if not added],
        )


FEATURES = (
    "CHANMODES=b,k,l,imnpst PREFIX=(qaohv)~&@%+ CHANLIMIT=#:20,&: CHANTYPES= MAXLIST=beI:30 TARGMAX=NAMES:1,LIST:"
    " NICKLEN=30 EXCEPTS INVEX=J MODES= NETWORK=Foo\\x20Bar CASEMAPPING=rfc1459 STATUSMSG=@+ TOPICLEN KICKLEN=abc"
    " IDCHAN=!:5 SAFELIST MONITOR=100 A=B=C PREFIX= PREFIX=(o)@ x -NICKLEN -NEVER EXCEPTS=f CHANNELLEN=64"
)


def test_endlessFeaturesAreNotKept() -> None:
    supported = ServerSupportedFeatures()
    for n in range(20):
        supported.parse([f"X{n}-{m}={m}" for m in range(100)])
    assert len(supported._features) == supported.MAX_FEATURES
    supported.parse(["NICKLEN=30", "-X0-0", "LAST=1"])
    assert supported.getFeature("NICKLEN") == 30 and supported.hasFeature("LAST")


@needsTwisted
def test_supportedFeaturesAreTwisteds() -> None:
    ours, theirs = ServerSupportedFeatures(), twisted.ServerSupportedFeatures()
    for feature in FEATURES.split(" "):
        ours.parse([feature])
        if feature == "-NICKLEN":
            # What is taken back is for Twisted unknown, and for us what it was before.
            assert ours.getFeature("NICKLEN") == 9
            ours.parse(["NICKLEN=30"])
            continue
        theirs.parse([feature])
        assert ours._features == theirs._features, feature
    assert ours.getFeature("CHANNELLEN") == 64
    assert ours.getFeature("NEVER", "none") == "none"
    assert ours.hasFeature("SAFELIST")
    assert not ours.hasFeature("NEVER")


@pytest.mark.parametrize(
    "said",
    [
        *("CHANTYPES=+", "CHANTYPES=", "PREFIX=(q)~", "PREFIX=", "NICKLEN=30", "CHANMODES=a,b,c,d", "MODES=9"),
        *("CHANNELLEN=50", "CASEMAPPING=ascii", "TARGMAX=JOIN:4", "EXCEPTS", "SOMETHING=1"),
    ],
)
def test_aFeatureThatIsTakenBackWasNeverNamed(said: str) -> None:
    before, features = ServerSupportedFeatures(), ServerSupportedFeatures()
    for back in ("-" + said.partition("=")[0], "-" + said):
        features.parse([said])
        assert features._features != before._features
        features.parse([back])
        assert features._features == before._features
    assert features.isChannel("#c") and features.isChannel("&c") and not features.isChannel("+c")
    # And one client's features are nobody else's.
    features._features["PREFIX"]["x"] = ("!", 3)
    assert "x" not in ServerSupportedFeatures().getFeature("PREFIX")


@settings(max_examples=200)
@given(st.sampled_from([f.partition("=")[0] for f in FEATURES.split(" ")]), st.text(st.sampled_from("ab(),:@\\x4=-1²")))
def test_noFeatureRaises(name: str, value: str) -> None:
    features = ServerSupportedFeatures()
    features.parse([f"{name}={value}", value])
    features.isChannel("#a")
    features.splitPrefixes("@a")
    assert features.fold("A") == "a"
    assert "b" in "".join(features.paramModes) or features.getFeature("CHANMODES")["addressModes"] != "b"


def test_whatFeaturesMeanForNames() -> None:
    features = ServerSupportedFeatures()
    assert features.fold("A[]\\^") == "a{}|~"
    features.parse(["PREFIX=(ohv)@%+", "CHANTYPES=#", "CASEMAPPING=ascii", "CHANMODES=beI,k,l,imn"])
    assert features.fold("A[") == "a["
    assert features.splitPrefixes("@+alice") == ("@+", "alice")
    assert features.isChannel("#a")
    assert not features.isChannel("&a")
    assert not features.isChannel("")
    added, removed = features.paramModes
    assert set(added) == set("beIklohv")
    assert set(removed) == set("beIkohv")


@pytest.mark.parametrize(
    ("casemapping", "folded"),
    [("ascii", "az[]\\^É"), ("rfc1459", "az{}|~É"), ("strict-rfc1459", "az{}|^É"), ("what", "az[]\\^É")],
)
def test_casemapping(casemapping: str, folded: str) -> None:
    assert irc.fold("AZ[]\\^É", casemapping) == folded
    assert irc.casefolder(casemapping)("AZ[]\\^É") == folded


@needsTwisted
def test_numericsHaveTwistedsNames() -> None:
    assert {
        name: irc.symbolic_to_numeric.get(name) for name in twisted.symbolic_to_numeric
    } == twisted.symbolic_to_numeric
    assert len(irc.symbolic_to_numeric) == len(irc.numeric_to_symbolic)
    assert irc.numeric_to_symbolic["903"] == "RPL_SASLSUCCESS"
    assert irc.RPL_WELCOME == "001"


@pytest.mark.parametrize(
    ("command", "params", "error"),
    [
        *((str(number), (), True) for number in (400, 435, 479, 480, 489, 495, 500, 519, 520, 550, 599, 904, 926)),
        *((str(number), (), False) for number in (1, 366, 399, 600, 671, 900, 903, 999)),
        *(("ERR_NOTHINGKNOWN", (), True), ("ERR_SASLFAIL", (), True), ("RPL_AWAY", (), False), ("PRIVMSG", (), False)),
        ("609", ("me", "#c", "This channel is temporarily unavailable (+j)."), True),
        ("609", ("me", "al", "user", "host", "1", "is away"), False),
        ("609", (), False),
    ],
)
def test_whatIsAnError(command: str, params: tuple[str, ...], error: bool) -> None:
    assert irc.isError(command, params) is error


def test_refusalsHaveNames() -> None:
    refused = "403 405 435 437 438 440 448 471 473 474 475 476 477 479 480 489 490 495 500 519 520 926".split()
    names = [irc.numeric_to_symbolic[digits] for digits in refused]
    assert all(name.startswith("ERR_") for name in names) and len(set(names)) == len(names)
    assert (irc.ERR_SECUREONLYCHAN, irc.ERR_OPERONLY) == ("489", "520")


@needsTwisted
def test_thePackageHasTwistedsNames() -> None:
    """Of those that are not what the module itself imports."""
    used = set(
        "Optional basic errno log operator os path protocol random re reactor reduce reflect shlex socket stat string"
        " struct styles sys task textwrap time traceback k v mDequoteTable mEscape_re mQuoteTable xDequoteTable"
        " xEscape_re xQuoteTable".split()
    )
    missing = {name for name in vars(twisted) if not name.startswith("_") and not hasattr(irc, name)} - used
    assert missing <= {
        *("DccChat", "DccChatFactory", "DccFileReceive", "DccFileReceiveBasic", "DccSendFactory", "DccSendProtocol"),
        "IRCClient",
    }


# Text.


@needsTwisted
@settings(max_examples=200)
@given(st.text(st.sampled_from("ab \n"), max_size=40), st.integers(1, 12))
def test_splitOfWordsIsTwisteds(text: str, length: int) -> None:
    # A line that begins with spaces is the text's business, not that of its width.
    text = "\n".join(line.strip() for line in text.split("\n"))
    # Before a word that is cut, Twisted leaves a space at the end of a piece.
    assert split(text, length) == [piece.rstrip(" ") for piece in twisted.split(text, length)]


@settings(max_examples=200)
@given(st.text(st.sampled_from("aé€😀 \n\r\udcff\udca9"), max_size=60), st.integers(4, 20))
def test_splitLosesNothingButSpacesAndCutsNoCharacter(text: str, length: int) -> None:
    pieces = split(text, length)
    encoded = [piece.encode("utf-8", "surrogateescape") for piece in pieces]
    assert all(0 < len(piece) <= length for piece in encoded)
    wanted = text.encode("utf-8", "surrogateescape").translate(None, b" \r\n")
    assert b"".join(encoded).translate(None, b" ") == wanted
    if text.isprintable() or text.encode("utf-8", "replace") == text.encode("utf-8", "surrogateescape"):
        assert "".join(pieces).replace(" ", "") == text.translate({32: None, 10: None, 13: None})


def test_splitThatCannotBe() -> None:
    with pytest.raises(ValueError, match="length must be at least 1, not 0"):
        split("a", 0)
    with pytest.raises(ValueError, match="shorter than a character"):
        split("€€", 2)
    assert split("€€", 3) == ["€", "€"]
    assert split("") == []


def test_splitIsLinear() -> None:
    began = time.process_time()
    assert len(split("a" * 1_000_000, 100)) == 10_000
    assert len(split("a " * 500_000, 100)) == 10_000
    assert len(split(" " * 1_000_000 + "a", 100)) == 1
    assert time.process_time() - began < 2


# Formatting.

A = attributes
SHAPES = [
    A.normal["x"],
    A.normal[A.bold["x"], "y", A.fg.red["z"], A.underline["u", A.reverseVideo["rv"]]],
    A.fg.red[A.fg.blue["x"], "y"],
    A.bold[A.normal["x"], "y"],
    A.bold["a"]["b"],
    A.fg.lightGray["1"],
    A.bold[A.fg.red[A.bg.blue["x"]]],
]


def rebuilt(node: Any) -> Any:
    """The same with Twisted's attributes."""
    if isinstance(node, str):
        return node
    made = twisted.attributes.normal
    for name, value in node.look.items():
        made = (
            getattr(getattr(twisted.attributes, name), irc.COLORS[value])
            if name in ("fg", "bg")
            else getattr(twisted.attributes, name)
        )
    return made[tuple(map(rebuilt, node.children))]


@needsTwisted
@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_assembledIsTwisteds(shape: Any) -> None:
    assert assembleFormattedText(shape) == twisted.assembleFormattedText(rebuilt(shape))


controls = st.text(st.sampled_from("ab01,\x02\x03\x0f\x11\x16\x1d\x1e\x1f"), max_size=20)


@settings(max_examples=300)
@given(controls)
def test_formattedTextIsTheSameAfterwards(text: str) -> None:
    tree = parseFormattedText(text)
    again = parseFormattedText(assembleFormattedText(tree))
    assert runs(again) == runs(tree)
    assert (
        irc.stripFormatting(text)
        == irc.stripFormatting(assembleFormattedText(tree))
        == "".join(t for t, _ in runs(tree))
    )


def runs(tree: Any) -> list[tuple[str, dict[str, int]]]:
    """Texts and looks; neighbours that look the same are one."""
    found: list[tuple[str, dict[str, int]]] = []
    for child in tree.children:
        if found and found[-1][1] == child.look:
            found[-1] = (found[-1][0] + child.children[0], child.look)
        else:
            found.append((child.children[0], child.look))
    return found


@pytest.mark.parametrize(
    ("text", "stripped"),
    [("\x02a\x0304,02b\x03 \x1f", "ab "), ("\x034,hello", ",hello"), ("\x03041", "1"), ("\x0304a\x02b\x03c", "abc")],
)
def test_stripped(text: str, stripped: str) -> None:
    assert irc.stripFormatting(text) == stripped


def test_whatWouldBeReadAsAColourIsNot() -> None:
    assert runs(parseFormattedText(assembleFormattedText(A.fg.red[",5"]))) == [(",5", {"fg": 5})]
    assert runs(parseFormattedText(assembleFormattedText(A.bg.red["5"]))) == [("5", {"bg": 5})]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("hello", A.normal["hello"]),
        ("", A.normal),
        ("\x0301yay\x03", A.fg.black["yay"]),
        ("\x0301,02yay\x03", A.fg.black[A.bg.blue["yay"]]),
        ("\x0301yay\x0302yipee\x03", A.fg.black["yay", A.fg.blue["yipee"]]),
        ("\x02a\x02b", A.bold["a", A.normal["b"]]),
        ("\x02ab", A.bold["a", "", "b"]),
    ],
)
def test_equalIsWhatLooksTheSame(text: str, tree: Any) -> None:
    assert parseFormattedText(text) == tree
    if HAS_TWISTED and text != "\x02ab":
        assert twisted.parseFormattedText(text) == rebuilt(tree)


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_whatIsParsedIsEqualToWhatWasAssembled(shape: Any) -> None:
    assert parseFormattedText(assembleFormattedText(shape)) == shape
    assert shape["more"] != shape
    assert A.strikethrough["x"] != shape


def test_formattingIsOfText() -> None:
    with pytest.raises(TypeError, match="not int"):
        A.bold[1]
    with pytest.raises(AttributeError, match="no colour 'pink'"):
        _ = A.fg.pink
    assert A.bold["a"] == A.bold["a"]
    assert A.bold["a"] != A.underline["a"]
    assert A.bold != "a"
    assert A.bold != A.underline
    assert A.bold == A.bold
    deep = A.normal["x"]
    for _ in range(5000):
        deep = A.bold[deep]
    assert assembleFormattedText(deep) == "\x0fx"
