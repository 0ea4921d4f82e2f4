#!/usr/bin/env python3
"""Stands between a client and a server and spoils one connection after the other.

Usage: faults.py PORT FAULT... Listens on a port of its own, which it prints as JSON; connection N
suffers the N-th fault, and those after the last are left alone.
  fine            nothing
  refuse          reset before anything is read
  reset           reset after the request was read, which the server never sees
  lost            the server answers, and its answer is lost
  cut:N           reset after N bytes of the answer
  end:N           a clean end after N bytes of the answer
  slow            the answer comes byte by byte
  status:N        an answer of that status in place of the server's, asking for no wait
Ends when its standard input does.
"""

import json
import socket
import struct
import sys
import threading


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def serve(connection, port, fault):
    name, _, value = fault.partition(":")
    if name == "refuse":
        return reset(connection)
    request = read_request(connection)
    if name == "reset":
        return reset(connection)
    if name == "status":
        connection.sendall(f"HTTP/1.1 {value} Spoilt\r\nContent-Length: 0\r\nRetry-After: 0\r\n"
                           "Connection: close\r\n\r\n".encode())
        return connection.close()
    answer = b""
    with socket.create_connection(("127.0.0.1", port)) as server:
        server.sendall(request)
        while piece := server.recv(65536):
            answer += piece
    if name == "lost":
        return reset(connection)
    if name in ("cut", "end"):
        answer = answer[:int(value)]
    if name == "slow":
        for i in range(len(answer)):
            connection.sendall(answer[i:i + 1])
    else:
        connection.sendall(answer)
    if name == "cut":
        return reset(connection)
    connection.close()


def main():
    port = int(sys.argv[1])
    faults = iter(sys.argv[2:])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fault = next(faults, "fine")
            threading.Thread(target=serve, args=(connection, port, fault), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
