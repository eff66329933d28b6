"""A program that runs another one where the only name server is ours: `own_network.py ETC PROGRAM ARGUMENT…`.

It takes a network and mounts of its own, puts the folder ETC in the place of /etc, and answers DNS on the
loopback: by UDP that the answer is too long, by TCP that every name is 192.0.2.7. Root alone may do that.
With `--silent` in front it answers nothing, and writes "asked" when the first question has come.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading

CLONE_NEWNS, CLONE_NEWNET = 0x0002_0000, 0x4000_0000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

SERVER = "127.0.0.53"
"""Not 127.0.0.1, which the C library asks where it has no file that says whom to ask."""
SILENT_SERVER = "127.0.0.54"
ADDRESS = "192.0.2.7"
"""For documentation only (RFC 5737), so no host has it."""
HEADER = 12
RESPONSE, TRUNCATED = 0x8180, 0x8380
A = 1


def separate(etc: str) -> None:
    """From now on the network and the mounts are this program's own."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
    _checked(libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None))
    _checked(libc.mount(etc.encode(), b"/etc", None, ctypes.c_ulong(MS_BIND), None))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def answer(query: bytes, *, truncated: bool) -> bytes:
    """The question again, and behind it the address if it was asked for and there is room."""
    (number,) = struct.unpack_from("!H", query)
    end = query.index(b"\0", HEADER) + 5
    question = query[HEADER:end]
    wanted = struct.unpack_from("!H", query, end - 4)[0] == A and not truncated
    record = struct.pack("!HHHIH4s", 0xC00C, A, 1, 60, 4, socket.inet_aton(ADDRESS)) if wanted else b""
    flags = TRUNCATED if truncated else RESPONSE
    return struct.pack("!HHHHHH", number, flags, 1, int(wanted), 0, 0) + question + record


def serve_udp(channel: socket.socket) -> None:
    while True:
        query, sender = channel.recvfrom(512)
        channel.sendto(answer(query, truncated=True), sender)


def keep_silent(channel: socket.socket) -> None:
    channel.recvfrom(512)
    print("asked", flush=True)  # noqa: T201 - for the test that started this program


def serve_tcp(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve_connection, args=(connection,), daemon=True).start()


def _serve_connection(connection: socket.socket) -> None:
    """A resolver may ask for both kinds of address in one connection."""
    with connection, connection.makefile("rb") as stream:
        while length := stream.read(2):
            reply = answer(stream.read(struct.unpack("!H", length)[0]), truncated=False)
            connection.sendall(struct.pack("!H", len(reply)) + reply)


def main() -> int:
    silent = sys.argv[1] == "--silent"
    etc, *command = sys.argv[2:] if silent else sys.argv[1:]
    separate(etc)
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind((SILENT_SERVER if silent else SERVER, 53))
    threading.Thread(target=keep_silent if silent else serve_udp, args=(udp,), daemon=True).start()
    if not silent:
        tcp = socket.create_server((SERVER, 53))
        threading.Thread(target=serve_tcp, args=(tcp,), daemon=True).start()
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
