"""Who is at the other end of a Unix socket, as the kernel knows it: nobody can claim to be somebody else."""

from __future__ import annotations

import pwd
import socket
import struct

# struct ucred of unix(7): process, user and group, all int.
_CREDENTIALS = struct.Struct("3i")


def peer_name(connection: socket.socket) -> tuple[str, int]:
    """The name of the user, and the process id."""
    process, user, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    try:
        return pwd.getpwuid(user).pw_name, process
    except KeyError:  # a user of another machine or container
        return str(user), process
