"""One IRC client, Twisted's or ours, is fed the lines below and told what to do; its hooks and lines come out as JSON.

python irc_traces.py [twisted | reactor]
"""

import json
import sys

if sys.argv[1] == "twisted":
    from twisted.internet import reactor as realReactor
    from twisted.internet.task import Clock
    from twisted.words.protocols.irc import IRCClient
else:
    from protocols.irc import IRCClient
    from reactor.task import Clock

HOOKS = """created yourHost luserClient bounce isupport luserChannels luserOp luserMe privmsg joined left noticed
modeChanged signedOn kickedFrom userJoined userLeft userQuit userKicked action topicUpdated userRenamed receivedMOTD
ctcpUnknownQuery ctcpUnknownReply irc_unknown dccDoSend dccDoChat dccDoResume dccDoAcceptResume""".split()

ON = ":srv 001 bot :hi"


def lines(*texts):
    return ["dataReceived", "".join(text + "\r\n" for text in texts)]


def from_(*texts, who="al!u@h"):
    return lines(*[f":{who} {text}" for text in texts])


def ctcp(*texts, command="PRIVMSG"):
    return from_(*[f"{command} bot :\1{text}\1" for text in texts])


SCRIPTS = {
    "greeting": [
        lines(ON, ":srv 002 bot :Your host", ":srv 003 bot :today", ":srv 005 bot CHANTYPES=# MODES=4 :are supported"),
        lines(":srv 010 bot other 6667 :Try", ":srv 251 bot :3 users", ":srv 252 bot 4 :ops", ":srv 254 bot 7 :ch"),
        lines(
            ":srv 255 bot :me", ":srv 375 bot :- start", ":srv 372 bot :- one", ":srv 372 bot :two", ":srv 376 bot :x"
        ),
        lines(":srv 372 bot :- stray", ":srv 376 bot :End", ":srv 422 bot :none", "FOO a :b c", "ERROR :bye"),
    ],
    "collisions": [
        lines(":srv 433 * bot :in use", ":srv 433 * bot_ :in use", ":srv 001 bot__ :hi"),
        ["setNick", "new"],
        lines(":srv 433 bot__ new :in use", ":bot__!u@h NICK :new_", ":srv 432 new_ % :bad"),
    ],
    "erroneous": [lines(":srv 432 * bot :bad", ":srv 433 * defaultnick :in use")],
    "channels": [
        lines(ON),
        ["join", "chan"],
        ["join", "&chan", "key"],
        from_("JOIN #c", "JOIN :#d", who="bot!u@h"),
        from_(
            "JOIN #c", "TOPIC #c :new one", "PART #c :bye", "PART #c", "QUIT :gone", "KICK #c bo :why", "NICK :alice"
        ),
        from_("331 bot #c :none", "332 bot #c :The topic", "353 bot = #c :@al bot", "366 bot #c :End", who="srv"),
        from_("KICK #c bot :out"),
        from_("NICK :tob", who="bot!u@h"),
        from_("PART #c :x", "JOIN #w", who="tob!u@h"),
        from_("JOIN #w", who="bot!u@h"),
    ],
    "text": [
        lines(ON),
        from_("PRIVMSG #c :hello there", "PRIVMSG bot :hi", "NOTICE #c :note", "PRIVMSG #c word", "PRIVMSG #c :a  b "),
        from_(
            "PRIVMSG bot :pre\1VERSION\1post",
            "PRIVMSG bot :",
            "PRIVMSG bot :\1\1",
            "PRIVMSG bot :\1",
            "PRIVMSG bot :a\\x",
        ),
        lines("PRIVMSG bot :nobody", ":srv NOTICE * :***", "PING :token", "PING a b", ":al!u@h   PRIVMSG   #c   :x"),
        ["dataReceived", ":al!u@h PRIVMSG #c :LF only\n:al!u@h PRIVMSG #c :par"],
        ["dataReceived", "tial\r\n"],
    ],
    "ctcp": [
        lines(ON),
        ctcp(
            "ACTION waves",
            "VERSION",
            "PING 123",
            "PING",
            "USERINFO",
            "FINGER",
            "SOURCE",
            "WEIRD a b",
            "version",
            "ACTION",
        ),
        ctcp("CLIENTINFO", "CLIENTINFO PING", "ACTION a\1\1ACTION b", "VERSION\1 rest"),
        ctcp("VERSION x y", command="NOTICE"),
        ctcp("DCC SEND f.txt 2130706433 5000 123", 'DCC send "a b" 2130706433 5000 1', "DCC SEND f 127.0.0.1 5000"),
        ctcp("DCC CHAT chat 2130706433 5000", "DCC RESUME f 5000 10", "DCC ACCEPT f 5000 10", "DCC "),
        ["ctcpMakeQuery", "u", [["A", None], ["B", "c d"]]],
        ["ctcpMakeReply", "u", [["A", "x y"], ["B", ["q", "z"]]]],
        ["ping", "u", "token"],
        ["dccResume", "u", "f", 5000, 10],
        ["dccAcceptResume", "u", "f", 5000, 10],
    ],
    "modes": [
        lines(ON),
        from_("MODE #c +o bot", "MODE #c +ov-v a b c", "MODE #c +ntk-l key", "MODE #c +b *!*@x", "MODE #c +l 5"),
        from_("MODE #c nt", "MODE #c -k", "MODE bot +O", who="bot!u@h"),
        from_("MODE bot :+i", "MODE bot -x", "MODE bot +w-x", who="bot"),
        lines(":srv 005 bot CHANMODES=eIb,k,l,im PREFIX=(qo)~@ :are supported"),
        from_("MODE #c +qe a b", "MODE #c +lim 5"),
    ],
    "commands": [
        lines(ON),
        *[["leave", "c"], ["leave", "#c", "why"], ["part", "c", "why not"], ["leave", "#c", ""], ["join", "#c", ""]],
        *[
            ["kick", "c", "u"],
            ["kick", "#c", "u", "r s"],
            ["invite", "u", "c"],
            ["topic", "c"],
            ["topic", "#c", "new t"],
        ],
        *[
            ["topic", "#c", ""],
            ["mode", "c", True, "o"],
            ["mode", "c", True, "o", None, "u"],
            ["mode", "c", 0, "l", 0, "u"],
        ],
        *[
            ["mode", "#c", False, "b", None, None, "*!*@x"],
            ["say", "c", "hi"],
            ["say", "u", "hi", 50],
            ["msg", "u", "hi"],
        ],
        *[
            ["msg", "u", "a\nb\n\nc\r\nd"],
            ["msg", "u", ""],
            ["msg", "u", " "],
            ["notice", "u", "a\nb"],
            ["away"],
            ["back"],
        ],
        *[["away", "gone"], ["whois", "n"], ["whois", "n", "s"], ["setNick", "q"], ["describe", "#c", "waves"]],
        *[["describe", "c", "w a"], ["sendLine", "RAW x"], ["quit"], ["quit", "bye all"], ["getUserModeParams"]],
    ],
    "length": [
        ["msg", "user", "word " * 20, 40],
        ["notice", "user", "word " * 20, 40],
        ["msg", "user", "  lead\n trail  \n\n", 40],
        ["msg", "user", "x" * 30 + " " + "y" * 30, 40],
        ["msg", "user", "a  b   c    d     e      f       g", 30],
        ["msg", "user", "aaa\nbbb ccc ddd eee fff ggg hhh iii jjj", 30],
        ["msg", "user", "x" * 100, 16],
        ["msg", "user", "x" * 20, 17],
    ],
    "rate": [["advance", 1], ["advance", 1], lines(ON), ["msg", "u", "1"], ["msg", "u", "2"], *[["advance", 1]] * 9],
    "heartbeat": [["advance", 100], lines(ON), ["advance", 119], ["advance", 1], ["stopHeartbeat"], ["advance", 50]],
}
ATTRIBUTES = {
    "rate": {"lineRate": 2},
    "ctcp": {"versionName": "N", "versionNum": "1", "userinfo": "me", "sourceURL": "u"},
}


class Transport:
    disconnecting = False

    def __init__(self, trace):
        self.trace = trace

    def write(self, data):
        self.trace.append(["SENT", data.decode()])


def recorded(hook, trace):
    def method(self, *args):
        trace.append([hook, *args])
        if hook == "ctcpUnknownQuery":
            getattr(IRCClient, hook)(self, *args)

    return method


def run(name):
    trace = []
    clock = Clock()
    members = {hook: recorded(hook, trace) for hook in HOOKS}
    members |= {"nickname": "bot", "realname": "R", "password": "pw", **ATTRIBUTES.get(name, {})}
    client = type("Client", (IRCClient,), members)()
    if sys.argv[1] == "twisted":
        client._reactor = clock
        realReactor.callLater = clock.callLater
    else:
        client.clock = clock
        client.capabilities = None
    client.makeConnection(Transport(trace))
    for number, (call, *args) in enumerate(SCRIPTS[name]):
        trace.append(["STEP", number])
        target = clock if call == "advance" else client
        if call == "dataReceived":
            args = [args[0].encode()]
        try:
            answer = getattr(target, call)(*args)
        except ValueError:
            answer = "ValueError"
        if isinstance(answer, str | list):
            trace.append(["IS", answer])
        trace.append(["NICK", client.nickname])
    return trace


json.dump({name: run(name) for name in SCRIPTS}, sys.stdout)
