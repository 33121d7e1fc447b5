"""What of ``twisted.internet`` is here, module by module."""

from __future__ import annotations

from reactor._migrate.module import Module

MODULES = {
    "twisted.internet.reactor": Module(
        "reactor.reactor",
        "addReader addSystemEventTrigger addWriter adoptDatagramPort adoptStreamConnection adoptStreamPort"
        " callFromThread callInThread callLater callWhenRunning connectSSL connectTCP connectUNIX"
        " connectUNIXDatagram crash fireSystemEvent getDelayedCalls getReaders getThreadPool getWriters"
        " installNameResolver installResolver iterate listenMulticast listenSSL listenTCP listenUDP listenUNIX"
        " listenUNIXDatagram nameResolver removeAll removeReader removeSystemEventTrigger removeWriter resolve run"
        " running seconds spawnProcess stop suggestThreadPoolSize threadpool",
        {
            "addEvent removeEvent": "for Windows only",
            "afterDaemonize beforeDaemonize": "a reactor is made in the process that runs it",
            "disconnectAll": "stop() does so",
            "doIteration doPoll mainLoop runUntilCurrent timeout": "iterate()",
            "startRunning": "run()",
            "resolver": "nameResolver",
            "installWaker wakeUp waker threadCallQueue": "callFromThread()",
            "sigBreak sigInt sigTerm": "run(installSignalHandlers=False) and the module signal",
            "installed threadpoolShutdownID usingThreads": "a detail of Twisted's",
        },
    ),
    "twisted.internet.abstract": Module(
        "reactor.compat.abstract",
        "FileDescriptor isIPAddress isIPv6Address",
    ),
    "twisted.internet.address": Module(
        "reactor.address",
        "HostnameAddress IPv4Address IPv6Address UNIXAddress",
    ),
    "twisted.internet.base": Module(
        "reactor.base",
        "DelayedCall ReactorBase ThreadedResolver",
        {
            "BaseConnector": "IConnector of reactor.interfaces says what a connector has",
            "BasePort": "IListeningPort of reactor.interfaces says what a port has",
            "BlockingResolver": "ThreadedResolver",
            "PluggableResolverMixin": "any reactor has installResolver and installNameResolver",
            "ThreadPool": "reactor.threadpool.ThreadPool",
        },
    ),
    "twisted.internet.defer": Module(
        "reactor.defer",
        "AlreadyCalledError AlreadyTryingToLockError CancelledError DebugInfo Deferred DeferredFilesystemLock"
        " DeferredList DeferredLock DeferredQueue DeferredSemaphore ensureDeferred execute fail FAILURE"
        " FailureGroup FirstError gatherResults getDebugging inlineCallbacks logError maybeDeferred"
        " NotACoroutineError passthru QueueOverflow QueueUnderflow race returnValue setDebugging succeed SUCCESS"
        " timeout TimeoutError",
        {
            "DeferredCallback DeferredErrback": "collections.abc.Callable",
            "log": "logging",
        },
    ),
    "twisted.internet.endpoints": Module(
        "reactor.endpoints",
        "AdoptedStreamServerEndpoint clientFromString connectProtocol HostnameEndpoint ProcessEndpoint"
        " quoteStringArgument serverFromString SSL4ClientEndpoint SSL4ServerEndpoint StandardErrorBehavior"
        " StandardIOEndpoint TCP4ClientEndpoint TCP4ServerEndpoint TCP6ClientEndpoint TCP6ServerEndpoint"
        " UNIXClientEndpoint UNIXServerEndpoint wrapClientTLS wrapServerTLS",
        {
            "PipeAddress": "reactor.stdio.PipeAddress",
            "StandardIO": "reactor.stdio.StandardIO",
            "TLSMemoryBIOFactory": "protocols.tls.TLSMemoryBIOFactory",
        },
    ),
    "twisted.internet.error": Module(
        "reactor.error",
        "AlreadyCalled AlreadyCancelled AlreadyListened BadFileError BindError CannotListenError CertificateError"
        " ConnectBindError ConnectError ConnectingCancelledError ConnectInProgressError ConnectionAborted"
        " ConnectionClosed ConnectionDone ConnectionFdescWentAway ConnectionLost ConnectionRefusedError"
        " DNSLookupError errnoMapping FileDescriptorOverrun getConnectError InvalidAddressError MessageLengthError"
        " MulticastJoinError NoProtocol NoRouteError NotConnectingError NotListeningError PeerVerifyError"
        " ProcessDone ProcessExitedAlready ProcessTerminated ReactorAlreadyInstalledError ReactorAlreadyRunning"
        " ReactorNotRestartable ReactorNotRunning ServiceNameUnknownError SSLError TCPTimedOutError TimeoutError"
        " UnknownHostError UnsupportedAddressFamily UnsupportedSocketType UserError VerifyError",
        {
            "errno": "the module errno",
        },
    ),
    "twisted.internet.fdesc": Module(
        "reactor.compat.fdesc",
        "readFromFD setBlocking setNonBlocking writeToFD",
        {
            "fcntl": "the module fcntl",
        },
    ),
    "twisted.internet.interfaces": Module(
        "reactor.interfaces",
        "IAcceptableCiphers IAddress ICipher IConnector IConsumer IDelayedCall IFileDescriptor"
        " IFileDescriptorReceiver IHalfCloseableDescriptor IHalfCloseableProtocol IHandshakeListener"
        " IHostnameResolver IHostResolution IListeningPort ILoggingContext IMulticastTransport INegotiated"
        " IOpenSSLClientConnectionCreator IOpenSSLContextFactory IOpenSSLServerConnectionCreator IProcessProtocol"
        " IProcessTransport IProducer IProtocol IProtocolFactory IProtocolNegotiationFactory IPullProducer"
        " IPushProducer IReactorCore IReactorFDSet IReactorFromThreads IReactorInThreads IReactorMulticast"
        " IReactorPluggableNameResolver IReactorPluggableResolver IReactorProcess IReactorSocket IReactorSSL"
        " IReactorTCP IReactorThreads IReactorTime IReactorUDP IReactorUNIX IReactorUNIXDatagram IReadDescriptor"
        " IReadWriteDescriptor IResolutionReceiver IResolver IResolverSimple IServiceCollection ISSLTransport"
        " IStreamClientEndpoint IStreamClientEndpointStringParser IStreamClientEndpointStringParserWithReactor"
        " IStreamServerEndpoint IStreamServerEndpointStringParser ISystemHandle ITCPTransport ITLSTransport"
        " ITransport IUDPTransport IUNIXDatagramConnectedTransport IUNIXDatagramTransport IUNIXTransport"
        " IWriteDescriptor",
        {
            "Binding": "a pair (host, port)",
            "IReactorDaemonize": "a reactor is made in the process that runs it",
            "IReactorTCP2": "IReactorTCP",
            "IReactorWin32Events": "for Windows only",
        },
    ),
    "twisted.internet.main": Module(
        "reactor.compat.main",
        "CONNECTION_DONE CONNECTION_LOST installReactor",
    ),
    "twisted.internet.process": Module(
        "reactor.compat.process",
        "Process PTYProcess reapAllProcesses",
        {
            "ProcessExitedAlready": "reactor.error.ProcessExitedAlready",
            "ProcessReader": "IProcessProtocol.childDataReceived",
            "ProcessWriter": "IProcessTransport.writeToChild",
            "detector": "a child has the descriptors that childFDs names",
            "fcntl": "the module fcntl",
            "pty": "the module pty",
            "reapProcessHandlers": "reapAllProcesses",
            "registerReapProcessHandler unregisterReapProcessHandler": "reactor.spawnProcess sees to it",
        },
    ),
    "twisted.internet.protocol": Module(
        "reactor.protocol",
        "AbstractDatagramProtocol BaseProtocol ClientCreator ClientFactory ConnectedDatagramProtocol"
        " connectionDone ConsumerToProtocolAdapter DatagramProtocol Factory FileWrapper _InstanceFactory"
        " ProcessProtocol Protocol ProtocolToConsumerAdapter ReconnectingClientFactory ServerFactory",
        {
            "P R": "typing.TypeVar",
        },
    ),
    "twisted.internet.ssl": Module(
        "reactor.ssl",
        "AcceptableCiphers Certificate CertificateOptions ClientContextFactory ContextFactory"
        " DefaultOpenSSLContextFactory DiffieHellmanParameters DistinguishedName DN KeyPair optionsForClientTLS"
        " platformTrust PrivateCertificate supported TLSVersion trustRootFromCertificates",
        {
            "CertificateRequest": "certificateRequest and signCertificateRequest of KeyPair take bytes",
            "Client": "reactor.compat.tcp.Client",
            "Connector": "reactor.compat.tcp.Connector",
            "Port": "reactor.compat.tcp.Port",
            "Server": "reactor.compat.tcp.Server",
            "OpenSSLDefaultPaths": "platformTrust()",
            "Certificate.getPublicKey PrivateCertificate.getPublicKey": "the package cryptography",
            "Certificate.hostFromTransport PrivateCertificate.hostFromTransport": "transport.getHost()",
            "Certificate.options": "PrivateCertificate.options",
            "ProtocolNegotiationSupport protocolNegotiationMechanisms": "acceptableProtocols works always",
            "VerificationError": "ssl.SSLCertVerificationError",
        },
    ),
    "twisted.internet.stdio": Module(
        "reactor.stdio",
        "PipeAddress StandardIO",
    ),
    "twisted.internet.task": Module(
        "reactor.task",
        "Clock coiterate cooperate CooperativeTask Cooperator deferLater LoopingCall NotPaused react"
        " SchedulerError SchedulerStopped TaskDone TaskFailed TaskFinished TaskStopped",
    ),
    "twisted.internet.tcp": Module(
        "reactor.compat.tcp",
        "Client Connection Connector Port Server",
        {
            "BaseClient": "Client",
            "EAGAIN ENFILE ENOMEM EPERM": "the module errno",
            "ITLSTransport": "reactor.interfaces.ITLSTransport",
            "makeBinding": "a pair (host, port); reusePort=True of reactor.listenTCP",
        },
    ),
    "twisted.internet.testing": Module(
        "reactor.testing",
        "_FakeConnector _FakePort AccumulatingProtocol FakeDatagramTransport MemoryReactor MemoryReactorClock"
        " NonStreamingProducer RaisingMemoryReactor StringIOWithoutClosing StringTransport"
        " StringTransportWithDisconnection SynchronousResolver waitUntilAllDisconnected",
        {
            "EventLoggingObserver": "pytest's caplog",
            "LineSendingProtocol": "a LineReceiver of your own",
        },
    ),
    "twisted.internet.threads": Module(
        "reactor.threads",
        "blockingCallFromThread callMultipleInThread deferToThread deferToThreadPool",
    ),
    "twisted.internet.udp": Module(
        "reactor.compat.udp",
        "MulticastPort Port",
        {
            "EAGAIN ECONNREFUSED EINTR EMSGSIZE": "the module errno",
        },
    ),
    "twisted.internet.unix": Module(
        "reactor.compat.unix",
        "Client ConnectedDatagramPort Connector DatagramPort Port Server",
        {
            "sendmsg": "socket.send_fds",
        },
    ),
    "twisted.internet.utils": Module(
        "reactor.utils",
        "getProcessOutput getProcessOutputAndValue getProcessValue runWithWarningsSuppressed suppressWarnings",
    ),
}
