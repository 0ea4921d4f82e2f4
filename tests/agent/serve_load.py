#!/usr/bin/env python3
"""Many clients on one `dsv4-agent serve`, each holding conversations, and how that goes.

usage: serve_load.py DSV4_AGENT [--clients 32] [--seconds 4] [--alone 2] [--between MS]
                     [--option OPTION]...

Starts a server, lets one client talk to it for --alone seconds and then --clients for --seconds,
and prints one JSON object: tokens per second of both, their ratio, and the server's memory. With
--between a client does something else for so long after each reply, as an agent does that runs
tools: one alone then leaves the server idle, many do not. Exits 1 when any answer is wrong or any request fails, or when the server does not end well.

By hand, for five minutes:  tests/agent/serve_load.py build/dsv4-agent --seconds 300 --alone 30
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

TOKENS = 64  # of each reply
TURNS = 4  # of each conversation
SYSTEM = "You repair programs. " + "Read what fails, change one line, and run the tests again. " * 12


class Failed(Exception):
    pass


async def post(reader, writer, path, body):
    """One request on an open connection; the events of a stream, or the one object."""
    data = json.dumps(body).encode()
    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if " 200 " not in head.splitlines()[0]:
        raise Failed(head.splitlines()[0])
    if "content-length:" in head:
        size = int(head.split("content-length:")[1].split("\r\n")[0])
        return [json.loads(await reader.readexactly(size))]
    text = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        text += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    events = [e[6:] for e in text.decode().split("\n\n") if e.startswith("data: ")]
    if events[-1] != "[DONE]":
        raise Failed("a stream without its end")
    return [json.loads(e) for e in events[:-1]]


def reply_of(parts, streamed):
    """Text and usage of a reply, however it came."""
    if not streamed:
        return parts[0]["choices"][0]["message"]["content"] or "", parts[0]["usage"]
    text = "".join(c["delta"].get("content") or "" for p in parts for c in p["choices"])
    return text, parts[-1]["usage"]


class Load:
    def __init__(self, port, between):
        self.port = port
        self.between = between
        self.tokens = self.requests = self.prompt = self.cached = 0

    async def client(self, number, until):
        """Holds one conversation after the other. Every second client reads streams."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        streamed = number % 2 == 1
        seed = number * 100000
        while time.monotonic() < until:
            messages = [{"role": "system", "content": SYSTEM},
                        {"role": "user", "content": f"File number {seed} is wrong: " + "it fails. " * 10}]
            context = 0
            for _ in range(TURNS):
                if time.monotonic() >= until:
                    break
                seed += 1
                body = {"model": "nano", "messages": messages, "max_tokens": TOKENS, "seed": seed,
                        "temperature": 0.8, "ignore_eos": True, "stream": streamed}
                if streamed:
                    body["stream_options"] = {"include_usage": True}
                text, usage = reply_of(await post(reader, writer, "/v1/chat/completions", body), streamed)
                cached = usage["prompt_tokens_details"]["cached_tokens"]
                if usage["completion_tokens"] != TOKENS:
                    raise Failed(f"{usage['completion_tokens']} tokens instead of {TOKENS}")
                if cached < context:
                    raise Failed(f"{cached} of {context} tokens were kept")
                context = usage["prompt_tokens"] + TOKENS - 1
                self.tokens += TOKENS
                self.requests += 1
                self.prompt += usage["prompt_tokens"]
                self.cached += cached
                messages += [{"role": "assistant", "content": text},
                             {"role": "user", "content": "The tests fail: expected 4, got 5. Go on."}]
                await asyncio.sleep(self.between)
        writer.close()

    async def run(self, clients, seconds):
        """Tokens per second of all of them together."""
        before, begin = self.tokens, time.monotonic()
        await asyncio.gather(*[self.client(i, begin + seconds) for i in range(clients)])
        return (self.tokens - before) / (time.monotonic() - begin)


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(args, server, port):
    load = Load(port, args.between / 1000)
    await load.run(1, 0.2)  # the first pages of memory
    alone = await load.run(1, args.alone)
    samples = []

    async def watch():
        begin = time.monotonic()
        while True:
            samples.append((round(time.monotonic() - begin), memory(server.pid)))
            await asyncio.sleep(max(1, args.seconds / 10))

    watcher = asyncio.create_task(watch())
    server_before, clients_before = processor_seconds(server.pid), time.process_time()
    together = await load.run(args.clients, args.seconds)
    watcher.cancel()
    return {"clients": args.clients, "seconds": args.seconds, "between_ms": args.between,
            "requests": load.requests,
            "one_tokens_s": round(alone, 1), "all_tokens_s": round(together, 1),
            "ratio": round(together / alone, 2),
            "cached_share": round(load.cached / load.prompt, 3),
            "server_processor_s": round(processor_seconds(server.pid) - server_before, 1),
            "clients_processor_s": round(time.process_time() - clients_before, 1),
            "resident_mib": samples + [("end", memory(server.pid))]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("agent")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--alone", type=float, default=2)
    parser.add_argument("--between", type=float, default=0, help="milliseconds between replies")
    parser.add_argument("--option", action="append", default=[], help="one more word for the server")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, XDG_CONFIG_HOME=home)
        server = subprocess.Popen([args.agent, "serve", "--port", "0", *args.option],
                                  stdout=subprocess.PIPE, env=environment, text=True)
        try:
            port = json.loads(server.stdout.readline())["port"]
            print(json.dumps(asyncio.run(measure(args, server, port))))
            server.send_signal(signal.SIGTERM)
            if server.wait(30) != 0:
                raise Failed(f"the server ended with {server.returncode}")
        except (Failed, OSError, asyncio.IncompleteReadError) as error:
            print(f"failed: {error}")
            return 1
        finally:
            server.kill()
            server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
