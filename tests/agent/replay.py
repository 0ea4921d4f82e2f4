#!/usr/bin/env python3
"""Answers as a real server once did, byte for byte.

Usage: replay.py DIRECTORY. Listens on a port of its own, which it prints as JSON; the N-th request
gets what DIRECTORY/N.http holds, whatever it asks for, and those after the last the same as that.
Ends when its standard input does.
"""

import json
import os
import socket
import sys
import threading


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return False
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return True


def serve(listener, directory):
    number = 0
    while True:
        connection, _ = listener.accept()
        with connection:
            while read_request(connection):
                if os.path.exists(os.path.join(directory, f"{number + 1}.http")):
                    number += 1
                with open(os.path.join(directory, f"{number}.http"), "rb") as file:
                    connection.sendall(file.read())


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    threading.Thread(target=serve, args=(listener, sys.argv[1]), daemon=True).start()
    sys.stdin.read()


main()
