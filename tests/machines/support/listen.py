"""Listens on all ports that it is told, and answers: listen.py tcp PORT... -- udp PORT..."""
import selectors
import socket
import sys

words = sys.argv[1:]
at = words.index("--")
selector = selectors.DefaultSelector()
for kind, ports in ((socket.SOCK_STREAM, words[1:at]), (socket.SOCK_DGRAM, words[at + 2:])):
    for port in ports:
        server = socket.socket(socket.AF_INET, kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", int(port)))
        if kind == socket.SOCK_STREAM:
            server.listen()
        selector.register(server, selectors.EVENT_READ, kind)
while True:
    for key, _ in selector.select():
        if key.data == socket.SOCK_STREAM:
            key.fileobj.accept()[0].close()
        else:
            data, peer = key.fileobj.recvfrom(100)
            key.fileobj.sendto(data, peer)
