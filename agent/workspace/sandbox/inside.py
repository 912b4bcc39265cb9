"""Runs inside of the sandbox, before the command: makes the proxy's socket a port of loopback.

Programs know proxies by host and port, not by socket. Started as `python -I -S -c THIS SOCKET HOST
PORT PROGRAM ...`; it imports nothing of ours, and any Python 3 will do.
"""

import _socket
import os
import sys


def _main() -> None:
    path, host, port, *command = sys.argv[1:]
    # The port is open before the command begins, so that its first connection is not too early.
    # `socket` itself takes longer to be imported than everything else here together.
    server = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    server.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    server.bind((host, int(port)))
    server.listen(128)
    if os.fork() == 0:
        # Of the command's own children this is none: its `wait` and its signals are not for us.
        os.setsid()
        if os.fork() == 0:
            _silence()
            _wait_for_one(server)
            _serve(server.detach(), path)
        os._exit(0)
    os.wait()
    os.execv(command[0], command)  # noqa: S606 - bubblewrap has confined us


def _silence() -> None:
    # Whoever reads the command's output waits until nobody holds its end.
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _wait_for_one(server: _socket.socket) -> None:
    # Most commands ask nobody, and what serves takes as long to be imported as they run.
    import select  # noqa: PLC0415 - the command runs meanwhile

    select.select([server.fileno()], [], [])


def _serve(descriptor: int, path: str) -> None:
    import asyncio  # noqa: PLC0415 - somebody waits, and only then
    import socket  # noqa: PLC0415 - as above

    server = socket.socket(fileno=descriptor)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65536):
                sink.write(chunk)
                await sink.drain()
            sink.write_eof()
        except OSError:
            sink.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            outer_reader, outer_writer = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, outer_writer), pump(outer_reader, writer))
        outer_writer.close()
        writer.close()

    async def forever() -> None:
        listening = await asyncio.start_server(forward, sock=server)
        await listening.serve_forever()

    asyncio.run(forever())


if __name__ == "__main__":
    _main()
