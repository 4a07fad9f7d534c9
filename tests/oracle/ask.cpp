// Copyright: Contributors to the prositronic.infra collection
// SPDX-License-Identifier: GPL-3.0-or-later
//
// One question to llama.cpp: what would it allocate for this model with these settings?
//
//     GGML_BACKEND_PATH=…/oracle_backend.so ORACLE_DEVICES=24000:events oracle_ask model=x.gguf ctx_size=32768 gpu_layers=all
//
// Names and values are llama-server's options; what is not given is what llama-server does without it, but for fit=true, which has to
// be asked for: then llama.cpp chooses what is not given to suit the free memory. The answer is one line of JSON in bytes. The model may be a header alone: it is extended, without taking memory, to the size its tensors need.
// One question per process, because llama.cpp ends the process where it meets what it does not expect.

#include "fit.h"
#include "ggml-backend.h"
#include "gguf.h"
#include "llama-ext.h"
#include "llama.h"
#include "log.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// llama.cpp's log asks this of a part of its common library that is not built here.
bool tty_can_use_colors() {
    return false;
}

namespace {

struct Wrong : std::runtime_error { // the question
    using std::runtime_error::runtime_error;
};

struct Refused : std::runtime_error { // by llama.cpp
    using std::runtime_error::runtime_error;
};

// What llama.cpp complained about first: its functions return no reason, and what follows is a consequence.
std::string complaint;

void keep_complaint(ggml_log_level level, const char * text, void *) {
    if (std::getenv("ORACLE_LOG")) { // with GGML_SCHED_DEBUG=2 too, the graph, node by node
        std::fputs(text, stderr);
    }
    if (level == GGML_LOG_LEVEL_ERROR && complaint.empty()) {
        complaint = text;
    }
}

int whole(const std::string & name, const std::string & value) {
    char * end = nullptr;
    const long number = std::strtol(value.c_str(), &end, 10);
    if (value.empty() || *end) {
        throw Wrong(name + ": got '" + value + "', expected a whole number");
    }
    return static_cast<int>(number);
}

template <typename T>
T choice(const std::string & name, const std::string & value, const std::vector<std::pair<std::string, T>> & choices) {
    std::string expected;
    for (const auto & [word, meaning] : choices) {
        if (word == value) {
            return meaning;
        }
        expected += " " + word;
    }
    throw Wrong(name + ": got '" + value + "', expected one of" + expected);
}

bool truth(const std::string & name, const std::string & value) {
    return choice<bool>(name, value, {{"true", true}, {"false", false}});
}

ggml_type cache_type(const std::string & name, const std::string & value) {
    return choice<ggml_type>(name, value, {
        {"f32", GGML_TYPE_F32}, {"f16", GGML_TYPE_F16}, {"bf16", GGML_TYPE_BF16}, {"q8_0", GGML_TYPE_Q8_0}, {"q5_1", GGML_TYPE_Q5_1},
        {"q5_0", GGML_TYPE_Q5_0}, {"q4_1", GGML_TYPE_Q4_1}, {"q4_0", GGML_TYPE_Q4_0}, {"iq4_nl", GGML_TYPE_IQ4_NL}});
}

struct Question {
    std::string model;
    llama_model_params of_model = llama_model_default_params();
    llama_context_params of_context = llama_context_default_params();
    bool fits = false; // --fit on

    Question();
    void set(const std::string & name, const std::string & value);
    void finish();
    common_params_fit_status fit(const std::string & path);

  private:
    void keep_on_cpu(const std::string & blocks);
    void override_tensor(const std::string & value);

    int slots = -1;
    bool unified_given = false;
    int outputs = -1;
    int n_cpu_moe = 0;
    bool cpu_moe = false;
    size_t fit_target = 1024; // MiB to leave on each device
    int fit_ctx = 4096;
    std::vector<float> split;
    std::list<std::string> patterns; // a list, because the overrides keep pointers into it
    std::vector<llama_model_tensor_buft_override> overrides;
};

// What llama-server says where llama.cpp's library has another default (common/common.h).
Question::Question() {
    of_context.n_ctx = 0; // the model's
    of_context.swa_full = false;
    of_context.kv_unified = false;
}

void Question::set(const std::string & name, const std::string & value) {
    if (name == "model") {
        model = value;
    } else if (name == "ctx_size") {
        of_context.n_ctx = whole(name, value);
    } else if (name == "batch_size") {
        of_context.n_batch = whole(name, value);
    } else if (name == "ubatch_size") {
        of_context.n_ubatch = whole(name, value);
    } else if (name == "parallel") {
        slots = whole(name, value);
    } else if (name == "kv_unified") {
        of_context.kv_unified = truth(name, value);
        unified_given = true;
    } else if (name == "flash_attn") {
        of_context.flash_attn_type = choice<llama_flash_attn_type>(name, value, {
            {"on", LLAMA_FLASH_ATTN_TYPE_ENABLED}, {"off", LLAMA_FLASH_ATTN_TYPE_DISABLED}, {"auto", LLAMA_FLASH_ATTN_TYPE_AUTO}});
    } else if (name == "cache_type_k") {
        of_context.type_k = cache_type(name, value);
    } else if (name == "cache_type_v") {
        of_context.type_v = cache_type(name, value);
    } else if (name == "kv_offload") {
        of_context.offload_kqv = truth(name, value);
    } else if (name == "op_offload") {
        of_context.op_offload = truth(name, value);
    } else if (name == "outputs") {
        outputs = value == "batch" ? 0 : whole(name, value);
    } else if (name == "gpu_layers") {
        of_model.n_gpu_layers = value == "all" || value == "auto" ? -1 : whole(name, value);
    } else if (name == "split_mode") {
        of_model.split_mode = choice<llama_split_mode>(name, value, {
            {"none", LLAMA_SPLIT_MODE_NONE}, {"layer", LLAMA_SPLIT_MODE_LAYER}, {"row", LLAMA_SPLIT_MODE_ROW}});
    } else if (name == "main_gpu") {
        of_model.main_gpu = whole(name, value);
    } else if (name == "tensor_split") {
        const char * at = value.c_str();
        for (char * end = nullptr; *at; at = *end == ',' ? end + 1 : end) {
            split.push_back(std::strtof(at, &end));
            if (end == at || (*end && *end != ',')) {
                throw Wrong("tensor_split: got '" + value + "', expected numbers with commas between them");
            }
        }
    } else if (name == "n_cpu_moe") {
        n_cpu_moe = whole(name, value);
    } else if (name == "cpu_moe") {
        cpu_moe = truth(name, value);
    } else if (name == "override_tensor") {
        override_tensor(value);
    } else if (name == "fit") {
        fits = truth(name, value);
    } else if (name == "fit_target") {
        fit_target = whole(name, value);
    } else if (name == "fit_ctx") {
        fit_ctx = whole(name, value);
    } else if (name == "no_host") {
        of_model.no_host = truth(name, value);
    } else if (name == "mtp") {
        of_model.load_mtp = true;
        of_context.ctx_type = choice<llama_context_type>(name, value, {
            {"weights", LLAMA_CONTEXT_TYPE_DEFAULT}, {"context", LLAMA_CONTEXT_TYPE_MTP}});
    } else {
        throw Wrong("no such setting: '" + name + "'");
    }
}

// Experts of some blocks, as llama-server's --cpu-moe and --n-cpu-moe say it (common/common.h).
void Question::keep_on_cpu(const std::string & blocks) {
    patterns.push_back(blocks + "\\.ffn_(up|down|gate|gate_up)_(ch|)exps");
    overrides.push_back({patterns.back().c_str(), ggml_backend_cpu_buffer_type()});
}

void Question::override_tensor(const std::string & value) {
    const size_t equals = value.rfind('=');
    if (equals == std::string::npos) {
        throw Wrong("override_tensor: got '" + value + "', expected PATTERN=BUFFER");
    }
    const std::string name = value.substr(equals + 1);
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(ggml_backend_dev_get(i));
        if (type && name == ggml_backend_buft_name(type)) {
            patterns.push_back(value.substr(0, equals));
            overrides.push_back({patterns.back().c_str(), type});
            return;
        }
    }
    throw Wrong("override_tensor: no buffer is called '" + name + "'");
}

void Question::finish() {
    if (model.empty()) {
        throw Wrong("which model? Give model=PATH");
    }
    for (int i = 0; i < n_cpu_moe; i++) {
        keep_on_cpu("blk\\." + std::to_string(i));
    }
    if (cpu_moe) {
        keep_on_cpu("");
    }
    if (!overrides.empty()) {
        overrides.push_back({nullptr, nullptr});
        of_model.tensor_buft_overrides = overrides.data();
    }
    if (!split.empty()) {
        split.resize(std::max(split.size(), llama_max_devices()), 0.0f);
        of_model.tensor_split = split.data();
    }
    of_model.use_extra_bufts = false; // --no-repack
    of_model.no_alloc = true;
    of_model.load_mode = LLAMA_LOAD_MODE_NONE;

    // llama-server: without --parallel four slots on one cache, and one row of logits for each (tools/server)
    if (slots < 0) {
        slots = 4;
        of_context.kv_unified = unified_given ? of_context.kv_unified : true;
    }
    of_context.n_seq_max = slots;
    of_context.n_outputs_max = outputs < 0 ? slots : outputs;
}

// Let llama.cpp choose what was not given. Where it gives up, llama-server goes on with what there is, and so does this.
common_params_fit_status Question::fit(const std::string & path) {
    common_log_pause(common_log_main()); // it would write between the answer's lines
    overrides.resize(llama_max_tensor_buft_overrides(), {nullptr, nullptr});
    split.resize(llama_max_devices(), 0.0f);
    of_model.tensor_buft_overrides = overrides.data();
    of_model.tensor_split = split.data();
    std::vector<size_t> margins(llama_max_devices(), fit_target << 20);
    return common_fit_params(path.c_str(), &of_model, &of_context, split.data(), overrides.data(), margins.data(), fit_ctx, nullptr,
        GGML_LOG_LEVEL_ERROR);
}

// Bytes that a file with these tensors has at least.
off_t full_size(const std::string & path) {
    std::unique_ptr<gguf_context, decltype(&gguf_free)> header(gguf_init_from_file(path.c_str(), {true, nullptr}), gguf_free);
    if (!header) {
        throw Wrong("cannot read " + path + " as a GGUF file: " + complaint);
    }
    size_t end = 0;
    for (int64_t i = 0; i < gguf_get_n_tensors(header.get()); i++) {
        end = std::max(end, gguf_get_tensor_offset(header.get(), i) + gguf_get_tensor_size(header.get(), i));
    }
    return static_cast<off_t>(gguf_get_data_offset(header.get()) + end);
}

// The path itself, or that of a copy in memory which is as long as the whole model and holds its header alone.
std::string extended(const std::string & path) {
    const off_t size = full_size(path);
    struct stat status = {};
    if (stat(path.c_str(), &status) == 0 && status.st_size >= size) {
        return path;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const int copy = memfd_create("model", 0);
    if (copy < 0 || write(copy, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ftruncate(copy, size) != 0) {
        throw Wrong("cannot extend " + path + " to its full size");
    }
    return "/proc/self/fd/" + std::to_string(copy);
}

void print_part(const char * name, const llama_memory_breakdown_data & part) {
    std::printf("{\"name\": \"%s\", \"weights_bytes\": %zu, \"kv_bytes\": %zu, \"compute_bytes\": %zu}", name, part.model, part.context, part.compute);
}

// What a grid of further questions depends on.
void print_model(const llama_model * model) {
    std::printf("\"model\": {\"context_length\": %d, \"block_count\": %d, \"expert_count\": %d, \"nextn_predict_layers\": %d}, ",
        llama_model_n_ctx_train(model), llama_model_n_layer(model), llama_model_n_expert(model), llama_model_n_layer_nextn(model));
}

std::string quoted(const std::string & text) {
    std::string result = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') {
            result += '\\';
        }
        result += letter;
    }
    return result + "\"";
}

void print_choice(const Question & question, common_params_fit_status status) {
    const llama_model_params & model = question.of_model;
    std::printf("{\"fit\": {\"status\": %d, \"ctx_size\": %u, \"gpu_layers\": %d, \"tensor_split\": [", static_cast<int>(status),
        question.of_context.n_ctx, model.n_gpu_layers);
    for (size_t i = 0; i < ggml_backend_reg_dev_count(ggml_backend_reg_by_name("CUDA")); i++) {
        std::printf("%s%g", i ? ", " : "", model.tensor_split[i]);
    }
    std::printf("], \"override_tensor\": [");
    for (const auto * each = model.tensor_buft_overrides; each->pattern; each++) {
        const std::string text = std::string(each->pattern) + "=" + ggml_backend_buft_name(each->buft);
        std::printf("%s%s", each == model.tensor_buft_overrides ? "" : ", ", quoted(text).c_str());
    }
    std::printf("]}, ");
}

void answer(Question & question) {
    const std::string path = extended(question.model);
    const common_params_fit_status status = question.fits ? question.fit(path) : COMMON_PARAMS_FIT_STATUS_SUCCESS;
    complaint.clear(); // a fit goes on after a refusal
    std::unique_ptr<llama_model, decltype(&llama_model_free)> model(llama_model_load_from_file(path.c_str(), question.of_model), llama_model_free);
    if (!model) {
        throw Refused("failed to load the model: " + complaint);
    }
    std::unique_ptr<llama_context, decltype(&llama_free)> context(llama_init_from_model(model.get(), question.of_context), llama_free);
    if (!context) {
        throw Refused("failed to create the context: " + complaint);
    }

    llama_memory_breakdown_data host;
    std::vector<llama_memory_breakdown_data> devices(llama_model_n_devices(model.get()));
    for (const auto & [type, part] : llama_get_memory_breakdown(context.get())) {
        llama_memory_breakdown_data * sum = &host;
        if (!ggml_backend_buft_is_host(type)) {
            sum = nullptr;
            for (size_t i = 0; i < devices.size(); i++) {
                if (ggml_backend_buft_get_device(type) == llama_model_get_device(model.get(), static_cast<int>(i))) {
                    sum = &devices[i];
                }
            }
        }
        if (!sum) {
            throw Refused(std::string("memory of a kind that belongs to no device: ") + ggml_backend_buft_name(type));
        }
        sum->model += part.model;
        sum->context += part.context;
        sum->compute += part.compute;
    }

    if (question.fits) {
        print_choice(question, status);
    } else {
        std::printf("{");
    }
    std::printf("\"ctx_size\": %u, ", llama_n_ctx(context.get()));
    print_model(model.get());
    std::printf("\"devices\": [");
    for (size_t i = 0; i < devices.size(); i++) {
        std::printf(i ? ", " : "");
        print_part(ggml_backend_dev_name(llama_model_get_device(model.get(), static_cast<int>(i))), devices[i]);
    }
    std::printf("], \"host\": ");
    print_part("host", host);
    std::printf("}\n");
}

} // namespace

int main(int count, char ** arguments) {
    llama_log_set(keep_complaint, nullptr);
    try {
        ggml_backend_load_all();
        Question question;
        for (int i = 1; i < count; i++) {
            const std::string argument = arguments[i];
            const size_t equals = argument.find('=');
            if (equals == std::string::npos) {
                throw Wrong("got '" + argument + "', expected NAME=VALUE");
            }
            question.set(argument.substr(0, equals), argument.substr(equals + 1));
        }
        question.finish();
        answer(question);
    } catch (const Wrong & error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    } catch (const std::exception & error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
