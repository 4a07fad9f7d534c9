#!/usr/bin/env bash
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The collection from its archive to an answer: build it, install it, run its site playbook against this machine.
#
#   demo.sh start [MODEL]   MODEL: a path, an https URL or hf:org/repo:QUANT; without it a tiny model is made
#   demo.sh stop
#
# Everything it makes lies in build/demo of the checkout.

set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
demo=$root/build/demo
bin=$root/.venv/bin
mkdir -p "$demo"

export ANSIBLE_HOME=$demo/ansible
export ANSIBLE_COLLECTIONS_PATH=$demo/collections
export ANSIBLE_CALLBACK_RESULT_FORMAT=yaml
export ANSIBLE_DISPLAY_SKIPPED_HOSTS=false
export ANSIBLE_LOCALHOST_WARNING=false
export ANSIBLE_RETRY_FILES_ENABLED=false

# Built and installed anew only when a file of the collection has changed.
install_collection() {
    local digest archive
    digest=$(cd "$root" && find galaxy.yml README.md LICENSE meta plugins roles playbooks changelogs docs -type f \
        -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
    if [ "$(cat "$demo/installed" 2> /dev/null)" = "$digest" ]; then
        return
    fi
    rm -rf "$demo/archive" "$demo/collections" "$demo/installed"
    "$bin/ansible-galaxy" collection build --output-path "$demo/archive" "$root"
    archive=$(echo "$demo"/archive/*.tar.gz)
    "$bin/ansible-galaxy" collection install --offline --collections-path "$demo/collections" "$archive"
    echo "$digest" > "$demo/installed"
}

play() {
    (cd "$demo" && "$bin/ansible-playbook" --inventory "$root/examples/demo/inventory" \
        --extra-vars "{\"demo_directory\": \"$demo\", \"demo_model\": \"$1\"}" "prositronic.infra.$2" "${@:3}")
}

start() {
    local model=$1
    if [ -z "$model" ]; then
        model=$demo/tiny.gguf
        [ -e "$model" ] || "$bin/python" "$root/examples/demo/tiny_model.py" "$model"
    elif [ -e "$model" ]; then
        model=$(realpath "$model")
    fi
    install_collection
    play "$model" site --extra-vars "llama_server_plan_directory=$demo" | tee "$demo/site.log"
    echo "The plans and the reports are in build/demo: localhost.yml, localhost.txt, l4-24gb.yml, l4-24gb.txt."
    if grep -Eq '^[^ ]+ +: ok=.* changed=[1-9]' "$demo/site.log"; then
        echo "The server answers on http://127.0.0.1:18080 until 'make demo-stop'."
    else
        echo "Nothing has changed: the server runs as planned on http://127.0.0.1:18080 until 'make demo-stop'."
    fi
}

stop() {
    if [ ! -e "$demo/installed" ] || [ ! -e "$bin/ansible-playbook" ]; then
        echo "The demo was never started here."
        return
    fi
    play "" remove
    echo "The server is gone. Models, plans and logs are left in build/demo; 'make clean' removes them."
}

case ${1:-} in
    start) start "${2:-}" ;;
    stop) stop ;;
    *) echo "usage: demo.sh start [MODEL] | stop" >&2; exit 2 ;;
esac
