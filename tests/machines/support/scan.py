"""Which ports of which addresses answer: scan.py JSON [[address, "tcp" or "udp", port], ...]; prints those that do."""
import asyncio
import json
import sys

PATIENCE = 0.7


async def tcp(address, port):
    _, writer = await asyncio.open_connection(address, port)
    writer.close()


class Echo(asyncio.DatagramProtocol):
    def __init__(self):
        self.answered = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, address):
        if not self.answered.done():
            self.answered.set_result(data)


async def udp(address, port):
    transport, echo = await asyncio.get_running_loop().create_datagram_endpoint(Echo, remote_addr=(address, port))
    try:
        for _ in range(3):
            transport.sendto(b"hello")
            await asyncio.wait([echo.answered], timeout=PATIENCE / 3)
        if not echo.answered.done():
            raise TimeoutError
    finally:
        transport.close()


async def answers(target):
    address, protocol, port = target
    try:
        await asyncio.wait_for({"tcp": tcp, "udp": udp}[protocol](address, port), PATIENCE + 0.3)
        return target
    except (OSError, TimeoutError, asyncio.TimeoutError):
        return None


async def main():
    found = await asyncio.gather(*(answers(target) for target in json.loads(sys.argv[1])))
    print(json.dumps([target for target in found if target]))


asyncio.run(main())
