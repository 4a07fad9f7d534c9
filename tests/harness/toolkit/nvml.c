// Copyright: Contributors to the prositronic.infra collection
// SPDX-License-Identifier: GPL-3.0-or-later
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// A stand-in for NVIDIA's management library: two GPUs without MIG, and nothing else. It lets the real nvidia-ctk look at
// a machine without a GPU, and the tests of gpu_facts call a real library.
// The types are those of NVML's public interface, as far as they are needed.
// With NVML_STAND_IN in the environment it is a driver in trouble: "hang", "crash", or the number of the error that it starts with.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int result;
typedef void *device;
enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, SIZE_MISMATCH = 25 };

static const char *uuids[] = {"GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34", "GPU-8f4d1c2a-6b3e-4d5f-9a7b-2c1e0d9f8a6b"};
static device gpus[] = {(device)&uuids[0], (device)&uuids[1]};

static unsigned number(device gpu) { return gpu == gpus[1]; }
static result text(char *to, unsigned size, const char *from) { snprintf(to, size, "%s", from); return OK; }

result nvmlInit_v2(void) {
  const char *trouble = getenv("NVML_STAND_IN");
  if (!trouble) return OK;
  if (!strcmp(trouble, "hang")) for (;;) pause();
  if (!strcmp(trouble, "crash")) raise(SIGKILL);
  return atoi(trouble);
}
result nvmlInitWithFlags(unsigned flags) { return OK; }
result nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(result code) {
  return code == OK ? "Success" : code == 18 ? "Driver/library version mismatch" : code == 999 ? "Unknown Error" : "Not Supported";
}
result nvmlSystemGetDriverVersion(char *to, unsigned size) { return text(to, size, DRIVER); }
result nvmlSystemGetNVMLVersion(char *to, unsigned size) { return text(to, size, "12." DRIVER); }
result nvmlSystemGetCudaDriverVersion(int *version) { *version = 12080; return OK; }
result nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12080; return OK; }
result nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return OK; }
result nvmlDeviceGetHandleByIndex_v2(unsigned index, device *gpu) { if (index > 1) return INVALID; *gpu = gpus[index]; return OK; }
result nvmlDeviceGetHandleByUUID(const char *uuid, device *gpu) {
  for (int index = 0; index < 2; index++) if (!strcmp(uuid, uuids[index])) { *gpu = gpus[index]; return OK; }
  return INVALID;
}
result nvmlDeviceGetIndex(device gpu, unsigned *index) { *index = number(gpu); return OK; }
result nvmlDeviceGetMinorNumber(device gpu, unsigned *minor) { *minor = number(gpu); return OK; }
result nvmlDeviceGetUUID(device gpu, char *to, unsigned size) { return text(to, size, uuids[number(gpu)]); }
result nvmlDeviceGetName(device gpu, char *to, unsigned size) { return text(to, size, "NVIDIA L4"); }
result nvmlDeviceGetBrand(device gpu, int *brand) { *brand = 14; return OK; }
result nvmlDeviceGetArchitecture(device gpu, unsigned *architecture) { *architecture = 8; return OK; }
result nvmlDeviceGetCudaComputeCapability(device gpu, int *major, int *minor) { *major = 8; *minor = 9; return OK; }
result nvmlDeviceGetMigMode(device gpu, unsigned *current, unsigned *pending) { return NOT_SUPPORTED; }
result nvmlDeviceGetMaxMigDeviceCount(device gpu, unsigned *count) { *count = 0; return OK; }
result nvmlDeviceGetGpuFabricInfo(device gpu, void *info) { return NOT_SUPPORTED; }
result nvmlDeviceGetGpuFabricInfoV(device gpu, void *info) { return NOT_SUPPORTED; }
result nvmlDeviceGetAddressingMode(device gpu, void *mode) { return NOT_SUPPORTED; }

typedef struct { char old_id[16]; unsigned domain, bus, device, id, subsystem; char id_text[32]; } pci;
result nvmlDeviceGetPciInfo_v3(device gpu, pci *info) {
  memset(info, 0, sizeof *info);
  info->bus = 1 + number(gpu);
  info->id = 0x27b810de;
  snprintf(info->old_id, sizeof info->old_id, "0000:%02X:00.0", info->bus);
  snprintf(info->id_text, sizeof info->id_text, "00000000:%02X:00.0", info->bus);
  return OK;
}

typedef struct { unsigned long long total, free, used; } memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory2;
enum { MIB = 1024 * 1024 };
result nvmlDeviceGetMemoryInfo(device gpu, memory *info) {
  *info = (memory){23034ull * MIB, 22569ull * MIB, 465ull * MIB};
  return OK;
}
result nvmlDeviceGetMemoryInfo_v2(device gpu, memory2 *info) {
  if (info->version != (sizeof *info | 2 << 24)) return SIZE_MISMATCH;
  info->total = 23034ull * MIB;
  info->reserved = 465ull * MIB;
  info->free = 22569ull * MIB;
  info->used = 0;
  return OK;
}
result nvmlDeviceGetPersistenceMode(device gpu, int *mode) { *mode = 0; return OK; }
result nvmlDeviceGetDisplayActive(device gpu, int *active) { *active = number(gpu); return OK; }
result nvmlDeviceGetEccMode(device gpu, int *current, int *pending) { *current = *pending = 1; return OK; }
result nvmlDeviceGetMaxPcieLinkGeneration(device gpu, unsigned *generation) { *generation = 4; return OK; }
result nvmlDeviceGetMaxPcieLinkWidth(device gpu, unsigned *width) { *width = 16; return OK; }
