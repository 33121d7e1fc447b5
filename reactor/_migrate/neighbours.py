"""What is here of Twisted's packages beside ``twisted.internet``."""

from __future__ import annotations

from reactor._migrate.module import Module

MODULES = {
    "twisted.application.internet": Module(
        "reactor.service",
        "backoffPolicy ClientService MulticastServer SSLClient SSLServer StreamServerEndpointService TCPClient"
        " TCPServer TimerService UDPServer UNIXClient UNIXDatagramClient UNIXDatagramServer UNIXServer",
        {
            "CooperatorService": "a Service with a reactor.task.Cooperator",
        },
    ),
    "twisted.application.service": Module(
        "reactor.service",
        "IService IServiceCollection MultiService Service",
        {
            "Application Process IProcess ServiceMaker IServiceMaker loadApplication": "reactor.service.run",
        },
    ),
    "twisted.protocols.basic": Module(
        "protocols.basic",
        "FileSender Int16StringReceiver Int32StringReceiver Int8StringReceiver IntNStringReceiver"
        " LineOnlyReceiver LineReceiver NetstringParseError NetstringReceiver _PauseableMixin"
        " StatefulStringProtocol StringTooLongError",
        {
            "DEBUG": "a detail of Twisted's",
            "IncompleteNetstring": "NetstringParseError",
        },
    ),
    "twisted.protocols.haproxy": Module(
        "protocols.haproxy",
        "proxyEndpoint",
    ),
    "twisted.protocols.loopback": Module(
        "protocols.loopback",
        "collapsingPumpPolicy identityPumpPolicy loopbackAsync LoopbackClientFactory loopbackTCP loopbackUNIX",
        {
            "LoopbackRelay": "loopbackAsync",
        },
    ),
    "twisted.protocols.policies": Module(
        "protocols.policies",
        "LimitConnectionsByPeer LimitTotalConnectionsFactory ProtocolWrapper SpewingFactory SpewingProtocol"
        " ThrottlingFactory ThrottlingProtocol TimeoutFactory TimeoutMixin TimeoutProtocol TrafficLoggingFactory"
        " TrafficLoggingProtocol WrappingFactory",
        {
            "WP": "typing.TypeVar",
        },
    ),
    "twisted.protocols.portforward": Module(
        "protocols.portforward",
        "Proxy ProxyClient ProxyClientFactory ProxyFactory ProxyServer",
    ),
    "twisted.protocols.socks": Module(
        "protocols.socks",
        "SOCKSv4 SOCKSv4Factory SOCKSv4Outgoing",
        {
            "SOCKSv4Incoming SOCKSv4IncomingFactory": "BIND is refused",
        },
    ),
    "twisted.protocols.stateful": Module(
        "protocols.stateful",
        "StatefulProtocol",
    ),
    "twisted.protocols.tls": Module(
        "protocols.tls",
        "TLSMemoryBIOFactory TLSMemoryBIOProtocol",
        {
            "BufferingTLSTransport": "TLSMemoryBIOProtocol",
        },
    ),
    "twisted.protocols.wire": Module(
        "protocols.wire",
        "Chargen Daytime Discard Echo QOTD Time Who",
    ),
    "twisted.python.components": Module(
        "reactor.components",
        "Adapter ALLOW_DUPLICATES CannotAdapt Componentized getAdapterFactory getRegistry globalRegistry"
        " proxyForInterface registerAdapter ReprableComponentized",
    ),
    "twisted.python.failure": Module(
        "reactor.failure",
        "Failure NoCurrentExceptionError",
        {
            "DO_POST_MORTEM EXCEPTION_CAUGHT_HERE count traceupLength": "a detail of Twisted's",
            "DefaultException": "Exception",
            "format_frames": "Failure.getTraceback",
            "startDebugMode": "defer.setDebugging",
        },
    ),
    "twisted.python.threadable": Module(
        "reactor.compat.threadable",
        "getThreadID init isInIOThread registerAsIOThread synchronize",
        {
            "DummyLock XLock": "threading.RLock",
            "ioThread": "isInIOThread",
            "threaded": "always true",
            "threadingmodule": "the module threading",
            "unpickle_lock": "a detail of Twisted's",
        },
    ),
    "twisted.python.threadpool": Module(
        "reactor.threadpool",
        "ThreadPool",
        {
            "WorkerStop": "a detail of Twisted's",
            "ThreadPool.dumpStats": "repr()",
            "ThreadPool.currentThread ThreadPool.threadFactory": "the module threading",
            "ThreadPool.startAWorker ThreadPool.stopAWorker": "adjustPoolsize()",
        },
    ),
    "twisted.words.protocols.irc": Module(
        "protocols.irc",
        "assembleFormattedText attributes CHANNEL_PREFIXES CR ctcpDequote ctcpExtract ctcpQuote ctcpStringify"
        " DccChat DccChatFactory dccDescribe DccFileReceive DccFileReceiveBasic dccParseAddress DccSendFactory"
        " DccSendProtocol ERR_ALREADYREGISTRED ERR_BADCHANMASK ERR_BADCHANNELKEY ERR_BADMASK ERR_BANLISTFULL"
        " ERR_BANNEDFROMCHAN ERR_CANNOTSENDTOCHAN ERR_CANTKILLSERVER ERR_CHANNELISFULL ERR_CHANOPRIVSNEEDED"
        " ERR_ERRONEUSNICKNAME ERR_FILEERROR ERR_INVITEONLYCHAN ERR_KEYSET ERR_NEEDMOREPARAMS ERR_NICKCOLLISION"
        " ERR_NICKNAMEINUSE ERR_NOADMININFO ERR_NOCHANMODES ERR_NOLOGIN ERR_NOMOTD ERR_NONICKNAMEGIVEN"
        " ERR_NOOPERHOST ERR_NOORIGIN ERR_NOPERMFORHOST ERR_NOPRIVILEGES ERR_NORECIPIENT ERR_NOSERVICEHOST"
        " ERR_NOSUCHCHANNEL ERR_NOSUCHNICK ERR_NOSUCHSERVER ERR_NOSUCHSERVICE ERR_NOTEXTTOSEND ERR_NOTONCHANNEL"
        " ERR_NOTOPLEVEL ERR_NOTREGISTERED ERR_PASSWDMISMATCH ERR_RESTRICTED ERR_SUMMONDISABLED"
        " ERR_TOOMANYCHANNELS ERR_TOOMANYMATCHES ERR_TOOMANYTARGETS ERR_UMODEUNKNOWNFLAG ERR_UNAVAILRESOURCE"
        " ERR_UNIQOPPRIVSNEEDED ERR_UNKNOWNCOMMAND ERR_UNKNOWNMODE ERR_USERNOTINCHANNEL ERR_USERONCHANNEL"
        " ERR_USERSDISABLED ERR_USERSDONTMATCH ERR_WASNOSUCHNICK ERR_WILDTOPLEVEL ERR_YOUREBANNEDCREEP"
        " ERR_YOUWILLBEBANNED fileSize IRC IRCBadMessage IRCBadModes IRCClient IRCPasswordMismatch LF lowDequote"
        " lowQuote M_QUOTE MAX_COMMAND_LENGTH NL NUL numeric_to_symbolic parseFormattedText parseModes parsemsg"
        " RPL_ADMINEMAIL RPL_ADMINLOC1 RPL_ADMINLOC2 RPL_ADMINME RPL_AWAY RPL_BANLIST RPL_BOUNCE RPL_CHANNELMODEIS"
        " RPL_CREATED RPL_ENDOFBANLIST RPL_ENDOFEXCEPTLIST RPL_ENDOFINFO RPL_ENDOFINVITELIST RPL_ENDOFLINKS"
        " RPL_ENDOFMOTD RPL_ENDOFNAMES RPL_ENDOFSTATS RPL_ENDOFUSERS RPL_ENDOFWHO RPL_ENDOFWHOIS RPL_ENDOFWHOWAS"
        " RPL_EXCEPTLIST RPL_INFO RPL_INVITELIST RPL_INVITING RPL_ISON RPL_ISUPPORT RPL_LINKS RPL_LIST RPL_LISTEND"
        " RPL_LISTSTART RPL_LUSERCHANNELS RPL_LUSERCLIENT RPL_LUSERME RPL_LUSEROP RPL_LUSERUNKNOWN RPL_MOTD"
        " RPL_MOTDSTART RPL_MYINFO RPL_NAMREPLY RPL_NOTOPIC RPL_NOUSERS RPL_NOWAWAY RPL_REHASHING RPL_SERVLIST"
        " RPL_SERVLISTEND RPL_STATSCOMMANDS RPL_STATSLINKINFO RPL_STATSOLINE RPL_STATSUPTIME RPL_SUMMONING"
        " RPL_TIME RPL_TOPIC RPL_TRACECLASS RPL_TRACECONNECTING RPL_TRACEEND RPL_TRACEHANDSHAKE RPL_TRACELINK"
        " RPL_TRACELOG RPL_TRACENEWTYPE RPL_TRACEOPERATOR RPL_TRACERECONNECT RPL_TRACESERVER RPL_TRACESERVICE"
        " RPL_TRACEUNKNOWN RPL_TRACEUSER RPL_TRYAGAIN RPL_UMODEIS RPL_UNAWAY RPL_UNIQOPIS RPL_USERHOST RPL_USERS"
        " RPL_USERSSTART RPL_VERSION RPL_WELCOME RPL_WHOISCHANNELS RPL_WHOISIDLE RPL_WHOISOPERATOR RPL_WHOISSERVER"
        " RPL_WHOISUSER RPL_WHOREPLY RPL_WHOWASUSER RPL_YOUREOPER RPL_YOURESERVICE RPL_YOURHOST"
        " ServerSupportedFeatures SPC split stripFormatting symbolic_to_numeric UnhandledCommand X_DELIM X_QUOTE",
        {
            "mDequoteTable mEscape_re": "lowDequote",
            "mQuoteTable": "lowQuote",
            "xDequoteTable xEscape_re": "ctcpDequote",
            "xQuoteTable": "ctcpQuote",
        },
    ),
}
