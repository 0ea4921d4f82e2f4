#!/usr/bin/env python3
"""A server that behaves well or badly, by the path it is asked for, and two proxies.

Usage: server.py SCRATCH. Makes a certificate authority and certificates in SCRATCH, prints one line
of JSON with the ports and paths, and ends when its standard input does.
"""

import json
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

hang_seen = threading.Event()
proxied = []  # first lines that the proxies were asked with, and their headers
tries = {}  # how often /flaky/NAME was asked
lock = threading.Lock()
connections = iter(range(1, 1 << 30))


def read_head(reader):
    lines = []
    if getattr(reader, "peek", None) and reader.peek(1)[:1] == b"\x16":  # the first byte of TLS
        return None, None
    while True:
        line = reader.readline()
        if line in (b"\r\n", b"\n"):
            break
        if not line:
            return None, None
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    headers = [line.split(": ", 1) for line in lines[1:]]
    return lines[0], headers


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reply(write, status, body=b"", headers=(), length=True):
    lines = [f"HTTP/1.1 {status} Whatever"] + [f"{name}: {value}" for name, value in headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def chunk(body):
    return f"{len(body):x};extension=1\r\n".encode() + body + b"\r\n"


CHUNKED = [("Transfer-Encoding", "chunked")]


def wait_for_close(reader):
    """Until the client hangs up."""
    try:
        reader.read(1)
    except OSError:
        pass


def answer(connection, reader, write, number, request):
    """Serves one request; False closes the connection."""
    method, target, headers, body, count = request
    path, _, query = target.partition("?")
    query = dict(urllib.parse.parse_qsl(query))
    if path == "/echo":
        seen = {"method": method, "target": target, "headers": headers,
                "body": body.decode("latin-1"), "connection": number, "request": count}
        reply(write, 200, b"" if method == "HEAD" else json.dumps(seen).encode(),
              [("Content-Type", "application/json")])
    elif path == "/status":
        extra = [(k, v) for k, v in query.items() if k != "code"]
        reply(write, query["code"], b"the body of an error", extra)
    elif path == "/no-content":
        reply(write, 204, length=False)
    elif path == "/flaky":
        with lock:
            tries[query["name"]] = tries.get(query["name"], 0) + 1
            done = tries[query["name"]]
        if done <= int(query["times"]):
            reply(write, query["code"], b"not yet", [("Retry-After", "7")])
        else:
            reply(write, 200, str(done).encode())
    elif path == "/chunked":
        whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        whole += chunk(b"one ") + chunk(b"two ") + chunk(b"three") + b"0\r\nTrailer: 1\r\n\r\n"
        for i in range(len(whole)):  # a byte at a time
            write(whole[i:i + 1])
    elif path == "/interim":
        write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        reply(write, 200, b"at last")
    elif path == "/until-close":
        reply(write, 200, b"all of it", length=False)
        return False
    elif path == "/cut":
        reply(write, 200, b"half", length=False)
        reset_tls = connection.detach() if isinstance(connection, ssl.SSLSocket) else None
        if reset_tls is not None:  # no good-bye of TLS
            socket.close(reset_tls)
        return False
    elif path == "/half":
        write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        return False
    elif path == "/half-head":
        write(b"HTTP/1.1 200 OK\r\nContent-Le")
        return False
    elif path == "/reset":
        reset(connection)
        return False
    elif path == "/garbage":
        write(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n")
        return False
    elif path == "/long-head":
        write(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 200000 + b"\r\n\r\n")
        return False
    elif path == "/big":
        length = int(query["bytes"])
        reply(write, 200, b"" if method == "HEAD" else b"a" * length, [("Content-Length", length)],
              length=False)
    elif path == "/circle":
        reply(write, 302, headers=[("Location", "/circle")])
    elif path == "/endless":
        reply(write, 200, headers=CHUNKED, length=False)
        while True:
            write(chunk(b"a" * 10000))
    elif path == "/trickle":
        reply(write, 200, headers=CHUNKED, length=False)
        while True:
            write(chunk(b"."))
            time.sleep(0.02)
    elif path == "/hang":
        hang_seen.set()
        wait_for_close(reader)
        return False
    elif path == "/hang-in-body":
        reply(write, 200, headers=CHUNKED, length=False)
        write(chunk(b"first"))
        wait_for_close(reader)
        return False
    elif path == "/hang-seen":
        hang_seen.wait()
        hang_seen.clear()
        reply(write, 200)
    elif path == "/then-close":  # says that it keeps the connection, and does not
        reply(write, 200, str(number).encode())
        return False
    elif path == "/refuse-early":  # before it has read the body
        reply(write, 413, b"too much", [("Connection", "close")])
        return False
    elif path == "/proxied":
        reply(write, 200, json.dumps(proxied).encode())
    else:
        reply(write, 404, b"no such path")
    return True


def serve(connection):
    number = next(connections)
    reader = connection.makefile("rb")
    for count in range(1, 1 << 30):
        first, headers = read_head(reader)
        if first is None:
            break
        method, target, _ = first.split(" ")
        length = int(dict((k.lower(), v) for k, v in headers).get("content-length", 0))
        body = b"" if target == "/refuse-early" else reader.read(length)
        if not answer(connection, reader, connection.sendall, number,
                      (method, target, headers, body, count)):
            break
    reader.close()
    try:
        if isinstance(connection, ssl.SSLSocket):
            connection = connection.unwrap()
    except (OSError, ValueError):
        pass
    connection.close()


def pump(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve_proxy(connection, password):
    """CONNECT to any name goes to this machine; anything else is answered here."""
    reader = connection.makefile("rb", buffering=0)
    first, headers = read_head(reader)
    if first is None:
        return
    proxied.append([first, headers])
    given = dict((k.lower(), v) for k, v in headers).get("proxy-authorization")
    method, target, _ = first.split(" ")
    if given != password:
        reply(connection.sendall, 407)
    elif method == "CONNECT":
        there = socket.create_connection(("127.0.0.1", int(target.rsplit(":", 1)[1])))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        threading.Thread(target=pump, args=(connection, there), daemon=True).start()
        pump(there, connection)
    else:
        reply(connection.sendall, 200, b"from the proxy", [("Connection", "close")])
    connection.close()


def listen(handle, context=None):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def one(connection):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            handle(context.wrap_socket(connection, server_side=True) if context else connection)
        except (OSError, ValueError):
            connection.close()

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def openssl(scratch, *arguments):
    subprocess.run(["openssl", *arguments], cwd=scratch, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def certificate(scratch, name, alternative, days="30", signed=True):
    """A TLS context with a key and a certificate for `alternative`."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-keyout", f"{name}.key", "-subj", f"/CN={name}"]
    if signed:
        openssl(scratch, "req", *new_key, "-out", f"{name}.csr")
        (scratch / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        openssl(scratch, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext",
                "-out", f"{name}.crt")
    else:
        openssl(scratch, "req", "-x509", *new_key, "-days", days,
                "-addext", f"subjectAltName={alternative}", "-out", f"{name}.crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(scratch / f"{name}.crt", scratch / f"{name}.key")
    return context


def main():
    scratch = pathlib.Path(sys.argv[1])
    openssl(scratch, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", "ca.key", "-subj", "/CN=throw-away", "-days", "30",
            "-out", "ca.crt")
    mine = "DNS:localhost,IP:127.0.0.1,DNS:api.example.com"
    places = {
        "http": listen(serve),
        "https": listen(serve, certificate(scratch, "good", mine)),
        "wrong_name": listen(serve, certificate(scratch, "other", "DNS:other.example.com")),
        "expired": listen(serve, certificate(scratch, "expired", mine, days="-1")),
        "self_signed": listen(serve, certificate(scratch, "alone", mine, signed=False)),
        "proxy": listen(lambda c: serve_proxy(c, None)),
        # "user:secret word"
        "password_proxy": listen(lambda c: serve_proxy(c, "Basic dXNlcjpzZWNyZXQgd29yZA==")),
    }
    print(json.dumps(places), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
