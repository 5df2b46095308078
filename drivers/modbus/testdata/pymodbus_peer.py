"""A Modbus server of pymodbus, for a test: tables 0 to 199 of unit 1 and 2.

Usage: pymodbus_peer.py tcp | rtu+tcp | rtu PORT | ascii PORT, TABLES as JSON:
{"holding": {"10": [1, 2]}} and the same with input, coil, discrete.

Prints where it listens, or the port, when it answers. It ends with its stdin.
"""
import asyncio
import json
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer


def table(blocks):
    values = [0] * 200
    for start, some in blocks.items():
        values[int(start) : int(start) + len(some)] = some
    return ModbusSequentialDataBlock(0, values)


def unit(tables):
    return ModbusSlaveContext(
        co=table(tables.get("coil", {})),
        di=table(tables.get("discrete", {})),
        ir=table(tables.get("input", {})),
        hr=table(tables.get("holding", {})),
        zero_mode=True,
    )


async def main(mode, port, tables):
    context = ModbusServerContext(slaves={1: unit(tables), 2: unit(tables)}, single=False)
    if mode in ("rtu", "ascii"):
        framer = ModbusRtuFramer if mode == "rtu" else ModbusAsciiFramer
        server = ModbusSerialServer(
            context, framer, port=port, baudrate=115200, bytesize=8, parity="N", stopbits=1, ignore_missing_slaves=True
        )
        await server.start()
        print(port, flush=True)
    else:
        framer = ModbusRtuFramer if mode == "rtu+tcp" else ModbusSocketFramer
        server = ModbusTcpServer(context, framer, address=("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve_forever())
        await server.serving
        print("127.0.0.1:%d" % server.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sys.exit()


asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
