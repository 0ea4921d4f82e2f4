"""Frames on the bus: LENGTH:PAYLOAD, where LENGTH counts the bytes of PAYLOAD in UTF-8."""


class FrameError(Exception):
    pass


def encode(text):
    """The bytes of one frame."""
    return f"{len(text)}:{text},".encode("utf-8")


def encode_all(texts):
    return b"".join(encode(text) for text in texts)
