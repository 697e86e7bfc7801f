"""fake_broker.py - an MQTT broker that speaks just enough to misbehave.

It prints "port N", then "connect VERSION" for each CONNECT, "sni NAME" for a TLS client, "publish" for each message.

  --answer-5 HEX   what a CONNECT of MQTT 5 gets: "200200" + "01" is the refusal of a 3.1.1 broker; then it hangs up
  --mute           takes connections and says nothing, ever
  --no-ack         answers CONNECT, and acknowledges nothing
"""
import argparse
import socket
import ssl
import threading


def read_exactly(link, count):
    data = b""
    while len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_packet(link):
    head = read_exactly(link, 1)[0]
    length = shift = 0
    while True:
        byte = read_exactly(link, 1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return head, read_exactly(link, length)


def answer(link, head, body, options, state):
    kind = head >> 4
    if kind == 1:
        state["version"] = body[6]
        print(f"connect {body[6]}")
        if body[6] == 5 and options.answer_5:
            link.sendall(bytes.fromhex(options.answer_5))
            raise EOFError
        link.sendall(bytes.fromhex("2003000000" if body[6] == 5 else "20020000"))
    elif kind == 3:
        print("publish")
        topic = int.from_bytes(body[:2], "big")
        if (head >> 1) & 3 == 1 and not options.no_ack:
            link.sendall(b"\x40\x02" + body[2 + topic : 4 + topic])
    elif kind == 8:
        link.sendall(b"\x90" + (b"\x04" + body[:2] + b"\x00\x01" if state["version"] == 5 else b"\x03" + body[:2] + b"\x01"))
    elif kind == 12:
        link.sendall(b"\xd0\x00")


def serve(link, options, context):
    state = {}
    try:
        if context:
            link = context.wrap_socket(link, server_side=True)
        if options.mute:
            while link.recv(4096):
                pass
            return
        while True:
            head, body = read_packet(link)
            answer(link, head, body, options, state)
    except (EOFError, OSError):
        pass
    finally:
        link.close()


def tls_context(options):
    if not options.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    context.sni_callback = lambda _socket, name, _context: print(f"sni {name}")
    return context


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--answer-5", default="")
    parser.add_argument("--mute", action="store_true")
    parser.add_argument("--no-ack", action="store_true")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    context = tls_context(options)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"port {listener.getsockname()[1]}")
    while True:
        link, _ = listener.accept()
        threading.Thread(target=serve, args=(link, options, context), daemon=True).start()


main()
