"""What a transport tells of its two ends, also when the connection is over."""

from __future__ import annotations

import asyncio
import socket
import struct

import reactor.aio as aio


def test_thePeersAddressIsKnownAfterAReset() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            loop = asyncio.get_running_loop()
            reader, writer = await asyncio.open_connection(*server.getsockname())
            client, _ = await loop.sock_accept(server)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            try:
                await reader.read()
            except ConnectionResetError:
                pass
            assert writer.get_extra_info("peername") == server.getsockname()
            assert writer.get_extra_info("sockname")[0] == "127.0.0.1"
            writer.close()

    aio.run(main())
