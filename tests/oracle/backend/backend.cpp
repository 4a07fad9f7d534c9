// Copyright: Contributors to the prositronic.infra collection
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A ggml backend that answers questions the way the CUDA backend does and does nothing else: no memory is taken, nothing is
// computed. llama.cpp loads it through GGML_BACKEND_PATH; ORACLE_DEVICES says which devices there are, for example
//
//     ORACLE_DEVICES=24000:events,16000:noevents      free MiB of CUDA0 and CUDA1, and whether each can signal events
//     ORACLE_DEVICES=24000:events:1073741824          and the largest buffer that it hands out, as Vulkan limits it
//     ORACLE_DEVICES=24000:rpc,16000:events           RPC0, which a server on another machine has, and CUDA0
//
// Where an answer comes from: ggml/src/ggml-cuda/{ggml-cuda.cu,fattn.cu,fattn-common.cuh} of the llama.cpp it is built against; for a
// device of a server, which answers sizes as CUDA does, ggml/src/ggml-rpc/ggml-rpc.cpp.

#include "ggml-backend-impl.h"
#include "ggml-backend.h"
#include "ggml.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <sstream>
#include <string>

namespace {

constexpr size_t ALIGNMENT = 128;
constexpr int64_t ROW_PADDING = 512;        // elements; rows of quantized tensors are padded to this
constexpr int64_t KV_STRIDE = 256;          // the cells that flash attention's kernel for few tokens takes at once
constexpr int64_t OFFLOAD_MIN_BATCH = 32;   // from here on weights in host memory are worth copying
constexpr uintptr_t NO_MEMORY = 0x10000000; // where a buffer claims to be: nobody reads or writes there

struct Device {
    std::string name;
    size_t free = 0;
    bool events = true;
    bool remote = false;
    size_t most = SIZE_MAX;
    ggml_backend_device device = {};
    ggml_backend_buffer_type buffers = {};
};

// A deque, because llama.cpp keeps pointers into it.
std::deque<Device> devices;
ggml_backend_reg registration = {};
ggml_backend_reg of_servers = {}; // llama.cpp puts devices of a registration with this name first
ggml_backend_buffer_type pinned = {};

Device & of(ggml_backend_dev_t device) {
    return *static_cast<Device *>(device->context);
}

// ---- memory of a device: counted, never taken ----

const char * buffers_name(ggml_backend_buffer_type_t type) {
    return of(type->device).name.c_str();
}

void * buffer_base(ggml_backend_buffer_t) {
    return reinterpret_cast<void *>(NO_MEMORY);
}

void buffer_fill(ggml_backend_buffer_t, ggml_tensor *, uint8_t, size_t, size_t) {}
void buffer_write(ggml_backend_buffer_t, ggml_tensor *, const void *, size_t, size_t) {}
void buffer_read(ggml_backend_buffer_t, const ggml_tensor *, void *, size_t, size_t) {}
void buffer_clear(ggml_backend_buffer_t, uint8_t) {}

ggml_backend_buffer_t buffers_take(ggml_backend_buffer_type_t type, size_t size) {
    ggml_backend_buffer_i answers = {};
    answers.get_base = buffer_base;
    answers.memset_tensor = buffer_fill;
    answers.set_tensor = buffer_write;
    answers.get_tensor = buffer_read;
    answers.clear = buffer_clear;
    return ggml_backend_buffer_init(type, answers, nullptr, size);
}

size_t buffers_alignment(ggml_backend_buffer_type_t) {
    return ALIGNMENT;
}

size_t buffers_most(ggml_backend_buffer_type_t type) {
    return of(type->device).most;
}

// Flash attention on a cache that is not f16 converts a layer's cells to f16, behind its result. Only the kernel for a token or two
// reads q8_0 and q4_0 as they are (compute capability 8.9 or newer, the types that are built by default).
size_t flash_attention_size(const ggml_tensor * result) {
    const ggml_tensor * q = result->src[0];
    const ggml_tensor * k = result->src[1];
    const ggml_tensor * v = result->src[2];
    size_t size = ggml_nbytes(result);

    const bool few_tokens = q->ne[1] <= 2 && q->ne[0] <= 256 && q->ne[0] % 64 == 0 && q->ne[0] != 192 && k->ne[1] % KV_STRIDE == 0;
    if (few_tokens && k->type == v->type && (k->type == GGML_TYPE_Q8_0 || k->type == GGML_TYPE_Q4_0)) {
        return size;
    }
    const bool v_is_k = v->view_src && (v->view_src == k || (v->view_src == k->view_src && v->view_offs == k->view_offs));
    if (k->type != GGML_TYPE_F16) {
        size = GGML_PAD(size, ALIGNMENT) + ggml_nelements(k) * ggml_type_size(GGML_TYPE_F16);
    }
    if (v->type != GGML_TYPE_F16 && !v_is_k) {
        size = GGML_PAD(size, ALIGNMENT) + ggml_nelements(v) * ggml_type_size(GGML_TYPE_F16);
    }
    return size;
}

size_t buffers_size_of(ggml_backend_buffer_type_t, const ggml_tensor * tensor) {
    size_t size = tensor->op == GGML_OP_FLASH_ATTN_EXT ? flash_attention_size(tensor) : ggml_nbytes(tensor);
    const int64_t over = tensor->ne[0] % ROW_PADDING;
    if (ggml_is_quantized(tensor->type) && over != 0) {
        size += ggml_row_size(tensor->type, ROW_PADDING - over);
    }
    return size;
}

// ---- pinned host memory: the CPU's buffers under CUDA's name ----

const char * pinned_name(ggml_backend_buffer_type_t) {
    return "CUDA_Host";
}

ggml_backend_buffer_t pinned_take(ggml_backend_buffer_type_t type, size_t size) {
    ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
    if (buffer) {
        buffer->buft = type;
    }
    return buffer;
}

// ---- a stream of a device ----

const char * stream_name(ggml_backend_t stream) {
    return of(stream->device).name.c_str();
}

void stream_free(ggml_backend_t stream) {
    delete stream;
}

void stream_synchronize(ggml_backend_t) {}
void stream_record(ggml_backend_t, ggml_backend_event_t) {}
void stream_wait(ggml_backend_t, ggml_backend_event_t) {}

ggml_status stream_compute(ggml_backend_t, ggml_cgraph *) {
    std::fprintf(stderr, "the oracle's devices do not compute\n");
    return GGML_STATUS_FAILED;
}

// ---- a device ----

const char * device_name(ggml_backend_dev_t device) {
    return of(device).name.c_str();
}

const char * device_description(ggml_backend_dev_t) {
    return "a device that only answers questions";
}

void device_memory(ggml_backend_dev_t device, size_t * free, size_t * total) {
    *free = *total = of(device).free;
}

enum ggml_backend_dev_type device_type(ggml_backend_dev_t) {
    return GGML_BACKEND_DEVICE_TYPE_GPU;
}

void device_properties(ggml_backend_dev_t device, ggml_backend_dev_props * properties) {
    properties->name = device_name(device);
    properties->description = device_description(device);
    properties->type = device_type(device);
    properties->device_id = nullptr; // llama.cpp drops devices that share one
    device_memory(device, &properties->memory_free, &properties->memory_total);
    properties->caps.async = true;
    properties->caps.host_buffer = !of(device).remote;
    properties->caps.buffer_from_host_ptr = false;
    properties->caps.events = of(device).events;
    properties->caps.mmap_support = true;
}

ggml_backend_t device_stream(ggml_backend_dev_t device, const char *) {
    static ggml_guid guid = {0x70, 0x72, 0x6f, 0x73, 0x69, 0x74, 0x72, 0x6f, 0x6e, 0x69, 0x63, 0x2e, 0x61, 0x73, 0x6b, 0x21};
    auto * stream = new ggml_backend();
    stream->guid = &guid;
    stream->device = device;
    stream->iface.get_name = stream_name;
    stream->iface.free = stream_free;
    stream->iface.synchronize = stream_synchronize;
    stream->iface.graph_compute = stream_compute;
    stream->iface.event_record = stream_record;
    stream->iface.event_wait = stream_wait;
    return stream;
}

ggml_backend_buffer_type_t device_buffers(ggml_backend_dev_t device) {
    return &of(device).buffers;
}

ggml_backend_buffer_type_t device_pinned(ggml_backend_dev_t) {
    return &pinned;
}

bool is_ours(ggml_backend_buffer_type_t type) {
    return type->iface.get_name == buffers_name;
}

// Every operation, as long as nothing it reads lies on another device of this machine. The real backend lacks some: see README.md.
bool device_supports(ggml_backend_dev_t device, const ggml_tensor * op) {
    return std::none_of(std::begin(op->src), std::end(op->src), [device](const ggml_tensor * source) {
        return source && source->buffer && is_ours(source->buffer->buft) && !of(source->buffer->buft->device).remote && source->buffer->buft->device != device;
    });
}

// A server is not asked.
bool remote_supports(ggml_backend_dev_t, const ggml_tensor *) {
    return true;
}

bool device_reads(ggml_backend_dev_t device, ggml_backend_buffer_type_t type) {
    return is_ours(type) && type->device == device;
}

int64_t batch_of(const ggml_tensor * op) {
    switch (op->op) {
        case GGML_OP_GET_ROWS:
            return 0;
        case GGML_OP_MUL_MAT:
            return op->ne[1];
        case GGML_OP_MUL_MAT_ID:
        case GGML_OP_ROPE:
        case GGML_OP_ROPE_BACK:
            return op->ne[2];
        default:
            return ggml_nrows(op);
    }
}

bool device_wants(ggml_backend_dev_t, const ggml_tensor * op) {
    return batch_of(op) >= OFFLOAD_MIN_BATCH;
}

ggml_backend_event_t device_event(ggml_backend_dev_t device) {
    return of(device).events ? new ggml_backend_event{device, nullptr} : nullptr;
}

void device_event_free(ggml_backend_dev_t, ggml_backend_event_t event) {
    delete event;
}

void device_event_synchronize(ggml_backend_dev_t, ggml_backend_event_t) {}

// ---- the list of devices ----

const char * registration_name(ggml_backend_reg_t) {
    return "CUDA";
}

const char * of_servers_name(ggml_backend_reg_t) {
    return "RPC";
}

size_t registration_count(ggml_backend_reg_t) {
    return devices.size();
}

ggml_backend_dev_t registration_device(ggml_backend_reg_t, size_t index) {
    return &devices.at(index).device;
}

void * registration_function(ggml_backend_reg_t, const char *) {
    return nullptr;
}

void add_device(size_t free, bool events, size_t most, bool remote) {
    const auto like = std::count_if(devices.begin(), devices.end(), [remote](const Device & other) { return other.remote == remote; });
    Device & added = devices.emplace_back();
    added.name = (remote ? "RPC" : "CUDA") + std::to_string(like);
    added.free = free;
    added.events = events;
    added.remote = remote;
    added.most = most;

    added.device.reg = remote ? &of_servers : &registration;
    added.device.context = &added;
    ggml_backend_device_i & answers = added.device.iface;
    answers.get_name = device_name;
    answers.get_description = device_description;
    answers.get_memory = device_memory;
    answers.get_type = device_type;
    answers.get_props = device_properties;
    answers.init_backend = device_stream;
    answers.get_buffer_type = device_buffers;
    answers.get_host_buffer_type = remote ? nullptr : device_pinned;
    answers.supports_op = remote ? remote_supports : device_supports;
    answers.supports_buft = device_reads;
    answers.offload_op = remote ? nullptr : device_wants;
    answers.event_new = device_event;
    answers.event_free = device_event_free;
    answers.event_synchronize = device_event_synchronize;

    added.buffers.device = &added.device;
    added.buffers.iface.get_name = buffers_name;
    added.buffers.iface.alloc_buffer = buffers_take;
    added.buffers.iface.get_alignment = buffers_alignment;
    added.buffers.iface.get_max_size = buffers_most;
    added.buffers.iface.get_alloc_size = buffers_size_of;
}

void add_devices(const std::string & text) {
    std::stringstream rows(text);
    for (std::string row; std::getline(rows, row, ',');) {
        char * end = nullptr;
        const unsigned long long mib = std::strtoull(row.c_str(), &end, 10);
        const std::string rest = end;
        const size_t colon = rest.find(':', 1);
        const std::string events = rest.substr(0, colon);
        const size_t most = colon == std::string::npos ? SIZE_MAX : std::strtoull(rest.c_str() + colon + 1, nullptr, 10);
        if (end == row.c_str() || (events != ":events" && events != ":noevents" && events != ":rpc") || most == 0) {
            std::fprintf(stderr, "ORACLE_DEVICES: got '%s', expected MIB:events, MIB:noevents or MIB:rpc, and :BYTES where buffers are limited\n", row.c_str());
            std::exit(2);
        }
        add_device(static_cast<size_t>(mib) << 20, events != ":noevents", most, events == ":rpc");
    }
}

} // namespace

extern "C" __attribute__((visibility("default"))) ggml_backend_reg_t ggml_backend_init(void) {
    if (registration.api_version == 0) {
        registration.api_version = GGML_BACKEND_API_VERSION;
        registration.iface.get_name = registration_name;
        registration.iface.get_device_count = registration_count;
        registration.iface.get_device = registration_device;
        registration.iface.get_proc_address = registration_function;
        of_servers = registration;
        of_servers.iface.get_name = of_servers_name;

        const char * text = std::getenv("ORACLE_DEVICES");
        add_devices(text ? text : "");

        if (!devices.empty()) {
            pinned.iface = ggml_backend_cpu_buffer_type()->iface;
            pinned.iface.get_name = pinned_name;
            pinned.iface.alloc_buffer = pinned_take;
            pinned.iface.get_max_size = buffers_most;
            const auto local = std::find_if(devices.begin(), devices.end(), [](const Device & each) { return !each.remote; });
            pinned.device = &(local == devices.end() ? devices.front() : *local).device;
        }
    }
    return &registration;
}
