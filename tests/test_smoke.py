from net import *
def test_echo(net):
    a,b=net.pair(server={"data":lambda p,d:p.write(d)})
    a.write(b"x"*100000)
    net.until(lambda: len(a.received)==100000)
    a.lose()
    net.until(lambda: b.lost and a.lost)
    assert b.short==["CM","DR*","CL(ConnectionDone)"]
def test_refused(net):
    l=net.plainListener(); port=l.getsockname()[1]; l.close()
    c=net.connect(port)
    net.until(lambda:c.over)
    assert c.events==["doStart","startedConnecting","CCF(ConnectionRefusedError)","doStop"]
