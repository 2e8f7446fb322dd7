"""Sends a packet to ports, whatever answers: sendToPorts.py JSON {"addresses", "ports"}; to each by TCP and by UDP."""
import json
import socket
import sys
import time

arguments = json.loads(sys.argv[1])

# Twice, since few packets are kept for a machine whose link address is not known yet.
for _ in range(2):
    for address in arguments["addresses"]:
        sockets = []
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for port in arguments["ports"]:
                one = socket.socket(socket.AF_INET, kind)
                one.setblocking(False)
                try:
                    one.connect((address, port))
                    if kind == socket.SOCK_DGRAM:
                        one.send(b"hello")
                except OSError:
                    pass
                sockets.append(one)
        time.sleep(0.02)
        for one in sockets:
            one.close()
    time.sleep(0.3)
