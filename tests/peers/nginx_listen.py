"""Starts nginx on a port of the kernel's choice. nginx cannot ask for one: here a socket that never listens holds it, and
nginx, which inherits that, shares the port with `listen ... reuseport`.

    nginx_listen.py CONF    `@PORT@` in the file becomes the port, which is printed as {"port": N} when nginx listens
"""

import json
import os
import socket
import sys
import time


def tell_when_it_listens(port, nginx):
    while os.getppid() == nginx:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            print(json.dumps({"port": port}), flush=True)
            return
        except ConnectionRefusedError:
            time.sleep(0.005)


def main():
    conf = sys.argv[1]
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    with open(conf, encoding="utf-8") as f:
        text = f.read().replace("@PORT@", str(port))
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text)
    nginx = os.getpid()
    if os.fork() == 0:
        holder.close()
        tell_when_it_listens(port, nginx)
        os._exit(0)
    os.set_inheritable(holder.fileno(), True)
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    os.execvpe("nginx", ["nginx", "-c", conf, "-e", "stderr"], {"PATH": path})


main()
