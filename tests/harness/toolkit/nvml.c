// Copyright: Contributors to the prositronic.infra collection
// SPDX-License-Identifier: GPL-3.0-or-later
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// A stand-in for NVIDIA's management library: two GPUs without MIG, and nothing else. It lets the real nvidia-ctk look at
// a machine without a GPU. The types are those of NVML's public interface, as far as they are needed.
#include <stdio.h>
#include <string.h>

typedef int result;
typedef void *device;
enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3 };

static const char *uuids[] = {"GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34", "GPU-8f4d1c2a-6b3e-4d5f-9a7b-2c1e0d9f8a6b"};
static device gpus[] = {(device)&uuids[0], (device)&uuids[1]};

static unsigned number(device gpu) { return gpu == gpus[1]; }
static result text(char *to, unsigned size, const char *from) { snprintf(to, size, "%s", from); return OK; }

result nvmlInit_v2(void) { return OK; }
result nvmlInitWithFlags(unsigned flags) { return OK; }
result nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(result code) { return code == OK ? "Success" : "Not Supported"; }
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
