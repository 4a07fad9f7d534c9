#!/bin/sh
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs in a machine of servers that nobody has prepared: makes of its packages the file system of an image and a release archive, in the folder /made.
set -eu
here=$(dirname "$0")
llama-server --version 2>&1 | sed -n 's/^version: .*(build \([0-9]*\),.*/\1/p' >/made/build
build=$(cat /made/build)
libraries=$(dirname "$(readlink -f "$(ldconfig -p | sed -n 's/.* => \(.*libggml\.so\.0\)$/\1/p')")")

# What the files that are named need, by the names under which the loader looks for it.
needed() {
    ldd "$@" | sed -n -e 's/^.* => \(\/[^ ]*\) (.*$/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*$/\1/p' | sort -u
}

# Copies files to where they really are, as /lib is a link to /usr/lib, and as old as they are: Mesa tells by that whether kernels are its own.
put() {
    for file in "$@"; do
        folder=/tmp/root$(readlink -f "$(dirname "$file")")
        mkdir -p "$folder"
        cp --dereference --preserve=timestamps "$file" "$folder/"
    done
}

# The software GPU compiles llama.cpp's kernels while they are used the first time, for a minute or more. Mesa keeps them; here they are made once for all.
export HOME=/tmp/home GGML_VK_VISIBLE_DEVICES=0
mkdir -p /tmp/home
llama-server --model /models/tiny.gguf --host 127.0.0.1 --port 8080 --ctx-size 4096 --flash-attn on --gpu-layers 99 --log-verbosity 4 >/tmp/log 2>&1 &
until curl --fail --silent --output /dev/null http://127.0.0.1:8080/health; do
    kill -0 $! || { cat /tmp/log; exit 1; }
    sleep 0.2
done
curl --fail --silent --output /dev/null --data '{"messages": [{"role": "user", "content": "What is the capital of Iceland?"}], "max_tokens": 24}' \
    http://127.0.0.1:8080/v1/chat/completions
kill $!
wait $! || true
grep -q 'offloaded 5/5 layers to GPU' /tmp/log
cp -r /tmp/home/.cache/mesa_shader_cache /made/
chmod -R a+rX /made/mesa_shader_cache
mkdir -p /tmp/root/usr/share/software_gpu
cp -r /made/mesa_shader_cache /tmp/root/usr/share/software_gpu/

# As far as it matters here the layout of llama.cpp's own images: the program is /app/llama-server, curl is there.
mkdir -p /tmp/root/app /tmp/root/etc /tmp/root/tmp /tmp/root/usr/bin /tmp/root/usr/lib /tmp/root/usr/lib64
chmod 1777 /tmp/root/tmp
ln -s usr/bin usr/lib usr/lib64 /tmp/root/
programs="/usr/bin/cp /usr/bin/curl /usr/bin/dash /usr/bin/ls /usr/bin/mkdir"
modules="$libraries/ggml/backends0/*.so $libraries/libvulkan_lvp.so"
# shellcheck disable=SC2046,SC2086
put $programs $modules /usr/share/vulkan/icd.d/lvp_icd.json $(needed $programs $modules /usr/bin/llama-server)
ln -s dash /tmp/root/usr/bin/sh
install -D /usr/bin/llama-server /tmp/root/usr/libexec/llama.cpp/llama-server
install "$here/llama-server.sh" /tmp/root/app/llama-server
install "$here/broken.sh" /tmp/root/app/broken
tar --create --file /made/root.tar --directory /tmp/root .

# A release has everything in one folder that is named like it. This one is for the CPU alone.
release=/tmp/release/llama-b$build
mkdir -p "$release"
cp --dereference /usr/bin/llama-server "$libraries"/ggml/backends0/libggml-cpu-*.so "$release"
# shellcheck disable=SC2046
cp --dereference $(needed /usr/bin/llama-server | grep -E '/lib(ggml|llama|mtmd)') "$release"
tar --create --gzip --file "/made/llama-b$build-bin-debian-x64.tar.gz" --directory /tmp/release "llama-b$build"
install "$here/llama-server.sh" /made/llama-server
