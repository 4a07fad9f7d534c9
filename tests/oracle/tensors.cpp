// Copyright: Contributors to the prositronic.infra collection
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which tensors does llama.cpp look for in a model with these keys?
//
//     oracle_tensors keys.gguf [optional=REGEX …] [shape=NAME:ROWS,COLUMNS …]
//
// keys.gguf has keys and no tensors. One line for each tensor: its name and its dimensions. A tensor that a model may lack is listed where
// an expression matches its name; shape= answers for tensors whose own shape llama.cpp looks at. The functions of llama_model_loader below take
// the place of those in the library (the program's symbols go before a library's), so nothing is read and nothing allocated.

#include "gguf.h"
#include "llama-model-loader.h"
#include "llama.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

std::vector<std::regex> optional;
std::map<std::string, std::vector<int64_t>> shapes;
std::set<std::string> seen;
ggml_context * tensors = ggml_init({size_t(1) << 26, nullptr, true});

ggml_tensor * new_tensor(const std::vector<int64_t> & dimensions) {
    return ggml_new_tensor(tensors, GGML_TYPE_F32, static_cast<int>(dimensions.size()), dimensions.data());
}

bool ends_with(const std::string & text, const std::string & end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Factors of weights in 4-bit floats: any weight may have them, and those here have none.
bool factor(const std::string & name) {
    return ends_with(name, ".scale") || ends_with(name, ".input_scale");
}

bool wanted(const std::string & name) {
    if (factor(name)) {
        return false;
    }
    for (const auto & each : optional) {
        if (std::regex_search(name, each)) {
            return true;
        }
    }
    return false;
}

} // namespace

ggml_tensor * llama_model_loader::create_tensor(const llama_hparams &, const buft_list_t *, const buft_list_t *, const buft_list_t *, const buft_list_t *,
        const LLM_TN_IMPL & tn, const std::initializer_list<int64_t> & ne, int flags) {
    const std::string name = tn.str();
    if ((flags & TENSOR_NOT_REQUIRED) && !wanted(name)) {
        return nullptr;
    }
    const bool first = seen.insert(name).second;
    if (first) {
        std::printf("%s", name.c_str());
        for (const int64_t dimension : ne) {
            std::printf(" %lld", static_cast<long long>(dimension));
        }
        std::printf("\n");
    }
    return (flags & TENSOR_SKIP) ? nullptr : new_tensor(ne);
}

// Asked to find out whether a file has the blocks of the model, or those of next-token prediction: it has both.
const llama_model_loader::llama_tensor_weight * llama_model_loader::get_weight(const char * name) const {
    static char some[sizeof(llama_tensor_weight)];
    const bool there = std::strstr(name, "attn_norm.weight") || std::strstr(name, "nextn.eh_proj.weight") || wanted(name);
    return there ? reinterpret_cast<const llama_tensor_weight *>(some) : nullptr;
}

ggml_tensor * llama_model_loader::get_tensor_meta(const char * name) const {
    const auto found = shapes.find(name);
    return found == shapes.end() ? nullptr : new_tensor(found->second);
}

void llama_model_loader::done_getting_tensors(bool) const {
    std::fflush(stdout);
    std::_Exit(0);
}

int main(int argc, char ** argv) {
    for (int i = 2; i < argc; i++) {
        const std::string text = argv[i];
        const size_t equals = text.find('=');
        const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
        if (name == "optional") {
            optional.emplace_back(value);
            continue;
        }
        const size_t colon = value.find(':');
        std::vector<int64_t> dimensions;
        for (size_t at = colon; at != std::string::npos; at = value.find(',', at + 1)) {
            dimensions.push_back(std::atoll(value.c_str() + at + 1));
        }
        shapes[value.substr(0, colon)] = dimensions;
    }
    llama_log_set([](ggml_log_level level, const char * text, void *) {
        if (level == GGML_LOG_LEVEL_ERROR) {
            std::fputs(text, stderr);
        }
    }, nullptr);
    gguf_context * keys = gguf_init_from_file(argv[1], {true, nullptr});
    if (!keys) {
        return 2;
    }
    llama_model_params parameters = llama_model_default_params();
    parameters.no_alloc = true;
    parameters.load_mtp = true;
    ggml_backend_dev_t none = nullptr;
    parameters.devices = &none;
    llama_model_init_from_user(keys, [](ggml_tensor *, void *) {}, nullptr, parameters);
    std::fprintf(stderr, "llama.cpp did not come to the end of the model\n");
    return 1;
}
