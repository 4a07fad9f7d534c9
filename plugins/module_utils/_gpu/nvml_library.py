# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What NVIDIA's management library (NVML) answers, by ctypes. Private: not an interface for other collections.

Only for a process of its own (Programs.call): a call into the driver of a broken GPU may never come back.
Names and numbers are those of NVML's public header (https://docs.nvidia.com/deploy/nvml-api/).
"""

from __future__ import annotations

import ctypes
import json

OK = 0
NOT_SUPPORTED = 3
_NO_FUNCTION = 13
_TEXT = 96
_MOST_GPUS = 256
# What nvmlMemory_v2_t starts with: its size and its version.
_MEMORY_VERSION = 40 | 2 << 24


class _Pci(ctypes.Structure):
    _fields_ = [
        ("old_bus_id", ctypes.c_char * 16),
        *((name, ctypes.c_uint) for name in ("domain", "bus", "device", "device_id", "subsystem_id")),
        ("bus_id", ctypes.c_char * 32),
    ]


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Memory2(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint), *((name, ctypes.c_ulonglong) for name in ("total", "reserved", "free", "used"))]


def ask(path):
    """The answers of the library at C(path) as JSON, for nvml.py."""
    try:
        return json.dumps(answers(ctypes.CDLL(path)))
    except OSError as error:
        return json.dumps({"failed": _NO_FUNCTION, "text": str(error)})


def answers(library):
    """driver_version, cuda_version and devices; or failed (a number of NVML) and text."""
    code = _call(library, "nvmlInit_v2")
    if code != OK:
        return {"failed": code, "text": _text_of(library, code)}
    count = _number(library, "nvmlDeviceGetCount_v2", ctypes.c_uint)
    found = {
        "driver_version": _text(library, "nvmlSystemGetDriverVersion"),
        "cuda_version": _number(library, "nvmlSystemGetCudaDriverVersion_v2"),
        "devices": [_device(library, index) for index in range(min(count or 0, _MOST_GPUS))],
    }
    _call(library, "nvmlShutdown")
    return found


def _device(library, index):
    gpu = ctypes.c_void_p()
    code = _call(library, "nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(gpu))
    if code != OK:
        return {"failed": code, "text": _text_of(library, code)}
    capability = _pair(library, "nvmlDeviceGetCudaComputeCapability", gpu)
    mig = _pair(library, "nvmlDeviceGetMigMode", gpu)
    ecc = _pair(library, "nvmlDeviceGetEccMode", gpu)
    return {
        "name": _text(library, "nvmlDeviceGetName", gpu),
        "uuid": _text(library, "nvmlDeviceGetUUID", gpu),
        "pci_bus_id": _bus_id(library, gpu),
        "compute_capability": "{}.{}".format(*capability) if capability else None,
        "persistence_mode": _flag(_number(library, "nvmlDeviceGetPersistenceMode", ctypes.c_int, gpu)),
        "display_active": _flag(_number(library, "nvmlDeviceGetDisplayActive", ctypes.c_int, gpu)),
        "ecc": _flag(ecc and ecc[0]),
        "pcie_generation": _number(library, "nvmlDeviceGetMaxPcieLinkGeneration", ctypes.c_uint, gpu),
        "pcie_width": _number(library, "nvmlDeviceGetMaxPcieLinkWidth", ctypes.c_uint, gpu),
        "memory": _memory(library, gpu),
        "instances": _instances(library, gpu) if mig and mig[0] else None,
    }


def _instances(library, gpu):
    """The MIG instances of a GPU that is divided."""
    found = []
    for index in range(_number(library, "nvmlDeviceGetMaxMigDeviceCount", ctypes.c_uint, gpu) or 0):
        instance = ctypes.c_void_p()
        # Not every place is taken.
        if _call(library, "nvmlDeviceGetMigDeviceHandleByIndex", gpu, ctypes.c_uint(index), ctypes.byref(instance)) == OK:
            found.append(
                {
                    "name": _text(library, "nvmlDeviceGetName", instance),
                    "uuid": _text(library, "nvmlDeviceGetUUID", instance),
                    "gpu_instance_id": _number(library, "nvmlDeviceGetGpuInstanceId", ctypes.c_uint, instance),
                    "compute_instance_id": _number(library, "nvmlDeviceGetComputeInstanceId", ctypes.c_uint, instance),
                    "memory": _memory(library, instance),
                }
            )
    return found


def _memory(library, gpu):
    """total, free and, from newer drivers, reserved; or failed and text."""
    memory = _Memory2(version=_MEMORY_VERSION)
    code = _call(library, "nvmlDeviceGetMemoryInfo_v2", gpu, ctypes.byref(memory))
    if code == OK:
        return {"total": memory.total, "free": memory.free, "reserved": memory.reserved}
    memory = _Memory()
    code = _call(library, "nvmlDeviceGetMemoryInfo", gpu, ctypes.byref(memory))
    return {"total": memory.total, "free": memory.free, "reserved": None} if code == OK else {"failed": code, "text": _text_of(library, code)}


def _bus_id(library, gpu):
    place = _Pci()
    return place.bus_id.decode("ascii", "replace") if _call(library, "nvmlDeviceGetPciInfo_v3", gpu, ctypes.byref(place)) == OK else None


def _text(library, name, *gpu):
    buffer = ctypes.create_string_buffer(_TEXT)
    return buffer.value.decode("utf-8", "replace") if _call(library, name, *gpu, buffer, ctypes.c_uint(_TEXT)) == OK else None


def _number(library, name, kind=ctypes.c_int, *gpu):
    number = kind()
    return number.value if _call(library, name, *gpu, ctypes.byref(number)) == OK else None


def _pair(library, name, gpu):
    first, second = ctypes.c_int(), ctypes.c_int()
    return (first.value, second.value) if _call(library, name, gpu, ctypes.byref(first), ctypes.byref(second)) == OK else None


def _flag(number):
    return None if number is None else number == 1


def _call(library, name, *arguments):
    """The code that a function returns; an old library lacks some."""
    function = getattr(library, name, None)
    return _NO_FUNCTION if function is None else function(*arguments)


def _text_of(library, code):
    function = getattr(library, "nvmlErrorString", None)
    if function is None:
        return f"error {code}"
    function.restype = ctypes.c_char_p
    return (function(ctypes.c_int(code)) or b"").decode("utf-8", "replace")
