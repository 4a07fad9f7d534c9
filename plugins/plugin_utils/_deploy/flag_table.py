# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The arguments of llama-server b11312, all of them: its tools/server/README.md, which llama.cpp writes from common/arg.cpp (commit 0c1e57098).

Each block is a list of names. A build is told apart where a source says so, in C(SINCE); flags.py reads it.
"""

from __future__ import annotations

READ_BUILD = 11312
"""The build whose list this is."""

KNOWN_BUILD = 10114
"""A build of 2026-07-24 that had --load-mode (https://github.com/ggml-org/llama.cpp/issues/26110), older than any that is safe (_backend/security.py)."""

SWITCHES = frozenset(
    """
    -h --help --usage --version -cl --cache-list --completion-bash --swa-full --perf --no-perf -e --escape --no-escape -kvo --kv-offload -nkvo
    --no-kv-offload --repack -nr --no-repack --no-host --list-devices -cmoe --cpu-moe --check-tensors --op-offload --no-op-offload --log-disable
    --log-jsonl --no-log-jsonl -v --verbose --log-verbose --offline --log-prefix --no-log-prefix --log-timestamps --no-log-timestamps --ignore-eos -bs
    --backend-sampling -kvu --kv-unified -no-kvu --no-kv-unified --cache-idle-slots --no-cache-idle-slots --context-shift --no-context-shift -sp
    --special --warmup --no-warmup --spm-infill -cb --cont-batching -nocb --no-cont-batching --mmproj-auto --no-mmproj --no-mmproj-auto
    --mmproj-offload --no-mmproj-offload --reuse-port --cors-credentials --no-cors-credentials --ui-mcp-proxy --webui-mcp-proxy --no-ui-mcp-proxy
    --no-webui-mcp-proxy -ag --agent -no-ag --no-agent --ui --webui --no-ui --no-webui --embedding --embeddings --rerank --reranking --cache-prompt
    --no-cache-prompt --metrics --props --slots --no-slots --models-autoload --no-models-autoload --jinja --no-jinja --reasoning-preserve
    --no-reasoning-preserve --skip-chat-parsing --no-skip-chat-parsing --prefill-assistant --no-prefill-assistant --lora-init-without-apply
    --spec-draft-cpu-moe -cmoed --cpu-moe-draft --spec-draft-backend-sampling --no-spec-draft-backend-sampling --embd-gemma-default
    --fim-qwen-1.5b-default --fim-qwen-3b-default --fim-qwen-7b-default --fim-qwen-7b-spec --fim-qwen-14b-spec --fim-qwen-30b-default
    --gpt-oss-20b-default --gpt-oss-120b-default --vision-gemma-4b-default --vision-gemma-12b-default --spec-default
    """.split()
)
"""Without a value."""

WITH_VALUE = frozenset(
    """
    -t --threads -tb --threads-batch -C --cpu-mask -Cr --cpu-range --cpu-strict --prio --poll -Cb --cpu-mask-batch -Crb --cpu-range-batch
    --cpu-strict-batch --prio-batch --poll-batch -c --ctx-size -n --predict --n-predict -b --batch-size -ub --ubatch-size --keep -fa --flash-attn
    --rope-scaling --rope-scale --rope-freq-base --rope-freq-scale --yarn-orig-ctx --yarn-ext-factor --yarn-attn-factor --yarn-beta-slow
    --yarn-beta-fast -ctk --cache-type-k -ctv --cache-type-v -dt --defrag-thold --rpc -lm --load-mode -lzm --lazy-mode --numa -dev --device -ot
    --override-tensor -ncmoe --n-cpu-moe -ncffn --n-cpu-ffn -ngl --gpu-layers --n-gpu-layers -sm --split-mode -ts --tensor-split -mg --main-gpu -fit
    --fit -fitt --fit-target -fitc --fit-ctx --override-kv --lora --lora-scaled --control-vector --control-vector-scaled -m --model -mu --model-url
    -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file -hft --hf-token --log-file --log-colors -lv --verbosity --log-verbosity --spec-draft-type-k
    -ctkd --cache-type-k-draft --spec-draft-type-v -ctvd --cache-type-v-draft --samplers -s --seed --sampler-seq --sampling-seq --temp --temperature
    --top-k --top-p --min-p --top-nsigma --top-n-sigma --xtc-probability --xtc-threshold --typical --typical-p --repeat-last-n --repeat-penalty
    --presence-penalty --frequency-penalty --dry-multiplier --dry-base --dry-allowed-length --dry-penalty-last-n --dry-sequence-breaker
    --adaptive-target --adaptive-decay --dynatemp-range --dynatemp-exp --mirostat --mirostat-lr --mirostat-ent -l --logit-bias --grammar
    --grammar-file -j --json-schema -jf --json-schema-file -lcs --lookup-cache-static -lcd --lookup-cache-dynamic --kv-unified-per-slot -ctxcp
    --ctx-checkpoints --swa-checkpoints -cms --checkpoint-min-step -cram --cache-ram -r --reverse-prompt --pooling -np --parallel -mm --mmproj -mmu
    --mmproj-url -mmdev --mmproj-device --image-min-tokens --image-max-tokens --mtmd-batch-max-tokens --video-fps --video-timestamp-interval
    --video-ffmpeg-dir -a --alias --tags --embd-normalize --host --port --path --cors-origins --cors-methods --cors-headers --api-prefix --ui-config
    --webui-config --ui-config-file --webui-config-file --tools --tools-runtime --mcp-servers-config --mcp-servers-json --api-key --api-key-file
    --ssl-key-file --ssl-cert-file --chat-template-kwargs -to --timeout --sse-ping-interval --threads-http --cache-reuse --slot-save-path --media-path
    --models-dir --models-preset --models-max --reasoning-format -rea --reasoning --reasoning-effort --reasoning-budget --reasoning-budget-message
    --chat-template --chat-template-file -sps --slot-prompt-similarity --sleep-idle-seconds --log-prompts-dir --spec-draft-hf -hfd -hfrd
    --hf-repo-draft --spec-draft-threads -td --threads-draft --spec-draft-threads-batch -tbd --threads-batch-draft --spec-draft-cpu-mask -Cd
    --cpu-mask-draft --spec-draft-cpu-range -Crd --cpu-range-draft --spec-draft-cpu-strict --cpu-strict-draft --spec-draft-prio --prio-draft
    --spec-draft-poll --poll-draft --spec-draft-cpu-mask-batch -Cbd --cpu-mask-batch-draft --spec-draft-cpu-strict-batch --cpu-strict-batch-draft
    --spec-draft-prio-batch --prio-batch-draft --spec-draft-poll-batch --poll-batch-draft --spec-draft-override-tensor -otd --override-tensor-draft
    --spec-draft-n-cpu-moe --spec-draft-ncmoe -ncmoed --n-cpu-moe-draft --spec-draft-n-max --spec-draft-n-min --spec-synth-len --spec-synth-rates
    --spec-draft-p-split --draft-p-split --spec-draft-p-min --draft-p-min --spec-draft-device -devd --device-draft --spec-draft-ngl -ngld
    --gpu-layers-draft --n-gpu-layers-draft --spec-draft-model -md --model-draft --spec-type --spec-ngram-mod-n-min --spec-ngram-mod-n-max
    --spec-ngram-mod-n-match --spec-ngram-simple-size-n --spec-ngram-simple-size-m --spec-ngram-simple-min-hits --spec-ngram-map-k-size-n
    --spec-ngram-map-k-size-m --spec-ngram-map-k-min-hits --spec-ngram-map-k4v-size-n --spec-ngram-map-k4v-size-m --spec-ngram-map-k4v-min-hits
    """.split()
)
"""With one value."""

WITH_TWO_VALUES = frozenset(("--control-vector-layer-range",))

NEWER = frozenset(
    """
    -cl --cache-list --perf -kvo --kv-offload --repack --no-host --op-offload --log-jsonl --no-log-jsonl --no-log-prefix --no-log-timestamps -bs
    --backend-sampling -no-kvu --no-kv-unified --cache-idle-slots --no-cache-idle-slots --warmup --mmproj-auto --no-mmproj-auto --mmproj-offload
    --reuse-port --cors-credentials --no-cors-credentials --ui-mcp-proxy --webui-mcp-proxy --no-ui-mcp-proxy --no-webui-mcp-proxy -ag --agent -no-ag
    --no-agent --ui --webui --no-ui --cache-prompt --no-cache-prompt --models-autoload --no-models-autoload --no-jinja --reasoning-preserve
    --no-reasoning-preserve --skip-chat-parsing --no-skip-chat-parsing --prefill-assistant --spec-draft-cpu-moe --spec-draft-backend-sampling
    --no-spec-draft-backend-sampling --embd-gemma-default --fim-qwen-1.5b-default --fim-qwen-3b-default --fim-qwen-7b-default --fim-qwen-7b-spec
    --fim-qwen-14b-spec --fim-qwen-30b-default --gpt-oss-20b-default --gpt-oss-120b-default --vision-gemma-4b-default --vision-gemma-12b-default
    --spec-default --rpc -lm --load-mode -lzm --lazy-mode -ncffn --n-cpu-ffn -fit --fit -fitt --fit-target -fitc --fit-ctx -dr --docker-repo
    --spec-draft-type-k --spec-draft-type-v --temperature --top-n-sigma --typical-p --adaptive-target --adaptive-decay -lcs --lookup-cache-static -lcd
    --lookup-cache-dynamic --kv-unified-per-slot -ctxcp --ctx-checkpoints -cms --checkpoint-min-step -cram --cache-ram -mm -mmu -mmdev --mmproj-device
    --image-min-tokens --image-max-tokens --mtmd-batch-max-tokens --video-fps --video-timestamp-interval --video-ffmpeg-dir --tags --embd-normalize
    --cors-origins --cors-methods --cors-headers --ui-config --webui-config --ui-config-file --webui-config-file --tools --tools-runtime
    --mcp-servers-config --mcp-servers-json --sse-ping-interval --media-path --models-dir --models-preset --models-max -rea --reasoning
    --reasoning-effort --reasoning-budget-message --sleep-idle-seconds --log-prompts-dir --spec-draft-hf --spec-draft-threads
    --spec-draft-threads-batch --spec-draft-cpu-mask -Cd --cpu-mask-draft --spec-draft-cpu-range -Crd --cpu-range-draft --spec-draft-cpu-strict
    --cpu-strict-draft --spec-draft-prio --prio-draft --spec-draft-poll --poll-draft --spec-draft-cpu-mask-batch -Cbd --cpu-mask-batch-draft
    --spec-draft-cpu-strict-batch --cpu-strict-batch-draft --spec-draft-prio-batch --prio-batch-draft --spec-draft-poll-batch --poll-batch-draft
    --spec-draft-override-tensor --spec-draft-n-cpu-moe --spec-draft-ncmoe --spec-draft-n-max --spec-draft-n-min --spec-synth-len --spec-synth-rates
    --spec-draft-p-split --draft-p-split --spec-draft-p-min --spec-draft-device --spec-draft-ngl --spec-draft-model --spec-type --spec-ngram-mod-n-min
    --spec-ngram-mod-n-max --spec-ngram-mod-n-match --spec-ngram-simple-size-n --spec-ngram-simple-size-m --spec-ngram-simple-min-hits
    --spec-ngram-map-k-size-n --spec-ngram-map-k-size-m --spec-ngram-map-k-min-hits --spec-ngram-map-k4v-size-n --spec-ngram-map-k4v-size-m
    --spec-ngram-map-k4v-min-hits
    """.split()
)
"""Those that the README of August 2025 had not yet (commit 25d5b0c53). All others were there a year before KNOWN_BUILD and are in READ_BUILD still."""

SINCE = {
    "--load-mode": (10114, "https://github.com/ggml-org/llama.cpp/issues/26110"),
    "-lm": (10114, "https://github.com/ggml-org/llama.cpp/issues/26110"),
    "--no-kv-unified": (8664, "https://github.com/bernardladenthin/java-llama.cpp/pull/71"),
    "--cache-ram": (8664, "https://github.com/bernardladenthin/java-llama.cpp/pull/71"),
    "--ctx-checkpoints": (10114, "https://github.com/ggml-org/llama.cpp/issues/23181 of 2026-05-17"),
    "--fit": (10114, "https://github.com/janhq/jan/pull/7442 of 2026-01-31"),
    "--fit-target": (10114, "https://github.com/janhq/jan/pull/7442 of 2026-01-31"),
    "--fit-ctx": (10114, "https://github.com/janhq/jan/pull/7442 of 2026-01-31"),
    "--ui": (10114, "https://github.com/ggml-org/llama.cpp/pull/24817 of 2026-06-19"),
    "--no-ui": (10114, "https://github.com/ggml-org/llama.cpp/pull/24817 of 2026-06-19"),
}
"""Of NEWER: a build that had it, and where that is said. It may be older; the others are known in READ_BUILD only."""

REMOVED = {
    "--mmap": "--load-mode mmap",
    "--no-mmap": "--load-mode none",
    "--mlock": "--load-mode mlock",
    "--direct-io": "--load-mode dio",
    "-dio": "--load-mode dio",
    "--draft": "--spec-draft-n-max",
    "--draft-n": "--spec-draft-n-max",
    "--draft-max": "--spec-draft-n-max",
    "--draft-min": "--spec-draft-n-min",
    "--draft-n-min": "--spec-draft-n-min",
}
"""What older builds had and READ_BUILD refuses: what to say instead."""
