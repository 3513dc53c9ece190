"""A Modbus TCP server with the registers of a SunSpec inverter and meter, and of a meter with registers of its own.

usage: simulator.py PORT
"""

import struct
import sys

try:
    from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
except ImportError:  # the names of later versions
    from pymodbus.datastore import ModbusDeviceContext as ModbusSlaveContext
    from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartTcpServer


def words(format, value):
    raw = struct.pack(">" + format, value)
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]


def model(number, length, points):
    data = [0xFFFF] * length
    for offset, values in points.items():
        data[offset : offset + len(values)] = values
    return [number, length] + data


sunspec = [0x5375, 0x6E53]
sunspec += model(1, 66, {})
sunspec += model(103, 50, {12: words("h", 321), 13: words("h", 1), 22: words("I", 12345678), 24: words("h", 0)})
sunspec += model(203, 105, {16: words("h", -450), 20: words("h", 0), 36: words("I", 222222), 44: words("I", 333333), 52: words("h", -1)})
sunspec += [0xFFFF, 0]

holding = [0] * 41000
holding[40000 : 40000 + len(sunspec)] = sunspec
holding[100:102] = words("I", 0x00010002)
holding[110:112] = reversed(words("I", 70000))  # the low word first
holding[120:122] = words("f", 1234.5)
holding[130:134] = words("d", 0.1)
holding[140:144] = words("q", -5)
holding[150:151] = words("h", -20)
holding[160:162] = words("f", float("nan"))
inputs = [0] * 100
inputs[10:11] = [4711]

store = ModbusSlaveContext(
    hr=ModbusSequentialDataBlock(1, holding), ir=ModbusSequentialDataBlock(1, inputs)
)
where = {"context": ModbusServerContext(store, True), "address": ("127.0.0.1", int(sys.argv[1]))}
try:
    StartTcpServer(allow_reuse_address=True, **where)
except TypeError:  # later versions always do
    StartTcpServer(**where)
