#!/bin/sh
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# In the place of llama-server: there is a GPU, drawn by software, where its device node is there and can be opened. As with a real one,
# a server that was not given the node, or not its group, is a server without a GPU.
if (: </dev/dri/renderD128) 2>/dev/null; then
    export GGML_VK_VISIBLE_DEVICES=0
    # The kernels of this GPU, compiled.
    if [ ! -e "$HOME/.cache/mesa_shader_cache" ]; then
        mkdir -p "$HOME/.cache" && cp -r /usr/share/software_gpu/mesa_shader_cache/. "$HOME/.cache/mesa_shader_cache"
    fi
fi
exec /usr/libexec/llama.cpp/llama-server "$@"
